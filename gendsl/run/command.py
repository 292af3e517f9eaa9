"""An order in, a finished (or interrupted) run out: what `gendsl run` does, from the first refusal to the last message.

TensorFlow is loaded only once it is clear that there is something to train.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.status import Status

from gendsl.lower.errors import UserError
from gendsl.plan.coupling import couplings
from gendsl.plan.plan import Plan
from gendsl.run import folder as folders
from gendsl.run import memory
from gendsl.run.cluster import Cluster
from gendsl.run.crew import Decision
from gendsl.run.folder import Lock
from gendsl.run.interruption import Interruption, exit_code
from gendsl.run.opening import Opened, opened_for
from gendsl.run.order import Order, Where
from gendsl.run.ready import Ready, moments_for, ready_for, recorder_for
from gendsl.run.telling import note, say, say_done, say_finished, say_interrupted, say_stopped, say_stopped_by
from gendsl.run.workers import SECONDS_TO_WAIT, losses_named

# What is not built and may be left out without changing the training.
_BESIDE_TRAINING = ("score", "extractor", "monitor", "policy", "export")

FINE, STOPPED = 0, 4  # exit codes: a run that its own alarm has stopped is whole, but not what was asked for
Watch = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went: its folder, the steps that are done, the last scores, and the exit code of the process."""

    folder: Path
    step: int
    finished: bool
    scores: Mapping[str, float] = field(default_factory=dict)
    exit_code: int = 0


