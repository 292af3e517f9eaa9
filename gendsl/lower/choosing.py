"""Logits of the next token in, tokens out: temperature, top-k, top-p, min-p and the repetition penalty.

All leave out tokens by making their logits minus infinity; tokens that are equally likely stay or go together.
Keras-hub's samplers choose alike, but draw from a state that savers lose, and have neither min-p nor a penalty.
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.parts.keys import Key

_LEAST = 2.0**-24  # half of the smallest step of a drawn number: its logarithm is finite


@dataclass(frozen=True, slots=True)
class Choice:
    """How the next token is chosen; None leaves a filter out. `temperature` is a number or a scalar tensor, 0 takes the
    likeliest. The filters come in the order of the fields, the penalty first."""

    repetition_penalty: float | None = None
    temperature: Any = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def drawn(self, logits: Any, seen: Any, key: Key) -> Any:
        """Tokens (batch,) int32 from logits (batch, vocabulary); `seen` (batch, vocabulary) says which stand in the
        text already, or is None."""
        if self.repetition_penalty is not None:
            logits = penalised(logits, seen, self.repetition_penalty)
        likeliest = tf.argmax(logits, -1, output_type=tf.int32)
        fixed = tf.get_static_value(tf.convert_to_tensor(self.temperature, tf.float32))
        if fixed is not None and fixed == 0:
            return likeliest
        # What is divided by 0 is not taken.
        heat = tf.cast(self.temperature, tf.float32)
        logits = logits / (heat if fixed is not None else tf.where(heat > 0, heat, 1.0))
        if self.top_k is not None:
            logits = of_the_k_likeliest(logits, self.top_k)
        if self.top_p is not None:
            logits = of_the_nucleus(logits, self.top_p)
        if self.min_p is not None:
            logits = of_the_likely(logits, self.min_p)
        found = drawn(logits, key)
        return found if fixed is not None else tf.where(heat > 0, found, likeliest)


def penalised(logits: Any, seen: Any, penalty: float) -> Any:
    """The logits of tokens that are seen divided by the penalty, negative ones multiplied by it: so that a penalty
    above 1 makes them less likely.

    Keskar et al. 2019, https://arxiv.org/abs/1909.05858, section 4.1, whose code has that rule of the sign."""
    return tf.where(seen, tf.where(logits > 0, logits / penalty, logits * penalty), logits)


def of_the_k_likeliest(logits: Any, k: int) -> Any:
    """Those of the k likeliest tokens, and of any as likely as the last of them. Fan et al. 2018, section 5.4."""
    least = tf.math.top_k(logits, min(k, logits.shape[-1])).values[:, -1:]
    return _where(logits >= least, logits)


def of_the_nucleus(logits: Any, share: float) -> Any:
    """Those of the fewest likeliest tokens whose probabilities add up to the share, and of any as likely as the last.

    Holtzman et al. 2020, https://arxiv.org/abs/1904.09751, section 3.1."""
    ordered = tf.sort(logits, direction="DESCENDING")
    before = tf.cumsum(tf.nn.softmax(ordered), -1, exclusive=True)
    least = tf.reduce_min(tf.where(before < share, ordered, float("inf")), -1, keepdims=True)
    return _where(logits >= least, logits)


def of_the_likely(logits: Any, share: float) -> Any:
    """Those of tokens at least as likely as that share of the likeliest one's probability.

    Nguyen et al. 2024, https://arxiv.org/abs/2407.01082, section 3."""
    least = tf.reduce_max(logits, -1, keepdims=True) + tf.math.log(tf.cast(share, tf.float32))
    return _where(logits >= least, logits)


def drawn(logits: Any, key: Key) -> Any:
    """Tokens (batch,) int32, each with the probability of its softmax: the largest of logits and Gumbel noise.

    Example i of a key draws the same whatever the batch. Maddison et al. 2014, A* Sampling, section 2."""
    uniform = tf.maximum(key.uniform(tf.shape(logits)), _LEAST)
    return tf.argmax(logits - tf.math.log(-tf.math.log(uniform)), -1, output_type=tf.int32)


def _where(kept: Any, logits: Any) -> Any:
    return tf.where(kept, logits, float("-inf"))
