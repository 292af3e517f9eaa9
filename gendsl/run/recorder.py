"""How a run goes in, all that it leaves behind out: metrics, TensorBoard's logs, pictures, scores and checkpoints."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from gendsl.evaluate.scores import Evaluator
from gendsl.lower.errors import UserError
from gendsl.monitor.monitors import Firing
from gendsl.pictures.gallery import Gallery
from gendsl.pictures.looks import Roll, Text
from gendsl.plan.plan import Plan
from gendsl.run import checkpoints
from gendsl.run.best import Best, best_of
from gendsl.run.divergence import Diverged, gone
from gendsl.run.folder import RunFolder, append_line, read_lines, write_whole
from gendsl.run.going_back import gone_back
from gendsl.run.guard import Guard, event_of, shown_firing
from gendsl.run.interruption import Interruption
from gendsl.run.logs import Logs, lengths
from gendsl.run.loop import EMPTY, Window
from gendsl.run.moments import Moments
from gendsl.run.pictures import png
from gendsl.run.profiling import Profile
from gendsl.run.progress import Screen
from gendsl.run.saver import Saver
from gendsl.run.scores import note_contracts, shown_scores
from gendsl.run.throughput import Throughput
from gendsl.run.trainer import Listener, Turn
from gendsl.vocabulary.score_keys import shown


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stood before anything was told at a step: to there a run goes back that goes on with its checkpoint,
    and tells it anew."""

    step: int
    window: Window
    lengths: Mapping[str, int]
    guard: Mapping[str, Any]


