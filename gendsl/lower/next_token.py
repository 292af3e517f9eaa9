"""The logits of each next token and the tokens themselves in, how much a model is surprised by each sequence out."""

from typing import Any

import tensorflow as tf


def surprise(logits: Any, tokens: Any, *, label_smoothing: float = 0.0) -> Any:
    """-log p of each token in nats, summed over a sequence: (batch,) float32 of (batch, n, vocabulary) and (batch, n).

    Places of -1, where a sequence has ended, count nothing. With `label_smoothing` a share of each target is spread
    evenly over the vocabulary (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7).
    """
    logits, tokens = tf.cast(logits, tf.float32), tf.cast(tokens, tf.int32)
    there = tokens >= 0
    # The fused kernel subtracts the largest logit, and holds no one-hot of the vocabulary.
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(tokens, 0), logits=logits)
    if label_smoothing:
        spread = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
        each = (1 - label_smoothing) * each + label_smoothing * spread
    return tf.reduce_sum(tf.where(there, each, 0.0), axis=tuple(range(1, each.shape.rank)))


def begun(tokens: Any, first: int) -> Any:
    """Sequences (batch, n) as a network is told them that is to say all of their tokens: behind a token that begins
    them, without their last."""
    return tf.concat([tf.fill([tf.shape(tokens)[0], 1], tf.constant(first, tokens.dtype)), tokens[:, :-1]], 1)
