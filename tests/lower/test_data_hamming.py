"""Hashes within so many bits: the search finds what comparing all with all finds."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.lower.data.hamming import repeats_of


def compared_with_all(hashes: list[int], within: int) -> list[int]:
    """The definition: the first before it that repeats nothing and differs in at most so many bits."""
    out: list[int] = []
    for position, value in enumerate(hashes):
        kept = (other for other in range(position) if out[other] < 0)
        out.append(next((other for other in kept if (value ^ hashes[other]).bit_count() <= within), -1))
    return out


WORD = st.integers(0, 2**64 - 1)
FLIPS = st.lists(st.integers(0, 63), max_size=10)


@settings(max_examples=300, deadline=None)
@given(
    words=st.lists(WORD, min_size=1, max_size=4),
    changed=st.lists(st.tuples(st.integers(0, 3), FLIPS), max_size=40),
    within=st.integers(0, 64),
)
def test_as_comparing_all_with_all(words: list[int], changed: list[tuple[int, list[int]]], within: int) -> None:
    hashes = []
    for which, flips in changed:
        value = words[which % len(words)]
        for bit in flips:
            value ^= 1 << bit
        hashes.append(value)
    assert repeats_of(np.array(hashes, np.uint64), within).tolist() == compared_with_all(hashes, within)


def test_a_chain_of_small_changes_does_not_join_its_ends() -> None:
    assert repeats_of(np.array([0b0, 0b1, 0b11, 0b111], np.uint64), 1).tolist() == [-1, 0, -1, 2]


def test_hashes_of_one_background_take_seconds() -> None:
    """Most bits are the same in all, as in small pictures: the groups are of those that are not."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**30, 60_000, np.uint64) << np.uint64(20)
    began = time.process_time()
    repeats_of(hashes, 4)
    assert time.process_time() - began < 20
