"""A run in, what its samples draw out: each place that draws numbers, and a key that takes them from inputs instead.

Runtimes without TensorFlow's counter-based generator (LiteRT, ONNX) cannot draw what `gendsl sample` draws; given the
numbers, they make of them what it makes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.tensor_util import constant_value_as_shape

from gendsl.parts.keys import Key


@dataclass(frozen=True, slots=True)
class Draw:
    """A place that draws: `kind` is `normal`, `uniform` in [0, 1), or `whole`, below `below`.

    A draw has `shape` behind the rows; in a loop, one for each of `turns`: (rows, turns, *shape)."""

    path: str
    kind: str
    shape: tuple[int | None, ...]
    turns: int | None
    below: int | None = None

    @property
    def whole_shape(self) -> tuple[int | None, ...]:
        """The shape of all of its numbers, the rows left open."""
        return (None, *(() if self.turns is None else (self.turns,)), *self.shape)

    @property
    def dtype(self) -> Any:
        """int32 of whole numbers, else float32."""
        return tf.int32 if self.kind == "whole" else tf.float32


@dataclass(frozen=True, slots=True)
class Watched(Key):
    """A key that draws as a key does, and tells `seen` of each draw, and whether it is one of a loop."""

    seen: Callable[[Draw, bool], None] = lambda _, looped: None

    def _drawn(self, draw: Any, shape: Any, options: dict[str, Any]) -> tf.Tensor:
        self.seen(_draw(self.path, draw, shape, options), self.turns is not None)
        return Key._drawn(self, draw, shape, options)


@dataclass(frozen=True, slots=True)
class Given(Key):
    """A key that draws nothing: what a place would draw is in `numbers` by its path, as a `Draw` lays it."""

    numbers: Mapping[str, Any] | None = None

    def _drawn(self, draw: Any, shape: Any, options: dict[str, Any]) -> tf.Tensor:
        assert self.numbers is not None
        numbers = self.numbers[self.path]
        if self.turns is not None:
            numbers = tf.gather(numbers, tf.cast(self.turns, tf.int32) - 1, axis=1)
        return tf.cast(numbers, options["dtype"]) if "dtype" in options else numbers


def draws_of(call: Callable[[Key], Any], seed: int, place: str, turns: Callable[[str], int]) -> list[Draw]:
    """What a call that takes a key draws: it is traced once, and not made. `turns` says of the path of a draw in a loop
    how many there are."""
    found: dict[str, Draw] = {}

    def seen(draw: Draw, looped: bool) -> None:
        found[draw.path] = replace(draw, turns=turns(draw.path)) if looped else draw

    def traced() -> Any:
        return call(Watched(seed, place, tf.constant(0, tf.int64), seen=seen))

    tf.function(traced, autograph=False).get_concrete_function()
    return list(found.values())


def _draw(path: str, draw: Any, shape: Any, options: Mapping[str, Any]) -> Draw:
    sizes = constant_value_as_shape(tf.convert_to_tensor(shape, tf.int32)).as_list()[1:]
    if draw is tf.random.stateless_normal:
        return Draw(path, "normal", tuple(sizes), None)
    below = options.get("maxval")
    return Draw(path, "uniform" if below is None else "whole", tuple(sizes), None, below)
