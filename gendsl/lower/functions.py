"""A function word and its values in, a value out: the functions of the equations in TensorFlow, all in float32."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from gendsl.lower.distributions import Distribution, divergence, free_bits, summed
from gendsl.lower.next_token import begun, surprise
from gendsl.parts.keys import Key


def number(value: Any) -> Any:
    """A tensor as float32."""
    return value if isinstance(value, Distribution) else tf.cast(value, tf.float32)


def aligned(left: Any, right: Any) -> tuple[Any, Any]:
    """Two tensors whose axes match from the left: (batch) beside (batch, …) gets axes of size 1."""
    left, right = number(left), number(right)
    ranks = left.shape.rank, right.shape.rank
    if 0 < ranks[0] < ranks[1]:
        left = tf.reshape(left, tf.concat([tf.shape(left), [1] * (ranks[1] - ranks[0])], 0))
    elif 0 < ranks[1] < ranks[0]:
        right = tf.reshape(right, tf.concat([tf.shape(right), [1] * (ranks[0] - ranks[1])], 0))
    return left, right


def _mean(value: Any) -> Any:
    return value.mean if isinstance(value, Distribution) else tf.reduce_mean(number(value))


def _stopped(value: Any) -> Any:
    if isinstance(value, Distribution):
        held = {name: getattr(value, name) for name in value.__slots__}
        return type(value)(**{name: tf.stop_gradient(one) if tf.is_tensor(one) else one for name, one in held.items()})
    if isinstance(value, list | tuple):
        return [_stopped(one) for one in value]
    return tf.stop_gradient(value)


def _mix(x: Any, y: Any, share: Any) -> Any:
    share, x = aligned(share, x)
    return x + share * (number(y) - x)


def _cross_entropy(logits: Any, label: Any) -> Any:
    label = tf.cast(label, tf.int32)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=number(logits)))


def _accuracy(logits: Any, label: Any) -> Any:
    found = tf.argmax(logits, axis=-1, output_type=tf.int32)
    return tf.reduce_mean(number(tf.equal(found, tf.cast(label, tf.int32))))


def _binary_cross_entropy(logits: Any, target: Any) -> Any:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=number(target), logits=number(logits)))


def _feature_matching(real: Any, fake: Any) -> Any:
    return tf.reduce_sum(tf.square(tf.reduce_mean(number(real), axis=0) - tf.reduce_mean(number(fake), axis=0)))


def dropped(condition: Any, chance: float, none: Any, key: Key) -> Any:
    """A condition (batch, …), by a chance none in each example: `none` for a class, zeros for numbers."""
    lost = key.uniform(tf.shape(condition)[:1]) < float(chance)
    lost = tf.reshape(lost, tf.concat([tf.shape(lost), tf.ones([condition.shape.rank - 1], tf.int32)], 0))
    return tf.where(lost, tf.cast(0 if none is None else int(none), condition.dtype), condition)


def _top_k(scores: Any, share: Any) -> Any:
    """The weights of the k largest of a batch; of equal scores the earlier counts as larger."""
    flat = tf.reshape(tf.stop_gradient(number(scores)), [-1])
    batch = tf.shape(flat)[0]
    many = tf.cast(batch, tf.float32)
    # Rounded to the nearest, upwards at a half: `round` goes to even.
    kept = tf.clip_by_value(tf.cast(tf.floor(number(share) * many + 0.5), tf.int32), 1, batch)
    ranks = tf.argsort(tf.argsort(flat, direction="DESCENDING", stable=True), stable=True)
    weights = tf.where(ranks < kept, many / tf.cast(kept, tf.float32), 0.0)
    return tf.reshape(weights, tf.shape(scores))


_ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    "log": tf.math.log,
    "exp": tf.exp,
    "abs": tf.abs,
    "square": tf.square,
    "sqrt": tf.sqrt,
    "softplus": tf.nn.softplus,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "sign": tf.sign,
    "sin": tf.sin,
    "cos": tf.cos,
}

_OTHERS: dict[str, Callable[..., Any]] = {
    "mean": _mean,
    "sum": lambda x: summed(number(x)),
    "mode": lambda distribution: distribution.mode(),
    "maximum": lambda x, y: tf.maximum(*aligned(x, y)),
    "minimum": lambda x, y: tf.minimum(*aligned(x, y)),
    "stop_gradient": _stopped,
    "l1": lambda x, y: tf.reduce_mean(tf.abs(number(x) - number(y))),
    "l2": lambda x, y: tf.reduce_mean(tf.square(number(x) - number(y))),
    "nll": lambda distribution, value: -distribution.log_prob(value),
    "log_prob": lambda distribution, value: distribution.log_prob(value),
    "kl": divergence,
    "entropy": lambda distribution: distribution.entropy(),
    "cross_entropy": _cross_entropy,
    "accuracy": _accuracy,
    "positive": lambda x: tf.reduce_mean(number(number(x) > 0)),
    "binary_cross_entropy": _binary_cross_entropy,
    "feature_matching": _feature_matching,
    "consistency": lambda x, y: tf.reduce_mean(summed(tf.square(number(x) - number(y)))),
    "concat": lambda *values: tf.concat([number(one) for one in values], axis=-1),
    "mix": _mix,
    "top_k": _top_k,
}


def _power(base: Any, exponent: Any) -> Any:
    fixed = tf.get_static_value(exponent)
    if fixed is not None and fixed.ndim == 0 and float(fixed) == 2.0:
        return tf.square(number(base))
    return tf.pow(*aligned(base, exponent))


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: tf.add(*aligned(x, y)),
    "subtract": lambda x, y: tf.subtract(*aligned(x, y)),
    "multiply": lambda x, y: tf.multiply(*aligned(x, y)),
    "divide": lambda x, y: tf.divide(*aligned(x, y)),
    "power": _power,
    "negate": lambda x: tf.negative(number(x)),
    "less": lambda x, y: tf.less(*aligned(x, y)),
    "less_equal": lambda x, y: tf.less_equal(*aligned(x, y)),
    "greater": lambda x, y: tf.greater(*aligned(x, y)),
    "greater_equal": lambda x, y: tf.greater_equal(*aligned(x, y)),
    "equal": lambda x, y: tf.equal(*aligned(x, y)),
    "not_equal": lambda x, y: tf.not_equal(*aligned(x, y)),
    "and": tf.logical_and,
    "or": tf.logical_or,
    "not": tf.logical_not,
}


def function_of(word: str, values: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The value of a function; `options` are its parameters that are no expressions."""
    if word in _ELEMENTWISE:
        return _ELEMENTWISE[word](number(values[0]))
    if word == "clip":
        return tf.clip_by_value(number(values[0]), float(options["low"]), float(options["high"]))
    if word == "one_hot":
        return tf.one_hot(values[0], int(options["classes"]))
    if word == "free_bits":
        return free_bits(*values, nats=float(options["nats"]), groups=options["groups"])
    if word == "begun":
        return begun(values[0], int(options["token"]))
    if word == "next_token":
        return surprise(*values, label_smoothing=float(options["label_smoothing"]))
    if word in _OTHERS:
        return _OTHERS[word](*values)
    raise ValueError(f"no function {word}")


BUILT: frozenset[str] = frozenset(
    (
        *_ELEMENTWISE,
        *_OTHERS,
        *("clip", "one_hot", "replay", "moving_average", "augmented", "free_bits", "importance_weighted", "draw_codes"),
        *("next_token", "codes", "code_vectors"),
        "generate",
    )
)
