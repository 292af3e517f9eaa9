"""The filters of the next token against NumPy written anew, and their draws against the probabilities."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from gendsl.lower.choosing import Choice, drawn, of_the_k_likeliest, of_the_likely, of_the_nucleus, penalised
from gendsl.parts.keys import Key

LOGITS = st.lists(st.lists(st.integers(-40, 40), min_size=6, max_size=6), min_size=1, max_size=4).map(
    lambda rows: np.array(rows, np.float32) / 8  # of eighths, so that there are equal ones
)


def kept(logits: Any) -> list[set[int]]:
    """What is left of each row, its logits unchanged."""
    return [{place for place, value in enumerate(row) if value > -np.inf} for row in np.asarray(logits)]


def softmax(row: Any) -> Any:
    raised = np.exp(np.asarray(row, np.float64) - np.max(row))
    return raised / raised.sum()


@settings(max_examples=60, deadline=None)
@given(LOGITS, st.integers(1, 8), st.sampled_from([0.05, 0.3, 0.5, 0.77, 0.95, 1.0]), st.sampled_from([0.02, 0.3, 1.0]))
def test_what_is_left_by_numpy(logits: Any, k: int, share: float, least: float) -> None:
    of_k, nucleus, likely = (
        kept(found)
        for found in (of_the_k_likeliest(logits, k), of_the_nucleus(logits, share), of_the_likely(logits, least))
    )
    for row, one, two, three in zip(logits, of_k, nucleus, likely, strict=True):
        order = np.argsort(-row, kind="stable")
        probabilities = softmax(row)
        assert one == {place for place in range(6) if row[place] >= row[order[min(k, 6) - 1]]}
        # The fewest of them that make up the share; rounding may ask for one more or one less where it is met exactly.
        sums = np.cumsum(probabilities[order])
        allowed = []
        for near in (share - 1e-6, share + 1e-6):
            last = order[min(int(np.searchsorted(sums, near)), 5)]
            allowed.append({place for place in range(6) if row[place] >= row[last]})
        assert two in allowed
        assert three == {place for place in range(6) if row[place] >= row.max() + np.float32(np.log(np.float32(least)))}
        assert int(np.argmax(row)) in one & two & three


def test_a_penalty_makes_what_was_seen_less_likely_whatever_its_sign() -> None:
    logits = np.array([[2.0, -1.0, 0.0, 3.0]], np.float32)
    seen = np.array([[True, True, True, False]])
    np.testing.assert_allclose(penalised(logits, seen, 1.25).numpy(), [[1.6, -1.25, 0, 3]], rtol=1e-6)
    np.testing.assert_allclose(penalised(logits, seen, 1.0).numpy(), logits)


PROBABILITIES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
EXPECTED: list[tuple[dict[str, Any], Any]] = [
    ({}, PROBABILITIES),
    ({"temperature": 0.5}, PROBABILITIES**2),
    ({"top_k": 2}, [0.4, 0.3, 0, 0, 0]),
    ({"top_p": 0.75}, [0.4, 0.3, 0.15, 0, 0]),
    ({"min_p": 0.3}, [0.4, 0.3, 0.15, 0, 0]),
    ({"temperature": 2.0, "top_k": 4, "top_p": 0.8}, [*np.sqrt(PROBABILITIES[:3]), 0, 0]),
    ({"repetition_penalty": 2.0}, [0.4**2, 0.3, 0.15, 0.1, 0.05]),  # the logit of what was seen is negative
]


@pytest.mark.parametrize(("options", "expected"), EXPECTED, ids=str)
def test_draws_are_as_likely_as_they_should_be(options: dict[str, Any], expected: Any) -> None:
    many = 20_000
    logits = tf.tile(tf.constant(np.log(PROBABILITIES), tf.float32)[None], [many, 1])
    seen = tf.constant([[True, False, False, False, False]])
    found = Choice(**options).drawn(logits, seen, Key(1, "here", 2)).numpy()
    counts = np.bincount(found, minlength=5)
    wanted = np.asarray(expected) / np.sum(expected) * many
    assert not counts[wanted == 0].any()
    assert chisquare(counts[wanted > 0], wanted[wanted > 0]).pvalue > 1e-4


def test_a_draw_is_a_function_of_the_key_the_place_and_the_example() -> None:
    key = Key(1, "here", 2)
    logits = tf.zeros([64, 50])
    first = drawn(logits, key.turn(3)).numpy()
    np.testing.assert_array_equal(drawn(logits, key.turn(3)), first)
    np.testing.assert_array_equal(drawn(logits[:5], key.turn(3)), first[:5])
    assert (drawn(logits, key.turn(4)).numpy() != first).mean() > 0.8
    assert (drawn(logits, Key(2, "here", 2).turn(3)).numpy() != first).mean() > 0.8


def test_no_heat_takes_the_likeliest() -> None:
    logits = np.random.default_rng(0).normal(size=(9, 30)).astype(np.float32)
    likeliest = logits.argmax(-1)
    key = Key(1, "here", 2)
    np.testing.assert_array_equal(Choice(temperature=0.0).drawn(logits, None, key), likeliest)
    told = tf.function(lambda heat: Choice(temperature=heat, top_k=7).drawn(logits, None, key))
    np.testing.assert_array_equal(told(tf.constant(0.0)), likeliest)
    np.testing.assert_array_equal(told(tf.constant(0.7)), Choice(temperature=0.7, top_k=7).drawn(logits, None, key))
    np.testing.assert_array_equal(Choice(top_p=1e-6).drawn(logits, None, key), likeliest)
