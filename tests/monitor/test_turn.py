"""The rule of the default monitor on drawn curves: it finds those that turn, soon, and leaves the noisy ones alone."""

import math
import random
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from curves import HEALTHY, WRONG, checks

from gendsl.monitor.turn import Turn, trend

SEEDS = 150


def fires(curve: list[float], *, higher: bool = False) -> int | None:
    """The first check at which a curve has turned."""
    turn = Turn(higher=higher)
    return next((index for index, value in enumerate(curve) if turn.hear(value)), None)


def drawn(name: str, seed: int, kind: Callable[..., Any]) -> tuple[list[float], int]:
    draw = random.Random(f"{name} {seed}")
    count = checks(draw)
    found = kind(draw, count)
    return found if isinstance(found, tuple) else (found, count)


@pytest.mark.parametrize("name", HEALTHY)
def test_false_alarms(name: str) -> None:
    alarms = [seed for seed in range(SEEDS) if fires(drawn(name, seed, HEALTHY[name])[0]) is not None]
    share = len(alarms) / SEEDS
    print(f"{name}: false alarms {share:.1%}")
    assert share <= (0.025 if name == "spiky" else 0.0125), alarms


@pytest.mark.parametrize(
    ("name", "found_at_least", "delay_at_most"),
    [("jumped", 0.96, 0.15), ("turned", 0.95, 0.70), ("swinging", 0.80, 0.65), ("early", 0.96, 0.35)],
)
def test_detection(name: str, found_at_least: float, delay_at_most: float) -> None:
    # Only those count that end at twice their best, or more: what ends below that has hardly turned.
    curves = [drawn(name, seed, WRONG[name]) for seed in range(SEEDS)]
    curves = [(curve, at) for curve, at in curves if median(curve[-5:]) >= 2 * min(curve)]
    when = [(fires(curve), at, len(curve)) for curve, at in curves]
    delays = [(fired - at) / (count - at) for fired, at, count in when if fired is not None and fired >= at]
    early = sum(fired is not None and fired < at for fired, at, _ in when)
    found = len(delays) / len(when)
    checks_late = median(fired - at for fired, at, _ in when if fired is not None)
    print(f"{name}: found {found:.1%} of {len(when)}, {checks_late} checks late, {median(delays):.0%} of what was left")
    assert early == 0 and found >= found_at_least and median(delays) <= delay_at_most


def test_what_is_heard_again_is_judged_alike() -> None:
    for seed in range(10):
        curve, _ = drawn("turned", seed, WRONG["turned"])
        turn, again = Turn(), Turn()
        for index, value in enumerate(curve):
            found = turn.hear(value)
            if index % 7 == 0:
                again = Turn()
                for one in curve[: index + 1]:
                    other = again.hear(one)
            else:
                other = again.hear(value)
            assert found == other


def test_a_score_whose_higher_values_are_better_is_followed_upside_down() -> None:
    for seed in range(10):
        curve, _ = drawn("jumped", seed, WRONG["jumped"])
        assert fires([1 / value for value in curve], higher=True) == fires(curve)


def test_a_score_of_any_sign_is_followed() -> None:
    falls = [-550.0, -300, -262, -255, -251, -248, -246, -245, -244.5, -244.2, -244.1, -244.0]
    assert fires([*falls, *[-244.0] * 30], higher=True) is None, "a plateau is none"
    assert fires([*falls, *[-244.0 - index for index in range(30)]], higher=True) is not None
    assert fires([0.0] * 50) is None


def test_one_bad_check_is_nothing() -> None:
    curve = [100 / (1 + index) + 10 for index in range(60)]
    for spike in (2, 5, 100):
        assert fires([value * (spike if index in (20, 40) else 1) for index, value in enumerate(curve)]) is None


@pytest.mark.parametrize(("values", "sign"), [(range(10), 1), (range(10, 0, -1), -1), ([1.0] * 10, 0), ([1, 2], 0)])
def test_the_trend_of_a_series(values: Any, sign: int) -> None:
    found = trend(list(values))
    assert math.copysign(1, found) == sign if sign else found == 0
    assert abs(found) < 5


def test_the_trend_is_that_of_mann_and_kendall() -> None:
    from scipy.stats import kendalltau

    draw = random.Random(3)
    values = [draw.gauss(index / 10, 1) for index in range(30)]
    tau = kendalltau(range(30), values).statistic
    total, spread = tau * 30 * 29 / 2, math.sqrt(30 * 29 * 65 / 18)
    assert trend(values) == pytest.approx((total - math.copysign(1, total)) / spread)
