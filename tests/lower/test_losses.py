"""Each loss against the paper's formula in NumPy and against TF-GAN's own function, values and gradients."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.distributions import Normal
from gendsl.lower.losses import loss_of
from gendsl.lower.tfgan import losses as tfgan
from gendsl.vocabulary import types
from gendsl.vocabulary.losses import WORDS, LossWord
from gendsl.vocabulary.word import Mismatch

Formula = Callable[..., Any]


def softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def smoothed(real: Any, fake: Any, smoothing: float) -> Any:
    """-E[t log D(x) + (1 - t) log(1 - D(x))] - E[log(1 - D(G(z)))], t = 1 - smoothing / 2."""
    target = 1 - smoothing / 2
    on_real = target * softplus(-real) + (1 - target) * softplus(real)
    return on_real.mean() + softplus(fake).mean()


def cross_entropy(logits: Any, label: Any) -> Any:
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -logs[np.arange(len(label)), label].mean()


LABEL = np.array([0, 2, 1, 2, 0])

# (word, role) -> the formula of the paper, over the tensors of the role
FORMULAS: Mapping[tuple[str, str], Formula] = {
    ("nonsaturating", "discriminator"): lambda real, fake: smoothed(real, fake, 0),
    ("nonsaturating", "generator"): lambda fake: -np.log(1 / (1 + np.exp(-fake))).mean(),
    ("modified", "discriminator"): lambda real, fake: smoothed(real, fake, 0),
    ("modified", "generator"): lambda fake: -np.log(1 / (1 + np.exp(-fake))).mean(),
    ("minimax", "discriminator"): lambda real, fake: smoothed(real, fake, 0),
    # TF-GAN adds the constant of "real" scores of one.
    ("minimax", "generator"): lambda fake: np.log(1 - 1 / (1 + np.exp(-fake))).mean() - softplus(-1),
    ("least_squares", "discriminator"): lambda real, fake: ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2,
    ("least_squares", "generator"): lambda fake: ((fake - 1) ** 2).mean() / 2,
    ("wasserstein", "discriminator"): lambda real, fake: fake.mean() - real.mean(),
    ("wasserstein", "generator"): lambda fake: -fake.mean(),
    ("hinge", "discriminator"): lambda real, fake: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
    ("hinge", "generator"): lambda fake: -fake.mean(),
    ("relativistic", "discriminator"): lambda real, fake: (
        softplus(-(real - fake.mean())).mean() + softplus(fake - real.mean()).mean()
    ),
    ("relativistic", "generator"): lambda real, fake: (
        softplus(-(fake - real.mean())).mean() + softplus(real - fake.mean()).mean()
    ),
    ("relativistic_pairs", "discriminator"): lambda real, fake: -np.log(1 / (1 + np.exp(-(real - fake)))).mean(),
    ("relativistic_pairs", "generator"): lambda real, fake: -np.log(1 / (1 + np.exp(-(fake - real)))).mean(),
    ("acgan", "discriminator"): lambda real, fake: cross_entropy(real, LABEL) + cross_entropy(fake, LABEL),
    ("acgan", "generator"): lambda fake: cross_entropy(fake, LABEL),
    ("cycle", ""): lambda x, back, y, there: (np.abs(x - back).mean() + np.abs(y - there).mean()) / 2,
}

TFGAN: Mapping[tuple[str, str], Formula] = {
    ("nonsaturating", "discriminator"): lambda *t: tfgan.modified_discriminator_loss(*t, label_smoothing=0.0),
    ("nonsaturating", "generator"): tfgan.modified_generator_loss,
    ("modified", "discriminator"): lambda *t: tfgan.modified_discriminator_loss(*t, label_smoothing=0.0),
    ("modified", "generator"): tfgan.modified_generator_loss,
    ("minimax", "discriminator"): lambda *t: tfgan.minimax_discriminator_loss(*t, label_smoothing=0.0),
    ("minimax", "generator"): tfgan.minimax_generator_loss,
    ("least_squares", "discriminator"): tfgan.least_squares_discriminator_loss,
    ("least_squares", "generator"): tfgan.least_squares_generator_loss,
    ("wasserstein", "discriminator"): tfgan.wasserstein_discriminator_loss,
    ("wasserstein", "generator"): tfgan.wasserstein_generator_loss,
    ("hinge", "discriminator"): tfgan.wasserstein_hinge_discriminator_loss,
    ("hinge", "generator"): tfgan.wasserstein_hinge_generator_loss,
    ("relativistic", "discriminator"): tfgan.relativistic_discriminator_loss,
    ("relativistic", "generator"): tfgan.relativistic_generator_loss,
    ("acgan", "discriminator"): lambda *t: tfgan.acgan_discriminator_loss(*t, tf.one_hot(LABEL, 3)),
    ("acgan", "generator"): lambda *t: tfgan.acgan_generator_loss(*t, tf.one_hot(LABEL, 3)),
    ("cycle", ""): tfgan.cycle_consistency_loss,
}


def word(name: str) -> LossWord:
    return next(one for one in WORDS if one.name == name)


def defaults(name: str) -> dict[str, Any]:
    return {parameter.name: parameter.default for parameter in word(name).parameters}


def tensors(name: str, role: str) -> list[np.ndarray]:
    """Scores for the tensors of a role but the label, far from kinks."""
    random = np.random.default_rng(3)
    given = [one for one in word(name).roles[role] if one.name != "label"]
    shape = (5, 3) if name == "acgan" else (5, 2, 1)
    return [random.normal(size=shape) * 1.5 + 0.1 for _ in given]


def slopes(formula: Formula, given: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradients of a formula by central differences."""
    found = []
    for index, one in enumerate(given):
        gradient = np.zeros_like(one)
        for place in np.ndindex(one.shape):
            ends = []
            for side in (1e-5, -1e-5):
                moved = [array.copy() for array in given]
                moved[index][place] += side
                ends.append(formula(*moved))
            gradient[place] = (ends[0] - ends[1]) / 2e-5
        found.append(gradient)
    return found


