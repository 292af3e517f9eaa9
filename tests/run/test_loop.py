"""The loop: the same bits however a run is cut into calls, means that do not depend on the cut."""

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from fakes import FakeDataset, FakeExperiment

from gendsl.lower.errors import UserError
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


class Uncompilable(FakeExperiment):
    """Its step counts, and then holds an operation that XLA does not know, or breaks XLA's compiler."""

    def __init__(self, *, must_compile: bool, breaks: bool = False) -> None:
        super().__init__()
        self.by_xla, self.must_use_xla, self._breaks = True, must_compile, breaks

    def compile_by_xla(self, choice: bool) -> None:
        self.by_xla = choice

    def step_at(self, step: Any, batches: Any, groups: frozenset[int] | None = None) -> dict[str, Any]:
        self.weights.assign_add([1.0, 1.0])

        def named() -> tf.Tensor:
            return tf.cast(tf.strings.length(tf.strings.as_string(step)), tf.float32)

        if self._breaks and self.by_xla:
            raise tf.errors.InternalError(None, None, "libdevice not found at ./libdevice.10.bc")
        return {"fit/loss": tf.function(named, jit_compile=self.by_xla or None)()}


@pytest.mark.parametrize("breaks", [False, True])
def test_what_xla_cannot_compile_runs_without_it_from_where_it_stood(breaks: bool) -> None:
    experiment = Uncompilable(must_compile=False, breaks=breaks)
    Stepper(experiment, FakeDataset()).run(0, 3, EMPTY)
    assert experiment.weights.numpy().tolist() == [3.5, 2.75], "three steps, and nothing of the attempt"
    assert not experiment.by_xla


@pytest.mark.parametrize("breaks", [False, True])
def test_jit_on_is_refused_where_xla_cannot(breaks: bool) -> None:
    with pytest.raises(UserError, match="XLA cannot compile") as refused:
        Stepper(Uncompilable(must_compile=True, breaks=breaks), FakeDataset()).run(0, 3, EMPTY)
    assert "jit auto" in refused.value.help


class Phased(FakeExperiment):
    """Two phases of ten steps, with an update each."""

    def groups_at(self, step: int) -> frozenset[int]:
        return frozenset([step // 10])

    def step_at(self, step: Any, batches: Any, groups: frozenset[int] | None = None) -> dict[str, Any]:
        (number,) = groups or ()
        return {f"update_{number}/loss": tf.constant(3.0)}


def test_each_phase_tells_of_its_own_updates() -> None:
    stepper = Stepper(Phased(), FakeDataset())
    first = stepper.run(0, 5, EMPTY)
    assert stepper.run(10, 3, EMPTY).means == {"update_1/loss": 3.0}
    assert stepper.run(5, 5, first).means == {"update_0/loss": 3.0}
