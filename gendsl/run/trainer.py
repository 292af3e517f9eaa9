"""A run made ready in, the run done: it trains from moment to moment, and tells a listener of each.

Every process of a run goes through the same loop, and ends its graph calls at the same steps. Only the chief has a
listener that draws, scores, logs and saves; to the others nothing is told.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from gendsl.run.course import Course, course_of
from gendsl.run.crew import ALONE, TURN, Crew, Decision
from gendsl.run.interruption import Interruption
from gendsl.run.loop import EMPTY, Pace, Stepper, Window
from gendsl.run.moments import Moments


@dataclass(frozen=True, slots=True)
class Turn:
    """How a run goes on otherwise: after which step, with which window, on which course; `back` from where it was."""

    step: int
    window: Window
    course: Course
    back: bool


class Listener(AbstractContextManager["Listener", None]):
    """Is told how a run goes, in this order. It is entered before the first step and left in any case; it does nothing.

    A `step` is the number of steps that are done, a window what they told since the last log.
    """

    @property
    def turning(self) -> bool:
        """Whether an alarm asks for another course before the next step, which `turned` then gives."""
        return False

    @property
    def over(self) -> bool:
        """Whether an alarm asks for the end of the run."""
        return False

    def turned(self, step: int, window: Window) -> Turn:
        """Takes the run to where it goes on from: its state is that of then."""
        return Turn(step, window, Course(), back=False)

    def begin(self, step: int) -> None:
        """The run begins, or goes on after `step` steps."""

    def again(self, step: int, window: Window) -> None:
        """The run goes on at a moment before the last, with the window logged where one is complete: what else was told
        then is told anew."""

    def during(self, step: int) -> AbstractContextManager[object]:
        """What stands around the graph call that begins after `step` steps."""
        return nullcontext()

    def watch(self, step: int, window: Window, speed: float | None) -> None:
        """A graph call has ended; `speed` is in steps/s, None before it is known."""

    def log(self, step: int, window: Window, speed: float | None) -> None:
        """The window is complete."""

    def attend(self, step: int, window: Window) -> None:
        """All else that is due at a moment before the last."""

    def stop(self, step: int, window: Window) -> None:
        """The run is interrupted."""

    def end(self, step: int, window: Window, interruption: Interruption) -> None:
        """The run is at its last step; what is still to do then may be interrupted, too."""

    def __exit__(self, *_: object) -> None:
        """The run is over, whatever ended it."""


@dataclass(slots=True)
class Trainer:
    """What is trained, on what, and when something happens."""

    experiment: Any
    dataset: Any
    moments: Moments
    listener: Listener
    crew: Crew = ALONE
    stopped: bool = False  # whether an alarm has ended the run before its last step

    def train(self, first: int, window: Window, interruption: Interruption) -> int:
        """Trains from `first` to the last moment, or until an alarm or an interruption ends it; gives the number of
        steps that are done."""
        stepper, pace, step, last = Stepper(self.experiment, self.dataset), Pace(), first, self.moments.last
        with self.listener as listener:
            window = self._opened(step, window)
            while True:
                over = step >= last
                if not over:
                    decision = self.crew.agree(Decision(self._wish(pace, step), interruption.signal or 0))
                    if decision.count == TURN:
                        step, window = self._turned(step, window)
                        stepper, pace = Stepper(self.experiment, self.dataset), Pace()
                        continue
                    if decision.stop:
                        interruption.signal = decision.stop  # which another process may have got
                        listener.stop(step, window)
                        break
                    over = self.stopped = decision.count == 0
                if over:
                    if not listener.turning:
                        listener.end(step, window, interruption)
                    # Who left before the chief has written all would look lost; and its last check may lead back.
                    if self.crew.agree(Decision(TURN if listener.turning else 0, 0)).count != TURN:
                        return step
                    step, window = self._turned(step, window)
                    stepper, pace = Stepper(self.experiment, self.dataset), Pace()
                    continue
                began = time.perf_counter()
                with listener.during(step):
                    window = stepper.run(step, decision.count, window)
                pace.took(decision.count, time.perf_counter() - began)
                step += decision.count
                listener.watch(step, window, pace.steps_per_second)
                if listener.turning:
                    continue  # what these steps told counts for nothing
                window = self._logged(step, window, pace.steps_per_second)
                if step in self.moments.ends:
                    pace = Pace()  # another graph, which has to be traced, and other work
                if step < last:
                    listener.attend(step, window)
        self.crew.agree(Decision(0, 0))
        return step

    def _wish(self, pace: Pace, step: int) -> int:
        """What the chief would do next."""
        if self.listener.turning:
            return TURN
        return 0 if self.listener.over else pace.count(self.moments.next_after(step) - step)

    def _opened(self, step: int, window: Window) -> Window:
        """Tells the listener where the run begins or goes on; gives the window that goes on."""
        self.listener.begin(step)
        window = self._logged(step, window, None)
        if 0 < step < self.moments.last:
            self.listener.again(step, window)
        return window

    def _turned(self, step: int, window: Window) -> tuple[int, Window]:
        """Goes on as the chief's listener says: all have its state, step and course."""
        record: dict[str, Any] = {}
        with self.crew.leading():
            if self.crew.chief:
                turn = self.listener.turned(step, window)
                step, window = turn.step, turn.window
                record = {"step": step, "course": turn.course.record(), "back": turn.back}
        record = self.crew.share_record(record)
        self.crew.share(self.experiment.state())
        course_of(record["course"]).lead(self.experiment)
        if not record["back"]:
            return step, window
        step = int(record["step"])
        return step, self._opened(step, window if self.crew.chief else EMPTY)

    def _logged(self, step: int, window: Window, speed: float | None) -> Window:
        """The window that goes on after a step: an empty one where a log closes it."""
        if not window.steps or not self.moments.logs(step):
            return window
        self.listener.log(step, window, speed)
        return EMPTY