def value_and_gradients(compute: Formula, given: Sequence[np.ndarray]) -> tuple[float, list[np.ndarray]]:
    variables = [tf.constant(one, tf.float32) for one in given]

    @tf.function
    def run() -> Any:
        with tf.GradientTape() as tape:
            for variable in variables:
                tape.watch(variable)
            value = compute(*variables)
        return value, tape.gradient(value, variables)

    value, gradients = run()
    return float(value), [gradient.numpy() for gradient in gradients]


@pytest.mark.parametrize(("name", "role"), FORMULAS)
def test_value_and_gradient_are_the_papers_and_tfgans(name: str, role: str) -> None:
    given = tensors(name, role)
    labels = [tf.constant(LABEL)] if name == "acgan" else []
    value, gradients = value_and_gradients(lambda *t: loss_of(name, role, [*t, *labels], defaults(name)), given)
    assert value == pytest.approx(float(FORMULAS[name, role](*given)), rel=1e-5)
    for gradient, expected in zip(gradients, slopes(FORMULAS[name, role], given), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)
    if (name, role) in TFGAN:
        theirs, their_gradients = value_and_gradients(TFGAN[name, role], given)
        assert value == pytest.approx(theirs, rel=1e-6)
        for gradient, expected in zip(gradients, their_gradients, strict=True):
            np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def test_every_loss_and_role_is_tested() -> None:
    assert {(one.name, role) for one in WORDS for role in one.roles} == {*FORMULAS, ("mutual_information", "")}


def test_mutual_information_is_the_mean_log_probability() -> None:
    random = np.random.default_rng(0)
    mean, logs, code = (random.normal(size=(5, 2)).astype("float32") for _ in range(3))
    found = loss_of("mutual_information", "", [Normal(tf.constant(mean), tf.constant(logs)), tf.constant(code)], {})
    each = -0.5 * ((code - mean) ** 2 / np.exp(logs) + logs + np.log(2 * np.pi)).sum(1)
    assert float(found) == pytest.approx(-each.mean(), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2, 0.25])
def test_label_smoothing_is_tfgans_and_off_by_default(smoothing: float) -> None:
    real, fake = tensors("nonsaturating", "discriminator")
    for name in ("nonsaturating", "minimax"):
        found = loss_of(
            name,
            "discriminator",
            [tf.constant(real, tf.float32), tf.constant(fake, tf.float32)],
            {"label_smoothing": smoothing},
        )
        assert float(found) == pytest.approx(smoothed(real, fake, smoothing), rel=1e-5)
        assert defaults(name)["label_smoothing"] == 0


def test_options_of_a_role() -> None:
    assert [one.name for one in word("least_squares").options("generator")] == ["real_label"]
    assert [one.name for one in word("nonsaturating").options("generator")] == []
    assert [one.name for one in word("nonsaturating").options("discriminator")] == ["label_smoothing"]


SCORE, SCORES, CLASS = types.Tensor((1,), "logits"), types.Tensor((4, 4, 1), "logits"), types.Tensor((), "label", True)


def test_types_of_losses() -> None:
    assert word("hinge").result("discriminator", (SCORE, SCORE), {}) == types.Scalar()
    assert isinstance(word("hinge").result("discriminator", (SCORE, SCORES), {}), Mismatch)
    assert isinstance(word("hinge").result("generator", (types.NetworkType("d"),), {}), Mismatch)
    assert word("hinge").result("discriminator", (SCORE, types.Unknown()), {}) == types.Scalar()
    assert word("acgan").result("generator", (types.Tensor((10,)), CLASS), {}) == types.Scalar()
    assert isinstance(word("acgan").result("generator", (types.Tensor((10,)), SCORE), {}), Mismatch)
    assert isinstance(word("cycle").result("", (SCORE, SCORE, SCORE, SCORES), {}), Mismatch)
    q = types.Distribution("normal", (2,))
    assert word("mutual_information").result("", (q, types.Tensor((2,))), {}) == types.Scalar()
    assert isinstance(word("mutual_information").result("", (types.Tensor((2,)), q), {}), Mismatch)
