"""The steps of `--profile` in, a profile of them for TensorBoard out.

While it is taken, each graph call is one step with its number, so that the profile tells the steps apart.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from gendsl.lower.errors import UserError

VIEWER = "xprof"  # the package with TensorBoard's Profile tab


@dataclass(slots=True)
class Profile:
    """Takes a profile of some steps, numbered from 1, into a folder of logs; tells when it is written."""

    steps: range
    folder: Path
    say: Callable[[str], None]
    _running: bool = False

    @contextmanager
    def around(self, step: int) -> Iterator[None]:
        """Stands around the graph call that begins after `step` steps."""
        if step + 1 not in self.steps:
            yield
            return
        if not self._running:
            tf.profiler.experimental.start(str(self.folder))
            self._running = True
        with tf.profiler.experimental.Trace("train", step_num=step + 1, _r=1):
            yield
        if step + 1 == self.steps[-1]:
            self.close()
            self.say(
                f"the profile of steps {self.steps[0]:,} to {self.steps[-1]:,} is in {self.folder}/plugins/profile; "
                f"TensorBoard shows it under Profile with `pip install {VIEWER}`"
            )

    def close(self) -> None:
        """Writes what has been taken so far."""
        if self._running:
            self._running = False
            tf.profiler.experimental.stop()


def refuse_beyond(steps: range, *, first: int, last: int) -> None:
    """Raises UserError for steps that a run from behind `first` to `last` does not take."""
    asked = f"--profile {steps[0]}..{steps[-1]}"
    if steps[-1] > last:
        raise UserError(
            f"{asked} goes beyond the run's last step, {last:,}", "profile earlier steps, or let the run be longer"
        )
    if steps[0] <= first:
        raise UserError(
            f"{asked} begins before the run goes on, behind step {first:,}",
            f"profile steps from {first + 1:,}; the first ones behind a start are slower",
        )
