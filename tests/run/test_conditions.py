"""A table with conditions through the commands that a user types: looked at, trained, gone on with, scored, sampled."""

import csv
import io
import json
import random
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console
from test_processes import bits

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate.sampler import Sampler
from gendsl.export.order import orders_of
from gendsl.export.signatures import signatures_of
from gendsl.lower.data import dataset_of
from gendsl.lower.data.report import report_of
from gendsl.plan.plan import Plan
from gendsl.run.command import run
from gendsl.run.order import Order, Where
from gendsl.run.rebuild import rebuilt
from gendsl.run.sample import sample
from gendsl.source import Source
from tests.cli.processes import gendsl

SPEC = """experiment people

data {
  source csv("people.csv") { column income, continuous, modes: 2 }
  condition job, city
  split train: 80%, test: 20%
  batch 40
}

network generator(z: normal(8), c: condition) -> row {
  from z | concat c
  dense 16 | relu
  dense row.width
}

network critic(x: row, c: condition) -> logits(1) {
  from x | concat c
  dense 16 | leaky_relu 0.2 | dropout 20%
  dense 1
}

train {
  update critic, with: adam(2e-3, beta_1: 0.5) {
    fake = generator(c: condition)
    minimize mean(critic(fake, condition)) - mean(critic(row, condition)) + 10 * gradient_penalty(critic, row, fake)
  }
  update generator, with: adam(2e-3, beta_1: 0.5) {
    fake = generator(c: condition)
    minimize -mean(critic(fake, condition))
  }
  steps 20
}

evaluate every: 10 steps, samples: 64 {
  kid
  realness = mean(critic(row, condition))
}
"""


def planned(folder: Path) -> Plan:
    problems = Problems()
    plan = check(Source("people.gen", SPEC), problems, folder=str(folder))
    assert plan is not None and not problems.of("error")
    return plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the spec, its table, and the run `whole`."""
    made = tmp_path_factory.mktemp("people")
    (made / "people.gen").write_text(SPEC)
    draw = random.Random(3)
    with open(made / "people.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["income", "job", "city"])
        for _ in range(200):
            job = draw.choices(["baker", "smith", "clerk", ""], [60, 30, 5, 5])[0]
            writer.writerow([f"{draw.gauss(3e4, 5e3):.2f}", job, draw.choices("AB", [9, 1])[0]])
    order = Order(planned(made), SPEC, str(made / "people.gen"), str(made))
    assert run(order, Where(made / "whole"), console=Console(file=io.StringIO())).finished
    return made


def test_a_run_gone_on_with_ends_at_the_same_bits(folder: Path) -> None:
    for words in (["run", "people.gen", "--out", "part", "--steps", "7"], ["resume", "part", "--steps", "20"]):
        done = gendsl(*words, folder=folder)
        assert done.code == 0, done.out + done.err
    assert bits(folder / "part", 20) == bits(folder / "whole", 20)


def test_what_is_told_of_the_data(folder: Path) -> None:
    plan = planned(folder)
    report = report_of(plan, dataset_of(plan, str(folder)))
    told = {"kind": "condition", "shape": [6], "width": 6, "columns": {"job": 4, "city": 2}}
    assert report.record["fields"]["condition"] == told
    assert ("condition", "6 numbers, one for each category: job 4, city 2") in report.lines
    data = json.loads((folder / "whole/data.json").read_text())
    named = ["city: A", "city: B", "job: (missing)", "job: baker", "job: clerk", "job: smith"]
    assert sorted(data["class_names"]) == named and data["class_names"][3] == "job: (missing)"
    assert sum(data["class_counts"]) == 2 * data["sizes"]["train"]


def test_it_is_scored_and_sampled(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "whole/metrics.jsonl").read_text().splitlines()]
    scored = [line for line in lines if "evaluation" in line]
    assert [line["step"] for line in scored] == [10, 20]
    for line in scored:
        values = {name.partition("#")[0]: value for name, value in line.items() if "#" in name}
        assert set(values) == {"kid_pixels", "realness"} and np.isfinite(list(values.values())).all()
    for name in ("one", "other"):
        assert sample(folder / "whole", 100, 3, folder / name)[0] == folder / name / "samples.csv"
    assert (folder / "one/samples.csv").read_bytes() == (folder / "other/samples.csv").read_bytes()
    with open(folder / "one/samples.csv", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["income", "job", "city"] and len(rows) == 100
    assert {row[1] for row in rows} <= {"baker", "smith", "clerk", ""}


def test_the_exported_endpoints_draw_conditions_or_take_them(folder: Path) -> None:
    built = rebuilt(folder / "whole")
    (order,) = orders_of(built.plan, {})
    found = {one.name: one for one in signatures_of(built, order)}
    assert list(found) == ["serving_default", "labelled", "truncated", "from_prior"]
    assert found["labelled"].specs["condition"] == tf.TensorSpec([None, 6], tf.float32, name="condition")
    seed = tf.constant(5, tf.int64)
    drawn = found["serving_default"].endpoint({"n": tf.constant(70), "seed": seed})["row"].numpy()
    np.testing.assert_allclose(drawn, Sampler(built.experiment).samples(70, seed=5)["row"], atol=1e-6)
    asked = np.eye(6, dtype=np.float32)[[0] * 40 + [5] * 30]
    taken = found["labelled"].endpoint({"condition": tf.constant(asked), "seed": seed})["row"].numpy()
    np.testing.assert_allclose(
        taken, Sampler(built.experiment).samples(70, seed=5, fields={"condition": asked})["row"], atol=1e-6
    )
    assert np.abs(taken - drawn).max() > 1e-3