@dataclass(slots=True)
class Recorder(Listener):
    """The chief's listener: it alone writes into the run's folder."""

    plan: Plan
    folder: RunFolder
    moments: Moments
    saver: Saver
    logs: Logs
    evaluator: Evaluator
    gallery: Gallery
    best: Best | None  # None without `keep best`
    guard: Guard
    screen: Screen
    throughput: Throughput
    profile: Profile | None = None
    watcher: Callable[[int], None] | None = None  # is told how many steps are done after each graph call
    scores: dict[str, float] = field(default_factory=dict)  # the last of each
    complete: bool = False  # whether all is done that is due at the end
    _scored_for: dict[int, int] = field(default_factory=dict)  # by number of the block, the step of the last scores
    _scored_at: dict[int, float] = field(default_factory=dict)  # by number of the `evaluate` block, monotonic
    _mark: Mark | None = None

    @property
    def turning(self) -> bool:
        return self.guard.asked is not None and self.guard.asked.policy.word in ("set", "rollback")

    @property
    def over(self) -> bool:
        return self.guard.asked is not None and self.guard.asked.policy.word == "stop"

    def begin(self, step: int) -> None:
        self._scored_at = dict.fromkeys(range(len(self.plan.evaluations)), time.monotonic())
        self._scored_for = {}
        if step == 0:
            if self.guard.leads_back:
                self._save(0, EMPTY)
            self._picture(0, begins=True)
        if self.guard.course.attempt and self.guard.course.began == step:
            self.logs.texts(step, {f"monitors/attempt_{self.guard.course.attempt}": self.guard.course.told})

    def again(self, step: int, window: Window) -> None:
        self._show(step, window)

    def during(self, step: int) -> AbstractContextManager[object]:
        return nullcontext() if self.profile is None else self.profile.around(step)

    def watch(self, step: int, window: Window, speed: float | None) -> None:
        if lost := gone(window):
            self._lost(Diverged(step, lost))
            return
        self.screen.show(step, window.means, speed)
        self.saver.look()
        if self.watcher is not None:
            self.watcher(step)

    def log(self, step: int, window: Window, speed: float | None) -> None:
        self._before_telling(step, window)
        values = window.means
        pace = {} if speed is None else {"run/steps_per_second": speed}
        self.logs.scalars(step, values | pace | dict(self.throughput.scalars(step, speed)))
        append_line(self.folder.metrics, {"step": step} | values, durable=False)
        self._told(step, self.guard.log(step, values))

    def attend(self, step: int, window: Window) -> None:
        if step in self.moments.ends:
            phase = self.plan.train.phases[self.moments.ends.index(step) + 1].name
            append_line(self.folder.events, {"step": step, "event": "phase", "name": phase})
        # Saved before it is scored: whatever scoring meets, the steps are not lost.
        waited = time.monotonic() - self.saver.asked_at
        try:
            if self.moments.checkpoint.due(step) or self.moments.checkpoint.overdue(waited):
                self._save(step, window)
            self._show(step, window)
        except Diverged as lost:
            self._lost(lost)

    def stop(self, step: int, window: Window) -> None:
        self._save(step, window)
        self.saver.wait()

    def end(self, step: int, window: Window, interruption: Interruption) -> None:
        try:
            self._save(step, window)
        except Diverged as lost:
            self._lost(lost)
            return
        for number in range(len(self.plan.evaluations)):
            if interruption.signal is None and self._scored_for.get(number) != step:
                self._score(number, step, window)
        if self.turning and interruption.signal is None:
            return  # its last check leads it back
        if interruption.signal is None:
            self._picture(step, ends=True)
            self.gallery.project(self.folder)
            self.complete = True
        self.saver.wait()

    def turned(self, step: int, window: Window) -> Turn:
        firing, guard = self.guard.asked, self.guard
        assert firing is not None
        guard.asked = None
        if firing.policy.word == "set":
            guard.course = guard.course.changed(firing.policy)
            return Turn(step, window, guard.course, back=False)
        self.logs.close()
        back = gone_back(self.folder, self.saver, guard, firing)
        self.logs = Logs(self.folder.logs, first=back.step)
        self.best = best_of(self.plan, read_lines(self.folder.metrics))
        self._mark = None
        self.screen.back(back.step)
        return back

    def __exit__(self, *_: object) -> None:
        if self.profile is not None:
            self.profile.close()
        self.saver.close()
        with suppress(UserError):  # a full disk has been told of by what it kept from being written
            self.logs.close()

    def _show(self, step: int, window: Window) -> None:
        """Draws and scores what is due."""
        if self.moments.picture.due(step):
            self._before_telling(step, window)
            self._picture(step)
        for number, interval in enumerate(self.moments.evaluations):
            if interval.due(step) or interval.overdue(time.monotonic() - self._scored_at[number]):
                self._before_telling(step, window)
                self._score(number, step, window)

    def _before_telling(self, step: int, window: Window) -> None:
        """Remembers how things stand before the first that is told at a step."""
        if self._mark is None or self._mark.step != step:
            self.logs.flush()
            self._mark = Mark(step, window, lengths(self.folder), self.guard.record())

    def _save(self, step: int, window: Window) -> None:
        """Asks for a checkpoint, unless that of this step has been asked for already."""
        if self.saver.asked == step:
            return
        self._before_telling(step, window)
        assert self._mark is not None
        values = checkpoints.snapshot(self.saver.state)
        if names := checkpoints.unfinite(values):
            raise Diverged(step, dict.fromkeys(names, "not finite"))
        there = self._mark.lengths
        record = {"window": self._mark.window.record(), "lengths": there, "alarms": self._mark.guard}
        self.saver.pinned = self.guard.pinned
        self.guard.saved(step)
        self.saver.save(step, values, record=record, before=[self.folder.path / name for name in there])

    def _score(self, number: int, step: int, window: Window) -> None:
        began = time.perf_counter()
        scored = self.evaluator.scores(number)
        found = scored.values
        self._scored_at[number], self._scored_for[number] = time.monotonic(), step
        for warning in scored.warnings:
            self.screen.say(f"warning: {warning}")
        if not found:
            return
        self.scores |= {shown(key): value for key, value in found.items()}
        if self.best is not None and self.best.beaten(number, found):
            self._save(step, window)
            self.saver.make_best(step)
        self.logs.scalars(step, {f"scores/{name}": value for name, value in found.items()})
        if scored.curves:
            self.logs.curves(step, {f"scores/{name}": curve for name, curve in scored.curves.items()})
        self.logs.flush()
        note_contracts(self.folder, scored.contracts)  # before the scores that refer to them
        record = {"step": step, "evaluation": number} | found | {"seconds": round(time.perf_counter() - began, 3)}
        intervals = {"intervals": scored.intervals} if scored.intervals else {}
        append_line(self.folder.metrics, record | intervals)
        self.screen.say(f"step {step:,}: {shown_scores(found)}")
        self._told(step, self.guard.score(step, number, found))

    def _lost(self, lost: Diverged) -> None:
        """Values are no numbers any more: an alarm may lead back from there. Else raises it."""
        firing = self.guard.diverged(lost.step, lost.values)
        if firing is None:
            raise lost
        self._told(lost.step, [firing])

    def _told(self, step: int, firings: Sequence[Firing]) -> None:
        """Tells of alarms in events.jsonl, TensorBoard and the terminal."""
        for firing in firings:
            append_line(self.folder.events, event_of(firing, self.guard))
            self.logs.scalars(step, {f"monitors/{firing.name}": 1.0})
            self.logs.texts(step, {f"monitors/{firing.name}_says": shown_firing(firing)})
            self.screen.say(f"step {step:,}: {shown_firing(firing)}")

    def _picture(self, step: int, *, begins: bool = False, ends: bool = False) -> None:
        """Draws and measures what is due: for TensorBoard, and as files in `samples/`."""
        for view, drawn in self.gallery.shown(step, begins=begins, ends=ends):
            own = view == "samples"
            stem = ("grid" if own else view) + "-final" if ends else f"{'step' if own else view}-{step:07}"
            for number, (output, one) in enumerate(drawn.items()):
                if isinstance(one, Roll):
                    self.logs.sounds(step, f"{view}/{output}", one.sounds)
                    one = one.pixels
                content = one.plain.encode() if isinstance(one, Text) else png(one)
                if isinstance(one, Text):
                    self.logs.markdown(step, f"{view}/{output}", one.markdown)
                else:
                    self.logs.picture(step, f"{view}/{output}", one, content)
                ending = "txt" if isinstance(one, Text) else "png"
                file = f"{stem}.{ending}" if number == 0 else f"{stem}-{output}.{ending}"
                write_whole(self.folder.samples / file, content)
        if (measured := self.gallery.measured(begins=begins, ends=ends)) is not None:
            self.logs.scalars(step, measured.scalars)
            self.logs.histograms(step, measured.histograms)
        self.logs.flush()
