"""Whole specs through the checker, the networks and the train step: what only their meeting can show."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.training import Experiment, experiment_of
from gendsl.source import Source

DATA = "experiment tiny\ndata { source digits(); image range: -1..1; label 10; split train: 90%, test: 10%; batch 8 }\n"
GENERATOR = (
    "network generator(z: normal(4)) -> image { dense 64 | batch_norm | relu | dense 64 | tanh | reshape 8, 8, 1 }\n"
)
JUDGE = "network discriminator(x: image) -> logits(1) { flatten | dense 16 | leaky_relu 0.2 as h | dense 1 }\n"


def made(networks: str, train: str, *more: str) -> Experiment:
    """The experiment of a spec over the digits."""
    problems = Problems()
    plan = check(Source("tiny.gen", "\n".join([DATA + networks, "train {", train, "}", *more, ""])), problems)
    assert plan is not None, [(one.rule.code, one.message) for one in problems]
    return experiment_of(plan, examples=1617)


def batches(experiment: Experiment, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    times = experiment.times
    return {
        "image": tf.constant(random.uniform(-1, 1, (times, 8, 8, 8, 1)).astype("float32")),
        "label": tf.constant(random.integers(0, 10, (times, 8)).astype("int32")),
    }


def step(experiment: Experiment, steps: int = 2) -> dict[str, float]:
    """The logs of the last of some steps."""
    run = tf.function(experiment.step_at, autograph=False)
    logs: dict[str, Any] = {}
    for number in range(steps):
        logs = run(tf.constant(number, tf.int64), batches(experiment, number))
    found = {name: float(value) for name, value in logs.items()}
    assert all(np.isfinite(value) for value in found.values())
    return found


def values(experiment: Experiment, network: str, part: str = "") -> dict[str, np.ndarray]:
    return {v.path: v.numpy() for v in experiment.networks[network].variables if part in v.path}


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> bool:
    return any(not np.array_equal(before[name], after[name]) for name in before)


UPDATES = {
    "gan": "objective gan(loss: nonsaturating)",
    "minimax": "objective gan(loss: minimax)",
    "relativistic": """
      update discriminator { minimize relativistic.discriminator(discriminator(image), discriminator(generator())) }
      update generator { minimize relativistic.generator(discriminator(image), discriminator(generator())) }
    """,
    "wgan_gp": "objective wgan_gp()",
    "lsgan": "objective lsgan()",
    "hinge_gan": "objective hinge_gan()",
    "dragan": "objective dragan()",
}


@pytest.mark.parametrize("objective", UPDATES)
def test_objectives_of_the_prelude_train(objective: str) -> None:
    judge = JUDGE.replace("discriminator", "critic") if objective.startswith("w") else JUDGE
    experiment = made(GENERATOR + judge, UPDATES[objective] + "\noptimizer adam(1e-3)\nsteps 5")
    before = values(experiment, "generator")
    assert len(step(experiment)) == 4
    assert changed(before, values(experiment, "generator"))


def test_weight_clipping_bounds_the_critic() -> None:
    judge = JUDGE.replace("discriminator", "critic").replace("logits(1)", "logits(1), constrain: clip(0.01)")
    experiment = made(GENERATOR + judge, "objective wgan()\noptimizer rmsprop(5e-2)\nsteps 5")
    step(experiment)
    assert max(np.abs(value).max() for value in values(experiment, "critic").values()) <= 0.01 + 1e-9


def test_spectral_vectors_move_for_the_trained_network_only() -> None:
    judge = JUDGE.replace("logits(1)", "logits(1), constrain: spectral_norm")
    train = "update generator, with: sgd(0.1) { minimize hinge.generator(discriminator(generator())) }\nsteps 5"
    frozen = "update discriminator, with: sgd(0) { minimize mean(discriminator(image)) }\n"
    experiment = made(GENERATOR + judge, frozen + train)
    kernels = values(experiment, "discriminator", "kernel")
    step(experiment, 1)
    after = values(experiment, "discriminator", "kernel")
    assert any("_u" in name for name in kernels)
    assert changed({n: v for n, v in kernels.items() if "_u" in n}, after)
    assert not changed({n: v for n, v in kernels.items() if "_u" not in n and "_v" not in n}, after)


def test_frozen_spectral_vectors_stay() -> None:
    judge = JUDGE.replace("logits(1)", "logits(1), constrain: spectral_norm")
    experiment = made(
        GENERATOR + judge,
        'allow untrained_network, because: "the test"\n'
        "update generator, with: sgd(0.1) { minimize hinge.generator(discriminator(generator())) }\nsteps 5",
    )
    before = values(experiment, "discriminator")
    step(experiment)
    assert not changed(before, values(experiment, "discriminator"))


def test_labels_inside_a_network_are_read() -> None:
    train = """
      update discriminator, with: adam(1e-3) {
        minimize hinge.discriminator(discriminator(image), discriminator(generator()))
      }
      update generator, with: adam(1e-3) {
        minimize feature_matching(discriminator(image).h, discriminator(generator()).h)
      }
      steps 5"""
    assert step(made(GENERATOR + JUDGE, train))["generator/loss"] > 0


def test_several_results_serve_an_acgan() -> None:
    networks = """
      network generator(z: normal(4), y: label) -> image {
        from y | one_hot as c
        from z | concat c | dense 64 | tanh | reshape 8, 8, 1
      }
      network discriminator(x: image) -> [logits(1), logits(10)] {
        flatten | dense 16 | leaky_relu 0.2 as h
        dense 1 as score
        from h | dense 10 as classes
        output score, classes
      }
    """
    train = """
      update discriminator, with: adam(1e-3) {
        real = discriminator(image)
        fake = discriminator(generator())
        minimize hinge.discriminator(real.score, fake.score) + acgan.discriminator(real.classes, fake.classes, label)
      }
      update generator, with: adam(1e-3) {
        fake = discriminator(generator())
        minimize hinge.generator(fake.score) + acgan.generator(fake.classes, label)
      }
      steps 5"""
    assert step(made(networks, train))["generator/loss"] > 0


def test_one_forward_pass_serves_updates_together() -> None:
    train = """
      together with: adam(1e-3) {
        fake = generator()
        judged = discriminator(fake)
        update discriminator { minimize nonsaturating.discriminator(discriminator(image), judged) }
        update generator { minimize nonsaturating.generator(judged) }
      }
      steps 5"""
    experiment = made(GENERATOR + JUDGE, train)
    before = {name: values(experiment, name) for name in ("generator", "discriminator")}
    step(experiment)
    assert all(changed(before[name], values(experiment, name)) for name in before)


def test_an_autoencoder_trains_through_its_draw() -> None:
    networks = """
      network encoder(x: image) -> normal(2) { flatten | dense 4 }
      network decoder(z: normal(2)) -> normal(image) { dense 128 | reshape 8, 8, 2 }
    """
    train = """
      beta = ramp(0, 1, over: 10 steps)
      update encoder, decoder, with: adam(1e-3) {
        q = encoder(image)
        z ~ q
        minimize nll(decoder(z), image) + beta * kl(q, normal(2))
      }
      steps 20"""
    experiment = made(networks, train, "sample { image = mean(decoder()) }")
    before = values(experiment, "encoder")
    step(experiment)
    assert changed(before, values(experiment, "encoder"))
    assert experiment.sample(3, 1)["image"].shape == (3, 8, 8, 1)


def test_labels_of_samples_follow_the_training_frequencies() -> None:
    networks = """
      network generator(z: normal(4), y: label) -> image {
        from y | one_hot as c
        from z | concat c | dense 64 | tanh | reshape 8, 8, 1
      }
      network discriminator(x: image) -> logits(1) { flatten | dense 1 }
    """
    experiment = made(networks, "objective gan(loss: hinge)\noptimizer adam(1e-3)\nsteps 5")
    experiment.class_counts = np.array([0, 1, 0, 3, 0, 0, 0, 0, 0, 0])
    drawn = experiment.sample(6, 1)["image"]
    given = experiment.sample(6, 1, {"label": tf.constant([1, 2, 3, 4, 5, 6])})["image"]
    assert drawn.shape == given.shape == (6, 8, 8, 1)


def test_dropout_draws_afresh_in_each_call_and_step() -> None:
    networks = "network judge(x: image) -> logits(64) { flatten | dropout 50% | dense 64 }\n"
    train = "update judge, with: sgd(0) { minimize l1(judge(image), judge(image)) }\nsteps 5"
    experiment = made(networks, train, "sample { score = judge(image) }")
    first, second = step(experiment, 1)["judge/loss"], step(experiment, 2)["judge/loss"]
    assert first > 0 and second > 0 and first != second
    assert step(experiment, 1)["judge/loss"] == first


def test_both_transforms_real_and_generated() -> None:
    train = "objective gan(loss: hinge)\noptimizer adam(1e-3)\nsteps 5"
    experiment = made(GENERATOR + JUDGE, train, "augment { both { translate 25%; cutout 25% } }")
    step(experiment)


def test_a_network_used_as_a_layer_is_trained_only_by_its_own_name() -> None:
    networks = """
      network body(x: image) -> features(16) { flatten | dense 16 | relu }
      network discriminator(x: image) -> logits(1) { body | dense 1 }
    """
    train = "update discriminator, with: sgd(0.1) { minimize mean(discriminator(image)) }\nsteps 5"
    experiment = made(networks, train, "sample { score = discriminator(image) }")
    before = values(experiment, "body")
    step(experiment)
    assert not changed(before, values(experiment, "body"))


def test_averages_copy_spectral_vectors_and_average_kernels() -> None:
    judge = JUDGE.replace("logits(1)", "logits(1), constrain: spectral_norm")
    train = "objective gan(loss: hinge)\noptimizer sgd(0.1)\nsteps 5\nema discriminator, decay: 0.9"
    experiment = made(GENERATOR + judge, train)
    step(experiment, 3)
    for path, average in experiment.averaged_weights("discriminator").items():
        live = values(experiment, "discriminator")[path]
        if "kernel" not in path:
            continue
        assert np.array_equal(average, live) == path.endswith(("_u", "_v"))
