"""Locations and scales in, a distribution over evenly spaced levels out: log-probabilities, expectation, draws.

The level x has the probability F(x + d) - F(x - d), where F is the distribution function of a logistic distribution and
d half the distance of two levels; the outermost levels have all that lies beyond them, too.
"""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.parts.keys import Key

_LEAST_LOG_SCALE = -7.0  # of data in -1..1, as in Salimans et al.'s code: narrower ones have no useful gradient
_TINY = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class DiscretizedLogistic:
    """Independent numbers on `levels` values from `low` to `high`; `location` and `log_scale` have shape (batch, …).

    Source: Kingma et al. 2016; Salimans et al. 2017, equation 2, without its mixture."""

    location: Any
    log_scale: Any
    levels: int
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the distance of two levels."""
        return 0.5 * (self.high - self.low) / (self.levels - 1)

    @property
    def _logs(self) -> Any:
        return tf.maximum(self.log_scale, _LEAST_LOG_SCALE + math.log(0.5 * (self.high - self.low)))

    def level_of(self, value: Any) -> Any:
        """The level (batch, …) nearest to each number."""
        place = tf.round((tf.cast(value, tf.float32) - self.low) / (2 * self.half))
        return self.low + 2 * self.half * tf.clip_by_value(place, 0.0, self.levels - 1.0)

    def log_probs(self, value: Any) -> Any:
        """The log-probability (batch, …) of each number's level.

        F(b) - F(a) = s(b) s(-a) (1 - exp(a - b)) for the sigmoid s and bounds a < b in scales: exact far from the
        location, where the difference of two sigmoids is none."""
        level = self.level_of(value)
        logs = self._logs
        above, below = (level + self.half - self.location), (level - self.half - self.location)
        inverse = tf.exp(-logs)
        upper = tf.math.log_sigmoid(above * inverse)  # log F(x + d)
        lower = tf.math.log_sigmoid(-below * inverse)  # log (1 - F(x - d))
        width = tf.math.log(-tf.math.expm1(-2 * self.half * inverse))
        inside = upper + lower + width
        first, last = level < self.low + self.half, level > self.high - self.half
        return tf.where(first, upper, tf.where(last, lower, inside))

    def log_prob(self, value: Any) -> Any:
        """The log-probability of the levels nearest to (batch, …), in nats, (batch)."""
        logs = self.log_probs(value)
        return tf.reduce_sum(logs, axis=list(range(1, logs.shape.rank)))

    @property
    def mean(self) -> Any:
        """The expectation (batch, …) of the logistic distribution cut off at the ends.

        That of the levels is within half the distance of two; it is a sum over all of them, whose midpoint rule this
        integral is."""
        scale = tf.exp(self._logs)
        low, high = (self.location - self.low) / scale, (self.location - self.high) / scale
        return self.low + scale * (tf.nn.softplus(low) - tf.nn.softplus(high))

    def mode(self) -> Any:
        """The likeliest levels, (batch, …): that of the location, or an end that more lies beyond."""
        found = self.level_of(self.location)
        for end in (self.low, self.high):
            ends = tf.fill(tf.shape(found), end)
            found = tf.where(self.log_probs(ends) > self.log_probs(found), ends, found)
        return found

    def draw(self, key: Key) -> Any:
        """Levels (batch, …), without a gradient: a logistic number, brought to the nearest."""
        chance = tf.ensure_shape(key.uniform(tf.shape(self.location)), self.location.shape)
        chance = tf.clip_by_value(chance, _TINY, 1 - _TINY)
        noise = tf.math.log(chance) - tf.math.log1p(-chance)
        return tf.stop_gradient(self.level_of(self.location + tf.exp(self._logs) * noise))
