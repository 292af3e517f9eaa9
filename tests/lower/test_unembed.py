"""Tied weights: an output layer that shares the table of an embedding, in gradients, counts, files and stretches."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.networks import model_of
from gendsl.lower.training import experiment_of
from gendsl.plan.plan import Plan
from gendsl.source import Source

SPEC = """experiment words
data { source text("*.txt"); window 8; batch 4 }
network model(tokens: text) -> categorical(text.vocabulary)SETTINGS {
  embed text.vocabulary, 16 as table
  LAYERS
}
train { update model, with: sgd(1e-1) { minimize next_token(model, text) }; steps 9 }
sample { text = mode(model(text)) }
"""
TIED = "residual { layer_norm | attention heads: 2, causal: on } | layer_norm | unembed table"


def checked(folder: Path, layers: str = TIED, settings: str = "") -> tuple[Plan | None, list[str]]:
    (folder / "a.txt").write_text("word " * 100)
    problems = Problems()
    text = SPEC.replace("LAYERS", layers).replace("SETTINGS", settings)
    plan = check(Source("words.gen", text), problems, folder=str(folder))
    return plan, [f"{one.message} / {one.help}" for one in problems]


def model(folder: Path) -> tuple[Any, Plan]:
    plan, problems = checked(folder)
    assert plan is not None, problems
    return model_of(plan.network("model")), plan


TOKENS = np.array([[1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1]], np.int32)


def test_logits_are_inner_products_with_the_table(tmp_path: Path) -> None:
    built, plan = model(tmp_path)
    assert built.count_params() == plan.network("model").weights == 256 * 16 + 4 * (16 * 16 + 16) + 2 * 2 * 16
    before = keras.Model(built.inputs, built.get_layer("layer_norm_1").output)(TOKENS)
    table = built.get_layer("table").embeddings
    np.testing.assert_allclose(built(TOKENS), np.asarray(before) @ np.asarray(table).T, rtol=1e-4, atol=1e-5)


def test_the_table_has_the_gradients_of_both_uses(tmp_path: Path) -> None:
    built, _ = model(tmp_path)
    table = built.get_layer("table").embeddings
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(built(TOKENS)))
    slope = tf.convert_to_tensor(tape.gradient(loss, table.value)).numpy()
    assert np.abs(slope[200]).max() > 0  # a token that is not given is an output all the same
    for place in ((3, 5), (200, 2)):
        value = table.numpy()
        ends = []
        for shift in (1e-2, -1e-2):
            changed = value.copy()
            changed[place] += shift
            table.assign(changed)
            ends.append(float(tf.reduce_sum(tf.square(tf.cast(built(TOKENS), tf.float64)))))
        table.assign(value)
        assert slope[place] == pytest.approx((ends[0] - ends[1]) / 2e-2, rel=0.05)


def test_it_is_saved_and_read_back(tmp_path: Path) -> None:
    built, _ = model(tmp_path)
    built.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(built(TOKENS), again(TOKENS))
    assert again.count_params() == built.count_params()


def test_stretches_that_are_computed_again_have_the_same_gradients(tmp_path: Path) -> None:
    """The layer may be in another stretch than its table."""
    weights = []
    for settings in ("", ", recompute: on"):
        plan, problems = checked(tmp_path, settings=settings)
        assert plan is not None, problems
        experiment = experiment_of(plan, examples=100)
        experiment.step_at(0, {"text": TOKENS[None], "text.next": np.roll(TOKENS, -1, 1)[None]})
        weights.append(experiment.networks["model"].get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("dense 16 as other | unembed other", "`unembed` takes what an `embed` gives"),
        ("dense 8 | unembed table", "`unembed` compares vectors with those of a table, which have 16 numbers"),
    ],
)
def test_what_cannot_be_tied(tmp_path: Path, layers: str, message: str) -> None:
    plan, problems = checked(tmp_path, layers)
    assert plan is None and [one for one in problems if one.startswith(message)], problems
