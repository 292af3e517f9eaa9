"""`next_token` against NumPy; what a network is given of a window and what it is to say; training, killed and not."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.data import dataset_of
from gendsl.lower.next_token import surprise
from gendsl.lower.training import experiment_of
from gendsl.plan.plan import Plan
from gendsl.source import Source

SPEC = """experiment words
data { source text("*.txt"), tokenizer: bytes(); window 8; split train: 80%, test: 20%; batch 4 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 8 | position_embed
  residual { layer_norm | attention heads: 2, causal: on }
  dense text.vocabulary
}
train { update model, with: sgd(0) { minimize next_token(model, text, label_smoothing: SMOOTHING) }; steps 9 }
sample { text = mode(model(text)) }
"""


def planned(text: str, folder: Path) -> Plan:
    problems = Problems()
    plan = check(Source("words.gen", text), problems, folder=str(folder))
    assert plan is not None and not problems, [one.message for one in problems]
    return plan


def by_hand(logits: np.ndarray, tokens: np.ndarray, smoothing: float = 0.0) -> np.ndarray:
    """A token at a time, in float64."""
    found = np.zeros(len(tokens))
    for row, sequence in enumerate(tokens):
        for place, token in enumerate(sequence):
            if token < 0:
                continue
            scores = logits[row, place].astype(np.float64)
            logs = scores - scores.max() - math.log(np.exp(scores - scores.max()).sum())
            target = np.full(len(logs), smoothing / len(logs))
            target[token] += 1 - smoothing
            found[row] -= target @ logs
    return found


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_surprise_is_the_cross_entropy_of_a_sequence(smoothing: float) -> None:
    random = np.random.default_rng(0)
    logits, tokens = random.normal(size=(3, 5, 7)).astype("float32"), random.integers(0, 7, (3, 5))
    tokens[1, 3:] = -1  # it has ended
    found = surprise(logits, tokens, label_smoothing=smoothing)
    np.testing.assert_allclose(found, by_hand(logits, tokens, smoothing), rtol=1e-5)
    half = surprise(tf.constant(logits, tf.bfloat16), tokens, label_smoothing=smoothing)
    assert half.dtype == tf.float32
    np.testing.assert_allclose(half, found, rtol=0.02)


def test_surprise_and_its_gradient_are_finite_for_huge_logits() -> None:
    logits = tf.constant([[[3e38, -3e38, 0.0], [-1e5, 1e5, 0.0]]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        found = surprise(logits, [[0, 1]])
    assert float(found[0]) == 0
    assert np.isfinite(tape.gradient(found, logits)).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_step_loses_what_follows_each_token_of_a_window(tmp_path: Path, smoothing: float) -> None:
    random = np.random.default_rng(0)
    (tmp_path / "a.txt").write_bytes(bytes(random.integers(32, 127, 400).tolist()))
    plan = planned(SPEC.replace("SMOOTHING", str(smoothing)), tmp_path)
    dataset = dataset_of(plan, str(tmp_path))
    experiment = experiment_of(plan, examples=dataset.sizes["train"])
    batch = dataset.fetch(tf.constant(dataset.addresses(0, 1)[0]))
    given, said = (batch[name].numpy()[0] for name in ("text", "text.next"))
    np.testing.assert_array_equal(given[:, 1:], said[:, :-1])
    logs = experiment.step_at(0, batch)
    expected = by_hand(experiment.networks["model"](given).numpy(), said, smoothing).mean()
    assert float(logs["model/loss"]) == pytest.approx(expected, rel=1e-5)


BAD = [
    (
        "embed text.vocabulary, 8 | flatten | dense text.vocabulary",
        "next_token(model, text)",
        "`next_token` needs a distribution at each of 8 places, and `model` gives one of a single token",
    ),
    (
        "embed text.vocabulary, 8 | dense text.vocabulary",
        "next_token(model, model)",
        "`next_token` takes tokens second",
    ),
]


@pytest.mark.parametrize(("layers", "loss", "message"), BAD)
def test_networks_that_say_no_next_token(tmp_path: Path, layers: str, loss: str, message: str) -> None:
    (tmp_path / "a.txt").write_text("word " * 100)
    text = f"""experiment words
data {{ source text("*.txt"); window 8; batch 4 }}
network model(tokens: text) -> categorical(text.vocabulary) {{ {layers} }}
train {{ update model, with: sgd(1e-3) {{ minimize {loss} }}; steps 9 }}
sample {{ text = mode(model(text)) }}
"""
    problems: Any = Problems()
    assert check(Source("words.gen", text), problems, folder=str(tmp_path)) is None
    assert message in [one.message for one in problems]
