"""The operations of a group in, what they remember between steps out: a pool for `replay`, a mean for an average.

A memory is called in the graph of a step, takes in what it is given, and is part of a run's state by its `state`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from gendsl.lower.replay import Replay
from gendsl.parts.collectives import averaged
from gendsl.parts.keys import Key
from gendsl.plan.memories import word_of
from gendsl.plan.plan import Operation
from gendsl.vocabulary.types import Tensor


class Memory(Protocol):
    """What an operation keeps; a call takes in a value, and gives what is made of it and of earlier ones."""

    @property
    def state(self) -> Mapping[str, Any]:
        """Its variables by name."""

    def __call__(self, value: Any, key: Key, /) -> Any:
        """What is made of a value and of those before."""


class MovingAverage:
    """The exponential moving average of a number: average += (1 - decay) · (value - average) in each call.

    It begins with the first value, or with `start` where that is given. One that is not finite is left out.
    """

    def __init__(self, decay: float, *, start: float | None = None) -> None:
        self.decay = decay
        self._first = start is None
        self._average = tf.Variable(0.0 if start is None else start, trainable=False, name="average")
        self._seen = tf.Variable(0, dtype=tf.int64, trainable=False, name="seen")

    @property
    def state(self) -> Mapping[str, Any]:
        """Its variables by name."""
        return {"average": self._average, "seen": self._seen}

    def __call__(self, value: Any, key: Key) -> Any:
        """The average, float32 () without a gradient, with this value, the mean over all replicas, taken in."""
        (value,) = averaged([tf.stop_gradient(tf.cast(value, tf.float32))])
        old = tf.convert_to_tensor(self._average)
        new = old + (1.0 - self.decay) * (value - old)
        if self._first:
            new = tf.where(tf.equal(self._seen, 0), value, new)
        fine = tf.math.is_finite(value)
        new = tf.where(fine, new, old)
        self._average.assign(new)
        self._seen.assign_add(tf.cast(fine, tf.int64))
        return new


def states_of(groups: Sequence[Mapping[int, Memory]]) -> Iterator[tuple[str, Any]]:
    """The variables of the memories of all groups of updates, each with a name that stays."""
    for index, memories in enumerate(groups):
        for site, memory in memories.items():
            for name, variable in memory.state.items():
                yield f"{index}/{site}/{name}", variable


def memory_of(operation: Operation) -> Memory | None:
    """What an operation keeps between steps, new; None for one that keeps nothing."""
    options = operation.attributes.get("arguments", operation.attributes)
    match word_of(operation):
        case "replay":
            assert isinstance(operation.type, Tensor)
            shape = [size for size in operation.type.shape if isinstance(size, int)]  # all are known by now
            return Replay(int(options["size"]), shape)
        case "moving_average":
            return MovingAverage(float(options["decay"]))
        case "path_length":
            return MovingAverage(float(options["decay"]), start=0.0)
        case _:
            return None
