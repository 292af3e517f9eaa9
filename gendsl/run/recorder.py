"""How a run goes in, all that it leaves behind out: metrics, TensorBoard's logs, pictures, scores and checkpoints."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from gendsl.evaluate.contract import shown
from gendsl.evaluate.scores import Evaluator
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.run import checkpoints
from gendsl.run.best import Best
from gendsl.run.divergence import Diverged, gone
from gendsl.run.folder import RunFolder, append_line, write_whole
from gendsl.run.interruption import Interruption
from gendsl.run.logs import Logs, lengths
from gendsl.run.loop import Window
from gendsl.run.moments import Moments
from gendsl.run.pictures import Pixels, png
from gendsl.run.profiling import Profile
from gendsl.run.progress import Screen
from gendsl.run.saver import Saver
from gendsl.run.scores import note_contracts, shown_scores
from gendsl.run.throughput import Throughput
from gendsl.run.trainer import Listener


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stood before anything was told at a step: to there a run goes back that goes on with its checkpoint,
    and tells it anew."""

    step: int
    window: Window
    lengths: Mapping[str, int]


@dataclass(slots=True)
class Recorder(Listener):
    """The chief's listener: it alone writes into the run's folder."""

    plan: Plan
    folder: RunFolder
    moments: Moments
    saver: Saver
    logs: Logs
    evaluator: Evaluator
    draw: Callable[[], Mapping[str, Pixels]]  # pictures of samples, by output
    best: Best | None  # None without `keep best`
    screen: Screen
    throughput: Throughput
    profile: Profile | None = None
    watcher: Callable[[int], None] | None = None  # is told how many steps are done after each graph call
    scores: dict[str, float] = field(default_factory=dict)  # the last of each
    complete: bool = False  # whether all is done that is due at the end
    _scored_at: dict[int, float] = field(default_factory=dict)  # by number of the `evaluate` block, monotonic
    _mark: Mark | None = None

    def begin(self, step: int) -> None:
        self._scored_at = dict.fromkeys(range(len(self.plan.evaluations)), time.monotonic())
        if step == 0:
            self._picture(0, "step-0000000")

    def again(self, step: int, window: Window) -> None:
        self._show(step, window)

    def during(self, step: int) -> AbstractContextManager[object]:
        return nullcontext() if self.profile is None else self.profile.around(step)

    def watch(self, step: int, window: Window, speed: float | None) -> None:
        if lost := gone(window):
            raise Diverged(step, lost)
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

    def attend(self, step: int, window: Window) -> None:
        if step in self.moments.ends:
            phase = self.plan.train.phases[self.moments.ends.index(step) + 1].name
            append_line(self.folder.events, {"step": step, "event": "phase", "name": phase})
        # Saved before it is scored: whatever scoring meets, the steps are not lost.
        waited = time.monotonic() - self.saver.asked_at
        if self.moments.checkpoint.due(step) or self.moments.checkpoint.overdue(waited):
            self._save(step, window)
        self._show(step, window)

    def stop(self, step: int, window: Window) -> None:
        self._save(step, window)
        self.saver.wait()

    def end(self, step: int, window: Window, interruption: Interruption) -> None:
        self._save(step, window)
        for number in range(len(self.plan.evaluations)):
            if interruption.signal is None:
                self._score(number, step, window)
        if interruption.signal is None:
            self._picture(step, "grid-final")
            self.complete = True
        self.saver.wait()

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
            self._picture(step, f"step-{step:07}")
        for number, interval in enumerate(self.moments.evaluations):
            if interval.due(step) or interval.overdue(time.monotonic() - self._scored_at[number]):
                self._before_telling(step, window)
                self._score(number, step, window)

    def _before_telling(self, step: int, window: Window) -> None:
        """Remembers how things stand before the first that is told at a step."""
        if self._mark is None or self._mark.step != step:
            self.logs.flush()
            self._mark = Mark(step, window, lengths(self.folder))

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
        record = {"window": self._mark.window.record(), "lengths": there}
        self.saver.save(step, values, record=record, before=[self.folder.path / name for name in there])

    def _score(self, number: int, step: int, window: Window) -> None:
        began = time.perf_counter()
        scored = self.evaluator.scores(number)
        found = scored.values
        self._scored_at[number] = time.monotonic()
        for warning in scored.warnings:
            self.screen.say(f"warning: {warning}")
        if not found:
            return
        self.scores |= {shown(key): value for key, value in found.items()}
        if self.best is not None and self.best.beaten(number, found):
            self._save(step, window)
            self.saver.make_best(step)
        self.logs.scalars(step, {f"scores/{name}": value for name, value in found.items()})
        self.logs.flush()
        note_contracts(self.folder, scored.contracts)  # before the scores that refer to them
        record = {"step": step, "evaluation": number} | found | {"seconds": round(time.perf_counter() - began, 3)}
        intervals = {"intervals": scored.intervals} if scored.intervals else {}
        append_line(self.folder.metrics, record | intervals)
        self.screen.say(f"step {step:,}: {shown_scores(found)}")

    def _picture(self, step: int, stem: str) -> None:
        pictures = self.draw()
        self.logs.pictures(step, pictures)
        for number, (output, pixels) in enumerate(pictures.items()):
            file = f"{stem}.png" if number == 0 else f"{stem}-{output}.png"
            write_whole(self.folder.samples / file, png(pixels))
