"""A run's sample in, what its outputs are and how they are answered out: numbers as they are, bytes, or PNG files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.evaluate.inputs import output_field
from gendsl.export.ports import Answer
from gendsl.plan.plan import Field, Plan, Sample
from gendsl.run.pictures import range_of

TABLE, TOKENS = "table.json", "tokens.json"  # beside the model: what its rows, or tokens, are read by


@dataclass(frozen=True, slots=True)
class Output:
    """An output of the spec's `sample`: the field that it looks like, if any, and its shape without the batch."""

    name: str
    field: Field | None
    shape: tuple[Any, ...]

    @property
    def is_picture(self) -> bool:
        """Whether it can be a PNG, as `gendsl sample` writes it."""
        return len(self.shape) == 3 and self.shape[-1] in (1, 3, 4)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range of a picture's values."""
        return range_of(self.field)


def outputs_of(plan: Plan, sample: Sample) -> list[Output]:
    """The outputs of a sample, in the order of the spec."""
    found = []
    for name, number in sample.outputs:
        shape = tuple(getattr(sample.operations[number].type, "shape", ()))
        if not shape:  # of a distribution, its expectation's
            shape = tuple(getattr(sample.operations[number].type, "event", ()))
        found.append(Output(name, output_field(plan, name, shape), shape))
    return found


def family_of(plan: Plan, outputs: list[Output]) -> str:
    """What the first output is: image, text, music, table, points or array."""
    first = outputs[0]
    if first.field is not None and first.field.kind == "text":
        source = next(one for one in plan.data.sources if one.name == first.field.source)
        return "music" if source.call.word == "midi" else "text"
    kinds = {"row": "table", "point": "points"}
    kind = kinds.get(first.field.kind, "") if first.field is not None else ""
    return kind or ("image" if first.is_picture else "points" if len(first.shape) == 1 else "array")


def answers_of(outputs: list[Output], images: str, columns: Mapping[str, list[str]]) -> dict[str, Answer]:
    """The answers of outputs as numbers; `images` is `float32` or `uint8`, `columns` those of tables by field."""
    found = {}
    for one in outputs:
        kind = one.field.kind if one.field is not None else ""
        if kind == "text":
            found[one.name] = Answer("tokens", more={"vocabulary file": TOKENS})
        elif one.is_picture:
            found[one.name] = Answer("image", (0, 255) if images == "uint8" else one.bounds)
        elif kind == "row" and one.field is not None and one.field.name in columns:
            found[one.name] = Answer("row", more={"columns": columns[one.field.name], "table file": TABLE})
        elif len(one.shape) == 1:
            found[one.name] = Answer("points")
        else:
            found[one.name] = Answer("array")
    return found


def as_bytes(values: Any, bounds: tuple[float, float]) -> Any:
    """uint8 of pictures (n, height, width, channels) in a range, as `gendsl sample` rounds them: what is beyond is cut,
    NaN is the low end."""
    low, high = bounds
    values = tf.cast(values, tf.float32)
    scaled = (tf.where(tf.math.is_nan(values), tf.cast(low, tf.float32), values) - low) / (high - low)
    return tf.cast(tf.clip_by_value(tf.round(scaled * 255), 0, 255), tf.uint8)


def from_bytes(values: Any, bounds: tuple[float, float]) -> Any:
    """Pictures as a network reads them, float32 in a range, of uint8."""
    low, high = bounds
    return tf.cast(values, tf.float32) / 255 * (high - low) + low


def as_text(tokens: Any, pieces: Sequence[bytes]) -> Any:
    """Texts (n,) of tokens (n, length), -1 behind their ends, as `gendsl sample` writes them: the bytes that each token
    stands for; what is no token is U+FFFD."""
    table = tf.constant([*pieces, "\ufffd".encode(), b""])
    known = tf.where(tokens < len(pieces), tokens, len(pieces))
    goes_on = tf.math.cumprod(tf.cast(tokens >= 0, tf.int32), axis=1) > 0
    return tf.strings.reduce_join(tf.gather(table, tf.where(goes_on, known, len(pieces) + 1)), axis=1)


def as_png(pixels: Any) -> Any:
    """PNG files (n,) of uint8 (n, height, width, channels)."""
    return tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.TensorSpec([], tf.string))
