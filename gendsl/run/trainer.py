"""A run made ready in, the run done: it trains from moment to moment, and tells a listener of each.

Every process of a run goes through the same loop, and ends its graph calls at the same steps. Only the chief has a
listener that draws, scores, logs and saves; to the others nothing is told.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from gendsl.run.crew import ALONE, Crew, Decision
from gendsl.run.interruption import Interruption
from gendsl.run.loop import EMPTY, Pace, Stepper, Window
from gendsl.run.moments import Moments


class Listener(AbstractContextManager["Listener", None]):
    """Is told how a run goes, in this order. It is entered before the first step and left in any case; it does nothing.

    A `step` is the number of steps that are done, a window what they told since the last log.
    """

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

    def train(self, first: int, window: Window, interruption: Interruption) -> int:
        """Trains from `first` to the last moment, or until interrupted; gives the number of steps that are done."""
        stepper, pace, step, last = Stepper(self.experiment, self.dataset), Pace(), first, self.moments.last
        with self.listener as listener:
            listener.begin(step)
            window = self._logged(step, window, None)
            if 0 < step < last:
                listener.again(step, window)
            while step < last:
                count = pace.count(self.moments.next_after(step) - step)
                decision = self.crew.agree(Decision(count, interruption.signal or 0))
                if decision.stop:
                    interruption.signal = decision.stop  # which another process may have got
                    listener.stop(step, window)
                    break
                began = time.perf_counter()
                with listener.during(step):
                    window = stepper.run(step, decision.count, window)
                pace.took(decision.count, time.perf_counter() - began)
                step += decision.count
                listener.watch(step, window, pace.steps_per_second)
                window = self._logged(step, window, pace.steps_per_second)
                if step in self.moments.ends:
                    pace = Pace()  # another graph, which has to be traced, and other work
                if step < last:
                    listener.attend(step, window)
            else:
                listener.end(step, window, interruption)
        self.crew.agree(Decision(0, 0))  # who left before the chief has written all would look lost
        return step

    def _logged(self, step: int, window: Window, speed: float | None) -> Window:
        """The window that goes on after a step: an empty one where a log closes it."""
        if not window.steps or not self.moments.logs(step):
            return window
        self.listener.log(step, window, speed)
        return EMPTY
