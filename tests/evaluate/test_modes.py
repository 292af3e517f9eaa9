"""Modes against mixtures whose answer is known."""

import numpy as np
import pytest

from gendsl.evaluate.modes import modes

GRID = np.stack(np.meshgrid(np.arange(-4, 5, 2), np.arange(-4, 5, 2)), axis=-1).reshape(-1, 2)
STD = 0.05


def draws(centres: np.ndarray, std: float, count: int) -> np.ndarray:
    random = np.random.default_rng(0)
    return centres[random.integers(0, len(centres), count)] + std * random.normal(size=(count, 2))


def test_a_perfect_sampler() -> None:
    found = modes(draws(GRID, STD, 200_000), GRID, STD)
    assert found["modes"] == 25
    assert found["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=1e-3)  # of a Gaussian in the plane
    assert found["reverse_kl"] == pytest.approx(0, abs=1e-3)
    assert found["spread"] == pytest.approx(1, abs=0.01)


def test_a_collapsed_sampler() -> None:
    found = modes(draws(GRID[:2], STD / 2, 1000), GRID, STD)
    assert found["modes"] == 2
    assert found["reverse_kl"] == pytest.approx(np.log(25 / 2), abs=0.01)
    assert found["spread"] == pytest.approx(0.51, abs=0.03)


def test_points_far_away_or_no_numbers() -> None:
    centres = np.zeros((1, 2))
    assert modes(np.full((4, 2), 9.0), centres, 0.1) == {
        "modes": 0.0,
        "high_quality": 0.0,
        "reverse_kl": float("inf"),
        "spread": 0.0,
    }
    assert modes(np.full((4, 2), np.nan), centres, 0.1)["modes"] == 0


def test_a_wider_circle_takes_in_more() -> None:
    point = np.array([[0.35, 0.0]])
    assert modes(point, np.zeros((1, 2)), 0.1, within=3)["modes"] == 0
    assert modes(point, np.zeros((1, 2)), 0.1, within=4)["modes"] == 1
