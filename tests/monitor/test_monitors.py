"""Alarms on values, check by check: conditions, how long they hold, what is missing, and their state."""

import json
import math
from typing import Any

import pytest

from gendsl.lower.errors import UserError
from gendsl.monitor.conditions import condition_of
from gendsl.monitor.monitors import Monitors
from gendsl.plan.plan import Call, Quantity

NAN = math.nan
KNOWN = ("fid", "diversity", "memorized", "elbo", "generator_loss", "discriminator_loss")


def alarm(word: str = "worse", when: str | None = None, span: Quantity | None = None, do: Call | None = None) -> Call:
    return Call(word, {"when": when, "for": span, "do": do})


def fired(monitors: Monitors, values: list[dict[str, float]], first: int = 1) -> list[tuple[str, float]]:
    return [
        (firing.name, firing.step)
        for step, told in enumerate(values, start=first)
        for firing in monitors.check(step, told)
    ]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("fid > 20", True),
        ("fid > 1.5 * best(fid)", True),
        ("not (fid > 20 or diversity < 20%)", False),
        ("diversity < 20% or fid > 20", True),
        ("missing > 1", None),
        ("missing > 1 or fid > 20", True),
        ("missing > 1 and fid < 20", False),
        ("missing > 1 and fid > 20", None),
        ("fid / (diversity - 0.5) > 1", None),
        ("(fid - 40) ^ 0.5 > 1", None),
        ("-fid < -20", True),
        ("fid + 2 ^ 3 == 38", True),
        ("best(missing) < 1", None),
    ],
)
def test_conditions(text: str, holds: bool | None) -> None:
    assert condition_of(text).holds({"fid": 30.0, "diversity": 0.5}, {"fid": 10.0}) is holds


def test_what_is_no_condition() -> None:
    for text in ("fid >", "fid > 'x'", "a = 3", "fid\nkid > 2", 'fid > "x"'):
        with pytest.raises(ValueError):
            condition_of(text)


def test_an_alarm_fires_once_while_it_holds() -> None:
    monitors = Monitors([alarm(when="fid > 20", span=Quantity(2, "checks"))], KNOWN)
    values = [30, 10, 30, 30, 30, 10, 30, 30]
    assert fired(monitors, [{"fid": value} for value in values]) == [("worse", 4), ("worse", 8)]


def test_a_check_without_the_score_does_not_count() -> None:
    monitors = Monitors([alarm(when="fid > 20", span=Quantity(3, "checks"))], KNOWN)
    told: list[dict[str, float]] = [{"fid": 30}, {"diversity": 1}, {"fid": NAN}, {"fid": 30}, {}, {"fid": math.inf}]
    assert fired(monitors, [*told, {"fid": 30}]) == [("worse", 7)]


def test_an_alarm_is_checked_when_all_that_it_reads_was_told_anew() -> None:
    monitors = Monitors([alarm(when="fid > 20 and generator_loss > 1", span=Quantity(2, "checks"))], KNOWN)
    losses: list[dict[str, float]] = [{"generator_loss": 2.0}] * 5
    assert fired(monitors, [*losses, {"fid": 30}, *losses, {"fid": 30}]) == [("worse", 12)]


@pytest.mark.parametrize(("span", "step"), [(Quantity(5, "steps"), 25), (Quantity(2, "epochs"), 30)])
def test_steps_and_epochs_count_from_the_first_check(span: Quantity, step: int) -> None:
    monitors = Monitors([alarm(when="fid > 20", span=span)], KNOWN, steps_per_epoch=5)
    found = [f.step for at in range(0, 60, 5) for f in monitors.check(at, {"fid": 30 if at >= 20 else 10})]
    assert found == [step]
    with pytest.raises(UserError, match="`worse` counts epochs"):
        Monitors([alarm(when="fid > 20", span=Quantity(2, "epochs"))], KNOWN)


def test_the_best_is_the_highest_of_what_should_be_high() -> None:
    monitors = Monitors([alarm(when="diversity < 0.5 * best(diversity) and my < best(my)")], (*KNOWN, "my"))
    values = [(0.2, 1), (0.9, 3), (0.5, 2), (0.4, 2)]
    assert fired(monitors, [{"diversity": a, "my": b} for a, b in values]) == []
    higher = Monitors(
        [alarm(when="diversity < 0.5 * best(diversity) and my < best(my)")], (*KNOWN, "my"), directions={"my": True}
    )
    assert fired(higher, [{"diversity": a, "my": b} for a, b in values]) == [("worse", 4)]


