"""Interpolated Kneser-Ney n-grams: a distribution, and by its definition, a gram at a time."""

import importlib
import sys
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
VOCABULARY = 4


def made(sequences: list[Any], order: int) -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        ngrams = importlib.import_module("ngrams")
    finally:
        sys.path.remove(str(BENCHMARKS))
    return ngrams.KneserNey(sequences, order=order, vocabulary=VOCABULARY)


def sequences(seed: int) -> list[Any]:
    """Of a Markov chain, so that contexts matter."""
    random = np.random.default_rng(seed)
    found = []
    for length in (60, 45, 1):
        tokens = [0]
        for _ in range(length - 1):
            tokens.append(int((tokens[-1] + random.choice([1, 1, 1, 2, 0])) % VOCABULARY))
        found.append(np.array(tokens, np.uint8))
    return found


def by_definition(trained: list[Any], order: int, context: tuple[int, ...], token: int) -> float:
    """Chen & Goodman 1999, equation 23, by recursion over dictionaries."""
    grams = [tuple(map(int, one[at : at + order])) for one in trained for at in range(len(one) - order + 1)]
    counts = {order: Counter(grams)}
    for length in range(order - 1, 0, -1):
        counts[length] = Counter(gram[1:] for gram in counts[length + 1])

    def chance(length: int, before: tuple[int, ...]) -> float:
        if length == 0:
            return 1 / VOCABULARY
        before = before[len(before) - (length - 1) :]
        lower = chance(length - 1, before)
        own = {gram[-1]: count for gram, count in counts[length].items() if gram[:-1] == before}
        if not own:
            return lower
        some = [max(sum(count == number for count in counts[length].values()), 1) for number in (1, 2, 3, 4)]
        share = some[0] / (some[0] + 2 * some[1])
        taken = {n: min(max(n - (n + 1) * share * some[n] / some[n - 1], 0.1), n) for n in (1, 2, 3)}
        total = sum(own.values())
        kept = max(own.get(token, 0) - (taken[min(own[token], 3)] if token in own else 0), 0)
        handed = sum(taken[min(count, 3)] for count in own.values())
        return (kept + handed * lower) / total

    return chance(min(order, len(context) + 1), context)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_chances_are_those_of_the_definition_and_add_up(order: int) -> None:
    trained = sequences(0)
    model = made(trained, order)
    for context in product(range(VOCABULARY), repeat=2):
        chances = [model.chances(np.array([*context, token]))[-1] for token in range(VOCABULARY)]
        assert sum(chances) == pytest.approx(1)
        for token, found in enumerate(chances):
            assert found == pytest.approx(by_definition(trained, order, context, token))
    assert model.chances(np.array([1]))[0] == pytest.approx(by_definition(trained, order, (), 1))


def test_longer_contexts_say_more_of_what_has_them() -> None:
    held_out = sequences(1)
    losses = [made(sequences(0), order).nats(held_out) for order in (1, 2)]
    assert losses[1] < losses[0] - 0.2