def run(
    order: Order,
    where: Where,
    *,
    console: Console,
    ours: bool = False,
    cluster: Cluster | None = None,
    wait: float = SECONDS_TO_WAIT,
    profile: range | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Trains what is ordered in a folder of its own, alone or as one of a cluster's workers.

    The process is `ours` where it does nothing else: a second Ctrl-C may then end it. A worker waits so many seconds
    for the others. Steps to `profile` are numbered from 1. `watch` is told after each graph call how many steps are
    done. Raises UserError.
    """
    _refuse_what_is_not_built(order.plan, console)
    leads = cluster is None or cluster.index == 0
    opened = opened_for(order, where, console) if leads else None
    found = None if opened is None else folders.read_json(opened.folder.plan)
    if opened is not None and opened.ended and cluster is None:
        return _ended(opened, console)
    with losses_named(cluster), memory.answered(order.plan):
        with console.status("loading TensorFlow and the data…") as status, _impatience(status, console, ours=ours):
            folder = None if opened is None else opened.folder
            ready = ready_for(order, folder, cluster=cluster, wait=wait, status=status)
        if ready.crew.chief and (told := memory.warning(order.plan, ready.experiment.replicas)):
            note(console, f"warning: {told}")
        if ready.crew.chief:
            _warn_of_couplings(ready, console)
            for warning in ready.dataset.findings.warnings:
                note(console, f"warning: {warning}")
        if opened is None:
            return _follow(ready, console=console, ours=ours)
        with ready.crew.leading():
            if opened.aside is not None:
                folders.move_aside(opened.folder, opened.aside)
                note(console, f"note: the run that was in {opened.folder.shown} is now {opened.aside}")
                found = None
            lock = Lock(opened.folder)
            if folders.read_json(opened.folder.plan) != found:  # since it was opened TensorFlow has been loaded
                lock.release()
                raise UserError(
                    f"another process has begun a run in {opened.folder.shown} in the meantime",
                    "type the command again to see how that stands, or give another folder with --out",
                )
        try:
            return _lead(ready, opened, console=console, ours=ours, profile=profile, watch=watch)
        finally:
            lock.release()


def _warn_of_couplings(ready: Ready, console: Console) -> None:
    """Names what trains otherwise on several replicas, where the check could not know that there are several."""
    order = ready.order
    told_by_check = order.strategy_asked is None and order.strategy and order.strategy.arguments.get("replicas")
    if ready.experiment.replicas.count == 1 or told_by_check:
        return
    for what in dict.fromkeys(coupling.what for coupling in couplings(order.plan)):
        told = f"{what} couples the examples of a batch, and sees those of each replica only"
        note(console, f"warning: {told}" + ("; `synchronized: on` mends that" if "batch_norm" in told else ""))


def _impatience(status: Status, console: Console, *, ours: bool) -> AbstractContextManager[object]:
    """While nothing is trained, any signal ends a process of ours at once, and leaves the terminal as it was."""

    def last_words() -> None:
        status.stop()
        say(console, [("stopped", "before training began")])

    return Interruption(last_words=last_words, patient=False) if ours else nullcontext()


def _lead(
    ready: Ready, opened: Opened, *, console: Console, ours: bool, profile: range | None, watch: Watch | None
) -> Outcome:
    """The run itself, as its only process or as the chief of several, which alone writes and tells."""
    from gendsl.run import checkpoints
    from gendsl.run.course import course_of
    from gendsl.run.divergence import Diverged, Search, explained
    from gendsl.run.entering import entered
    from gendsl.run.logs import cut
    from gendsl.run.loop import EMPTY, window_of
    from gendsl.run.profiling import Profile, refuse_beyond
    from gendsl.run.progress import Screen
    from gendsl.run.start import beginning_of, refuse_another
    from gendsl.run.trainer import Trainer

    folder, crew, last = ready.folder, ready.crew, ready.last
    with crew.leading():
        state = ready.experiment.state()
        checkpoints.sweep(folder.checkpoints)
        plan, new = ready.order.plan, opened.then is None
        begun = beginning_of(plan, state, ready.order.project) if new else None
        if differs := entered(ready, opened, state, begun.record if begun else ()):
            told = "; ".join(differs)
            note(console, f"warning: the run goes on, but not bit for bit as if uninterrupted: {told}")
        restored = checkpoints.restore(folder.checkpoints, state, plans=folders.trainings_in(folder))
        for name, reason in restored.damaged if restored else ():
            note(console, f"warning: {name} was passed over: {reason}")
        if restored is None:
            if begun is None:
                begun = beginning_of(plan, state, ready.order.project)
                refuse_another((folders.read_json(folder.environment) or {}).get("start"), begun, folder)
            begun.assign(state)
        first = restored.step if restored else 0
        alarms = restored.record.get("alarms") if restored else None
        course = course_of((alarms or {}).get("course"))
        ended = restored is not None and (first > last or (first == last and folders.has_ended(folder)))
        if not ended:
            if profile is not None:
                refuse_beyond(profile, first=first, last=last)
            cut(folder, restored.record["lengths"] if restored and first else {})
            folders.keep_lines_until(folder.events, first, attempt=course.attempt)
            _note_the_beginning(ready, opened, first)
    crew.share_record({"step": first, "course": course.record()})
    crew.share(state)
    course.lead(ready.experiment)
    if ended:
        crew.agree(Decision(0, 0))
        if opened.changes:
            _report(folder, console)
        return _ended(opened, console)
    console.print(_beginning(ready, first), highlight=False, markup=False, soft_wrap=True)
    window = window_of(restored.record["window"]) if restored else EMPTY
    if ready.dataset.summary:
        say(console, [("data", ready.dataset.summary)])
    if begun is not None and begun.told:
        say(console, [("start", line) for line in begun.told])
    screen = Screen(console, first=first, last=last)
    recorder = recorder_for(ready, state, screen, first=first, alarms=alarms, watcher=watch)
    if profile is not None:
        recorder.profile = Profile(profile, folder.logs, screen.say)
        recorder.moments = replace(recorder.moments, profiled=profile)
    trainer = Trainer(ready.experiment, ready.dataset, recorder.moments, recorder, crew)

    def last_words() -> None:
        screen.close()
        say_stopped(console, folder, recorder.saver.step)

    began, worked = time.monotonic(), time.process_time()
    with crew.leading(training=True):
        try:
            with Interruption(screen.stopping, last_words=last_words if ours else None) as interruption, screen:
                if restored and restored.training != ready.training and window.steps:
                    recorder.log(first, window, None)  # what comes has other things to tell
                    window = EMPTY
                step = trainer.train(first, window, interruption)
        except Diverged as told:
            with console.status("looking for where it began not to be finite…"):
                plans = folders.trainings_in(folder)
                search = Search(ready.order.plan, ready.dataset, recorder.moments, folder.checkpoints, plans)
                error, record = explained(told, search)
            folders.append_line(folder.events, {"step": told.step, "event": "diverged", "time": _now()} | record)
            _report(folder, console)
            raise error from None
    if not recorder.complete:
        spent = {"cpu_seconds": round(time.process_time() - worked, 1)}
        folders.append_line(folder.events, {"step": step, "event": "interrupted"} | spent | {"time": _now()})
        _report(folder, console)
        say_interrupted(console, folder, step, last)
        return Outcome(folder.path, step, False, recorder.scores, exit_code(interruption.signal or 0))
    by = recorder.guard.asked if trainer.stopped else None
    end: dict[str, str | float] = {"event": "finished"} if by is None else {"event": "stopped", "by": by.name}
    end["cpu_seconds"] = round(time.process_time() - worked, 1)
    folders.append_line(folder.events, {"step": step} | end | {"time": _now()})
    seconds = time.monotonic() - began
    _report(folder, console)
    say_done(
        console,
        folder,
        ready.order.plan,
        steps=step - first,
        seconds=seconds,
        work=recorder.throughput.summary(),
        scores=recorder.scores,
    )
    if by is not None:
        say_stopped_by(console, folder, by.name, step, last)
    return Outcome(folder.path, step, True, recorder.scores, FINE if by is None else STOPPED)


def _follow(ready: Ready, *, console: Console, ours: bool) -> Outcome:
    """A worker's part in a run that its chief leads, writes and tells of."""
    from gendsl.run.course import course_of
    from gendsl.run.loop import EMPTY
    from gendsl.run.trainer import Listener, Trainer

    crew = ready.crew
    record = crew.share_record({})
    first = int(record["step"])
    crew.share(ready.experiment.state())
    course_of(record["course"]).lead(ready.experiment)
    console.print(f"{ready.order.plan.experiment}: worker {crew.index} of {crew.size}; the chief tells and writes")
    trainer = Trainer(ready.experiment, ready.dataset, moments_for(ready), Listener(), crew)
    with Interruption(last_words=(lambda: None) if ours else None) as interruption:
        step = trainer.train(first, EMPTY, interruption)
    finished = step >= ready.last or trainer.stopped  # by an alarm, of which the chief's exit code tells
    code = FINE if finished else exit_code(interruption.signal or 0)
    return Outcome(ready.folder.path, step, finished, exit_code=code)


def _ended(opened: Opened, console: Console) -> Outcome:
    """A run of which nothing is left to do; its last scores are those that it wrote down."""
    folder = opened.folder
    step = folders.steps_done(folder)
    scored = [record for record in folders.read_lines(folder.metrics) if "evaluation" in record]
    scores = {
        name: value
        for record in scored
        for name, value in record.items()
        if name not in ("step", "evaluation", "seconds")
    }
    plan, length = folders.plan_in(folder), None
    if alarm := folders.stopped_by(folder):
        say_stopped_by(console, folder, alarm, step, None)
    else:
        length = folders.length_in(folder, plan)
    say_finished(console, folder, step, plan, length=length)
    return Outcome(folder.path, step, True, scores, STOPPED if alarm else FINE)


def _report(folder: folders.RunFolder, console: Console) -> None:
    """Writes report.html and the model card; a run does not fail for them."""
    from gendsl.export.card.write import write_card
    from gendsl.report.write import written

    try:
        written(folder)
        write_card(folder, folder.path)
    except UserError as error:
        note(console, f"warning: {error.message}")


def _note_the_beginning(ready: Ready, opened: Opened, first: int) -> None:
    """Adds to the run's events that it starts or goes on, and with what changes."""
    if opened.changes:
        told = [difference.text for difference in opened.changes]
        record = {"step": first, "event": "changed", "differences": told, "time": _now()}
        folders.append_line(ready.folder.events, record)
    event = "resumed" if first else "started"
    folders.append_line(ready.folder.events, {"step": first, "event": event, "time": _now()})


def _beginning(ready: Ready, first: int) -> str:
    text = f"{ready.order.plan.experiment}: {'going on at step' if first else 'training'} "
    text += f"{first:,} of {ready.last:,}" if first else f"{ready.last:,} steps"
    if ready.last < ready.experiment.steps:
        text += f" (schedules keep the spec's {ready.experiment.steps:,})"
    if ready.order.overfit:
        text += ", on one batch only (--overfit)"
    if ready.experiment.replicas.count > 1:
        text += f", by {ready.experiment.replicas.count} replicas"
    return f"{text}, in {ready.folder.shown}"


def _refuse_what_is_not_built(plan: Plan, console: Console) -> None:
    """Names what this version cannot run yet; raises UserError if any of it changes the training."""
    refused = [word for word, category in plan.not_built if category not in _BESIDE_TRAINING]
    if refused:
        names = ", ".join(f"`{word}`" for word in refused)
        raise UserError(
            f"{names} cannot be run yet in this version, only checked and planned",
            "take it out of the spec to train without it",
        )
    left_out = [word for word, category in plan.not_built if category in ("score", "monitor", "policy", "export")]
    if left_out:
        names = ", ".join(f"`{word}`" for word in dict.fromkeys(left_out))
        note(console, f"note: not built yet and left out: {names}")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
