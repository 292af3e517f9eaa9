"""A checked plan in, a finished (or interrupted) run out: what `gendsl run` does, from the first refusal to the
message at the end. TensorFlow is loaded only once it is clear that there is something to train.
"""

import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.status import Status

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Plan
from gendsl.plan.record import hash_of, record_of
from gendsl.run import folder as folders
from gendsl.run.cluster import Cluster
from gendsl.run.crew import Crew
from gendsl.run.folder import Lock, RunFolder
from gendsl.run.interruption import Interruption, exit_code
from gendsl.run.loading import load_tensorflow
from gendsl.run.workers import SECONDS_TO_WAIT, joined, losses_named

if TYPE_CHECKING:
    from gendsl.run.moments import Moments
    from gendsl.run.progress import Screen
    from gendsl.run.recorder import Recorder

# What is not built and may be left out without changing the training.
_BESIDE_TRAINING = ("score", "extractor", "monitor", "policy", "export", "card", "sweep", "search")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went: its folder, the steps that are done, the last scores, and the exit code of the process."""

    folder: Path
    step: int
    finished: bool
    scores: Mapping[str, float] = field(default_factory=dict)
    exit_code: int = 0


def run(
    plan: Plan,
    *,
    source_text: str,
    spec_path: str,
    out: str | None,
    resume: bool,
    steps: int | None,
    overfit: bool,
    console: Console,
    ours: bool = False,
    cluster: Cluster | None = None,
    wait: float = SECONDS_TO_WAIT,
) -> Outcome:
    """Trains a plan in a folder of its own, alone or as one of a cluster's workers.

    `steps` ends the run earlier and leaves schedules at the spec's length; 0 makes all ready, draws and scores once.
    With `resume` it goes on with an unfinished folder of the same plan, or starts one. The process is `ours` where it
    does nothing else: a second Ctrl-C may then end it. A worker waits so many seconds for the others. Raises UserError.
    """
    _refuse_what_is_not_built(plan, console)
    plan_hash = hash_of(plan)
    leads = cluster is None or cluster.index == 0
    folder = _folder(plan, plan_hash, out=out, resume=resume) if leads else None
    with losses_named(cluster):
        with console.status("loading TensorFlow and the data…") as status, _impatience(status, console, ours=ours):
            ready = _made_ready(
                plan,
                plan_hash,
                folder,
                spec_path=spec_path,
                steps=steps,
                overfit=overfit,
                cluster=cluster,
                wait=wait,
                status=status,
            )
        if not leads:
            return _follow(ready, console=console, ours=ours)
        with ready.crew.leading():
            ready.folder.path.mkdir(parents=True, exist_ok=True)
            lock = Lock(ready.folder)
        try:
            return _run(ready, source_text=source_text, console=console, ours=ours)
        finally:
            lock.release()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A run before its first step."""

    plan: Plan
    plan_hash: str
    folder: RunFolder
    experiment: Any
    dataset: Any
    last: int
    overfit: bool
    spec_path: str
    crew: Crew


def _made_ready(
    plan: Plan,
    plan_hash: str,
    folder: RunFolder | None,
    *,
    spec_path: str,
    steps: int | None,
    overfit: bool,
    cluster: Cluster | None,
    wait: float,
    status: Status,
) -> _Ready:
    """Loads TensorFlow, finds the other workers, loads the data, and builds the networks. Raises UserError.

    Only the chief has a folder; the others are told where it is.
    """
    load_tensorflow(alone=cluster is None)
    from gendsl.lower.data import dataset_of
    from gendsl.lower.training import experiment_of
    from gendsl.run.environment import versions

    replicas, crew = joined(
        _strategy(plan),
        cluster,
        batch=plan.data.batch,
        plan={"plan": plan_hash[:8], "steps": str(steps), "overfit": str(overfit)} | versions(),
        seconds=wait,
        waiting=status.update,
    )
    folder = RunFolder(Path(crew.share_record({"folder": str(folder.path) if folder else ""})["folder"]))
    status.update("loading the data…")
    dataset = dataset_of(plan, str(Path(spec_path).parent), overfit=overfit)
    crew.compare("data", json.dumps(folders.as_json(dataset.manifest), sort_keys=True))
    experiment = experiment_of(plan, examples=dataset.sizes.get("train"), replicas=replicas)
    experiment.class_counts = dataset.class_counts
    last = experiment.steps if steps is None else steps
    if last > experiment.steps:
        raise UserError(
            f"--steps {steps:,} is more than the {experiment.steps:,} steps of the spec",
            "--steps ends a run earlier; for a longer one change `steps` in `train`",
        )
    return _Ready(plan, plan_hash, folder, experiment, dataset, last, overfit, spec_path, crew)


