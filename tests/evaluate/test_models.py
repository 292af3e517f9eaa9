"""Scores of a model rather than of its samples, against what is known of small networks."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate.sampler import Sampler
from gendsl.evaluate.scores import Evaluator
from gendsl.lower.data import dataset_of
from gendsl.lower.training import experiment_of
from gendsl.plan.plan import Plan
from gendsl.source import Source
from gendsl.vocabulary.score_keys import plain

VAE = """experiment vae
data {
  source digits()
  image range: 0..1
  split train: 90%, test: 10%
  batch 32
}
network encoder(x: image) -> normal(3) { flatten | dense 6 }
network decoder(code: normal(3)) -> bernoulli(image) { dense 64 | reshape 8, 8, 1 }
train {
  update encoder, decoder, with: adam(1e-3) {
    q = encoder(image)
    z ~ q
    minimize nll(decoder(z), image) + kl(q, normal(3))
  }
  steps 10
}
sample { image = mean(decoder()) }
evaluate {
  q = encoder(image)
  z ~ q
  bound = -nll(decoder(z), image) - kl(q, normal(3))
  error = l2(mean(decoder(mean(q))), image)
  SCORES
}
"""
PATH = """experiment path
data { source gaussians(grid: 5x5, spacing: 2, std: 0.05); batch 64 }
network generator(z: PRIOR) -> point { dense 2 }
network discriminator(x: point) -> logits(1) { dense 1 }
train { objective gan(loss: hinge); optimizer adam(1e-4); steps 10 }
evaluate samples: 4_000 { ppl epsilon: 1e-2 }
"""
CLASSES = """experiment classes
data {
  source digits()
  image range: -1..1
  label
  split train: 80%, test: 20%
  batch 64
}
network generator(z: normal(4), y: label) -> image {
  from y
  one_hot | dense 8 as e
  from z
  concat e
  dense 64 | reshape 8, 8, 1
}
network discriminator(x: image) -> logits(1) { flatten | dense 1 }
train {
  update generator, with: adam(1e-3) { minimize -mean(discriminator(generator())) }
  update discriminator, with: adam(1e-3) { minimize mean(discriminator(generator())) - mean(discriminator(image)) }
  steps 10
}
evaluate samples: 600 { classification_accuracy epochs: 8; gan_test; class_balance }
"""


def planned(text: str) -> Plan:
    problems = Problems()
    plan = check(Source("models.gen", text), problems)
    assert plan is not None, [problem.message for problem in problems]
    return plan


def scored(text: str, *, sampler: Any = None, intervals: bool = False) -> tuple[dict[str, float], Any, Any]:
    """The scores of an untrained experiment by name, the experiment, and all of what was scored."""
    plan = planned(text)
    dataset, experiment = dataset_of(plan), experiment_of(plan, examples=100)
    experiment.class_counts = dataset.class_counts
    drawn = Sampler(experiment) if sampler is None else sampler(dataset)
    found = Evaluator(plan, experiment, dataset, drawn, lambda count: {}).scores(0, intervals=intervals)
    return {plain(key): value for key, value in found.values.items()}, experiment, found


def test_the_bound_and_the_error_are_those_of_the_equations() -> None:
    found, _, whole = scored(VAE.replace("SCORES", "elbo; reconstruction"), intervals=True)
    assert found["elbo"] == pytest.approx(found["bound"], abs=0.5)  # another draw of the latent
    assert found["reconstruction"] == pytest.approx(found["error"], rel=1e-6)
    (elbo,) = (key for key in whole.values if plain(key) == "elbo")
    (error,) = (key for key in whole.values if plain(key) == "reconstruction")
    assert whole.intervals[elbo][0] < found["elbo"] < whole.intervals[elbo][1]
    assert error not in whole.intervals  # numbers of batches, not of examples
    assert {one["split"] for one in whole.contracts.values()} == {"test"}


def test_more_draws_tighten_the_bound() -> None:
    one, _, _ = scored(VAE.replace("SCORES", "elbo"))
    many, _, _ = scored(VAE.replace("SCORES", "elbo draws: 30"))
    assert one["elbo"] < many["elbo"] < one["elbo"] + 20  # Burda et al. 2016, theorem 1


def test_the_path_length_of_a_linear_generator() -> None:
    # On a straight path |d G / dt| = |W (b - a)|, and E |W (b - a)|^2 = 2 var(z) |W|^2.
    found, experiment, _ = scored(PATH.replace("PRIOR", "uniform(3)"))
    weights = experiment.networks["generator"].get_weights()[0]
    assert found["ppl"] == pytest.approx(2 / 3 * np.square(weights).sum(), rel=0.1)
    # On the sphere: the angle is near 90 degrees, and |z| stays near sqrt(n).
    found, experiment, _ = scored(PATH.replace("PRIOR", "normal(200)"))
    weights = experiment.networks["generator"].get_weights()[0]
    assert found["ppl"] == pytest.approx((np.pi / 2) ** 2 * np.square(weights).sum(), rel=0.15)


def test_samples_of_the_right_classes_are_worth_as_much_as_data() -> None:
    def of(noise: float) -> Any:
        def made(dataset: Any) -> Any:
            train = dataset.split("train")
            images, labels = np.asarray(train["image"]), np.asarray(train["label"])
            random = np.random.default_rng(0)

            class Given:
                def chunks(
                    self, count: int, *, seed: int, fields: Mapping[str, Any]
                ) -> Iterator[dict[str, np.ndarray]]:
                    chosen = [random.choice(np.flatnonzero(labels == one)) for one in fields["label"]]
                    samples = (1 - noise) * images[chosen] + noise * random.uniform(-1, 1, (count, 8, 8, 1))
                    yield {"image": samples.astype(np.float32)}

            return Given()

        return made

    real, _, _ = scored(CLASSES, sampler=of(0.0))
    noise, _, _ = scored(CLASSES, sampler=of(1.0))
    assert real["classification_accuracy"] > 0.85
    assert noise["classification_accuracy"] < 0.35
    assert real["gan_test"] > 0.97  # it was trained on these very pictures
    assert noise["gan_test"] < 0.35
    assert real["class_balance"] < 0.08 < 0.15 < noise["class_balance"]


def test_labels_are_drawn_as_often_as_the_data_has_them() -> None:
    plan = planned(CLASSES)
    dataset = dataset_of(plan)
    experiment = SimpleNamespace(class_counts=np.array([3, 0, 1]), seed=0)
    evaluator = Evaluator(plan, experiment, dataset, Sampler(experiment), lambda count: {})
    labels = evaluator._given(4_000)["label"]
    assert np.bincount(labels, minlength=3) / 4_000 == pytest.approx([0.75, 0, 0.25], abs=0.03)
    assert np.array_equal(labels, evaluator._given(4_000)["label"])
