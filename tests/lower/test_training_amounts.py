"""The train step: when and how far weights move. Phases, rates, averages, lazy terms, decay, clips, precision."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.plan import plan
from tests.lower.plans import (
    DISCRIMINATOR,
    GENERATOR,
    Equations,
    discriminating,
    experiment,
    gan,
    generating,
    group,
    mean_of,
    normed,
    optimizer,
    plan_of,
    points,
    same,
    trained,
    update,
    weights,
)


def test_phases_choose_updates_and_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    def decay(**given: Any) -> plan.Call:
        return plan.Call("linear_decay", {"start": 1.0, "end": 0.0, "over": None, "warmup": None, **given})

    phases = [
        plan.Phase("first", plan.Quantity(4, "steps"), (0,)),
        plan.Phase("second", plan.Quantity(4, "steps"), (0, 1), {"learning_rate": decay()}),
    ]
    groups = [discriminating(), generating(learning_rate=decay())]
    made = experiment(monkeypatch, plan_of(groups, [GENERATOR, DISCRIMINATOR], phases=phases))
    assert made.steps == 8
    run = tf.function(made.step_at)
    before = weights(made.networks["generator"])
    rates = []
    for step in range(8):
        logs = run(tf.constant(step, tf.int64), points(seed=step))
        rates.append((float(logs["learning_rate/discriminator"]), float(logs["learning_rate/generator"])))
        assert same(before, weights(made.networks["generator"])) == (step < 4)
    told = made.step_at(tf.constant(0, tf.int64), points(seed=0), made.groups_at(0))
    assert set(told) == {"discriminator/loss", "learning_rate/discriminator"}
    assert made.updates_at(0) == {"discriminator"} and made.updates_at(4) == {"discriminator", "generator"}
    np.testing.assert_allclose([rate for rate, _ in rates], [0.1] * 4 + [1, 0.75, 0.5, 0.25], rtol=1e-6)
    np.testing.assert_allclose([rate for _, rate in rates], [1, 7 / 8, 6 / 8, 5 / 8, 1, 0.75, 0.5, 0.25], rtol=1e-6)


def test_an_epoch_is_rounded_up(monkeypatch: pytest.MonkeyPatch) -> None:
    phases = [plan.Phase("", plan.Quantity(3, "epochs"), (0,))]
    made = experiment(
        monkeypatch, plan_of([discriminating(times=2)], [GENERATOR, DISCRIMINATOR], phases=phases), examples=17
    )
    assert made.steps == 9  # 17 examples, 2 batches of 4 a step: 3 steps an epoch


def test_average_equals_the_weights_before_its_start_then_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    ema = plan.Call("ema", {"networks": ("discriminator",), "decay": 0.3, "from": plan.Quantity(2, "steps")})
    made = experiment(monkeypatch, gan(ema=[ema]), {"discriminator": normed})
    run = tf.function(made.step_at)
    expected: list[np.ndarray] = []
    for step in range(5):
        run(tf.constant(step, tf.int64), points(seed=step))
        now = weights(made.networks["discriminator"])
        decay = 0.0 if step < 2 else min(0.3, (1 + step) / (10 + step))
        expected = (
            now if step < 2 else [decay * old + (1 - decay) * new for old, new in zip(expected, now, strict=True)]
        )
        averages = [
            made.state()[f"averages/discriminator/{variable.path}"].numpy()
            for variable in made.networks["discriminator"].variables
        ]
        for average, value in zip(averages, expected, strict=True):
            np.testing.assert_allclose(average, value, rtol=1e-5, atol=1e-7)
        if step < 2:
            assert same(averages, now)


def test_lazy_terms_come_each_nth_step_times_n(monkeypatch: pytest.MonkeyPatch) -> None:
    equations = Equations()
    loss = equations.penalty("r1", "discriminator", equations.field(), every=plan.Quantity(3, "steps"))
    made = experiment(
        monkeypatch,
        plan_of(
            [group(equations, update("d", ["discriminator"], loss, optimizer(learning_rate=0.01)))], [DISCRIMINATOR]
        ),
    )
    run = tf.function(made.step_at)
    for step in range(5):
        kernel = weights(made.networks["discriminator"])[0]
        logs = run(tf.constant(step, tf.int64), points())
        expected = 3 * (kernel**2).sum() if step % 3 == 0 else 0
        assert float(logs["d/loss"]) == pytest.approx(expected, rel=1e-5)
        moved = not np.array_equal(kernel, weights(made.networks["discriminator"])[0])
        assert moved == (step % 3 == 0)
        if step == 0:
            np.testing.assert_allclose(weights(made.networks["discriminator"])[0], kernel * (1 - 0.06), rtol=1e-5)


def test_weight_decay_spares_biases(monkeypatch: pytest.MonkeyPatch) -> None:
    equations, loss = mean_of()
    nothing = equations.add("multiply", loss, equations.constant(0))
    with_ = optimizer("adamw", learning_rate=0.1, weight_decay=0.5)
    made = experiment(
        monkeypatch, plan_of([group(equations, update("d", ["discriminator"], nothing, with_))], [DISCRIMINATOR])
    )
    made.networks["discriminator"].set_weights([np.ones((2, 1)), np.ones(1)])
    trained(made, 1)
    kernel, bias = weights(made.networks["discriminator"])
    np.testing.assert_allclose(kernel, 0.95, rtol=1e-6)
    np.testing.assert_allclose(bias, 1.0)


def test_clip_norm_is_the_global_norm_of_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    equations, loss = mean_of()
    scaled = equations.add("multiply", loss, equations.constant(100))
    made = experiment(
        monkeypatch,
        plan_of(
            [group(equations, update("d", ["discriminator"], scaled, optimizer(learning_rate=1.0)))],
            [DISCRIMINATOR],
            clip=0.5,
        ),
    )
    before = weights(made.networks["discriminator"])
    trained(made, 1)
    after = weights(made.networks["discriminator"])
    moved = np.concatenate([(new - old).ravel() for new, old in zip(after, before, strict=True)])
    assert np.linalg.norm(moved) == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_in_float32_weights(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    made = experiment(monkeypatch, gan(precision=precision))
    logs = trained(made, 2)
    assert all(value.dtype == tf.float32 for value in logs.values())
    assert all(variable.dtype == "float32" for variable in made.networks["generator"].variables)
    assert ("loss_scale/generator" in logs) == (precision == "mixed_float16")


def test_a_gradient_beyond_float16_skips_the_step_and_halves_the_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    equations, loss = mean_of()
    huge = equations.add("multiply", loss, equations.constant(1e5))
    made = experiment(
        monkeypatch,
        plan_of([group(equations, update("d", ["discriminator"], huge))], [DISCRIMINATOR], precision="mixed_float16"),
    )
    before = weights(made.networks["discriminator"])
    logs = trained(made, 1)
    assert same(before, weights(made.networks["discriminator"]))
    assert float(logs["loss_scale/d"]) == 2**14 and np.isfinite(float(logs["d/loss"]))


def test_a_clip_of_a_phase_holds_in_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = plan.Call("clip", {"norm": 1e-6})
    phases = (
        plan.Phase("free", plan.Quantity(2, "steps"), (0, 1)),
        plan.Phase("held", plan.Quantity(8, "steps"), (0, 1), {"clip": clip}),
    )
    made = experiment(monkeypatch, gan(phases=phases))
    one = tf.function(made.step_at)
    moved = []
    for step in range(4):
        before = weights(made)
        one(tf.constant(step, tf.int64), points(1, seed=step))
        moved.append(max(float(np.abs(new - old).max()) for new, old in zip(weights(made), before, strict=True)))
    assert min(moved[:2]) > 1e-4 and 0 < max(moved[2:]) <= 1e-6