def _strategy(plan: Plan) -> Call | None:
    """The spec's strategy; None if it names none."""
    setting = plan.train.settings.get("strategy")
    return None if setting is None else setting.arguments["kind"]


def _impatience(status: Status, console: Console, *, ours: bool) -> AbstractContextManager[object]:
    """While nothing is trained, any signal ends a process of ours at once, and leaves the terminal as it was."""

    def last_words() -> None:
        status.stop()
        _say(console, [("stopped", "before training began")])

    return Interruption(last_words=last_words, patient=False) if ours else nullcontext()


def _run(ready: _Ready, *, source_text: str, console: Console, ours: bool) -> Outcome:
    from gendsl.run import checkpoints
    from gendsl.run.logs import cut
    from gendsl.run.loop import EMPTY, window_of
    from gendsl.run.progress import Screen
    from gendsl.run.trainer import Trainer

    folder = ready.folder
    with ready.crew.leading():
        _write_or_compare(ready, source_text, console)
        state = ready.experiment.state()
        checkpoints.sweep(folder.checkpoints)
        restored = checkpoints.restore(folder.checkpoints, state, plan_hash=ready.plan_hash)
        first, window = (restored.step, window_of(restored.record["window"])) if restored else (0, EMPTY)
        for name, reason in restored.damaged if restored else ():
            console.print(f"warning: {name} was passed over: {reason}", style="yellow", markup=False)
        if first >= ready.last and restored:
            raise UserError(
                f"the run in {folder.shown} is finished: {first:,} steps are done",
                f"draw samples with `gendsl sample {folder.shown}`, or start another run without --resume",
            )
        cut(folder, restored.record["lengths"] if restored and first else {})
        folders.keep_lines_until(folder.events, first)
        folders.append_line(folder.events, {"step": first, "event": "resumed" if first else "started", "time": _now()})
    ready.crew.share_record({"step": first})
    ready.crew.share(state)
    console.print(_opening(ready, first), highlight=False, markup=False, soft_wrap=True)
    screen = Screen(console, first=first, last=ready.last)
    recorder = _recorder(ready, state, screen, first=first, source_text=source_text)
    trainer = Trainer(ready.experiment, ready.dataset, recorder.moments, recorder, ready.crew)

    def last_words() -> None:
        screen.close()
        _say_what_is_left(ready, recorder.saver.step, console)

    began = time.monotonic()
    with Interruption(screen.stopping, last_words=last_words if ours else None) as interruption, screen:
        step = trainer.train(first, window, interruption)
        ready.crew.share_record({})  # all is written: the others may leave
    seconds = time.monotonic() - began
    if step < ready.last:
        folders.append_line(folder.events, {"step": step, "event": "interrupted", "time": _now()})
        _say_how_to_go_on(ready, step, console)
        return Outcome(folder.path, step, False, recorder.scores, exit_code(interruption.signal or 0))
    folders.append_line(folder.events, {"step": step, "event": "finished", "time": _now()})
    _say_where_all_is(ready, step - first, seconds, recorder.scores, console)
    return Outcome(folder.path, step, True, recorder.scores)


def _follow(ready: _Ready, *, console: Console, ours: bool) -> Outcome:
    """A worker's part in a run that its chief leads, writes and tells of."""
    from gendsl.run.loop import EMPTY
    from gendsl.run.trainer import Listener, Trainer

    crew = ready.crew
    first = int(crew.share_record({})["step"])
    crew.share(ready.experiment.state())
    console.print(f"{ready.plan.experiment}: worker {crew.index} of {crew.size}; the chief tells and writes")
    trainer = Trainer(ready.experiment, ready.dataset, _moments(ready), Listener(), crew)
    with Interruption(last_words=(lambda: None) if ours else None) as interruption:
        step = trainer.train(first, EMPTY, interruption)
        crew.share_record({})  # who leaves before the chief has written all looks lost
    finished = step == ready.last
    return Outcome(ready.folder.path, step, finished, exit_code=0 if finished else exit_code(interruption.signal or 0))


def _refuse_what_is_not_built(plan: Plan, console: Console) -> None:
    """Names what this version cannot run yet; raises UserError if any of it changes the training."""
    refused = [word for word, category in plan.not_built if category not in _BESIDE_TRAINING]
    if refused:
        names = ", ".join(f"`{word}`" for word in refused)
        raise UserError(
            f"{names} cannot be run yet in this version, only checked and planned",
            "take it out of the spec to train without it",
        )
    left_out = [
        category if category in ("card", "sweep") else word  # these blocks are left out whole
        for word, category in plan.not_built
        if category in ("score", "monitor", "export", "card", "sweep")
    ]
    if left_out:
        names = ", ".join(f"`{word}`" for word in dict.fromkeys(left_out))
        console.print(
            f"note: not built yet and left out: {names}", style="yellow", highlight=False, markup=False, soft_wrap=True
        )


