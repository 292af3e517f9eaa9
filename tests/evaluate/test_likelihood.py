"""Bits per byte and perplexity: of the whole split and its text's bytes, against counting by hand."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate.sampler import Sampler
from gendsl.evaluate.scores import Evaluator, Scored
from gendsl.lower.data import dataset_of
from gendsl.lower.training import experiment_of
from gendsl.plan.plan import Plan
from gendsl.source import Source
from gendsl.vocabulary.score_keys import plain

SPEC = """experiment words
data { source text("*.txt"), tokenizer: TOKENIZER; window 8; split train: 80%, test: 20%; batch 4 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 8, init: normal(0, 1)
  residual { attention heads: 2, causal: on, window: 3, position: rotary }
  dense text.vocabulary
}
train { update model, with: sgd(1e-3) { minimize next_token(model, text, label_smoothing: 0.2) }; steps 9 }
sample { text = mode(model(text)) }
evaluate samples: 2 { bits_per_byte; perplexity }
"""
TEXT = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. " * 40


def planned(text: str, folder: Path) -> Plan:
    problems = Problems()
    plan = check(Source("words.gen", text), problems, folder=str(folder))
    assert plan is not None, [one.message for one in problems]
    assert not plan.not_built
    return plan


def scored(plan: Plan, folder: Path, **options: Any) -> tuple[Scored, Any, Any]:
    dataset = dataset_of(plan, str(folder))
    experiment = experiment_of(plan, examples=dataset.sizes["train"])
    evaluator = Evaluator(plan, experiment, dataset, Sampler(experiment), lambda count: {})
    return evaluator.scores(0, **options), dataset, experiment


@pytest.mark.parametrize("tokenizer", ["bytes()", "characters()", "bpe(280)"])
def test_scores_are_of_all_windows_and_the_bytes_of_the_text(tmp_path: Path, tokenizer: str) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    plan = planned(SPEC.replace("TOKENIZER", tokenizer), tmp_path)
    found, dataset, experiment = scored(plan, tmp_path, intervals=True)
    values = {plain(key): value for key, value in found.values.items()}
    given, said = (np.asarray(dataset.split("test")[name]) for name in ("text", "text.next"))
    assert len(given) > 20
    logits = np.asarray(experiment.networks["model"](given), np.float64)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    nats = -np.take_along_axis(logs, said[..., None], -1).mean()
    assert values["perplexity"] == pytest.approx(math.exp(nats), rel=1e-4)
    (manifest,) = dataset.manifest["sources"]
    size = len(TEXT.encode())
    counted = {split: told["bytes"] for split, told in manifest["tokens"].items()}
    assert sum(counted.values()) == size
    tokens = manifest["tokens"]["test"]["tokens"]
    assert values["bits_per_byte"] == pytest.approx(nats / math.log(2) * tokens / counted["test"], rel=1e-4)
    for key, (low, high) in found.intervals.items():
        assert low < found.values[key] < high
    assert {one["split"] for one in found.contracts.values()} == {"test"}
    assert {one["examples"] for one in found.contracts.values()} == {len(given)}


def test_a_model_that_knows_nothing_takes_eight_bits_a_byte(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    text = SPEC.replace("TOKENIZER", "bytes()").replace("dense text.vocabulary", "dense text.vocabulary, init: zeros")
    found, _, _ = scored(planned(text, tmp_path), tmp_path)
    values = {plain(key): value for key, value in found.values.items()}
    assert values["bits_per_byte"] == pytest.approx(8, rel=1e-6)
    assert values["perplexity"] == pytest.approx(256, rel=1e-5)


def test_the_averaged_weights_are_scored(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    text = SPEC.replace("TOKENIZER", "bytes()").replace("steps 9", "steps 9; ema model, decay: 0.9")
    plan = planned(text, tmp_path)
    found, dataset, experiment = scored(plan, tmp_path)
    for mean in experiment.averaged_weights("model").values():
        mean.assign(tf.zeros_like(mean))
    evaluator = Evaluator(plan, experiment, dataset, Sampler(experiment), lambda count: {})
    again = evaluator.scores(0)
    assert {plain(key): value for key, value in again.values.items()}["bits_per_byte"] == pytest.approx(8, rel=1e-6)
    assert {one["weights"] for one in again.contracts.values()} == {"averaged"}
    assert set(found.values) == set(again.values)


def test_unknown_characters_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abcdefgh " * 80)
    (tmp_path / "b.txt").write_text("ijklmnop " * 20)
    found, dataset, _ = scored(planned(SPEC.replace("TOKENIZER", "characters()"), tmp_path), tmp_path)
    unknown = dataset.manifest["sources"][0]["tokens"]["test"]["unknown"]
    assert [one for one in found.warnings if "unknown to the tokenizer" in one] or not unknown


@pytest.mark.parametrize(
    ("source", "score", "message"),
    [
        ('midi("*.mid"), tokenizer: remi(vocabulary: 512)', "bits_per_byte", "`bits_per_byte` is of the bytes of text"),
        ("digits()", "perplexity", "`perplexity` needs a network that says what follows each token"),
    ],
)
def test_what_has_no_bits_per_byte(tmp_path: Path, source: str, score: str, message: str) -> None:
    (tmp_path / "a.mid").write_bytes(b"MThd")
    if source == "digits()":
        text = f"""experiment words
data {{ source digits(); image range: -1..1; batch 4 }}
network generator(z: normal(2)) -> image {{ dense 64 | reshape 8, 8, 1 }}
train {{ update generator, with: sgd(1e-3) {{ minimize mean(generator()) }}; steps 9 }}
evaluate {{ {score} }}
"""
    else:
        text = SPEC.replace('text("*.txt"), tokenizer: TOKENIZER', source).replace("bits_per_byte; perplexity", score)
    problems = Problems()
    assert check(Source("words.gen", text), problems, folder=str(tmp_path)) is None
    assert [one.message[: len(message)] for one in problems if one.rule.code == "unscorable"] == [message]