def test_collapse_needs_to_have_been_otherwise() -> None:
    assert fired(Monitors([alarm("collapse")], KNOWN), [{"diversity": 0.1}] * 9) == []
    values = [0.1, 0.5, 0.1, 0.1, 0.3, 0.1, 0.1, 0.1]
    assert fired(Monitors([alarm("collapse")], KNOWN), [{"diversity": v} for v in values]) == [("collapse", 8)]


def test_overfit_is_memorized_or_a_held_out_score_that_parts_from_the_loss() -> None:
    memorizes = Monitors([alarm("overfit")], KNOWN)
    assert fired(memorizes, [{"memorized": v} for v in (0.1, 0.01, 0.1, 0.1, 0.1)]) == [("overfit", 5)]
    known = ("elbo", "autoencoder_loss")
    turns = [-550.0, -300, -262, -255, -251, -248, -246, -245, *[-245.0 - index for index in range(20)]]
    for falls, expected in ((True, 1), (False, 0)):
        parted = Monitors([alarm("overfit")], known)
        losses = [300 - index if falls else 300.0 + index for index in range(len(turns))]
        values = [{"elbo": a, "autoencoder_loss": b} for a, b in zip(turns, losses, strict=True)]
        assert len(fired(parted, values)) == expected


def test_balance_and_plateau() -> None:
    won = Monitors([alarm("balance")], KNOWN)
    told = [{"discriminator_loss": 0.5}, *[{"discriminator_loss": 0.01}] * 20, {"discriminator_loss": -3.0}]
    assert fired(won, told) == [("balance", 21)]
    flat = Monitors([alarm("plateau", span=Quantity(4, "checks"))], KNOWN)
    assert fired(flat, [{"fid": v} for v in (50, 40, 39.9, 41, 40, 39.7, 39.8, 42, 40, 41, 30)]) == [
        ("plateau", 6),
        ("plateau", 10),
    ]


def test_the_default_alarms_and_those_written_beside_them() -> None:
    names = [watched.name for watched in Monitors([Call("default", {})], KNOWN).watched]
    assert names == ["worse", "collapse"]
    written = [Call("default", {}), alarm(when="fid > 20"), alarm(when="fid > 30")]
    both = Monitors(written, KNOWN)
    assert [(watched.name, watched.policy.word) for watched in both.watched] == [
        ("collapse", "stop"),
        ("worse", "stop"),
        ("worse_2", "stop"),
    ]
    assert both.diverged == Call("stop", {})
    without = Monitors([Call("default", {})], ("generator_loss",))
    assert without.watched == [] and dict(without.unread) == {"worse": ("fid",), "collapse": ("diversity",)}


def test_monitors_go_on_from_their_state() -> None:
    calls = [
        alarm("worse"),
        alarm("collapse"),
        alarm("plateau", span=Quantity(6, "checks")),
        alarm("overfit", when="fid > 1.2 * best(fid) and memorized > 2%", span=Quantity(3, "checks")),
        Call("alarm", {"name": "mine", "when": "generator_loss > 2", "for": Quantity(4, "steps"), "do": None}),
    ]

    def values(step: int) -> dict[str, float]:
        told: dict[str, float] = {"generator_loss": 2 + math.sin(step / 5)}
        if step % 2 == 0:
            told |= {"fid": 100 / (1 + step) + max(0, step - 40) ** 1.2, "diversity": 0.9 - 0.012 * step}
        if step % 3 == 0:
            told["memorized"] = 0.001 * step
        return told

    whole = Monitors(calls, KNOWN)
    expected = [(f.name, f.step, f.why, f.values) for step in range(80) for f in whole.check(step, values(step))]
    assert {name for name, *_ in expected} == {"worse", "collapse", "plateau", "overfit", "mine"}
    for cut in range(0, 80, 7):
        before, after = Monitors(calls, KNOWN), Monitors(calls, KNOWN)
        found = [(f.name, f.step, f.why, f.values) for step in range(cut) for f in before.check(step, values(step))]
        state: Any = json.loads(json.dumps(before.state()))
        after.restore(state)
        found += [(f.name, f.step, f.why, f.values) for step in range(cut, 80) for f in after.check(step, values(step))]
        assert found == expected, cut
