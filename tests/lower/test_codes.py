"""A prior over the codes of a VQ-VAE: what a code is, what a prior is told and says, how it is drawn."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.next_token import surprise
from gendsl.lower.training import experiment_of
from gendsl.plan.plan import Plan
from gendsl.source import Source

SPEC = """experiment prior
data { source digits(); image range: 0..1; split train: 90%, test: 10%; batch 4 }
network encoder(x: image) -> features([2, 2, 3]) { conv 3, kernel: 4, stride: 4 as code; quantize 5 }
network decoder(e: features([2, 2, 3])) -> image { up_conv 1, kernel: 4, stride: 4 }
network prior(c: categorical(INPUT)) -> categorical(5) { embed 6, 8 | residual { attention causal: on } | dense 5 }
train {
  phase first, steps: 5 { update encoder, decoder, with: sgd(1e-2) { minimize l2(decoder(encoder(image)), image) } }
  phase second, steps: 5 { update prior, with: sgd(1e-2) { minimize LOSS } }
}
sample { image = decoder(code_vectors(encoder, generate(prior, length: 4))) }
"""
LOSS = "next_token(prior, codes(encoder, encoder(image)))"


def checked(given: str = "6, length: 4", loss: str = LOSS) -> tuple[Plan | None, list[str]]:
    problems = Problems()
    plan = check(Source("prior.gen", SPEC.replace("INPUT", given).replace("LOSS", loss)), problems)
    return plan, [one.message for one in problems]


@pytest.fixture(scope="module")
def experiment() -> Any:
    plan, problems = checked()
    assert plan is not None and not plan.not_built, problems
    return experiment_of(plan, examples=100)


def test_the_prior_says_all_codes_behind_a_token_that_begins_them(experiment: Any) -> None:
    images = np.random.default_rng(0).uniform(0, 1, (4, 8, 8, 1)).astype("float32")
    before = experiment.networks["encoder"].get_weights()
    codebook = np.asarray(experiment.networks["encoder"].get_layer("quantize").codebook)
    vectors = np.asarray(experiment.networks["encoder"](images)).reshape(4, 4, 1, 3)
    codes = np.square(vectors - codebook).sum(-1).argmin(-1)
    told = np.concatenate([np.full((4, 1), 5), codes[:, :-1]], 1)
    expected = float(tf.reduce_mean(surprise(experiment.networks["prior"](told), codes)))
    logs = experiment.step_at(5, {"image": tf.constant(images[None])})
    assert float(logs["prior/loss"]) == pytest.approx(expected, rel=1e-5)
    for old, new in zip(before, experiment.networks["encoder"].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)  # its codebook stays, too


def test_drawn_codes_are_those_that_the_prior_says(experiment: Any) -> None:
    """A prior that says, whatever it is told, code 2 and once more 2: pictures of that code alone."""
    prior = experiment.networks["prior"]
    weights = prior.get_weights()
    try:
        kernel, bias = prior.get_layer("dense").weights
        kernel.assign(tf.zeros_like(kernel))
        bias.assign([0.0, 0.0, 50.0, 0.0, 0.0])
        found = experiment.sample(3, 0)["image"]
    finally:
        prior.set_weights(weights)
    codebook = np.asarray(experiment.networks["encoder"].get_layer("quantize").codebook)
    vectors = np.tile(codebook[2], (3, 2, 2, 1)).astype("float32")
    np.testing.assert_allclose(found, experiment.networks["decoder"](vectors), atol=1e-5)


@pytest.mark.parametrize(
    ("given", "loss", "message"),
    [
        ("5, length: 4", LOSS, "`prior` knows none"),
        ("6, length: 4", "next_token(prior, codes(decoder, encoder(image)))", "`codes` "),
        ("6, length: 4", "next_token(prior, codes(encoder, image))", "`codes` takes what the network gives"),
        ("6, length: 9", LOSS, "needs a distribution at each of 4 places, and `prior` gives one of 9"),
    ],
)
def test_priors_that_do_not_fit(given: str, loss: str, message: str) -> None:
    plan, problems = checked(given, loss)
    assert plan is None and any(message in one for one in problems), problems
