"""When a run logs, draws, is evaluated and saved."""

from types import SimpleNamespace
from typing import Any

import pytest

from gendsl.plan.plan import Call, Quantity
from gendsl.run.moments import Interval, Moments, moments_of, steps_in


def plan_with(*, every: Quantity | None = None, evaluate: Quantity | None = None, phases: tuple[int, ...]) -> Any:
    settings = {"checkpoint": Call("checkpoint", {"every": every, "keep": 3})} if every else {}
    lengths = [SimpleNamespace(length=Quantity(length, "steps"), name=str(length)) for length in phases]
    return SimpleNamespace(
        train=SimpleNamespace(settings=settings, phases=lengths),
        evaluations=(SimpleNamespace(every=evaluate),),
    )


def test_calls_end_wherever_anything_happens() -> None:
    plan = plan_with(every=Quantity(30, "steps"), evaluate=Quantity(2, "epochs"), phases=(105, 95))
    moments = moments_of(plan, last=190, length=200, steps_per_epoch=7)
    stops, step = [], 0
    while step < moments.last:
        step = moments.next_after(step)
        stops.append(step)
    assert stops[-1] == 190
    assert {30, 60, 90, 120, 150, 180} <= set(stops)  # checkpoints
    assert {14, 28, 182} <= set(stops)  # evaluations
    assert 105 in stops  # the phase's end


@pytest.mark.parametrize(("length", "log"), [(10, 1), (2_000, 10), (4_000, 20), (30_000, 50), (10**6, 50)])
def test_logs_stand_at_round_steps(length: int, log: int) -> None:
    moments = moments_of(plan_with(phases=(length,)), last=length, length=length, steps_per_epoch=None)
    assert moments.log == Interval(steps=log)


def test_intervals_by_the_clock_and_by_steps() -> None:
    assert Interval(steps=5).due(10) and not Interval(steps=5).due(0) and not Interval(steps=5).due(11)
    assert Interval(seconds=60).overdue(61) and not Interval(seconds=60).overdue(59)
    assert not Interval().due(5) and not Interval().overdue(1e9)
    assert Moments(50, Interval(), Interval(), Interval(seconds=1), (), ()).next_after(3) == 50


def test_epochs_are_rounded_up() -> None:
    assert steps_in(Quantity(0.5, "epochs"), 7) == 4
    with pytest.raises(ValueError):
        steps_in(Quantity(1, "epochs"), None)


def test_no_window_crosses_the_end_of_a_phase() -> None:
    moments = moments_of(plan_with(phases=(1_005, 995)), last=1_500, length=2_000, steps_per_epoch=None)
    assert [step for step in range(1_000, 1_501) if moments.logs(step)][:4] == [1_000, 1_005, 1_010, 1_020]
    assert moments.logs(1_500) and not moments.logs(1_499)
