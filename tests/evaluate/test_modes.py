"""Modes against mixtures whose answer is known."""

import numpy as np
import pytest

from gendsl.evaluate.modes import mixture_of, modes

GRID = {"grid": (5, 5), "ring": None, "spacing": 2, "radius": 2, "std": 0.05}


def draws(centres: np.ndarray, std: float, count: int) -> np.ndarray:
    random = np.random.default_rng(0)
    return centres[random.integers(0, len(centres), count)] + std * random.normal(size=(count, 2))


def test_a_perfect_sampler() -> None:
    mixture = mixture_of("gaussians", GRID)
    assert mixture is not None
    centres, std = mixture
    assert centres.shape == (25, 2) and centres.min() == -4 and centres.max() == 4 and std == 0.05
    found = modes(draws(centres, std, 200_000), centres, std)
    assert found["modes"] == 25
    assert found["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=1e-3)  # of a Gaussian in the plane
    assert found["reverse_kl"] == pytest.approx(0, abs=1e-3)
    assert found["spread"] == pytest.approx(1, abs=0.01)


def test_a_collapsed_sampler() -> None:
    centres, std = mixture_of("gaussians", GRID) or (np.zeros((1, 2)), 1.0)
    found = modes(draws(centres[:2], std / 2, 1000), centres, std)
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


def test_rings_and_other_sources() -> None:
    ring = mixture_of("ring", {"modes": 8, "radius": 2, "std": 0.02})
    assert ring is not None and np.allclose(np.linalg.norm(ring[0], axis=1), 2)
    assert mixture_of("gaussians", GRID | {"grid": None, "ring": 6}) is not None
    assert mixture_of("digits", {}) is None
