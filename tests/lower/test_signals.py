"""`when`: an update that is held back changes nothing, and is decided by what was measured last."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.training import Experiment
from tests.lower.test_specs import GENERATOR, batches, made, values

JUDGE = """
network discriminator(x: image) -> logits(1), constrain: spectral_norm {
  flatten | dense 16 | batch_norm | leaky_relu 0.2 | dense 1
}
"""
TRAIN = """
update discriminator, times: 2, WHEN with: adam(1e-2) {
  real = discriminator(image)
  fake = discriminator(generator())
  accuracy = 0.5 * positive(real) + 0.5 * positive(-fake)
  minimize nonsaturating.discriminator(real, fake)
}
update generator, with: adam(1e-2) {
  judged = discriminator(generator())
  fooled = positive(judged)
  minimize nonsaturating.generator(judged)
}
steps 10
"""


def waiting(when: str, train: str = TRAIN) -> Experiment:
    return made(GENERATOR + JUDGE, train.replace("WHEN", f"when: {when}," if when else ""))


def steps(experiment: Experiment, count: int, first: int = 0) -> list[dict[str, float]]:
    run = tf.function(experiment.step_at, autograph=False)
    return [
        {name: float(value) for name, value in run(tf.constant(n, tf.int64), batches(experiment, n)).items()}
        for n in range(first, first + count)
    ]


def bits(experiment: Experiment, part: str) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in experiment.state().items() if part in name}


def test_what_is_held_back_changes_nothing_but_is_measured() -> None:
    experiment = waiting("accuracy < 0%")
    before, slots = values(experiment, "discriminator"), bits(experiment, "optimizers/discriminator")
    told = steps(experiment, 2)
    after = values(experiment, "discriminator")
    assert all(np.array_equal(before[path], after[path]) for path in before), "weights, statistics, spectral vectors"
    now = bits(experiment, "optimizers/discriminator")
    assert all(np.array_equal(slots[name], now[name]) for name in slots), "moments and their count"
    assert all(one["held/discriminator"] == 1 and 0 <= one["discriminator/accuracy"] <= 1 for one in told)
    assert told[0]["discriminator/loss"] > 0


def test_a_condition_that_always_holds_changes_no_bit() -> None:
    always, never_asked = waiting("accuracy >= 0%"), waiting("")
    steps(always, 3), steps(never_asked, 3)
    for name, value in bits(never_asked, "").items():
        np.testing.assert_allclose(always.state()[name].numpy(), value, rtol=1e-6, atol=1e-7, err_msg=name)


def test_the_decision_is_by_this_repetitions_own_value() -> None:
    """Accuracies above and below a bar: each repetition is held back exactly where its own is above."""
    train = TRAIN.replace("times: 2, ", "")
    bar = float(np.median([one["discriminator/accuracy"] for one in steps(waiting("accuracy < 2", train), 8)]))
    told = steps(waiting(f"accuracy < {bar - 0.01:.4f}", train), 8)
    assert {one["held/discriminator"] for one in told} == {0.0, 1.0}
    for one in told:
        assert one["held/discriminator"] == float(one["discriminator/accuracy"] >= np.float32(f"{bar - 0.01:.4f}"))


def test_another_updates_signal_is_that_of_the_step_before() -> None:
    told = steps(waiting("generator_fooled > 50%"), 8)
    assert told[0]["held/discriminator"] == 0, "nobody has measured it yet"
    for before, now in pairwise(told):
        assert now["held/discriminator"] == float(before["generator/fooled"] <= 0.5)
    assert any(one["held/discriminator"] for one in told)


def test_an_update_further_down_reads_this_steps_signal() -> None:
    update = TRAIN.replace("WHEN ", "").replace(
        "update generator, ", "update generator, when: discriminator_accuracy > 60%, "
    )
    told = steps(made(GENERATOR + JUDGE, update.replace("times: 2, ", "")), 6)
    for one in told:
        assert one["held/generator"] == float(one["discriminator/accuracy"] <= np.float32(0.6))


def test_updates_together_wait_as_one() -> None:
    train = """
      together with: adam(1e-2), when: discriminator_loss < 0 {
        judged = discriminator(generator())
        update discriminator { minimize nonsaturating.discriminator(discriminator(image), judged) }
        update generator { minimize nonsaturating.generator(judged) }
      }
      steps 3"""
    experiment = made(GENERATOR + JUDGE, train)
    before = {name: values(experiment, name) for name in experiment.networks}
    told = steps(experiment, 2)
    assert told[-1]["held/discriminator"] == told[-1]["held/generator"] == 1
    for name, weights in before.items():
        now = values(experiment, name)
        assert all(np.array_equal(weights[path], now[path]) for path in weights)


def test_signals_are_state_and_decide_after_a_resume() -> None:
    when = "generator_fooled > 45%"
    whole = waiting(when)
    steps(whole, 6)
    first, second = waiting(when), waiting(when)
    steps(first, 3)
    state: dict[str, Any] = first.state()
    assert "signals/generator/fooled" in state and not np.isnan(state["signals/generator/fooled"].numpy())
    for name, variable in second.state().items():
        variable.assign(state[name].numpy())
    steps(second, 3, first=3)
    for name, variable in whole.state().items():
        assert np.array_equal(variable.numpy(), second.state()[name].numpy()), name


@pytest.mark.parametrize(
    "when", ["discriminator_loss > ramp_of and accuracy < 2", "not (loss < 0.1)", "2 * loss > 0.1"]
)
def test_conditions_are_expressions(when: str) -> None:
    assert steps(waiting(when, "ramp_of = ramp(0, 0.1)\n" + TRAIN if "ramp_of" in when else TRAIN), 1)


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["precision mixed_float16", "jit on", "accumulate 2", "clip norm: 1.0"])
def test_waiting_and_freezing_go_with_other_settings(setting: str) -> None:
    phases = 'phase a, steps: 3 { freeze generator, layers: ["dense_1"] }\nphase b, steps: 3'
    train = TRAIN.replace("steps 10", f"{setting}\n{phases}")
    experiment = waiting("accuracy < 60%", train)
    frozen, told = values(experiment, "generator", "dense_1"), steps(experiment, 3)
    still = values(experiment, "generator", "dense_1")
    assert all(np.array_equal(frozen[path], still[path]) for path in frozen)
    told += steps(experiment, 3, first=3)
    moved = values(experiment, "generator", "dense_1")
    assert any(not np.array_equal(frozen[path], moved[path]) for path in frozen)
    assert all(np.isfinite(list(one.values())).all() for one in told)
