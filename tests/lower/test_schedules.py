"""Each schedule against its closed form, in the run and in a phase."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.schedules import Stretch, steps_of, value_at
from gendsl.plan.plan import Call, Quantity
from gendsl.vocabulary.schedules import WORDS
from gendsl.vocabulary.word import REQUIRED

RUN = Stretch(0, 100, 10)


def schedule(word: str, **given: Any) -> Call:
    """A schedule with its defaults filled in."""
    declared = next(one for one in WORDS if one.name == word)
    arguments = {parameter.name: given.get(parameter.name, parameter.default) for parameter in declared.parameters}
    assert REQUIRED not in arguments.values() and not given.keys() - arguments.keys()
    return Call(word, arguments)


def values(call: Call, steps: range, stretch: Stretch = RUN) -> list[float]:
    run = tf.function(lambda step: value_at(call, step, stretch))
    return [float(run(tf.constant(step, tf.int64))) for step in steps]


CASES: list[tuple[Call, Callable[[int], float]]] = [
    (schedule("constant", value=0.5), lambda k: 0.5),
    (schedule("constant", value=0.5, warmup=Quantity(10, "steps")), lambda k: min(0.5, 0.5 * (k + 1) / 10)),
    (schedule("ramp", start=0, end=2), lambda k: 2 * min(k / 100, 1)),
    (schedule("ramp", start=1, end=0, over=Quantity(40, "steps")), lambda k: 1 - min(k / 40, 1)),
    (schedule("linear_decay", start=3e-4), lambda k: 3e-4 * (1 - min(k / 100, 1))),
    (
        schedule("linear_decay", start=1, end=0.5, over=Quantity(60, "steps"), warmup=Quantity(20, "steps")),
        lambda k: (k + 1) / 20 if k < 20 else 1 - 0.5 * min((k - 20) / 40, 1),
    ),
    (
        schedule("cosine", start=1e-3, end=1e-5),
        lambda k: 1e-5 + (1e-3 - 1e-5) * 0.5 * (1 + math.cos(math.pi * min(k / 100, 1))),
    ),
    (
        schedule("cosine", start=1, over=Quantity(5, "epochs"), warmup=Quantity(1, "epochs")),
        lambda k: (k + 1) / 10 if k < 10 else 0.5 * (1 + math.cos(math.pi * min((k - 10) / 40, 1))),
    ),
    (schedule("polynomial", start=1, end=0.1, power=3), lambda k: 0.1 + 0.9 * (1 - min(k / 100, 1)) ** 3),
    (schedule("geometric", start=1, end=1e-4), lambda k: 1e-4 ** min(k / 100, 1)),
    (schedule("exponential_decay", start=1, rate=0.5, every=Quantity(25, "steps")), lambda k: 0.5 ** (k / 25)),
    (
        schedule("exponential_decay", start=1, rate=0.5, every=Quantity(25, "steps"), staircase=True),
        lambda k: 0.5 ** (k // 25),
    ),
    (
        schedule("piecewise", values=(1, 0.1, 0.01), at=(Quantity(30, "steps"), Quantity(6, "epochs"))),
        lambda k: 1 if k < 30 else 0.1 if k < 60 else 0.01,
    ),
    (
        schedule("inverse_sqrt", peak=1e-3, warmup=Quantity(20, "steps")),
        lambda k: 1e-3 * min((k + 1) / 20, math.sqrt(20 / (k + 1))),
    ),
]


@pytest.mark.parametrize(("call", "expected"), CASES, ids=lambda case: getattr(case, "word", ""))
def test_values_are_the_closed_form(call: Call, expected: Callable[[int], float]) -> None:
    steps = range(0, 130, 3)
    np.testing.assert_allclose(values(call, steps), [expected(k) for k in steps], rtol=1e-5, atol=1e-9)


def test_every_schedule_is_tested() -> None:
    assert {call.word for call, _ in CASES} == {one.name for one in WORDS}


def test_a_phases_schedule_counts_from_the_phases_start() -> None:
    call = schedule("linear_decay", start=1)
    np.testing.assert_allclose(values(call, range(50, 75, 5), Stretch(50, 20)), [1, 0.75, 0.5, 0.25, 0], atol=1e-7)


def test_numbers_stay() -> None:
    assert float(value_at(0.25, tf.constant(7, tf.int64), RUN)) == 0.25


def test_lengths() -> None:
    assert steps_of(Quantity(3, "epochs"), 7) == 21
    assert steps_of(Quantity(500, "steps"), None) == 500
    assert steps_of(40, None) == 40
    with pytest.raises(ValueError, match="known size"):
        steps_of(Quantity(3, "epochs"), None)