def _folder(plan: Plan, plan_hash: str, *, out: str | None, resume: bool) -> RunFolder:
    """The folder to train in. Raises UserError where there is a run already that this may not go on with."""
    if out is None:
        if resume:
            unfinished = [found for found in folders.existing(plan.experiment, plan_hash) if not _finished(found)]
            if unfinished:
                return unfinished[0]
        return RunFolder(folders.new_path(plan.experiment, plan_hash))
    folder = RunFolder(Path(out))
    there = folders.plan_hash_in(folder)
    if there is None:
        if folder.path.is_file() or (folder.path.is_dir() and any(_visible(folder.path))):
            raise UserError(f"{out} is there and is not the folder of a run", "give a new folder with --out")
        return folder
    if not resume:
        raise UserError(f"{out} holds a run already", "go on with it by --resume, or give another folder with --out")
    if there != plan_hash:
        raise UserError(
            f"the run in {out} is of another plan (its hash is {there[:8]}, the spec's is {plan_hash[:8]})",
            f"its spec is {out}/spec.gen; give another folder with --out to train the changed one",
        )
    return folder


def _visible(path: Path) -> list[Path]:
    return [found for found in path.iterdir() if not found.name.startswith(".")]


def _finished(folder: RunFolder) -> bool:
    """Whether the last thing that happened in a folder is the end of a run of full length."""
    events = [record.get("event") for record in folders.read_lines(folder.events)]
    told = [event for event in events if event != "phase"]
    return bool(told) and told[-1] == "finished"


