"""The evaluator on samples whose faults are known: each is caught, and a good generator is not."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate.scores import Evaluator, Scored
from gendsl.lower.data import dataset_of
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.source import Source
from gendsl.vocabulary.score_keys import plain, shown

DIGITS = """experiment faults
data {{
  source digits()
  image range: {range}
  {label}
  split train: 90%, test: 10%
  batch 64
}}
network generator(z: normal(4){label_input}) -> image {{
  dense 64 | reshape 8, 8, 1
}}
network discriminator(x: image) -> logits(1) {{ flatten | dense 1 }}
train {{ objective gan(loss: hinge); optimizer adam(1e-4); steps 10 }}
evaluate samples: {samples}, features: {features} {{ {scores} }}
"""
GRID = """experiment grid
data { source gaussians(grid: 5x5, spacing: 2, std: 0.05); batch 64 }
network generator(z: normal(2)) -> point { dense 2 }
network discriminator(x: point) -> logits(1) { dense 1 }
train { objective gan(loss: hinge); optimizer adam(1e-4); steps 10 }
evaluate samples: 1_000 { diversity; modes; fid; kid; precision_recall; density_coverage }
"""
Draw = Callable[[Any, int], np.ndarray]


def planned(text: str) -> Plan:
    problems = Problems()
    plan = check(Source("faults.gen", text), problems)
    assert plan is not None, [problem.message for problem in problems]
    return plan


def digits(
    scores: str, *, samples: int = 500, features: str = "pixels", range: str = "-1..1", labelled: bool = False
) -> str:
    label, label_input = ("label", ", y: label") if labelled else ("", "")
    return DIGITS.format(
        scores=scores, samples=samples, features=features, range=range, label=label, label_input=label_input
    )


def scored(text: str, draw: Draw, *, intervals: bool = False) -> Scored:
    """The scores of a spec whose samples are those that `draw` makes of the data and a number."""
    plan = planned(text)
    dataset = dataset_of(plan)
    output = plan.sample.outputs[0][0] if plan.sample is not None else ""

    class Sampler:
        def chunks(self, count: int, *, seed: int, fields: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
            samples = draw(dataset, count)
            for start in range(0, count, 64):
                yield {output: samples[start : start + 64]}

    experiment = SimpleNamespace(class_counts=dataset.class_counts, seed=0)
    evaluator = Evaluator(plan, experiment, dataset, Sampler(), lambda count: {})
    return evaluator.scores(0, intervals=intervals)


def numbers(text: str, draw: Draw) -> dict[str, float]:
    return {plain(key): value for key, value in scored(text, draw).values.items()}


def again(values: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    return values[np.random.default_rng(seed).integers(0, len(values), count)]


def train(dataset: Any) -> np.ndarray:
    return np.asarray(dataset.split("train")["image"])


def good(dataset: Any, count: int) -> np.ndarray:
    """Held-out digits, shifted in brightness a little so that none is one of the data's."""
    found = again(np.asarray(dataset.split("test")["image"]), count)
    return (found + 0.08 * np.random.default_rng(1).normal(size=found.shape)).clip(-1, 1).astype(np.float32)


def noise(dataset: Any, count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (count, 8, 8, 1)).astype(np.float32)


def copies(dataset: Any, count: int) -> np.ndarray:
    return again(train(dataset)[:50], count)


def test_a_generator_of_2_of_25_modes_is_caught_and_a_good_one_is_not() -> None:
    def two(dataset: Any, count: int) -> np.ndarray:
        random = np.random.default_rng(0)
        centres = np.array([[-4.0, -4.0], [-2.0, -4.0]])
        return (centres[random.integers(0, 2, count)] + 0.05 * random.normal(size=(count, 2))).astype(np.float32)

    bad = numbers(GRID, two)
    fine = numbers(GRID, lambda dataset, count: np.asarray(dataset.split("test", count)["point"]))
    assert bad["diversity"] < 0.3 and fine["diversity"] == pytest.approx(1, abs=0.1)
    assert bad["modes"] == 2 and fine["modes"] == 25
    assert bad["coverage"] < 0.2 and fine["coverage"] > 0.85
    assert bad["recall"] < 0.2 and fine["recall"] > 0.85 and bad["precision"] > 0.85
    assert bad["fid"] > 10 > 0.1 > fine["fid"]


def test_a_generator_that_copies_50_images_is_caught_and_a_good_one_is_not() -> None:
    spec = digits("memorized; diversity; density_coverage")
    bad, fine = numbers(spec, copies), numbers(spec, good)
    assert bad["memorized"] == 1 and fine["memorized"] < 0.03
    assert bad["diversity"] < 0.5 < fine["diversity"]
    assert bad["coverage"] < fine["coverage"]


