"""Parameters in, distributions out: log-probabilities, divergences, expectations and keyed draws in TensorFlow.

Events are summed over all axes but the batch's, so every log-probability, divergence and entropy has shape (batch).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.lower.discretized_logistic import DiscretizedLogistic
from gendsl.lower.mixed import Mixed, mixed_of
from gendsl.parts.keys import Key
from gendsl.vocabulary import types


def summed(values: Any) -> Any:
    """The sums (batch) of (batch, …) over all axes but the first."""
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """Independent normal numbers; `mean` and `log_variance` have shape (batch, …)."""

    mean: Any
    log_variance: Any

    def log_prob(self, value: Any) -> Any:
        """log N(value; mean, variance), (batch)."""
        squares = tf.square(value - self.mean) * tf.exp(-self.log_variance)
        return -0.5 * summed(squares + self.log_variance + math.log(2 * math.pi))

    def entropy(self) -> Any:
        """Nats, (batch)."""
        return 0.5 * summed(self.log_variance + math.log(2 * math.pi) + 1.0)

    def mode(self) -> Any:
        """The mean."""
        return self.mean

    def draw(self, key: Key) -> Any:
        """mean + standard deviation * noise, with gradients to both (Kingma & Welling 2013, section 2.4)."""
        noise = key.normal(tf.shape(self.mean))
        noise = tf.ensure_shape(noise, self.mean.shape)
        return self.mean + tf.exp(0.5 * self.log_variance) * noise


@dataclass(frozen=True, slots=True, eq=False)
class Bernoulli:
    """Independent yes-or-no numbers; `logits` has shape (batch, …)."""

    logits: Any

    @property
    def mean(self) -> Any:
        """The probabilities of one, (batch, …)."""
        return tf.sigmoid(self.logits)

    def log_prob(self, value: Any) -> Any:
        """Minus the cross-entropy with values in 0..1, (batch)."""
        value = tf.cast(value, self.logits.dtype)
        return -summed(tf.nn.sigmoid_cross_entropy_with_logits(labels=value, logits=self.logits))

    def entropy(self) -> Any:
        """Nats, (batch)."""
        return summed(tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.sigmoid(self.logits), logits=self.logits))

    def mode(self) -> Any:
        """0 or 1, (batch, …)."""
        return tf.cast(self.logits > 0, self.logits.dtype)

    def draw(self, key: Key) -> Any:
        """0 or 1, (batch, …), without a gradient."""
        chance = key.uniform(tf.shape(self.logits))
        return tf.stop_gradient(tf.cast(chance < tf.sigmoid(self.logits), self.logits.dtype))


@dataclass(frozen=True, slots=True, eq=False)
class Categorical:
    """One of some classes at each place; `logits` has shape (batch, …, classes)."""

    logits: Any

    def log_prob(self, value: Any) -> Any:
        """The log-probability of whole classes (batch, …), summed over places, (batch)."""
        value = tf.cast(value, tf.int32)
        return -summed(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=value, logits=self.logits))

    def entropy(self) -> Any:
        """Nats, (batch)."""
        logs = tf.nn.log_softmax(self.logits)
        return -summed(tf.reduce_sum(tf.exp(logs) * logs, axis=-1))

    @property
    def mean(self) -> Any:
        """The probabilities, (batch, …, classes)."""
        return tf.nn.softmax(self.logits)

    def mode(self) -> Any:
        """The likeliest classes, int32 (batch, …)."""
        return tf.argmax(self.logits, axis=-1, output_type=tf.int32)

    def draw(self, key: Key) -> Any:
        """Classes, int32 (batch, …), without a gradient: the largest of logits and Gumbel noise."""
        tiny = 1e-20
        chance = key.uniform(tf.shape(self.logits))
        noise = -tf.math.log(-tf.math.log(chance + tiny) + tiny)
        return tf.argmax(self.logits + noise, axis=-1, output_type=tf.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Uniform:
    """Independent numbers in low..high, both of shape (batch, …)."""

    low: Any
    high: Any

    @property
    def mean(self) -> Any:
        """The middle, (batch, …)."""
        return 0.5 * (self.low + self.high)

    def log_prob(self, value: Any) -> Any:
        """Minus the log of the width, minus infinity outside, (batch)."""
        inside = (value >= self.low) & (value <= self.high)
        density = -tf.math.log(self.high - self.low)
        return summed(tf.where(inside, density, tf.fill(tf.shape(density), -math.inf)))

    def entropy(self) -> Any:
        """Nats, (batch)."""
        return summed(tf.math.log(self.high - self.low))

    def mode(self) -> Any:
        """The middle, (batch, …)."""
        return self.mean

    def draw(self, key: Key) -> Any:
        """Numbers (batch, …), with gradients to both bounds."""
        chance = key.uniform(tf.shape(self.low))
        return self.low + (self.high - self.low) * tf.ensure_shape(chance, self.low.shape)


@dataclass(frozen=True, slots=True, eq=False)
class TruncatedNormal:
    """Independent standard normal numbers within -limit..limit; `limit` has shape (batch, …)."""

    limit: Any

    @property
    def mean(self) -> Any:
        """Zeros, (batch, …)."""
        return tf.zeros_like(self.limit)

    def _inside(self) -> Any:
        """How much of a normal distribution is within the limit."""
        return tf.math.erf(self.limit / math.sqrt(2))

    def log_prob(self, value: Any) -> Any:
        """The normal density over what is within the limit, minus infinity outside, (batch)."""
        density = -0.5 * (tf.square(value) + math.log(2 * math.pi)) - tf.math.log(self._inside())
        return summed(tf.where(tf.abs(value) <= self.limit, density, tf.fill(tf.shape(density), -math.inf)))

    def entropy(self) -> Any:
        """Nats, (batch)."""
        edge = self.limit * tf.exp(-0.5 * tf.square(self.limit)) / math.sqrt(2 * math.pi)
        inside = self._inside()
        return summed(0.5 * math.log(2 * math.pi * math.e) + tf.math.log(inside) - edge / inside)

    def mode(self) -> Any:
        """Zeros."""
        return self.mean

    def draw(self, key: Key) -> Any:
        """Numbers (batch, …) by the inverse of the cumulative function, without a gradient."""
        chance = key.uniform(tf.shape(self.limit))
        # erfinv(u · erf(limit / √2)) with u in -1..1; what rounds to beyond the limit is cut.
        drawn = math.sqrt(2) * tf.math.erfinv((2.0 * chance - 1.0) * self._inside())
        return tf.clip_by_value(tf.ensure_shape(drawn, self.limit.shape), -self.limit, self.limit)


Distribution = Normal | Bernoulli | Categorical | Uniform | TruncatedNormal | DiscretizedLogistic | Mixed


def divergence(q: Distribution, p: Distribution) -> Any:
    """KL(q || p) in nats, (batch)."""
    return summed(divergences(q, p))


def divergences(q: Distribution, p: Distribution) -> Any:
    """KL(q || p) in nats of each number (batch, …), which are independent."""
    match q, p:
        case Normal(), Normal():
            ratio = tf.exp(q.log_variance - p.log_variance)
            distance = tf.square(q.mean - p.mean) * tf.exp(-p.log_variance)
            return 0.5 * (ratio + distance - 1.0 + p.log_variance - q.log_variance)
        case Bernoulli(), Bernoulli():
            chance = tf.sigmoid(q.logits)
            crossed = tf.nn.sigmoid_cross_entropy_with_logits(labels=chance, logits=p.logits)
            return crossed - tf.nn.sigmoid_cross_entropy_with_logits(labels=chance, logits=q.logits)
        case Categorical(), Categorical():
            logs = tf.nn.log_softmax(q.logits)
            return tf.reduce_sum(tf.exp(logs) * (logs - tf.nn.log_softmax(p.logits)), axis=-1)
        case _:
            raise ValueError(f"no divergence of {type(q).__name__} from {type(p).__name__}")


def free_bits(q: Distribution, p: Distribution, *, nats: float, groups: int | None = None) -> Any:
    """The sum over groups of max(nats, KL of the group averaged over the batch), a scalar, in nats.

    A group is one number of the last axis with all its places, or one of so many equal stretches of that axis. Source:
    Kingma et al. 2016, https://arxiv.org/abs/1606.04934, equation 15."""
    each = divergences(q, p)
    if each.shape.rank == 1:
        each = each[:, tf.newaxis]
    mean = tf.reduce_mean(tf.reduce_sum(each, axis=list(range(1, each.shape.rank - 1))), axis=0)
    if groups is not None:
        mean = tf.reduce_sum(tf.reshape(mean, [groups, -1]), axis=1)
    return tf.reduce_sum(tf.maximum(mean, nats))


