"""The loop: the same bits however a run is cut into calls, means that do not depend on the cut."""

import json

import numpy as np
import pytest
from fakes import FakeDataset, FakeExperiment

from gendsl.run.loop import EMPTY, Pace, Stepper, window_of


def trained(cut: list[int]) -> tuple[bytes, dict[str, float]]:
    experiment, window, step = FakeExperiment(), EMPTY, 0
    stepper = Stepper(experiment, FakeDataset())
    for count in cut:
        window = stepper.run(step, count, window)
        step += count
    return experiment.bits(), window.means


def test_the_cut_into_calls_changes_no_bit_and_no_mean() -> None:
    whole = trained([60])
    for cut in ([1] * 60, [7] * 8 + [4], [59, 1]):
        assert trained(cut) == whole


def test_one_graph_serves_every_number_of_steps() -> None:
    stepper = Stepper(FakeExperiment(), FakeDataset())
    window = stepper.run(0, 1, EMPTY)
    for first, count in ((1, 3), (4, 2)):
        window = stepper.run(first, count, window)
    # The sums begin as one zero and go on as one number a value: two signatures at most, not one for each count.
    (graph,) = stepper._graphs.values()
    assert graph.experimental_get_tracing_count() == 1


def test_a_learning_rate_is_shown_as_it_is_not_averaged() -> None:
    _, means = trained([10])
    assert means["learning_rate/fit"] == pytest.approx(0.01 / 10)


def test_a_window_goes_through_json_without_loss() -> None:
    stepper = Stepper(FakeExperiment(), FakeDataset())
    window = stepper.run(0, 7, EMPTY)
    back = window_of(json.loads(json.dumps(window.record())))
    assert back.names == window.names and back.steps == 7
    np.testing.assert_array_equal(back.sums, window.sums)
    assert window_of({}) is EMPTY


def test_the_pace_learns_half_a_second_a_call() -> None:
    pace = Pace()
    assert pace.count(100) == 1 and pace.steps_per_second is None
    pace.took(1, 8.0)  # tracing
    assert pace.count(100) == 1
    pace.took(1, 0.01)
    assert pace.count(100) == 50
    assert pace.count(20) == 20
    pace.took(20, 40.0)
    assert pace.count(100) == 1
