"""A number or a schedule and the loop's step in, the scalar's value in that step out.

Steps are int64 tensors; values are computed in float64 and given as float32. `Stretch` is what a schedule is measured
against: the run, or the phase in which it is written.
"""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.plan.plan import Call, Quantity


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of steps: its first, its length, and how many steps make an epoch (None without epochs)."""

    start: int
    length: int
    epoch: int | None = None

    def steps(self, quantity: Quantity | int | float) -> int:
        """A quantity of steps or epochs in steps."""
        return steps_of(quantity, self.epoch)


def steps_of(quantity: Quantity | int | float, epoch: int | None) -> int:
    """A quantity in steps; a bare number counts steps. Raises ValueError for epochs of data without an end."""
    if isinstance(quantity, int | float):
        return int(quantity)
    match quantity.unit:
        case "steps" | "step":
            return int(quantity.value)
        case "epochs" | "epoch":
            if epoch is None:
                raise ValueError("a length in epochs needs data of a known size")
            return math.ceil(quantity.value * epoch)
        case unit:
            raise ValueError(f"{unit} are no length of training")


def value_at(value: Any, step: Any, stretch: Stretch) -> Any:
    """The value, float32 (), of a number or a schedule in a step of the loop, int64 ()."""
    if not isinstance(value, Call):
        return tf.constant(float(value), tf.float32)
    moment = tf.cast(step, tf.float64) - float(stretch.start)
    return tf.cast(_scheduled(value.word, dict(value.arguments), moment, stretch), tf.float32)


def _scheduled(word: str, arguments: dict[str, Any], moment: Any, stretch: Stretch) -> Any:
    """The value, float64 (), `moment` steps after the stretch's start."""

    def length(name: str, default: int) -> int:
        given = arguments.get(name)
        return default if given is None else stretch.steps(given)

    def real(name: str) -> float:
        return float(arguments[name])

    warmup = length("warmup", 0)
    if word == "inverse_sqrt":
        count = moment + 1.0
        return real("peak") * tf.minimum(count / max(warmup, 1), tf.sqrt(max(warmup, 1) / count))
    over = length("over", stretch.length)
    since = tf.maximum(moment - warmup - length("after", 0), tf.zeros((), tf.float64))
    share = tf.minimum(since / max(over - warmup, 1), tf.ones((), tf.float64))
    match word:
        case "constant":
            start, value = real("value"), tf.constant(real("value"), tf.float64)
        case "ramp" | "linear_decay":
            start = real("start")
            value = start + (real("end") - start) * share
        case "cosine":
            start = real("start")
            value = real("end") + (start - real("end")) * 0.5 * (1.0 + tf.cos(math.pi * share))
        case "polynomial":
            start = real("start")
            value = real("end") + (start - real("end")) * (1.0 - share) ** real("power")
        case "geometric":
            start = real("start")
            value = start * tf.exp(share * math.log(real("end") / start))
        case "exponential_decay":
            start = real("start")
            powers = since / stretch.steps(arguments["every"])
            value = start * tf.exp(math.log(real("rate")) * (tf.floor(powers) if arguments["staircase"] else powers))
        case "piecewise":
            values = [float(one) for one in arguments["values"]]
            start, value = values[0], tf.constant(values[0], tf.float64)
            for later, at in zip(values[1:], arguments["at"], strict=True):
                value = tf.where(moment >= float(stretch.steps(at)), tf.constant(later, tf.float64), value)
        case _:
            raise ValueError(f"no schedule {word}")
    if warmup:
        value = tf.where(moment < float(warmup), start * (moment + 1.0) / warmup, value)
    return value


def constant_in(value: Any, part: Stretch, run: Stretch) -> float | None:
    """What a number, or a `ramp` over a run, is throughout a part of the run; None where it changes, or may."""
    if not isinstance(value, Call):
        return float(value)
    if value.word != "ramp":
        return None
    after, over = (value.arguments.get(name) for name in ("after", "over"))
    begins = run.start + (0 if after is None else run.steps(after))
    ends = begins + (run.length if over is None else run.steps(over))
    if part.start + part.length <= begins + 1:  # in its first step it still has the start's value
        return float(value.arguments["start"])
    return float(value.arguments["end"]) if part.start >= ends else None
