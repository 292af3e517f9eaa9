"""Conditions of a table: training by sampling as a function of the step, and the true frequencies everywhere else."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from gendsl.check.headers.columns import column
from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.data.conditions import Sampling
from gendsl.lower.errors import DataError
from gendsl.lower.sampling import fields_of
from gendsl.parts.keys import WHOLE, Key, Share
from gendsl.plan.plan import Call, Data, Field, Plan
from tests.lower.data_plans import call_of, plan_of
from tests.lower.tables import save

COUNT = 400
JOBS = ["rare", *["baker"] * 239, *["smith"] * 100, *["clerk"] * 40, *[""] * 20]
CITIES = ["ABC"[(i * i) % 7 % 3] for i in range(COUNT)]
COLUMNS = ("job", "city")


def conditioned(plan: Plan, width: int, columns: tuple[str, ...] = COLUMNS) -> Plan:
    """A plan with a condition on columns."""
    data: Data = plan.data
    field = Field("condition", "condition", (width,), "", None, {"columns": columns})
    return replace(plan, data=replace(data, condition=columns, fields=(*data.fields, field)))


def plan_in(folder: Path, batch: int, split: bool = False, width: int = 5 + 3) -> Plan:
    save(folder / "t.csv", {"age": [17 + i * 7 % 50 for i in range(COUNT)], "job": JOBS, "city": CITIES})
    source = Call("csv", call_of("source", "csv", file="t.csv").arguments, (column("age", "integer", modes=2),))
    shares = {"train": 0.75, "test": 0.25} if split else None
    return conditioned(plan_of(source, str(folder), batch=batch, split=shares, seed=5), width)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conditions")


@pytest.fixture(scope="module")
def twelve(folder: Path) -> Dataset:
    return dataset_of(plan_in(folder, 12), str(folder))


@pytest.fixture(scope="module")
def eight(folder: Path) -> Dataset:
    return dataset_of(plan_in(folder, 8), str(folder))


@pytest.fixture(scope="module")
def divided(folder: Path) -> Dataset:
    return dataset_of(plan_in(folder, 50, split=True), str(folder))


def batch_at(data: Dataset, step: int, share: Share = WHOLE) -> dict[str, np.ndarray]:
    found = data.fetch(tf.constant(data.addresses(step, 1)[0]), share)
    return {name: value.numpy()[0] for name, value in found.items()}


def joined(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def own_places(data: Dataset, rows: np.ndarray) -> np.ndarray:
    """Where in a condition the job and the city (n, 2) of encoded rows stand."""
    table = data.tables["row"]
    codes = table.decode(rows)[:, 1:]
    return np.stack([np.where(np.isnan(codes[:, 0]), 4, codes[:, 0]), 5 + codes[:, 1]], axis=1).astype(int)


def one_place(conditions: np.ndarray) -> np.ndarray:
    """Where each one-hot (n, width) has its 1."""
    assert conditions.dtype == np.float32 and set(np.unique(conditions)) == {0.0, 1.0}
    assert (conditions.sum(axis=1) == 1).all()
    found: np.ndarray = conditions.argmax(axis=1)
    return found


def test_training_draws_categories_by_log_frequency_and_rows_that_have_them(divided: Dataset) -> None:
    batches = joined([batch_at(divided, step) for step in range(300)])
    places, own = one_place(batches["condition"]), own_places(divided, batches["row"])
    of_city = places >= 5
    np.testing.assert_array_equal(places, np.where(of_city, own[:, 1], own[:, 0]))  # the row has the category

    real = own_places(divided, divided.split("train")["row"])
    chances = []
    for number, width in ((0, 5), (1, 3)):
        counts = np.bincount(real[:, number], minlength=8)[5 * number :][:width]
        chances.append(np.log(1 + counts) / np.log(1 + counts).sum() / 2)  # a column as often as the other
    expected = np.concatenate(chances)
    drawn = np.bincount(places, minlength=8)
    there = expected > 0  # the one row of `rare` may be held out
    assert not drawn[~there].any()
    assert chisquare(drawn[there], len(places) * expected[there]).pvalue > 0.01
    true = np.bincount(real.ravel(), minlength=8) / 2 / len(real)
    assert chisquare(drawn[there], len(places) * true[there]).pvalue < 1e-9  # by the logarithm, not as it is


def test_every_row_of_a_category_is_drawn_as_often_and_one_with_a_single_row_too(eight: Dataset) -> None:
    addresses = eight.addresses(0, 5_000).reshape(-1, 2)[:, 1]
    rows = addresses[addresses < COUNT] % COUNT  # conditions on the job
    jobs = np.array(JOBS)[rows]
    share = np.log(2) / sum(np.log(1 + count) for count in (1, 239, 100, 40, 20))
    assert (jobs == "rare").mean() == pytest.approx(share, rel=0.1)
    drawn = np.bincount(rows, minlength=COUNT)
    for job in ("baker", "smith", "clerk", ""):
        assert chisquare(drawn[np.array(JOBS) == job]).pvalue > 0.01


@settings(max_examples=6, deadline=None)
@given(first=st.integers(0, 10**12))
def test_a_batch_is_a_function_of_its_positions(twelve: Dataset, eight: Dataset, first: int) -> None:
    """Two batches of twelve and three of eight are the same 24, wherever they start and in any order of asking."""
    two = joined([batch_at(twelve, step) for step in (2 * first + 1, 2 * first)][::-1])
    three = joined([batch_at(eight, 3 * first + number) for number in range(3)])
    for name in ("row", "condition"):
        np.testing.assert_array_equal(two[name], three[name])
    np.testing.assert_array_equal(
        twelve.addresses(2 * first, 2).reshape(-1, 2), eight.addresses(3 * first, 3).reshape(-1, 2)
    )


def test_another_load_and_the_parts_of_replicas_give_the_same(folder: Path, twelve: Dataset) -> None:
    whole = batch_at(twelve, 7)
    again = dataset_of(plan_in(folder, 12), str(folder))
    for many in (1, 2, 3):
        parts = joined([batch_at(again, 7, Share(index, many)) for index in range(many)])
        for name, values in whole.items():
            np.testing.assert_array_equal(parts[name], values)


def test_another_seed_draws_others(folder: Path, twelve: Dataset) -> None:
    plan = plan_in(folder, 12)
    other = replace(plan, train=replace(plan.train, settings={"seed": Call("seed", {"number": 6})}))
    assert (dataset_of(other, str(folder)).addresses(0, 1) != twelve.addresses(0, 1)).any()


def test_a_graph_gives_the_same(twelve: Dataset) -> None:
    graph = tf.function(twelve.fetch, input_signature=[tf.TensorSpec((1, 12, 2), tf.int64)])
    found = graph(tf.constant(twelve.addresses(3, 1)[0]))
    assert found["condition"].shape == (1, 12, 8)
    for name, values in batch_at(twelve, 3).items():
        np.testing.assert_array_equal(found[name].numpy()[0], values)


def test_an_epoch_has_as_many_steps_as_without(twelve: Dataset) -> None:
    epochs = twelve.addresses(0, 2 * COUNT // 12)[..., 0].ravel()
    np.testing.assert_array_equal(epochs, np.arange(len(epochs)) // COUNT)
    assert twelve.sizes == {"train": COUNT}


def test_elsewhere_frequencies_are_the_true_ones(divided: Dataset) -> None:
    for split, count in (("train", 300), ("test", 100)):
        found = divided.split(split)
        own, places = own_places(divided, found["row"]), one_place(found["condition"])
        of_city = places >= 5
        np.testing.assert_array_equal(places, np.where(of_city, own[:, 1], own[:, 0]))
        assert of_city.mean() == pytest.approx(0.5, abs=2.6 / np.sqrt(count))  # five deviations
        parts = [part["condition"] for part in divided.parts(split) if "condition" in part]
        np.testing.assert_array_equal(np.concatenate(parts), found["condition"])
    some = divided.split("train", 20)
    own = own_places(divided, some["row"])
    assert (one_place(some["condition"])[:, None] == own).any(axis=1).all()


def test_samples_draw_conditions_by_the_frequencies_of_the_training_data(folder: Path, divided: Dataset) -> None:
    counts = divided.class_counts
    assert counts is not None and divided.class_names is not None
    real = own_places(divided, divided.split("train")["row"])
    np.testing.assert_array_equal(counts, np.bincount(real.ravel(), minlength=8))
    assert divided.class_names[:5] == ("job: rare", "job: baker", "job: smith", "job: clerk", "job: (missing)")
    fields, key = plan_in(folder, 50, split=True).data.fields, Key(3, "sample", tf.constant(0, tf.int64))
    drawn = fields_of(["condition"], {}, fields, 20_000, key, list(map(int, counts)))["condition"]
    places = np.bincount(one_place(drawn.numpy()), minlength=8)
    there = counts > 0
    assert not places[~there].any()
    assert chisquare(places[there], 20_000 * counts[there] / counts.sum()).pvalue > 0.01
    given = {"condition": tf.zeros((2, 8))}
    assert fields_of(["condition"], given, fields, 2, key, counts)["condition"] is given["condition"]


def test_data_json_tells_the_columns(twelve: Dataset) -> None:
    assert json.loads(json.dumps(twelve.manifest))["sources"][0]["condition"] == {"job": 5, "city": 3}


@settings(max_examples=30, deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, 3), st.integers(4, 5)), min_size=1, max_size=40),
    first=st.integers(0, 2**50),
    seed=st.integers(0, 2**63),
)
def test_any_data_can_be_sampled(places: list[tuple[int, int]], first: int, seed: int) -> None:
    sampling = Sampling(np.array(places, np.int32), seed)
    epochs, indexes = sampling.at(first, 30)
    assert ((indexes >= 0) & (indexes < 2 * len(places))).all()
    np.testing.assert_array_equal(epochs, np.arange(first, first + 30) // len(places))
    np.testing.assert_array_equal(sampling.at(first + 11, 19)[1], indexes[11:])


def test_conditions_that_are_not_what_the_plan_says(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        dataset_of(plan_in(folder, 12, width=7), str(folder))
    assert raised.value.message == "`condition` is 8 numbers wide; the plan was made for 7"
    assert "`column job, categorical, categories: N`" in raised.value.help
    plan = plan_in(folder, 12)
    for name in ("age", "nobody"):
        with pytest.raises(DataError, match=f"no categorical column `{name}`"):
            dataset_of(replace(plan, data=replace(plan.data, condition=(name,))), str(folder))


def test_parquet_says_its_categories(tmp_path: Path) -> None:
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    parquet.write_table(pyarrow.table({"job": JOBS, "city": CITIES}), tmp_path / "t.parquet")
    source = Call("parquet", call_of("source", "parquet", file="t.parquet").arguments, ())
    plan = plan_of(source, str(tmp_path), fields={"row": {"width": 8}}, batch=12)
    assert batch_at(dataset_of(conditioned(plan, 8), str(tmp_path)), 0)["condition"].shape == (12, 8)
