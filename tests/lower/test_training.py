"""The train step: which networks change, and by what: draws, repetitions, calls, state, samples."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.plan import plan
from gendsl.vocabulary import types
from tests.lower.plans import (
    DISCRIMINATOR,
    GENERATOR,
    POINT,
    SCORE,
    Equations,
    dense,
    experiment,
    gan,
    generating,
    group,
    mean_of,
    network,
    normed,
    optimizer,
    plan_of,
    points,
    same,
    trained,
    update,
    weights,
)


def test_step_gives_losses_and_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = trained(experiment(monkeypatch, gan()), 1)
    assert set(logs) == {
        "discriminator/loss",
        "generator/loss",
        "learning_rate/discriminator",
        "learning_rate/generator",
    }
    assert all(np.isfinite(float(value)) and value.dtype == tf.float32 for value in logs.values())
    assert float(logs["learning_rate/generator"]) == pytest.approx(0.1)


def test_only_the_named_network_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = experiment(monkeypatch, plan_of([generating()], [GENERATOR, DISCRIMINATOR]))
    before = {name: weights(model) for name, model in made.networks.items()}
    trained(made, 1)
    assert not same(before["generator"], weights(made.networks["generator"]))
    assert same(before["discriminator"], weights(made.networks["discriminator"]))


def test_same_bits_for_one_and_seven_steps_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [experiment(monkeypatch, gan(seed=3)) for _ in range(2)]
    trained(made[0], 7)
    trained(made[1], 7, at_once=True)
    for name in ("generator", "discriminator"):
        assert same(weights(made[0].networks[name]), weights(made[1].networks[name]))


def test_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, other = (experiment(monkeypatch, gan(seed=seed)) for seed in (3, 3, 4))
    starts = [weights(made.networks["generator"]) for made in (first, second, other)]
    assert same(starts[0], starts[1]) and not same(starts[0], starts[2])
    other.networks["generator"].set_weights(starts[0])
    other.networks["discriminator"].set_weights(weights(first.networks["discriminator"]))
    for made in (first, second, other):
        trained(made, 2)
    ends = [weights(made.networks["generator"]) for made in (first, second, other)]
    assert same(ends[0], ends[1]) and not same(ends[0], ends[2])


def _linear(name: str, size: int, other: str, sign: float) -> plan.Group:
    """An update that moves `name` by the values that `other` gives for ones."""
    equations = Equations()
    field = equations.field()
    product = equations.add(
        "multiply", equations.call(name, field), equations.call(other, field), type=types.Tensor((1,))
    )
    loss = equations.function("mean", product)
    if sign < 0:
        loss = equations.add("negate", loss)
    return group(equations, update(name, [name], loss))


def _played(rate: float, x: np.ndarray, *, together: bool) -> tuple[np.ndarray, np.ndarray]:
    """The weights of two players after a step of the game mean(a(x) b(x)), a minimising, b maximising; no biases."""
    a, b = np.array([[1.0], [2.0]]), np.array([[3.0], [-1.0]])
    moment = x.T @ x / len(x)
    new = a - rate * moment @ b
    return new, b + rate * moment @ (a if together else new)


@pytest.mark.parametrize("together", [False, True])
def test_lone_updates_see_the_newest_weights_and_simultaneous_ones_the_old(
    monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    def without_bias(described: plan.Network, precision: str) -> Any:
        inputs = keras.Input((2,), name="x")
        return keras.Model(inputs, keras.layers.Dense(1, use_bias=False, name="dense")(inputs), name=described.name)

    if together:
        equations = Equations()
        field = equations.field()
        product = equations.add(
            "multiply", equations.call("a", field), equations.call("b", field), type=types.Tensor((1,))
        )
        loss = equations.function("mean", product)
        updates = update("a", ["a"], loss), update("b", ["b"], equations.add("negate", loss))
        groups = [group(equations, *updates)]
    else:
        groups = [_linear("a", 1, "b", 1), _linear("b", 1, "a", -1)]
    made = experiment(
        monkeypatch, plan_of(groups, [network("a"), network("b")]), {"a": without_bias, "b": without_bias}
    )
    made.networks["a"].set_weights([np.array([[1.0], [2.0]])])
    made.networks["b"].set_weights([np.array([[3.0], [-1.0]])])
    batch = points()
    tf.function(made.step_at)(tf.constant(0, tf.int64), batch)
    expected = _played(0.1, batch["point"][0].astype("float64"), together=together)
    for name, values in zip("ab", expected, strict=True):
        np.testing.assert_allclose(weights(made.networks[name])[0], values, rtol=1e-5)


def test_repetition_k_takes_batch_k(monkeypatch: pytest.MonkeyPatch) -> None:
    equations, loss = mean_of()
    once, once_loss = mean_of("generator")
    made = experiment(
        monkeypatch,
        plan_of(
            [
                group(equations, update("d", ["discriminator"], loss), times=3),
                group(once, update("g", ["generator"], once_loss)),
            ],
            [GENERATOR, DISCRIMINATOR],
        ),
    )
    assert made.times == 3
    before = weights(made.networks["discriminator"])[0], weights(made.networks["generator"])[0]
    batches = points(3)
    tf.function(made.step_at)(tf.constant(0, tf.int64), batches)
    moved = batches["point"].mean(axis=1)
    np.testing.assert_allclose(
        weights(made.networks["discriminator"])[0][:, 0], before[0][:, 0] - 0.1 * moved.sum(0), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        weights(made.networks["generator"])[0],
        before[1] - 0.1 * np.repeat(moved[0][:, None], 2, 1) / 2,
        rtol=1e-4,
        atol=1e-6,
    )


def test_moving_statistics_advance_for_trained_networks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made = experiment(monkeypatch, plan_of([generating()], [GENERATOR, DISCRIMINATOR]), {"discriminator": normed})
    before = weights(made.networks["discriminator"])
    trained(made, 2)
    assert same(before, weights(made.networks["discriminator"]))

    equations = Equations()
    first = equations.call("discriminator", equations.field())
    shifted = equations.add("add", equations.field(), equations.constant(1), type=POINT)
    second = equations.call("discriminator", shifted)
    loss = equations.function("mean", equations.add("add", first, second, type=types.Tensor((1,))))
    made = experiment(
        monkeypatch,
        plan_of([group(equations, update("d", ["discriminator"], loss))], [DISCRIMINATOR]),
        {"discriminator": normed},
    )
    batch = points()
    tf.function(made.step_at)(tf.constant(0, tf.int64), batch)
    mean = batch["point"][0].mean(axis=0)
    moving = made.networks["discriminator"].get_layer("norm").moving_mean.numpy()
    np.testing.assert_allclose(moving, 0.25 * 0 + 0.25 * mean + 0.5 * (mean + 1), rtol=1e-4, atol=1e-6)


def test_draws_are_fresh_across_and_shared_within(monkeypatch: pytest.MonkeyPatch) -> None:
    def gap(*, shared: bool) -> float:
        equations = Equations()
        first = equations.noise()
        second = first if shared else equations.noise()
        call = equations.call("discriminator", equations.field())
        gap = equations.function("l1", first, second)
        loss = equations.add("add", gap, equations.function("mean", call))
        zero = equations.add("subtract", loss, equations.function("mean", call))
        made = experiment(
            monkeypatch, plan_of([group(equations, update("d", ["discriminator"], zero))], [DISCRIMINATOR])
        )
        return float(trained(made, 1)["d/loss"])

    assert gap(shared=True) == pytest.approx(0, abs=1e-6)
    assert gap(shared=False) > 0.1


def test_draws_change_with_step_and_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    equations = Equations()
    call = equations.function("mean", equations.call("discriminator", equations.field()))
    nothing = equations.add("multiply", call, equations.constant(0))
    loss = equations.add("add", equations.function("mean", equations.noise()), nothing)
    made = experiment(monkeypatch, plan_of([group(equations, update("d", ["discriminator"], loss))], [DISCRIMINATOR]))
    run = tf.function(made.step_at)
    found = [float(run(tf.constant(step, tf.int64), points())["d/loss"]) for step in (0, 1, 2, 1)]
    assert len(set(found)) == 3 and found[1] == found[3]


def test_dead_operations_are_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    equations, loss = mean_of()
    equations.add("field", name="absent", type=POINT)
    made = experiment(monkeypatch, plan_of([group(equations, update("d", ["discriminator"], loss))], [DISCRIMINATOR]))
    trained(made, 1)


def test_replay_gives_older_examples_without_a_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    equations = Equations()
    replayed = equations.function("replay", equations.fake(), type=POINT, size=6)
    loss = equations.function("mean", equations.call("discriminator", replayed))
    made = experiment(
        monkeypatch, plan_of([group(equations, update("d", ["discriminator"], loss))], [GENERATOR, DISCRIMINATOR])
    )
    trained(made, 4)
    state = {name: value for name, value in made.state().items() if name.startswith("memories/")}
    assert sorted(name.rsplit("/", 1)[1] for name in state) == ["pool", "seen"]
    assert int(next(value for name, value in state.items() if name.endswith("seen"))) == 16


def test_both_transforms_calls_but_penalties_differentiate_by_the_untransformed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def judge(described: plan.Network, precision: str) -> Any:
        inputs = keras.Input((2, 2, 1), name="x")
        scores = keras.layers.Dense(1, name="dense", use_bias=False)(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, scores, name=described.name)

    def run(*, penalised: bool) -> tuple[float, np.ndarray, np.ndarray]:
        image = types.Tensor((2, 2, 1), "image")
        equations = Equations()
        field = equations.field("image", image)
        if penalised:
            loss = equations.penalty("r1", "discriminator", field)
        else:
            loss = equations.function("mean", equations.call("discriminator", field, both=(0,)))
        described = network("discriminator", inputs=(plan.Input("x", "field", "image", (2, 2, 1)),))
        made = experiment(
            monkeypatch,
            plan_of([group(equations, update("d", ["discriminator"], loss))], [described]),
            {"discriminator": judge},
        )
        keys = []
        made._both.value = lambda value, key: keys.append(key.path) or value * 3.0
        kernel = weights(made.networks["discriminator"])[0]
        images = np.random.default_rng(0).normal(size=(1, 4, 2, 2, 1)).astype("float32")
        logs = tf.function(made.step_at)(tf.constant(0, tf.int64), {"image": tf.constant(images)})
        assert len(keys) == 1
        return float(logs["d/loss"]), kernel, images

    value, kernel, images = run(penalised=False)
    assert value == pytest.approx(3 * float((images.reshape(4, 4) @ kernel).mean()), rel=1e-4)
    value, kernel, _ = run(penalised=True)
    assert value == pytest.approx(9 * float((kernel**2).sum()), rel=1e-5)


def test_fit_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    made = experiment(monkeypatch, gan())
    data = tf.data.Dataset.from_tensor_slices({"point": points(1, 8)["point"][0]}).batch(4)
    before = weights(made.networks["generator"])
    history = made.fit(data, epochs=2, verbose=0)
    assert len(history.history["generator/loss"]) == 2
    assert not same(before, weights(made.networks["generator"]))


def test_state_restores_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = experiment(monkeypatch, gan()), experiment(monkeypatch, gan(seed=0))
    trained(first, 2)
    assert first.state().keys() == second.state().keys()
    for name, variable in second.state().items():
        variable.assign(first.state()[name])
    for made in (first, second):
        made.step_at(tf.constant(2, tf.int64), points())
    assert same(weights(first.networks["generator"]), weights(second.networks["generator"]))


def _sampling() -> plan.Sample:
    equations = Equations()
    fake = equations.fake()
    return plan.Sample((("point", fake),), tuple(equations.operations), ())


def test_samples_are_a_function_of_the_seed_and_use_the_average(monkeypatch: pytest.MonkeyPatch) -> None:
    ema = plan.Call("ema", {"networks": ("generator",), "decay": 0.9, "from": None})
    made = experiment(monkeypatch, gan(sample=_sampling(), ema=[ema]))
    trained(made, 2)
    run = tf.function(made.sample)
    first, second = (run(tf.constant(5), tf.constant(7))["point"].numpy() for _ in range(2))
    assert first.shape == (5, 2) and np.array_equal(first, second)
    assert not np.array_equal(first, run(tf.constant(5), tf.constant(8))["point"])
    plain = made.sample(5, 7, averaged=False)["point"].numpy()
    assert not np.array_equal(first, plain)
    kernel, bias = (made.averaged_weights("generator")[f"dense/{name}"].numpy() for name in ("kernel", "bias"))
    live_kernel, live_bias = weights(made.networks["generator"])
    noise = (plain - live_bias) @ np.linalg.inv(live_kernel)
    np.testing.assert_allclose(first, noise @ kernel + bias, rtol=1e-3, atol=1e-5)


def test_a_networks_second_input_is_given_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    two = network(
        "discriminator",
        inputs=(plan.Input("x", "features", None, (2,)), plan.Input("c", "features", None, (2,))),
    )
    equations = Equations()
    fake, field = equations.fake(), equations.field()
    penalty = equations.penalty("gradient_penalty", "discriminator", field, fake, field, target=1, one_sided=False)
    made = experiment(
        monkeypatch,
        plan_of([group(equations, update("d", ["discriminator"], penalty))], [GENERATOR, two]),
        {"discriminator": dense},
    )
    kernel = weights(made.networks["discriminator"])[0]
    expected = (np.sqrt((kernel[:2] ** 2).sum() + 1e-12) - 1) ** 2
    assert float(trained(made, 1)["d/loss"]) == pytest.approx(expected, rel=1e-4)


def test_xla_computes_the_same_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    equations = Equations()  # without a draw: XLA has its own way from a seed to numbers
    scores = equations.call("discriminator", equations.field())
    loss = equations.add("multiply", scores, scores, type=SCORE)
    groups = [group(equations, update("d", ["discriminator"], loss, optimizer("adam", 0.01)))]
    one = experiment(monkeypatch, plan_of(groups, [DISCRIMINATOR]))
    other = experiment(monkeypatch, plan_of(groups, [DISCRIMINATOR], jit=True))
    assert other.by_xla and not one.by_xla
    before = weights(one)
    trained(one, 5)
    trained(other, 5)
    assert not same(before, weights(one))
    for name, variable in one.state().items():
        np.testing.assert_allclose(variable.numpy(), other.state()[name].numpy(), atol=1e-5, err_msg=name)


def test_a_penalty_shares_the_forward_pass_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def penalised(*, merged: bool) -> plan.Plan:
        equations = Equations()
        field = equations.field()
        scores = equations.call("discriminator", field)
        fit = equations.add("multiply", scores, scores, type=SCORE)
        norm = equations.penalty("r1", "discriminator", field if merged else equations.field())
        loss = equations.add("add", fit, norm, type=SCORE)
        made = group(equations, update("d", ["discriminator"], loss, optimizer("adam", 0.01)))
        return plan_of([made], [DISCRIMINATOR])

    passes, after = [], []
    for merged in (True, False):
        made = experiment(monkeypatch, penalised(merged=merged))
        graph = tf.function(made.step_at).get_concrete_function(
            tf.constant(0, tf.int64), {"point": tf.TensorSpec([1, 4, 2])}
        )
        made_of = [graph.graph.as_graph_def().node, *(f.node_def for f in graph.graph.as_graph_def().library.function)]
        passes.append(sum(node.op in ("BiasAdd", "AddV2") for nodes in made_of for node in nodes))
        trained(made, 3)
        after.append(weights(made))
    assert passes[0] < passes[1]
    for one, other in zip(*after, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