def _write_or_compare(ready: _Ready, source_text: str, console: Console) -> None:
    """Writes the files that say what is run; in a folder that has them, compares. Raises UserError."""
    from gendsl.run.environment import differences, environment

    folder = ready.folder
    now = environment(ready.spec_path, options={"overfit": ready.overfit})
    counts = ready.dataset.class_counts
    data = {
        **ready.dataset.manifest,
        "sizes": ready.dataset.sizes,
        "class_names": ready.dataset.class_names,
        "class_counts": None if counts is None else [int(count) for count in counts],
    }
    then, data_then = folders.read_json(folder.environment), folders.read_json(folder.data)
    if then is None or data_then is None:
        folders.write_whole(folder.spec, source_text)
        folders.write_json(folder.environment, now)
        folders.write_json(folder.data, data)
        folders.write_json(folder.plan, record_of(ready.plan))  # last: it makes the folder one of a run
        return
    if bool(then.get("options", {}).get("overfit")) != ready.overfit:
        raise UserError(
            f"the run in {folder.shown} was started {'without' if ready.overfit else 'with'} --overfit",
            "go on with the same option, or give another folder with --out",
        )
    if data_then != folders.as_json(data):
        raise UserError(
            f"the data is no longer that of {folder.shown}/data.json",
            "bring it back as it was, or start a new run without --resume",
        )
    changed = differences(then, folders.as_json(now))
    if changed:
        console.print(
            f"warning: the run goes on, but not bit for bit as if uninterrupted: {'; '.join(changed)}",
            style="yellow",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _recorder(ready: _Ready, state: Mapping[str, Any], screen: "Screen", *, first: int, source_text: str) -> "Recorder":
    from gendsl.evaluate.inputs import examples_of, grid_of_fields, real_points
    from gendsl.evaluate.sampler import Sampler
    from gendsl.evaluate.scores import Evaluator
    from gendsl.plan.show import plan_shown
    from gendsl.run.best import best_of
    from gendsl.run.logs import Logs
    from gendsl.run.moments import kept_checkpoints
    from gendsl.run.pictures import Pixels, drawn
    from gendsl.run.recorder import Recorder
    from gendsl.run.saver import Saver

    plan, dataset, experiment, folder = ready.plan, ready.dataset, ready.experiment, ready.folder
    pictured, real = grid_of_fields(plan, dataset), real_points(plan, dataset)
    sampler = Sampler(experiment, place="picture")

    def draw() -> dict[str, Pixels]:
        samples = sampler.samples(pictured.count, seed=0, fields=pictured.fields)
        return drawn(plan, samples, columns=pictured.columns, real=real)

    logs = Logs(folder.logs, first=first)
    if first == 0:
        logs.texts(0, {"spec": source_text, "plan": plan_shown(plan)})
    return Recorder(
        plan=plan,
        folder=folder,
        moments=_moments(ready),
        saver=Saver(folder.checkpoints, state, kept_checkpoints(plan), ready.plan_hash, step=first or -1),
        logs=logs,
        evaluator=Evaluator(
            plan,
            experiment,
            dataset,
            Sampler(experiment, place="evaluate"),
            lambda count: examples_of(plan, dataset, count),
        ),
        draw=draw,
        best=best_of(plan, folders.read_lines(folder.metrics)),
        screen=screen,
    )


def _moments(ready: _Ready) -> "Moments":
    from gendsl.run.moments import moments_of

    batch = ready.plan.data.batch * ready.plan.train.times
    examples = ready.dataset.sizes.get("train")
    return moments_of(
        ready.plan,
        last=ready.last,
        length=ready.experiment.steps,
        steps_per_epoch=None if examples is None else -(-examples // batch),
    )


def _opening(ready: _Ready, first: int) -> str:
    text = f"{ready.plan.experiment}: {'going on at step' if first else 'training'} "
    text += f"{first:,} of {ready.last:,}" if first else f"{ready.last:,} steps"
    if ready.last < ready.experiment.steps:
        text += f" (schedules keep the spec's {ready.experiment.steps:,})"
    if ready.overfit:
        text += ", on one batch only (--overfit)"
    return f"{text}, in {ready.folder.shown}"


def _resume_command(ready: _Ready) -> str:
    sets = "".join(f" --set {setting}" for setting in _settings_of_command())
    options = " --overfit" if ready.overfit else ""
    if ready.last < ready.experiment.steps:
        options += f" --steps {ready.last}"
    where = shlex.quote(ready.folder.shown)
    return f"{_typed('gendsl')} run {shlex.quote(ready.spec_path)}{sets} --out {where} --resume{options}"


def _typed(program: str) -> str:
    """A program of this installation as it can be typed here: with its path where a shell would not find it."""
    own = Path(sys.argv[0])
    beside = own.with_name(program)
    found = shutil.which(program)
    if own.name != "gendsl" or not beside.is_file() or (found and os.path.samefile(found, beside)):
        return program
    return shlex.quote(str(beside))


def _settings_of_command() -> list[str]:
    """The `--set` options of this process, as they were given."""
    found, words = [], sys.argv[1:]
    for number, word in enumerate(words):
        if word == "--set" and number + 1 < len(words):
            found.append(shlex.quote(words[number + 1]))
        elif word.startswith("--set="):
            found.append(shlex.quote(word[len("--set=") :]))
    return found


def _say_how_to_go_on(ready: _Ready, step: int, console: Console) -> None:
    told = f"after {step:,} of {ready.last:,} steps; all of them are saved"
    _say(console, [("interrupted", told), ("go on", _resume_command(ready))])


def _say_what_is_left(ready: _Ready, saved: int, console: Console) -> None:
    told = f"the last checkpoint is of step {saved:,}" if saved >= 0 else "before anything was saved"
    _say(console, [("stopped", f"at once; {told}"), ("go on", _resume_command(ready))])


def _say_where_all_is(ready: _Ready, steps: int, seconds: float, scores: Mapping[str, float], console: Console) -> None:
    from gendsl.run.progress import clock, rate
    from gendsl.run.recorder import shown_scores

    folder = ready.folder
    speed = f" ({rate(steps / seconds)})" if steps and seconds >= 1 else ""
    done = f"{steps:,} steps in {clock(seconds)}{speed}"
    grid = folder.samples / "grid-final.png"
    where = shlex.quote(folder.shown)
    lines = [("done", done + (f"; {shown_scores(scores)}" if scores else ""))]
    if grid.is_file():
        lines.append(("samples", f"{folder.shown}/samples/grid-final.png"))
    lines += [
        ("TensorBoard", f"{folder.shown}/logs"),
        ("checkpoints", f"{folder.shown}/checkpoints"),
        ("", ""),
        ("watch", f"{_typed('tensorboard')} --logdir {where}"),
    ]
    kinds = {field.name: field.kind for field in ready.plan.data.fields}
    if ready.plan.sample is not None:
        if all(kinds.get(name) == "label" for name in ready.plan.sample.inputs):
            lines.append(("sample", f"{_typed('gendsl')} sample {where} -n 16 --seed 3 -o samples"))
        lines.append(("export", f"{_typed('gendsl')} export {where}"))
    _say(console, lines)


def _say(console: Console, lines: list[tuple[str, str]]) -> None:
    for name, text in lines:
        console.print(f"{name:<12} {text}".rstrip(), highlight=False, markup=False, soft_wrap=True)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
