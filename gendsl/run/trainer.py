"""A run made ready in, the run done: it trains from moment to moment, and logs, draws, scores and saves at each."""

import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.sampler import Sampler
from gendsl.evaluate.scores import Evaluator
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.run import checkpoints
from gendsl.run.folder import RunFolder, append_line, read_lines, write_whole
from gendsl.run.logs import Logs
from gendsl.run.loop import EMPTY, Pace, Stepper, Window
from gendsl.run.moments import Moments
from gendsl.run.pictures import drawn, png
from gendsl.run.progress import Screen


class Interruption:
    """Notes that a person (Ctrl-C) or the system (SIGTERM) wants the run to end; a second Ctrl-C ends it at once."""

    def __init__(self, noted: Callable[[], None] = lambda: None) -> None:
        """`noted` is called in the signal's handler: it must not write, since a write may have been cut off by it."""
        self.signal: int | None = None
        self._noted = noted
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        # Python delivers signals to the main thread alone; a run in another is interrupted by its process.
        here = threading.current_thread() is threading.main_thread()
        for number in (signal.SIGINT, signal.SIGTERM) if here else ():
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
        self._noted()


@dataclass(slots=True)
class Trainer:
    """One run: what it trains, on what, when it does what else, and where all goes."""

    plan: Plan
    plan_hash: str
    folder: RunFolder
    experiment: Any
    dataset: Any
    moments: Moments
    keep: int
    logs: Logs
    evaluator: Evaluator
    pictures: Sampler
    picture_fields: Mapping[str, NDArray[Any]]
    picture_count: int
    picture_columns: int | None
    picture_real: Mapping[str, NDArray[Any]]  # points to be seen behind the samples
    state: Mapping[str, Any]
    scores: dict[str, float] = field(default_factory=dict)
    saved: int = -1  # the step of the last checkpoint
    _saved_at: float = field(default_factory=time.monotonic)
    _scored_at: dict[int, float] = field(default_factory=dict)
    _scored: dict[int, int] = field(default_factory=dict)

    def train(self, first: int, window: Window, screen: Screen, interruption: Interruption) -> int:
        """Trains from `first` to the last moment, or until interrupted; gives the number of steps that are done."""
        stepper, pace, step = Stepper(self.experiment, self.dataset), Pace(), first
        self.saved = first if first else -1
        if first == 0:
            self._draw(0)
        else:
            self._make_up(first, screen)
        while step < self.moments.last and interruption.signal is None:
            count = pace.count(self.moments.next_after(step) - step)
            began = time.perf_counter()
            window = stepper.run(step, count, window)
            pace.took(count, time.perf_counter() - began)
            step += count
            self._refuse_unfinite(window, step)
            screen.show(step, window.means, pace.steps_per_second)
            window = self._after(step, window, pace.steps_per_second, screen)
        if interruption.signal is not None and step < self.moments.last:
            self._save(step, window)
        return step

    def finish(self, step: int, screen: Screen) -> dict[str, float]:
        """The checkpoint, scores and pictures of the end, where they are not there yet; gives the last scores."""
        if self.saved != step:
            self._save(step, EMPTY)
        for number in range(len(self.plan.evaluations)):
            if self._scored.get(number) != step:
                self._score(number, step, screen)
        self._draw(step, name="grid-final")
        self.logs.close()
        return self.scores

    def _after(self, step: int, window: Window, speed: float | None, screen: Screen) -> Window:
        """What is due at the end of a step; gives the window to go on with."""
        moments, end = self.moments, step == self.moments.last
        if moments.log.due(step) or end:
            values = window.means
            self.logs.scalars(step, values | ({} if speed is None else {"run/steps_per_second": speed}))
            append_line(self.folder.metrics, {"step": step} | values, durable=False)
            window = EMPTY
        if step in moments.ends and not end:
            phase = self.plan.train.phases[moments.ends.index(step) + 1].name
            append_line(self.folder.events, {"step": step, "event": "phase", "name": phase})
        # Saved before it is scored: whatever scoring meets, the steps are not lost; `_make_up` scores after a resume.
        if moments.checkpoint.due(step) or end or moments.checkpoint.overdue(time.monotonic() - self._saved_at):
            self._save(step, window)
        if moments.picture.due(step) and not end:
            self._draw(step)
        for number, interval in enumerate(moments.evaluations):
            waited = time.monotonic() - self._scored_at.setdefault(number, time.monotonic())
            if interval.due(step) or interval.overdue(waited):
                self._score(number, step, screen)
        return window

    def _make_up(self, step: int, screen: Screen) -> None:
        """Takes the scores that were due at the checkpoint's step and are not there: the run was killed in between."""
        there = {record.get("evaluation") for record in read_lines(self.folder.metrics) if record.get("step") == step}
        for number, interval in enumerate(self.moments.evaluations):
            if interval.due(step) and number not in there:
                self._score(number, step, screen)
            elif number in there:
                self._scored[number] = step

    def _save(self, step: int, window: Window) -> None:
        checkpoints.save(
            self.folder.checkpoints,
            step,
            self.state,
            record={"window": window.record()},
            keep=self.keep,
            plan_hash=self.plan_hash,
        )
        self.saved, self._saved_at = step, time.monotonic()

    def _score(self, number: int, step: int, screen: Screen) -> None:
        began = time.perf_counter()
        found = self.evaluator.scores(number)
        self._scored[number], self._scored_at[number] = step, time.monotonic()
        if not found:
            return
        self.scores |= found
        record = {"step": step, "evaluation": number} | found | {"seconds": round(time.perf_counter() - began, 3)}
        append_line(self.folder.metrics, record)
        self.logs.scalars(step, {f"scores/{name}": value for name, value in found.items()})
        self.logs.flush()
        screen.say(f"step {step:,}: {shown_scores(found)}")

    def _draw(self, step: int, name: str | None = None) -> None:
        samples = self.pictures.samples(self.picture_count, seed=0, fields=self.picture_fields)
        pictures = drawn(self.plan, samples, columns=self.picture_columns, real=self.picture_real)
        if not pictures:
            return
        self.logs.pictures(step, pictures)
        stem = name or f"step-{step:07}"
        for number, (output, pixels) in enumerate(pictures.items()):
            file = f"{stem}.png" if number == 0 else f"{stem}-{output}.png"
            write_whole(self.folder.samples / file, png(pixels))

    def _refuse_unfinite(self, window: Window, step: int) -> None:
        if np.isfinite(window.sums).all():
            return
        names = [name for name, value in zip(window.names, window.sums, strict=True) if not np.isfinite(value)]
        self.logs.close()
        append_line(self.folder.events, {"step": step, "event": "diverged", "values": names})
        saved = f"; the last checkpoint is of step {self.saved:,}" if self.saved >= 0 else ""
        raise UserError(
            f"`{names[0]}` is no finite number any more, at step {step:,} or shortly before{saved}",
            "lower the learning rate, or add `clip norm: 1.0` to `train`",
        )


def shown_scores(scores: Mapping[str, float]) -> str:
    """`diversity 87.1 %  modes 25` of scores by name."""
    return "  ".join(f"{name} {_shown(name, value)}" for name, value in scores.items())


def _shown(name: str, value: float) -> str:
    share = name.split("/")[0] in ("diversity", "high_quality")
    return f"{100 * value:.1f} %" if share else f"{value:.4g}"
