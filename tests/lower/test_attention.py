"""Attention against NumPy: heads, groups, windows, rotary and sinusoidal positions, contexts, dropout."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.parts.attention import Attention, rotary
from gendsl.parts.keys import Key, drawing
from gendsl.parts.position_embed import PositionEmbed
from tests.lower.drawn import numbers


def softmax(value: Any) -> Any:
    """Along the last axis."""
    exponential = np.exp(value - value.max(-1, keepdims=True))
    return exponential / exponential.sum(-1, keepdims=True)


def attended(
    layer: Any, value: Any, context: Any, *, causal: bool, turn: Any = lambda x: x, window: int | None = None
) -> Any:
    """Vaswani et al. 2017, equation 1, a head at a time, for (batch, places, channels)."""
    weights = {name: getattr(layer, f"{name}_kernel").numpy() for name in ("query", "key", "value", "output")}
    bias = {name: getattr(layer, f"{name}_bias").numpy() for name in weights}
    query, key, mixed = (
        source @ weights[name] + bias[name] for source, name in ((value, "query"), (context, "key"), (context, "value"))
    )
    width = query.shape[-1] // layer.heads
    heads = []
    for head in range(layer.heads):
        part = slice(head * width, (head + 1) * width)
        group = head * layer.groups // layer.heads  # neighbouring heads share one head of keys and values
        shared = slice(group * width, (group + 1) * width)
        scores = turn(query[..., part]) @ turn(key[..., shared]).transpose(0, 2, 1) / math.sqrt(width)
        for one in range(scores.shape[1]):
            for other in range(scores.shape[2]):
                if (causal and other > one) or (window is not None and abs(one - other) >= window):
                    scores[:, one, other] = -np.inf
        heads.append(softmax(scores) @ mixed[..., shared])
    return np.concatenate(heads, -1) @ weights["output"] + bias["output"]


def turned(value: Any) -> Any:
    """Su et al. 2021, equation 34, for (batch, places, width)."""
    out = np.empty_like(value)
    for place in range(value.shape[1]):
        for pair in range(value.shape[2] // 2):
            angle = place * 10_000 ** (-2 * pair / value.shape[2])
            x, y = value[:, place, 2 * pair], value[:, place, 2 * pair + 1]
            out[:, place, 2 * pair] = x * math.cos(angle) - y * math.sin(angle)
            out[:, place, 2 * pair + 1] = x * math.sin(angle) + y * math.cos(angle)
    return out


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("position", ["none", "rotary"])
def test_attention(causal: bool, position: str) -> None:
    value = numbers(2, 5, 8)
    layer = Attention(heads=2, causal=causal, position=position)
    found = layer(value)
    turn = turned if position == "rotary" else (lambda x: x)
    np.testing.assert_allclose(found, attended(layer, value, value, causal=causal, turn=turn), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "causal"),
    [
        ({"groups": 2}, True),
        ({"groups": 1}, False),  # multi-query: Shazeer 2019
        ({"window": 3}, True),
        ({"window": 2}, False),
        ({"groups": 2, "window": 2, "position": "rotary"}, True),
    ],
)
def test_attention_with_groups_and_windows(options: dict[str, Any], causal: bool) -> None:
    value = numbers(2, 6, 16)
    layer = Attention(heads=4, causal=causal, **options)
    found = layer(value)
    turn = turned if "position" in options else (lambda x: x)
    expected = attended(layer, value, value, causal=causal, turn=turn, window=options.get("window"))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert layer.key_kernel.shape == layer.value_kernel.shape == (16, 4 * options.get("groups", 4))


@pytest.mark.parametrize("stretch", [1, 3])
@pytest.mark.parametrize("options", [{}, {"groups": 2, "window": 3, "position": "rotary"}])
def test_attention_goes_place_by_place(options: dict[str, Any], stretch: int) -> None:
    """With a cache of the keys and values of earlier places, and room behind, it gives what a whole call does."""
    value = numbers(2, 6, 16)
    layer = Attention(heads=4, causal=True, **options)
    whole = layer(value).numpy()
    cache = [np.full((2, 9, layer.groups, 4), 7, "float32") for _ in range(2)]
    for first in range(0, 6, stretch):
        given = value[:, first : first + stretch]
        for held, new in zip(cache, layer.keys_and_values(given, first=tf.constant(first)), strict=True):
            held[:, first : first + stretch] = new
        found = layer.attend(given, *map(tf.constant, cache), first=tf.constant(first))
        np.testing.assert_allclose(found, whole[:, first : first + stretch], atol=1e-5)


def test_dropout_of_attention_is_of_its_weights_and_keyed() -> None:
    value = numbers(64, 8, 4)
    layer = Attention(heads=2, dropout=0.25, name="attention")
    whole = layer(value).numpy()

    def found(moment: int) -> Any:
        with drawing(Key(0, "train", moment)):
            return layer(value, training=True).numpy()

    np.testing.assert_array_equal(found(0), found(0))
    assert not np.array_equal(found(0), found(1))
    np.testing.assert_array_equal(layer(value), whole)  # none outside training
    mean = np.mean([found(moment) for moment in range(300)], 0)
    assert np.abs(mean - whole).mean() < 0.05 * np.abs(whole).mean()  # a weight is worth the same on average


def test_sinusoidal_positions() -> None:
    """Vaswani et al. 2017, section 3.5; a later stretch of a sequence has the vectors of its own places."""
    layer = PositionEmbed("sinusoidal")
    found = layer(np.zeros((1, 7, 5), "float32")).numpy()[0]
    for place in range(7):
        for number in range(5):
            angle = place / 10_000 ** (number // 2 * 2 / 5)
            wave = math.cos if number % 2 else math.sin
            assert found[place, number] == pytest.approx(wave(angle), abs=1e-6)
    assert not layer.weights
    late = layer.placed(tf.zeros((1, 2, 5)), first=tf.constant(4))
    np.testing.assert_allclose(late[0], found[4:6], atol=1e-6)
    learned = PositionEmbed()
    whole = learned(np.zeros((1, 7, 5), "float32"))
    np.testing.assert_array_equal(learned.placed(tf.zeros((1, 2, 5)), first=tf.constant(4))[0], whole[0, 4:6])


def test_attention_to_a_context_and_on_images() -> None:
    value, context = numbers(2, 3, 4, 8), numbers(2, 6, 5)
    layer = Attention(heads=2, width=3)
    found = layer(value, context)
    expected = attended(layer, value.reshape(2, 12, 8), context, causal=False)
    np.testing.assert_allclose(found, expected.reshape(2, 3, 4, 8), atol=1e-5)


def test_rotary_scores_depend_on_distances_only() -> None:
    """Su et al. 2021, equation 16; on images the rows turn one half of the width, the columns the other."""
    value = np.broadcast_to(numbers(1, 1, 1, 8), (1, 12, 1, 8))
    turned_value = np.array(rotary(tf.constant(value), (3, 4)))[0, :, 0]
    scores = turned_value @ turned_value.T
    np.testing.assert_allclose(scores[0, 1], scores[5, 6], rtol=1e-4)  # one to the right
    np.testing.assert_allclose(scores[0, 5], scores[6, 11], rtol=1e-4)  # one down and one to the right
    assert abs(scores[0, 1] - scores[0, 4]) > 1e-3


def test_causal_attention_sees_no_later_place() -> None:
    value = numbers(1, 6, 8)
    layer = Attention(heads=2, causal=True, position="rotary", dtype="mixed_bfloat16")
    changed = value.copy()
    changed[:, 4:] += 1
    before, after = tf.cast(layer(value), tf.float32).numpy(), tf.cast(layer(changed), tf.float32).numpy()
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert not np.array_equal(before[:, 4:], after[:, 4:])