def test_the_distance_is_near_zero_for_real_large_for_noise() -> None:
    spec = digits("fid; kid; inception_score", features="classifier", labelled=True, samples=1_000)
    spec = spec.replace("network generator(z: normal(4), y: label)", "network generator(z: normal(4))")
    real = numbers(spec, lambda dataset, count: again(train(dataset), count))
    held_out, broken = numbers(spec, good), numbers(spec, noise)
    assert real["fid"] < held_out["fid"] < broken["fid"] / 5
    assert real["fid"] < broken["fid"] / 100
    assert abs(real["kid"]) < broken["kid"] / 100
    assert broken["inception_score"] < 6 < 8 < real["inception_score"] <= 10


def test_a_spec_in_another_range_has_the_same_scores_under_the_same_fingerprint() -> None:
    one = scored(digits("fid; kid; diversity"), good)
    other = scored(digits("fid; kid; diversity", range="0..1"), lambda dataset, count: good_in_unit(dataset, count))
    assert one.values.keys() == other.values.keys()
    for key, value in one.values.items():
        assert other.values[key] == pytest.approx(value, rel=1e-3, abs=1e-4)


def good_in_unit(dataset: Any, count: int) -> np.ndarray:
    scaled = SimpleNamespace(split=lambda name: {"image": np.asarray(dataset.split(name)["image"]) * 2 - 1})
    return good(scaled, count) / 2 + 0.5


def test_fewer_samples_than_features_is_told_with_an_interval_and_the_unbiased_score() -> None:
    found = scored(digits("fid", samples=50), good)
    (fid,) = (key for key in found.values if plain(key) == "fid")
    (kid,) = (key for key in found.values if plain(key) == "kid")
    low, high = found.intervals[fid]
    assert low < found.values[fid] < high and kid in found.intervals
    (warning,) = found.warnings
    assert "50 samples on 64 features" in warning and "biased" in warning and "unbiased" in warning
    asked = scored(digits("fid; kid subsets: 3", samples=50), good)
    assert [plain(key) for key in asked.values] == ["fid", "kid"]  # not twice
    many = scored(digits("fid", samples=65), good)
    assert not many.warnings and not many.intervals and [plain(key) for key in many.values] == ["fid"]


def test_constant_samples_and_samples_that_are_no_numbers() -> None:
    spec = digits("fid; kid; precision_recall; density_coverage; memorized; diversity; sliced_wasserstein")
    same = scored(spec, lambda dataset, count: np.zeros((count, 8, 8, 1), np.float32))
    assert all(np.isfinite(value) for value in same.values.values())
    assert same.warnings == ["all 500 samples of `image` are the same"]

    def broken(dataset: Any, count: int) -> np.ndarray:
        samples = good(dataset, count)
        samples[3, 2, 2] = np.nan
        samples[7] = np.inf
        return samples

    found = scored(spec, broken, intervals=True)
    assert "2 of 500 samples" in found.warnings[0]
    assert all(np.isnan(value) for key, value in found.values.items() if shown(key).endswith("_pixels"))
    assert np.isfinite(found.values[next(key for key in found.values if plain(key) == "diversity")])


def test_one_sample_is_scored_without_a_crash() -> None:
    spec = digits("fid; kid; precision_recall; density_coverage; memorized; diversity; sliced_wasserstein", samples=1)
    found = scored(spec, good, intervals=True)
    assert np.isnan(next(value for key, value in found.values.items() if plain(key) == "fid"))


def test_the_split_is_the_trainings_for_distributions_and_held_out_for_the_rest() -> None:
    found = scored(digits("fid; memorized; diversity"), good)
    splits = {contract["score"]: contract["split"] for contract in found.contracts.values()}
    assert splits == {"fid": "train", "memorized": "test", "diversity": "train"}
    other = scored(digits("fid; diversity").replace("samples: 500", "samples: 500, split: test"), good)
    assert {contract["split"] for contract in other.contracts.values()} == {"test"}
    assert not other.values.keys() & found.values.keys()


@pytest.mark.parametrize(
    ("change", "message"),
    (
        (("split train: 90%, test: 10%\n", "\n"), "`memorized` needs examples"),
        (("samples: 500", "samples: 500, split: validation"), "`validation`"),
    ),
)
def test_a_split_that_is_not_there_is_told_before_the_first_step(change: tuple[str, str], message: str) -> None:
    text = digits("memorized").replace(*change)
    with pytest.raises(UserError, match=message):
        scored(text, good)


def test_a_class_without_examples_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = digits("fid", features="classifier", labelled=True).replace(
        "network generator(z: normal(4), y: label)", "network generator(z: normal(4))"
    )
    found = scored(spec.replace("  label\n", "  label 11\n"), good)
    assert "1 of 11 classes have no example in `train`" in found.warnings[-1]
    assert np.isfinite(next(iter(found.values.values())))


def test_real_features_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from gendsl.evaluate.real import Real

    spec = digits("fid; kid; memorized", features="classifier", labelled=True).replace(
        "network generator(z: normal(4), y: label)", "network generator(z: normal(4))"
    )
    first = scored(spec, good)

    def twice(*given: Any, **options: Any) -> Any:
        raise AssertionError("computed again")

    monkeypatch.setattr(Real, "_extracted", twice)
    assert scored(spec, good).values == first.values
