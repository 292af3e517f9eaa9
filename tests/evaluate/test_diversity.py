"""Diversity: a share of the data's that falls when samples become alike."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gendsl.evaluate.diversity import diversity

DIGITS = load_digits().images[..., np.newaxis] / 8 - 1
CLASSES = load_digits().target


def test_other_examples_of_the_data_are_as_diverse_as_it() -> None:
    assert diversity(DIGITS[:800], DIGITS[900:1700]) == pytest.approx(1, abs=0.1)


def test_it_falls_with_the_number_of_different_samples() -> None:
    random = np.random.default_rng(0)
    ten = DIGITS[random.integers(0, 10, 800)]
    one_class = DIGITS[CLASSES == 3]
    alike = DIGITS[:1] + 0.02 * random.normal(size=(800, 8, 8, 1))
    assert diversity(one_class, DIGITS) < 0.6
    assert diversity(ten, DIGITS) < 0.25
    assert diversity(alike, DIGITS) < 0.08


def test_the_formula_on_a_case_by_hand() -> None:
    # Two examples a distance apart: squared width d²/2, similarity exp(-1), eigenvalues (1 ± 1/e) / 2.
    eigenvalues = np.array([1 + np.exp(-1), 1 - np.exp(-1)]) / 2
    vendi = np.exp(-(eigenvalues * np.log(eigenvalues)).sum())
    pair = np.array([[0.0], [2.0]])
    assert diversity(np.array([[1.0], [1.0]]), pair) == pytest.approx(1 / vendi)
    assert diversity(pair, pair) == pytest.approx(1)


def test_what_is_no_number_is_no_diversity() -> None:
    assert diversity(np.full((50, 4), np.nan), np.random.default_rng(0).normal(size=(50, 4))) < 0.2
    assert np.isnan(diversity(np.zeros((1, 4)), np.zeros((1, 4))))
    assert np.isnan(diversity(np.zeros((5, 4)), np.zeros((5, 4))))
