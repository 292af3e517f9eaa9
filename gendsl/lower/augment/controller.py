"""Signs of real scores in, the chance of the transforms of `both` out: the controller of ADA, part of a run's state.

Source: Karras et al. 2020, Training Generative Adversarial Networks with Limited Data, equation 1 and section 3.1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from gendsl.plan.plan import Call
from gendsl.plan.reals import RealScores

_BATCHES = 4  # between two moves of p, as in the paper


class Controller:
    """`chance` is p; beside it stand the sum of the signs and the number of real pictures since p last moved."""

    def __init__(self, call: Call, *, batch: int) -> None:
        self._target = float(call.arguments["target"])
        self._speed = float(call.arguments["speed"])
        self._batch = batch
        self.chance = tf.Variable(0.0, trainable=False, name="p")
        self._signs = tf.Variable(0.0, trainable=False, name="signs")
        self._pictures = tf.Variable(0, dtype=tf.int64, trainable=False, name="pictures")

    @property
    def state(self) -> dict[str, Any]:
        """Its variables by name."""
        return {"p": self.chance, "signs": self._signs, "pictures": self._pictures}

    def hear(self, sign: Any, calls: int) -> Any:
        """Takes in the mean sign of the scores of so many calls, each of a whole batch, float32 (); gives it back.

        One that is not finite, of a step that a loss scale skips, counts for nothing, and 0 is given."""
        fine = tf.math.is_finite(sign)
        more = tf.where(fine, tf.constant(self._batch * calls, tf.int64), 0)
        sign = tf.where(fine, sign, 0.0)
        pictures = self._pictures + more
        many = tf.cast(pictures, tf.float32)
        signs = self._signs + sign * tf.cast(more, tf.float32)
        due = pictures >= _BATCHES * self._batch
        r_t = signs / tf.maximum(many, 1.0)
        moved = tf.clip_by_value(self.chance + tf.sign(r_t - self._target) * many / self._speed, 0.0, 1.0)
        self.chance.assign(tf.where(due, moved, self.chance))
        self._signs.assign(tf.where(due, 0.0, signs))
        self._pictures.assign(tf.where(due, tf.zeros_like(pictures), pictures))
        return sign


def mean_sign(values: Mapping[int, Any], reals: Sequence[RealScores]) -> Any:
    """E[sign(D(real))] over the calls of a group whose operations have these values, float32 ()."""
    signs = []
    for real in reals:
        value = values[real.call]
        scores = value[real.output] if isinstance(value, list) else value
        signs.append(tf.reduce_mean(tf.sign(tf.stop_gradient(scores))))
    return tf.add_n(signs) / len(signs)