def distribution_of(
    family: str,
    parameters: Any,
    *,
    classes: int = 0,
    bounds: tuple[float, float] | None = None,
    layout: Sequence[Any] = (),
) -> Distribution:
    """What a network's numbers mean: the last axis of a normal splits into mean, then log-variance.

    That of a discretised logistic, on `classes` levels in `bounds`, splits into location, then log-scale; that of a
    mixed into a row of a `layout`, then log-variances; others are logits."""
    match family:
        case "mixed":
            return mixed_of(parameters, layout)
        case "discretized_logistic":
            location, log_scale = tf.split(parameters, 2, axis=-1)
            low, high = bounds or (-1.0, 1.0)
            return DiscretizedLogistic(location, log_scale, classes, low, high)
        case "normal":
            mean, log_variance = tf.split(parameters, 2, axis=-1)
            return Normal(mean, log_variance)
        case "bernoulli":
            return Bernoulli(parameters)
        case "categorical":
            return Categorical(parameters)
        case _:
            raise ValueError(f"no distribution {family}")


def standard(
    family: str, batch: Any, event: Sequence[int], *, classes: int = 0, bounds: tuple[float, float]
) -> Distribution:
    """The standard distribution of events of a shape, one for each of `batch` examples."""
    shape = [batch, *event]
    match family:
        case "normal":
            return Normal(tf.zeros(shape), tf.zeros(shape))
        case "uniform":
            return Uniform(tf.fill(shape, float(bounds[0])), tf.fill(shape, float(bounds[1])))
        case "truncated_normal":
            return TruncatedNormal(tf.fill(shape, float(bounds[1])))
        case "bernoulli":
            return Bernoulli(tf.zeros(shape))
        case "categorical":
            return Categorical(tf.zeros([*shape, classes]))
        case _:
            raise ValueError(f"no distribution {family}")


def standard_of(kind: Any, family: str, given: Mapping[str, Any], batch: Any) -> Distribution:
    """The standard distribution of a family with its arguments, one for each of `batch` examples, of the event of a
    type: of a distribution, or of what is drawn from one."""
    if isinstance(kind, types.Distribution):
        event, classes = kind.event, kind.classes
    else:
        event, classes = getattr(kind, "shape", ()), given.get("classes")
    limit = given.get("limit")
    low, high = given.get("range") or (-1, 1) if limit is None else (-limit, limit)
    many = 0 if classes is None else _known(classes)
    return standard(family, batch, [_known(size) for size in event], classes=many, bounds=(float(low), float(high)))


def _known(size: Any) -> int:
    if not isinstance(size, int):
        raise ValueError(f"the size {size} is not known yet")
    return size
