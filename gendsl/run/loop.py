"""An experiment and its data in, training steps done: several in one graph call, each a function of (seed, step) alone.

One graph serves every number of steps a call, so that the bits do not depend on how a run is cut into calls; how many
are taken at once follows the time they take, so that the screen moves about twice a second.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from gendsl.lower.errors import UserError
from gendsl.parts.collectives import this_share

SECONDS_A_CALL = 0.5
_MOST_STEPS_A_CALL = 1_000
# What XLA refuses a step with; an internal error is its compiler's own failure on GPUs, as where ptxas or libdevice are
# missing or a convolution cannot be tuned.
_NOT_COMPILED = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError,
    tf.errors.NotFoundError,
    tf.errors.InternalError,
)


@dataclass(frozen=True, slots=True)
class Window:
    """Sums of what the steps told since the last log: the mean of a window does not depend on the cut into calls."""

    names: tuple[str, ...]
    sums: np.ndarray  # float32, one a name
    last: np.ndarray  # float32, of the last step
    steps: int

    @property
    def means(self) -> dict[str, float]:
        """The mean of each value over the window, a learning rate's last; empty if nothing was done.

        A loss is averaged over the steps that a loss scale did not skip, and left out where it skipped all."""
        if not self.steps:
            return {}
        sums = dict(zip(self.names, self.sums, strict=True))
        found = {}
        for name, total, last in zip(self.names, self.sums, self.last, strict=True):
            steps = self.steps - float(sums.get(f"skipped/{name.removesuffix('/loss')}", 0.0))
            if name.startswith("learning_rate"):
                found[name] = float(last)
            elif steps > 0:
                found[name] = float(total) / steps
        return found

    def record(self) -> dict[str, Any]:
        """As plain numbers, for a checkpoint: float32 goes through JSON without loss."""
        sums, last = ([float(value) for value in values] for values in (self.sums, self.last))
        return {"names": list(self.names), "sums": sums, "last": last, "steps": self.steps}


EMPTY = Window((), np.zeros(1, np.float32), np.zeros(1, np.float32), 0)


def window_of(record: Any) -> Window:
    """The window in a checkpoint's record; an empty one if there is none."""
    if not record or not record.get("steps"):
        return EMPTY
    sums, last = (np.asarray(record[name], np.float32) for name in ("sums", "last"))
    return Window(tuple(record["names"]), sums, last, int(record["steps"]))


class Stepper:
    """Runs steps of an experiment on the batches of a data set, on all its replicas."""

    def __init__(self, experiment: Any, dataset: Any) -> None:
        self._experiment = experiment
        self._dataset = dataset
        self._names: dict[frozenset[int], tuple[str, ...]] = {}  # what a graph tells; known once it is traced
        self._graphs: dict[frozenset[int], Any] = {}

    def run(self, first: int, count: int, window: Window) -> Window:
        """Does steps first…first+count-1, all of one phase, and adds what they tell to the window, of that phase too.

        With several workers each of them calls it alike."""
        groups = self._experiment.groups_at(first)
        addresses = tf.constant(self._dataset.addresses(first, count), tf.int64)
        given = (addresses, tf.constant(first, tf.int64), tf.constant(window.sums))
        if groups in self._graphs:
            sums, last = self._graphs[groups](*given)
        else:
            sums, last = self._first(groups, given)
        return Window(self._names[groups], sums.numpy(), last.numpy(), window.steps + count)

    def _first(self, groups: frozenset[int], given: tuple[Any, ...]) -> tuple[Any, Any]:
        """The first call of a phase's graph; where XLA was tried and cannot compile a step, without it.

        Raises UserError where the spec asks for XLA by name."""
        experiment, shape = self._experiment, tuple(given[0].shape[1:])
        before = {name: tf.identity(value) for name, value in experiment.state().items()} if experiment.by_xla else {}
        graph = self._graphs[groups] = self._graph_of(groups, shape)
        try:
            found: tuple[Any, Any] = graph(*given)
            return found
        except _NOT_COMPILED as error:
            if not experiment.by_xla:
                raise
            if experiment.must_use_xla:
                reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
                raise UserError(
                    f"XLA cannot compile the training step: {reason}", "take out `jit on`, or say `jit auto`"
                ) from error
        # The updates before the one that it stumbled over are done already.
        for name, variable in experiment.state().items():
            variable.assign(before[name])
        experiment.compile_by_xla(False)
        self._graphs.clear()
        return self._first(groups, given)

    def _graph_of(self, groups: frozenset[int], shape: tuple[int, ...]) -> Any:
        """The loop over steps of a phase, in which these groups run: one graph for any number of steps.

        `shape` is that of a step's addresses."""
        replicas = self._experiment.replicas

        def one(addresses: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            batches = self._dataset.fetch(addresses, this_share())
            told = self._experiment.step_at(step, batches, groups)
            names = self._names[groups] = tuple(sorted(told))
            return tf.stack([tf.cast(tf.reshape(told[name], []), tf.float32) for name in names])

        def loop(addresses: tf.Tensor, first: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            def body(index: tf.Tensor, sums: tf.Tensor, last: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
                values = replicas.run(one, (addresses[index], first + tf.cast(index, tf.int64)))
                # The first sums are one zero: broadcasting fits them to however many values the experiment tells.
                return index + 1, sums + values, values

            _, sums, last = tf.while_loop(
                lambda index, *_: index < tf.shape(addresses)[0],
                body,
                (tf.constant(0), sums, tf.zeros([1])),
                shape_invariants=(tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None])),
                parallel_iterations=1,
            )
            return sums, last

        signature = [
            tf.TensorSpec([None, *shape], tf.int64),
            tf.TensorSpec([], tf.int64),
            tf.TensorSpec([None], tf.float32),
        ]
        return tf.function(loop, input_signature=signature, autograph=False)


@dataclass(slots=True)
class Pace:
    """How many steps a call takes, from how long the last calls took; the first two are short, to learn that."""

    _seconds: float | None = None  # of a step
    _calls: int = 0

    def count(self, most: int) -> int:
        """How many steps the next call takes, at most so many."""
        wanted = 1 if self._seconds is None else SECONDS_A_CALL / max(self._seconds, 1e-6)
        return max(1, min(most, _MOST_STEPS_A_CALL, int(wanted)))

    def took(self, steps: int, seconds: float) -> None:
        """Learns from a call; the first one is left out, since it traces the graph."""
        self._calls += 1
        if self._calls > 1:
            each = seconds / steps
            # A burst of load should not make calls short for long, nor a fast one make the next call minutes long.
            self._seconds = each if self._seconds is None else 0.5 * (self._seconds + each)

    @property
    def steps_per_second(self) -> float | None:
        """The present speed; None before anything was measured."""
        return None if self._seconds is None else 1 / max(self._seconds, 1e-9)
