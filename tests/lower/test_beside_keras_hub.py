"""Our parts of transformers and of generation beside keras-hub's, from the same weights and for the same logits.

keras-hub's samplers draw from a state of their own and its caches belong to its models; ours are keyed by the step.
What they compute is the same.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from gendsl.lower.choosing import Choice
from gendsl.parts.attention import Attention, rotary
from gendsl.parts.keys import Key
from gendsl.parts.position_embed import sinusoids

pytestmark = pytest.mark.slow  # keras-hub takes seconds to import

LENGTH, WIDTH, HEADS = 7, 16, 4
ROWS = 4_000  # draws of each sampler
LOGITS = np.log(np.array([0.4, 0.24, 0.15, 0.1, 0.06, 0.03, 0.02], np.float32))


def test_sinusoidal_positions() -> None:
    from keras_hub.layers import SinePositionEncoding

    theirs = SinePositionEncoding()(np.zeros((1, LENGTH, WIDTH), np.float32), start_index=3)
    np.testing.assert_allclose(sinusoids(3 + tf.range(LENGTH), WIDTH), theirs[0], atol=1e-5)


def test_rotary_positions() -> None:
    """keras-hub turns channel i with channel i + width/2, we turn neighbours: another order of the channels."""
    from keras_hub.layers import RotaryEmbedding

    value = np.random.default_rng(0).normal(size=(2, LENGTH, HEADS, WIDTH)).astype(np.float32)
    halves = np.concatenate([value[..., 0::2], value[..., 1::2]], -1)
    theirs = np.asarray(RotaryEmbedding()(halves, start_index=5))
    ours = np.asarray(rotary(tf.constant(value), (LENGTH,), first=5))
    np.testing.assert_allclose(np.concatenate([ours[..., 0::2], ours[..., 1::2]], -1), theirs, atol=1e-5)


def test_causal_attention() -> None:
    from keras_hub.layers import CachedMultiHeadAttention

    inputs = np.random.default_rng(1).normal(size=(3, LENGTH, WIDTH)).astype(np.float32)
    ours = Attention(heads=HEADS, causal=True)
    found = ours(inputs)
    theirs = CachedMultiHeadAttention(num_heads=HEADS, key_dim=WIDTH // HEADS)
    mask = np.tril(np.ones((LENGTH, LENGTH), bool))[None]
    theirs(inputs, inputs, attention_mask=mask)
    weights = []
    for name in ("query", "key", "value", "output"):
        kernel, bias = np.asarray(getattr(ours, f"{name}_kernel")), np.asarray(getattr(ours, f"{name}_bias"))
        headed = (HEADS, WIDTH // HEADS)
        weights += [
            kernel.reshape(*headed, WIDTH) if name == "output" else kernel.reshape(WIDTH, *headed),
            bias if name == "output" else bias.reshape(headed),
        ]
    theirs.set_weights(weights)
    np.testing.assert_allclose(found, theirs(inputs, inputs, attention_mask=mask), atol=1e-5)


@pytest.mark.parametrize(
    "options, sampler",
    [
        ({"temperature": 0}, {"class": "GreedySampler"}),
        ({}, {"class": "RandomSampler"}),
        ({"temperature": 0.7}, {"class": "RandomSampler", "temperature": 0.7}),
        ({"top_k": 3}, {"class": "TopKSampler", "k": 3}),
        ({"temperature": 1.5, "top_k": 5}, {"class": "TopKSampler", "k": 5, "temperature": 1.5}),
        ({"top_p": 0.7}, {"class": "TopPSampler", "p": 0.7}),
        ({"temperature": 0.8, "top_p": 0.93}, {"class": "TopPSampler", "p": 0.93, "temperature": 0.8}),
    ],
)
def test_samplers(options: Mapping[str, Any], sampler: Mapping[str, Any]) -> None:
    import keras_hub

    given = {name: value for name, value in sampler.items() if name != "class"}
    theirs = getattr(keras_hub.samplers, sampler["class"])(
        **given, **({} if options.get("temperature") == 0 else {"seed": 0})
    )
    rows = np.broadcast_to(LOGITS, (ROWS, len(LOGITS)))
    counts = [
        np.bincount(np.asarray(tokens), minlength=len(LOGITS))
        for tokens in (
            Choice(**options).drawn(tf.constant(rows), None, Key(0, "beside", tf.constant(0, tf.int64))),
            theirs.get_next_token(theirs.compute_probabilities(keras.ops.convert_to_tensor(rows))),
        )
    ]
    there = counts[1] > 0
    assert (there == (counts[0] > 0)).all(), "the same tokens can be drawn"
    if there.sum() > 1:
        pooled = (counts[0] + counts[1])[there] / 2
        assert sum(chisquare(each[there], pooled).statistic for each in counts) < 25, "as often"
