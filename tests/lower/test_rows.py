"""What equations and layers make of a table's rows against NumPy and SciPy: activation, condition loss, mixed rows."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.lower.mixed import Mixed, mixed_of
from gendsl.lower.networks import declared_shape, model_of
from gendsl.lower.rows import condition_loss
from gendsl.parts.keys import Key, drawing
from gendsl.parts.row_activation import RowActivation
from gendsl.plan.blocks import Layout, blocks_in, numbers_in
from gendsl.plan.plan import Plan
from gendsl.source import Source
from gendsl.vocabulary.types import Distribution

# a number with two modes and missing cells, a category of three, a number with an indicator, a plain one
LAYOUT: Layout = (
    ("age", "value", "scalar", 0, 1, True, 3),
    ("age", "mode", "one_hot", 1, 3, True, 3),
    ("job", "category", "one_hot", 4, 3, True, -1),
    ("pay", "value", "scalar", 7, 1, False, 8),
    ("pay", "missing", "indicator", 8, 1, True, 8),
    ("size", "value", "scalar", 9, 1, True, -1),
)
WIDTH = 10
ROWS = np.array(
    [
        [0.3, 0, 1, 0, 1, 0, 0, 2.5, 0, -0.2],
        [0.0, 0, 0, 1, 0, 0, 1, -1.5, 0, 0.9],
        [-0.8, 1, 0, 0, 0, 1, 0, 0.0, 1, 0.0],
    ],
    np.float32,
)
RANDOM = np.random.default_rng(3)
RAW = RANDOM.normal(size=(3, WIDTH)).astype(np.float32)
LOGS = RANDOM.normal(-1, 0.5, (3, 3)).astype(np.float32)
KEY = Key(7, "test", tf.constant(5, tf.int64))


def by_hand(row: Any, raw: Any, logs: Any) -> float:
    """log p of one row, part by part."""
    means, deviations = [np.tanh(raw[0]), raw[7], np.tanh(raw[9])], np.exp(0.5 * logs)
    total = 0.0
    if not row[3]:
        total += scipy.stats.norm.logpdf(row[0], means[0], deviations[0])
    if not row[8]:
        total += scipy.stats.norm.logpdf(row[7], means[1], deviations[1])
    total += scipy.stats.norm.logpdf(row[9], means[2], deviations[2])
    total += scipy.special.log_softmax(raw[1:4])[row[1:4].argmax()]
    total += scipy.special.log_softmax(raw[4:7])[row[4:7].argmax()]
    return float(total + np.log(scipy.special.expit(raw[8] if row[8] else -raw[8])))


def law() -> Mixed:
    return mixed_of(tf.constant(np.concatenate([RAW, LOGS], axis=1)), LAYOUT)


def test_the_log_probability_of_a_row_is_the_sum_of_its_parts_without_what_is_missing() -> None:
    expected = [by_hand(row, raw, logs) for row, raw, logs in zip(ROWS, RAW, LOGS, strict=True)]
    np.testing.assert_allclose(law().log_prob(tf.constant(ROWS)), expected, rtol=1e-5)


def test_a_standard_deviation_has_a_floor() -> None:
    low = mixed_of(tf.constant(np.concatenate([RAW, np.full_like(LOGS, -30)], axis=1)), LAYOUT)
    floor = mixed_of(tf.constant(np.concatenate([RAW, np.full_like(LOGS, 2 * np.log(0.01))], axis=1)), LAYOUT)
    np.testing.assert_allclose(low.log_prob(tf.constant(ROWS)), floor.log_prob(tf.constant(ROWS)), rtol=1e-6)


def test_draws_have_the_means_and_shares_that_the_distribution_has_and_are_rows() -> None:
    many = 20_000
    parameters = np.repeat(np.concatenate([RAW, LOGS], axis=1)[:1], many, axis=0)
    drawn = mixed_of(tf.constant(parameters), LAYOUT)
    rows = drawn.draw(KEY).numpy()
    mean = drawn.mean.numpy()[0]
    for block in blocks_in(LAYOUT):
        part = rows[:, block.start : block.start + block.width]
        if block.kind == "scalar":
            here = rows[:, block.missing] == 0 if block.missing >= 0 else np.ones(many, bool)
            assert part[here].mean() == pytest.approx(mean[block.start], abs=0.05)
            assert (part[~here] == 0).all()
            continue
        assert set(np.unique(part)) <= {0.0, 1.0}
        np.testing.assert_allclose(part.mean(0), mean[block.start : block.start + block.width], atol=0.02)
        if block.kind == "one_hot":
            assert (part.sum(1) == 1).all()
    np.testing.assert_array_equal(rows, drawn.draw(KEY).numpy())


def test_rows_of_categories_alone_have_no_numbers_to_draw() -> None:
    layout: Layout = (("job", "category", "one_hot", 0, 3, True, -1), ("city", "category", "one_hot", 3, 2, True, -1))
    raw = tf.constant(RAW[:, :5])
    found = mixed_of(raw, layout)
    for row in (found.draw(KEY).numpy(), found.mode().numpy()):
        assert row.shape == (3, 5) and (row[:, :3].sum(1) == 1).all() and (row[:, 3:].sum(1) == 1).all()
    logs = [scipy.special.log_softmax(part, axis=1) for part in (RAW[:, :3], RAW[:, 3:5])]
    expected = [logs[0][n, row[:3].argmax()] + logs[1][n, row[3:].argmax()] for n, row in enumerate(row)]
    np.testing.assert_allclose(found.log_prob(tf.constant(row)), expected, rtol=1e-5)
    np.testing.assert_allclose(found.mean, np.exp(np.concatenate(logs, axis=1)), rtol=1e-5)
    np.testing.assert_allclose(found.entropy(), -sum((np.exp(one) * one).sum(1) for one in logs), rtol=1e-5)


def test_the_entropy_is_the_mean_of_minus_the_log_probability_of_draws() -> None:
    parameters = np.repeat(np.concatenate([RAW, LOGS], axis=1)[:1], 20_000, axis=0)
    drawn = mixed_of(tf.constant(parameters), LAYOUT)
    found = -drawn.log_prob(drawn.draw(KEY)).numpy().mean()
    assert drawn.entropy().numpy()[0] == pytest.approx(found, abs=0.05)


def test_the_mode_is_at_least_as_likely_as_any_draw() -> None:
    found = law()
    best = found.log_prob(found.mode()).numpy()
    for turn in range(20):
        row = found.draw(KEY.turn(turn))
        alike = np.all(row.numpy()[:, [3, 8]] == found.mode().numpy()[:, [3, 8]], axis=1)  # as many numbers there
        assert (found.log_prob(row).numpy() <= best + 1e-5)[alike].all()


def test_a_mixed_has_a_number_for_each_place_and_a_variance_for_each_number() -> None:
    assert numbers_in(LAYOUT) == 3
    assert declared_shape(Distribution("mixed", (WIDTH,), layout=LAYOUT)) == (WIDTH + 3,)
    with pytest.raises(UserError, match=r"mixed.*all columns"):
        mixed_of(tf.constant(RAW), ())


def activation(temperature: float = 0.2) -> RowActivation:
    return RowActivation(temperature, [(kind, width, bounded) for _, _, kind, _, width, bounded, _ in LAYOUT], name="a")


def test_row_activation_is_tanh_sigmoid_and_the_softmax_of_noisy_logits() -> None:
    with drawing(KEY):
        found = activation(0.5)(tf.constant(RAW), training=True).numpy()
        noise = KEY.at("a").uniform(RAW.shape).numpy()
    gumbel = -np.log(-np.log(noise + 1e-20) + 1e-20)
    for start, width in ((1, 3), (4, 3)):
        part = slice(start, start + width)
        expected = scipy.special.softmax((RAW + gumbel)[:, part] / 0.5, axis=1)
        np.testing.assert_allclose(found[:, part], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[:, [0, 9]], np.tanh(RAW[:, [0, 9]]), rtol=1e-5)
    np.testing.assert_allclose(found[:, 7], RAW[:, 7])
    np.testing.assert_allclose(found[:, 8], scipy.special.expit(RAW[:, 8]), rtol=1e-5)


def test_row_activation_draws_categories_as_often_as_their_softmax_in_sampling_too() -> None:
    logits = np.repeat(RAW[:1], 20_000, axis=0)
    with drawing(KEY):
        rows = activation()(tf.constant(logits), training=False).numpy()
    shares = np.bincount(rows[:, 4:7].argmax(1), minlength=3) / len(rows)
    np.testing.assert_allclose(shares, scipy.special.softmax(RAW[0, 4:7]), atol=0.02)
    with drawing(KEY):  # one key gives one noise
        np.testing.assert_array_equal(rows, activation()(tf.constant(logits)).numpy())
    quiet = activation()(tf.constant(RAW), training=False).numpy()  # no key: as a SavedModel's layer by itself
    np.testing.assert_allclose(quiet[:, 4:7], scipy.special.softmax(RAW[:, 4:7] / 0.2, axis=1), rtol=1e-4)


def test_the_condition_loss_is_the_cross_entropy_of_the_chosen_column() -> None:
    row = scipy.special.softmax(RANDOM.normal(size=(4, 7)), axis=1).astype(np.float32)
    condition = np.eye(5, dtype=np.float32)[[0, 4, 2, 1]]
    places = ((4, 3), (1, 2))  # the condition has the later column of the row first
    chosen = row[:, [4, 5, 6, 1, 2]][np.arange(4), [0, 4, 2, 1]]
    found = condition_loss(tf.constant(row), tf.constant(condition), places)
    np.testing.assert_allclose(found, -np.log(chosen), rtol=1e-5)
    assert np.isfinite(condition_loss(tf.zeros((1, 7)), tf.constant(condition[:1]), places)).all()
    with pytest.raises(UserError, match=r"condition_loss.*all columns"):
        condition_loss(tf.constant(row), tf.constant(condition), ())


SPEC = """experiment t
data {{ source csv("t.csv") {{ {columns} }}; {condition}; batch 4 }}
network generator(z: normal(3){c}) -> row {{ {flow}dense row.width | row_activation }}
network critic(x: row) -> logits(1) {{ dense 1 }}
train {{
  update critic, with: adam(1e-3) {{ minimize mean(critic(generator())) - mean(critic(row)) }}
  update generator, with: adam(1e-3) {{ {made}minimize {loss} }}
  steps 2
}}
"""


def planned(folder: Path, text: str) -> tuple[Plan | None, list[str]]:
    with (folder / "t.csv").open("w") as file:
        table = csv.writer(file)
        table.writerow(["age", "job", "city"])
        table.writerows([[10 + i * 1.5, "ab"[i % 2], "xyz"[i % 3]] for i in range(30)])
    problems = Problems()
    plan = check(Source("t.gen", text), problems, folder=str(folder))
    return plan, [problem.message for problem in problems]


def conditional(**given: str) -> str:
    usual = {
        "columns": "column age, continuous, modes: 2",
        "condition": "condition city",
        "c": ", c: condition",
        "flow": "from z | concat c | ",
        "made": "fake = generator(); ",
        "loss": "-mean(critic(fake)) + condition_loss(fake, condition)",
    }
    return SPEC.format(**{**usual, **given})


def test_the_plan_knows_what_each_number_of_a_row_is(tmp_path: Path) -> None:
    plan, told = planned(tmp_path, conditional())
    assert plan is not None, told
    layer = plan.network("generator").layers[-1]
    assert [(one[0], one[2], one[4]) for one in layer.arguments["layout"]] == [
        ("age", "scalar", 1),
        ("age", "one_hot", 2),
        ("job", "one_hot", 2),
        ("city", "one_hot", 3),
    ]
    loss = next(one for one in plan.train.groups[1].operations if one.attributes.get("word") == "condition_loss")
    assert loss.attributes["arguments"]["places"] == ((5, 3),)
    with drawing(KEY):
        rows = model_of(plan.network("generator"))([tf.zeros((2, 3)), tf.zeros((2, 3))], training=True)
    np.testing.assert_allclose(rows.numpy()[:, 5:].sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"flow": "from z | concat c | dense 5 | row_activation | "},
            "a row as wide as `row`, 8, and is given 5",
        ),
        ({"loss": "condition_loss(condition, fake)"}, r"`condition_loss` takes a row first, \(batch, 8\)"),
        (
            {"condition": "", "c": "", "flow": "", "loss": "condition_loss(fake, row)"},
            "`condition_loss` compares with the condition, and the data has none",
        ),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, given: dict[str, str], message: str) -> None:
    plan, told = planned(tmp_path, conditional(**given))
    assert plan is None
    assert any(re.search(message, one) for one in told), told
