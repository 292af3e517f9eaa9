"""The families of GANs in the language: each objective and technique compiles, shape-checks and trains some steps."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.training import Experiment
from gendsl.lower.watching import Watch
from gendsl.source import Source
from tests.lower.test_specs import DATA, GENERATOR, JUDGE, batches, changed, made, step, values

CLASSES = """
network generator(z: normal(4), y: label) -> image {
  from y | one_hot as c
  from z | concat c | dense 64 | tanh | reshape 8, 8, 1
}
"""
AUXILIARY = """
network discriminator(x: image) -> [logits(1), logits(10)] {
  flatten | dense 16 | leaky_relu 0.2 as h
  dense 1 as score
  from h | dense 10 as classes
  output score, classes
}
"""
CONCATENATED = """
network discriminator(x: image, y: label) -> logits(1) {
  from y | one_hot | dense 8*8*1 | reshape 8, 8, 1 as c
  from x | concat c | flatten | dense 16 | leaky_relu 0.2 | dense 1
}
"""
PROJECTED = """
network discriminator(x: image, y: label) -> logits(1), constrain: spectral_norm {
  from x | flatten | dense 16 | leaky_relu 0.2 as h
  dense 1 as score
  project h, y | add score
}
"""
CODED = """
network generator(z: normal(4), code: categorical(10)) -> image {
  from code | one_hot as c
  from z | concat c | dense 64 | tanh | reshape 8, 8, 1
}
network discriminator(x: image) -> [logits(1), categorical(10)] {
  flatten | dense 16 | leaky_relu 0.2 as h
  dense 1 as score
  from h | dense 10 as code
  output score, code
}
"""
JOINT = """
network encoder(x: image) -> features(4) { flatten | dense 4 }
network discriminator(x: image, z: features(4)) -> logits(1) {
  from x | flatten | concat z | dense 16 | leaky_relu 0.2 | dense 1
}
"""
STYLED = """
network mapping(z: normal(8)) -> features(8), constrain: equalized(0.01) {
  pixel_norm | repeat 2 { dense 8 | leaky_relu 0.2 | scale 1.41421356 }
}
network synthesis(w: features(8)) -> image, constrain: equalized {
  learned_constant 4, 4, 8
  modulated_conv 8, w | inject_noise | leaky_relu 0.2 as h
  modulated_conv image.channels, w, kernel: 1, demodulate: off | upsample 2, mode: bilinear as rgb
  from h | modulated_conv 8, w, upsample: 2 | inject_noise | leaky_relu 0.2
  modulated_conv image.channels, w, kernel: 1, demodulate: off | add rgb
}
"""
ATTENTIVE = """
network generator(z: normal(4)) -> image, constrain: spectral_norm {
  dense 4*4*8 | reshape 4, 4, 8 | self_attention | upsample 2 | conv image.channels, kernel: 3 | tanh
}
network discriminator(x: image) -> logits(1), constrain: spectral_norm {
  conv 8, stride: 2 | leaky_relu 0.1 | self_attention | flatten | dense 1
}
"""
HIERARCHICAL = """
network generator(z: normal(8), y: label) -> image, init: orthogonal {
  from y | embed label.classes, 4 as shared
  from z | slice 4, start: 4 | concat shared as c
  from z | slice 4 | dense 4*4*8 | reshape 4, 4, 8
  batch_norm scale: off, center: off | film c, bias: off | relu | upsample 2 | conv image.channels | tanh
}
"""
SHIFTS = "transforms: [flip(horizontal), translate(12%)]"

FAMILIES = {
    "wgan_clipped": (
        GENERATOR + JUDGE.replace("discriminator", "critic").replace("logits(1)", "logits(1), constrain: clip(0.01)"),
        "objective wgan()",
    ),
    "lsgan": (GENERATOR + JUDGE, "objective lsgan()"),
    "dragan": (GENERATOR + JUDGE, "objective dragan()"),
    "relativistic_gan": (GENERATOR + JUDGE, "objective relativistic_gan()"),
    "relativistic_pairs": (GENERATOR + JUDGE, "objective relativistic_gan(loss: relativistic_pairs)"),
    "sagan": (ATTENTIVE, "objective hinge_gan()"),
    "biggan": (
        HIERARCHICAL + PROJECTED,
        """
        update discriminator { minimize hinge.discriminator(discriminator(), discriminator(generator())) }
        update generator {
          minimize hinge.generator(discriminator(generator())) + 1e-4 * orthogonality(generator)
        }
        """,
    ),
    "style_gan": (STYLED + JUDGE, "objective style_gan()"),
    "concatenated": (CLASSES + CONCATENATED, "objective gan()"),
    "projected": (CLASSES + PROJECTED, "objective hinge_gan()"),
    "acgan": (CLASSES + AUXILIARY, "objective acgan()"),
    "infogan": (CODED, "objective infogan(code: categorical(10))"),
    "bigan": (GENERATOR + JOINT, "objective bigan(latent: normal(4))"),
    "pacgan": (GENERATOR + JUDGE.replace("flatten", "pack 2 | flatten"), "objective gan()"),
    "cr_gan": (GENERATOR + JUDGE, f"objective cr_gan({SHIFTS})"),
    "icr_gan": (GENERATOR + JUDGE, f"objective icr_gan(latent: normal(4), {SHIFTS})"),
    "lecam_gan": (GENERATOR + JUDGE, "objective lecam_gan()"),
    "top_k_gan": (GENERATOR + JUDGE, "objective top_k_gan()"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_trains(family: str) -> None:
    networks, train = FAMILIES[family]
    styled = family == "style_gan"
    more = ["sample { image = synthesis(mapping()) }"] if styled else []
    averaged = "synthesis" if styled else "generator"
    experiment = made(networks, f"{train}\noptimizer adam(1e-3)\nsteps 5\nema {averaged}, decay: 0.9", *more)
    before = {name: values(experiment, name) for name in experiment.networks}
    step(experiment, 3)
    assert all(changed(before[name], values(experiment, name)) for name in before)
    assert np.isfinite(experiment.sample(2, 1)["image"]).all()


@pytest.mark.parametrize("family", [name for name, (_, train) in FAMILIES.items() if "objective" in train])
def test_an_objective_is_its_equations_written_out(family: str) -> None:
    networks, train = FAMILIES[family]
    more = "sample { image = synthesis(mapping()) }" if family == "style_gan" else ""
    plan = planned(networks, train, more)
    ((_, text),) = plan.objectives
    assert planned(networks, text, more).train.groups == plan.train.groups


def planned(networks: str, train: str, more: str) -> Any:
    problems = Problems()
    text = f"{DATA}{networks}\ntrain {{\n{train}\noptimizer adam(1e-3)\nsteps 5\n}}\n{more}\n"
    plan = check(Source("tiny.gen", text), problems)
    assert plan is not None, [(one.rule.code, one.message) for one in problems]
    return plan


class Record(Watch):
    """Keeps what each operation of a step gives, by its name (of a function, its word)."""

    def __init__(self) -> None:
        self.found: list[tuple[str, Any]] = []

    def computes(self, operation: Any, value: Any) -> None:
        word = operation.attributes.get("word") or operation.attributes.get("network") or operation.name
        self.found.append((word, value))

    def of(self, word: str) -> list[np.ndarray]:
        """The values under a word, in the order of their computation."""
        return [np.asarray(value) for name, value in self.found if name == word]


def recorded(experiment: Experiment, number: int = 0) -> tuple[dict[str, float], Record, dict[str, np.ndarray]]:
    """The logs of a step that is taken eagerly, what its operations gave, and its batch."""
    experiment.watch = record = Record()
    batch = batches(experiment, number)
    logs = experiment.step_at(tf.constant(number, tf.int64), batch)
    experiment.watch = None
    fields = {name: value[0].numpy() for name, value in batch.items()}
    return {name: float(value) for name, value in logs.items()}, record, fields


STILL = "\noptimizer sgd(0)\nsteps 5"  # nothing moves, so that a network can be asked again
PLAIN = "network generator(z: normal(4)) -> image { dense 64 | tanh | reshape 8, 8, 1 }\n"
FLIPPED = "transforms: [flip(horizontal, probability: 1)]"


def hinge(real: Any, fake: Any) -> Any:
    return np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()


def softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def distance(left: Any, right: Any) -> Any:
    """The mean over examples of the squared distance."""
    return ((left - right) ** 2).reshape(len(left), -1).sum(1).mean()


def asked(experiment: Experiment, network: str, *inputs: Any) -> Any:
    given = [tf.constant(one) for one in inputs]
    return experiment.networks[network](given if len(given) > 1 else given[0], training=True).numpy()


def test_lecam_is_tsengs_equation_4() -> None:
    experiment = made(PLAIN + JUDGE, "objective lecam_gan(weight: 0.3, decay: 0.9)" + STILL)
    averages: list[float] = []
    for number in range(3):
        logs, record, _ = recorded(experiment, number)
        real, fake = record.of("discriminator")[:2]
        means = [real.mean(), fake.mean()]
        averages = means if not averages else [0.9 * old + 0.1 * new for old, new in zip(averages, means, strict=True)]
        mean_real, mean_fake = averages
        expected = hinge(real, fake) + 0.3 * (((real - mean_fake) ** 2).mean() + ((fake - mean_real) ** 2).mean())
        assert logs["discriminator/loss"] == pytest.approx(expected, rel=1e-4)
    kept = [float(value) for name, value in experiment.state().items() if name.endswith("/average")]
    assert sorted(kept) == pytest.approx(sorted(averages), rel=1e-5), "the averages are part of a checkpoint"


def test_consistency_is_zhangs_equation_5() -> None:
    experiment = made(PLAIN + JUDGE, f"objective cr_gan({FLIPPED}, weight: 10)" + STILL)
    logs, record, fields = recorded(experiment)
    real = asked(experiment, "discriminator", fields["image"])
    turned = asked(experiment, "discriminator", fields["image"][:, :, ::-1])
    fake = asked(experiment, "discriminator", record.of("generator")[0])
    expected = hinge(real, fake) + 10 * distance(real, turned)
    assert logs["discriminator/loss"] == pytest.approx(expected, rel=1e-4)


def test_improved_consistency_is_zhaos_algorithm_3() -> None:
    experiment = made(PLAIN + JUDGE, f"objective icr_gan(latent: normal(4), {FLIPPED}, std: 0.5)" + STILL)
    logs, record, fields = recorded(experiment)
    z, e, later_z, later_e = record.of("draw")
    judge = lambda pictures: asked(experiment, "discriminator", pictures)  # noqa: E731
    picture, near = asked(experiment, "generator", z), asked(experiment, "generator", z + 0.5 * e)
    real, fake = judge(fields["image"]), judge(picture)
    expected = hinge(real, fake) + 10 * distance(real, judge(fields["image"][:, :, ::-1]))
    expected += 10 * distance(fake, judge(picture[:, :, ::-1])) + 5 * distance(fake, judge(near))
    assert logs["discriminator/loss"] == pytest.approx(expected, rel=1e-4)
    picture, near = asked(experiment, "generator", later_z), asked(experiment, "generator", later_z + 0.5 * later_e)
    expected = -judge(picture).mean() - 0.5 * ((picture - near) ** 2).mean()
    assert logs["generator/loss"] == pytest.approx(expected, rel=1e-4)


def test_top_k_keeps_the_best_of_the_batch() -> None:
    experiment = made(PLAIN + JUDGE, "objective top_k_gan(rate: 0.5, least: 50%)" + STILL)
    logs, record, _ = recorded(experiment)
    judged = record.of("discriminator")[-1]
    assert logs["generator/loss"] == pytest.approx(softplus(-judged).mean(), rel=1e-4), "all of them at first"
    logs, record, _ = recorded(experiment, 100_000)
    judged = np.sort(record.of("discriminator")[-1].ravel())[::-1]
    assert logs["generator/loss"] == pytest.approx(softplus(-judged[:4]).mean(), rel=1e-4), "half of them later"


def test_bigan_compares_pairs() -> None:
    experiment = made(PLAIN + JOINT, "objective bigan(latent: normal(4))" + STILL)
    logs, record, fields = recorded(experiment)
    for number, (z, sign) in enumerate(zip(record.of("draw"), (1, -1), strict=True)):
        code = asked(experiment, "encoder", fields["image"])
        real = asked(experiment, "discriminator", fields["image"], code)
        fake = asked(experiment, "discriminator", asked(experiment, "generator", z), z)
        expected = softplus(-sign * real).mean() + softplus(sign * fake).mean()
        name = ("discriminator", "generator_encoder")[number]
        assert logs[f"{name}/loss"] == pytest.approx(expected, rel=1e-4)


def test_path_length_follows_its_average_lazily() -> None:
    """The generator's loss is that of the scores but for each fourth step, in which four times the penalty joins it."""
    train = "objective style_gan(path_weight: 3)" + STILL
    experiment = made(STYLED + JUDGE, train, "sample { image = synthesis(mapping()) }")
    average = 0.0
    for number in range(5):
        logs, record, _ = recorded(experiment, number)
        (penalty,) = record.of("path_length")
        scores = record.of("discriminator")[-1]
        expected = softplus(-scores).mean() + 3 * float(penalty)
        assert logs["mapping_synthesis/loss"] == pytest.approx(expected, rel=1e-4)
        assert (float(penalty) > 0) == (number % 4 == 0)
        (kept,) = [float(value) for name, value in experiment.state().items() if name.endswith("/average")]
        assert (kept != average) == (number % 4 == 0)
        average = kept


def test_noise_is_drawn_in_sampling_by_the_seed() -> None:
    experiment = made(STYLED + JUDGE, "objective style_gan()" + STILL, "sample { image = synthesis(mapping()) }")
    for variable in experiment.networks["synthesis"].variables:
        if variable.path.endswith("strength"):
            variable.assign(1.0)
    first, again, other = (experiment.sample(2, seed)["image"].numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_truncation_narrows_the_latents_of_samples() -> None:
    sample = "sample { z ~ truncated_normal(4, limit: 0.25); image = generator(z) }"
    experiment = made(PLAIN + JUDGE, "objective gan()" + STILL, sample)
    wide = made(PLAIN + JUDGE, "objective gan()" + STILL)
    narrow, full = (np.abs(one.sample(64, 1)["image"]).mean() for one in (experiment, wide))
    assert 0 < narrow < full / 2
