"""The families of GANs in the language: each objective and technique compiles, shape-checks and trains some steps."""

import numpy as np
import pytest

from tests.lower.test_specs import GENERATOR, JUDGE, changed, made, step, values

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
    experiment = made(networks, train + "\noptimizer adam(1e-3)\nsteps 5\nema %s, decay: 0.9" % (
        "synthesis" if styled else "generator"
    ), *more)
    before = {name: values(experiment, name) for name in experiment.networks}
    step(experiment, 3)
    assert all(changed(before[name], values(experiment, name)) for name in before)
    assert np.isfinite(experiment.sample(2, 1)["image"]).all()
