"""Vectors in, the nearest vectors of a codebook out; the codebook follows its vectors by moving averages.

The state is what the averages are of: how many vectors of a step choose each code (`counts`), and what these add up to
(`sums`). A code is their ratio. Both are linear in the vectors, so that parts of a batch, averaged, give the whole.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.keys import WHOLE, key_of

_LEAST = 1e-6  # an unused code's count goes no lower, so that the ratio stays what it was


@keras.saving.register_keras_serializable(package="gendsl")
class Quantize(keras.layers.Layer):
    """(batch, …, d) from the same: each vector's nearest code; the gradient passes straight through.

    In training N_i <- g N_i + (1 - g) n_i and m_i <- g m_i + (1 - g) sum of the vectors of code i, e_i = m_i / N_i (van
    den Oord et al. 2017, equations 1, 2 and appendix A.1); the vectors of a step meet the codes from before it. A code
    whose N_i is less than `reset` becomes a random one of the step's vectors (Dhariwal et al. 2020, section 3.1), drawn
    by the seed, the step and the layer. Elsewhere nothing changes."""

    def __init__(self, codes: int, decay: float = 0.99, reset: float = 0, **options: Any) -> None:
        super().__init__(**options)
        self.codes, self.decay, self.reset = codes, float(decay), float(reset)

    def build(self, inputs_shape: Any) -> None:
        width = inputs_shape[-1]
        spread = (3.0 / width) ** 0.5  # codes of length 1 on average
        self.counts = self.add_weight(
            name="counts", shape=(self.codes,), initializer="ones", dtype="float32", trainable=False, autocast=False
        )
        self.sums = self.add_weight(
            name="sums",
            shape=(self.codes, width),
            initializer=keras.initializers.RandomUniform(-spread, spread),
            dtype="float32",
            trainable=False,
            autocast=False,
        )
        self.built = True

    @property
    def codebook(self) -> Any:
        """The codes (codes, d), float32."""
        return tf.convert_to_tensor(self.sums) / tf.convert_to_tensor(self.counts)[:, tf.newaxis]

    @property
    def perplexity(self) -> Any:
        """The exponential of the entropy of how often codes are used, by the moving averages: a scalar in 1..codes."""
        counts = tf.convert_to_tensor(self.counts)
        shares = counts / tf.reduce_sum(counts)
        return tf.exp(-tf.reduce_sum(tf.math.xlogy(shares, shares)))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        vectors = tf.reshape(tf.cast(inputs, tf.float32), [-1, inputs.shape[-1]])
        nearest = self.nearest(vectors)
        found = tf.reshape(tf.gather(self.codebook, nearest), tf.shape(inputs))
        if training and self.trainable:
            self._follow(tf.stop_gradient(vectors), nearest)
        given = tf.cast(inputs, tf.float32)
        return tf.cast(given + tf.stop_gradient(found - given), self.compute_dtype)

    def nearest(self, vectors: Any) -> Any:
        """The numbers of the codes that are nearest to vectors (n, d), int32 (n,)."""
        book = self.codebook
        return tf.argmin(
            tf.reduce_sum(tf.square(book), 1) - 2.0 * tf.matmul(vectors, book, transpose_b=True), 1, tf.int32
        )

    def drawn(self, chance: Any) -> Any:
        """A code (…, d) for each number (…) in 0..1, by how often each is used in training."""
        counts = tf.convert_to_tensor(self.counts)
        ends = tf.cumsum(counts / tf.reduce_sum(counts))
        places = tf.searchsorted(ends, tf.reshape(chance, [-1]), side="right")
        codes = tf.gather(self.codebook, tf.minimum(places, self.codes - 1))
        return tf.reshape(codes, tf.concat([tf.shape(chance), [codes.shape[-1]]], 0))

    def _follow(self, vectors: Any, nearest: Any) -> None:
        key = key_of(self.name)
        used = tf.one_hot(nearest, self.codes)
        parts = float(key.share.of)  # each stands for as many: their average is the sum over the batch
        many, total = parts * tf.reduce_sum(used, 0), parts * tf.matmul(used, vectors, transpose_a=True)
        counts, sums = tf.convert_to_tensor(self.counts), tf.convert_to_tensor(self.sums)
        kept = tf.where(counts > _LEAST, self.decay, 1.0)
        new_counts = kept * counts + (1 - self.decay) * many
        new_sums = kept[:, tf.newaxis] * sums + (1 - self.decay) * total
        if self.reset:
            dead = counts < self.reset
            chosen = self._chosen(vectors, key)
            new_counts = tf.where(dead, self.reset, new_counts)
            new_sums = tf.where(dead[:, tf.newaxis], self.reset * chosen, new_sums)
        self.counts.assign(new_counts)
        self.sums.assign(new_sums)

    def _chosen(self, vectors: Any, key: Any) -> Any:
        """A random vector of the whole batch for each code (codes, d); of those of other parts, zeros."""
        own = tf.shape(vectors)[0]
        everywhere = own * key.share.of
        chance = replace(key, share=WHOLE).uniform([self.codes])
        place = tf.minimum(tf.cast(chance * tf.cast(everywhere, tf.float32), tf.int32), everywhere - 1)
        place -= own * tf.cast(key.share.index, tf.int32)
        here = (place >= 0) & (place < own)
        rows = tf.gather(vectors, tf.clip_by_value(place, 0, own - 1))
        return tf.where(here[:, tf.newaxis], float(key.share.of) * rows, tf.zeros_like(rows))

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "codes": self.codes, "decay": self.decay, "reset": self.reset}


def perplexities(networks: Mapping[str, Any]) -> dict[str, Any]:
    """How many codes each codebook of some models uses, as `network/layer/perplexity`."""
    return {
        f"{name}/{layer.name}/perplexity": layer.perplexity
        for name, model in networks.items()
        for layer in model.layers
        if isinstance(layer, Quantize)
    }
