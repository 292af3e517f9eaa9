"""Scores of tables against SciPy, scikit-learn and by hand; each fault is caught by the score that is to catch it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.stats

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate.sampler import Sampler
from gendsl.evaluate.scores import Evaluator
from gendsl.evaluate.tables.alike import averaged, column_pairs, column_shapes, correlation
from gendsl.evaluate.tables.cells import Cells, cells_of
from gendsl.evaluate.tables.detection import detection
from gendsl.evaluate.tables.features import space_of
from gendsl.evaluate.tables.scores import closest_record
from gendsl.evaluate.tables.utility import explained, f1, utility
from gendsl.lower.data import dataset_of
from gendsl.lower.errors import UserError
from gendsl.lower.tables.table import Table
from gendsl.run.scores import shown_scores
from gendsl.source import Source
from gendsl.vocabulary.score_keys import plain
from tests.lower.tables import fit, save

MANY = 1_200
JOBS = ("clerk", "cook", "nurse")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, np.ndarray]:
    """People whose age and income depend on their job; some ages are missing, and days are times."""
    random = np.random.default_rng(0)
    job = random.integers(0, 3, MANY)
    age = np.round(25 + 12 * job + random.normal(0, 3, MANY), 1)
    income = np.round(age * 400 + random.normal(0, 900, MANY))
    place = tmp_path_factory.mktemp("people") / "t.csv"
    save(
        place,
        {
            "age": [f"{one:.1f}" if keep else "" for one, keep in zip(age, random.random(MANY) > 0.05, strict=True)],
            "income": [f"{one:.0f}" for one in income],
            "job": [JOBS[one] for one in job],
            "day": [f"2020-{1 + one % 12:02}-{1 + one % 28:02}" for one in range(MANY)],
        },
    )
    return fit(place)


def parts(fitted: tuple[Table, np.ndarray]) -> tuple[Cells, Cells, Cells]:
    """Training rows, held-out rows, and other real ones in the place of samples."""
    table, codes = fitted
    return Cells(table, codes[:600]), Cells(table, codes[600:900]), Cells(table, codes[900:])


def shuffled(cells: Cells, seed: int = 1) -> Cells:
    """The same columns, each by itself in another order: independent marginals."""
    random = np.random.default_rng(seed)
    return Cells(cells.table, np.stack([random.permutation(column) for column in cells.codes.T], axis=1))


def test_shapes_are_the_complements_of_scipys_ks_and_of_half_the_differences_of_shares(fitted: Any) -> None:
    train, _, samples = parts(fitted)
    found = column_shapes(samples, train)
    for place, name in ((0, "age"), (1, "income"), (3, "day")):
        one, other = (cells.codes[:, place] for cells in (samples, train))
        expected = 1 - scipy.stats.ks_2samp(one[~np.isnan(one)], other[~np.isnan(other)]).statistic
        assert found[name] == pytest.approx(expected, abs=1e-12)
    shares = [np.bincount(cells.codes[:, 2].astype(int), minlength=3) / len(cells) for cells in (samples, train)]
    assert found["job"] == pytest.approx(1 - np.abs(shares[0] - shares[1]).sum() / 2)
    assert set(column_shapes(train, train).values()) == {1.0}


def test_pairs_are_similar_correlations_and_contingencies(fitted: Any) -> None:
    train, _, samples = parts(fitted)
    found = column_pairs(samples, train)
    now, then = (
        np.ma.corrcoef(*np.ma.masked_invalid(cells.codes[:, :2].T), allow_masked=True)[0, 1]
        for cells in (samples, train)
    )
    assert correlation(*train.codes[:, :2].T) == pytest.approx(
        scipy.stats.pearsonr(*train.codes[~np.isnan(train.codes[:, 0]), :2].T).statistic
    )
    assert found[0, 1] == found[1, 0] == pytest.approx(1 - abs(now - then) / 2, abs=2e-3)
    edges = np.linspace(train.codes[:, 1].min(), train.codes[:, 1].max(), 11)[1:-1]
    tables = []
    for cells in (samples, train):
        bins = np.searchsorted(edges, cells.codes[:, 1], side="right")
        tables.append(np.histogram2d(bins, cells.codes[:, 2], bins=[np.arange(11) - 0.5, np.arange(4) - 0.5])[0])
    shares = [table / table.sum() for table in tables]
    assert found[1, 2] == pytest.approx(1 - np.abs(shares[0] - shares[1]).sum() / 2)
    assert np.isnan(np.diag(found)).all()
    assert averaged(column_pairs(train, train)) == pytest.approx(1)


def test_independent_columns_have_right_shapes_and_wrong_pairs(fitted: Any) -> None:
    train, _, samples = parts(fitted)
    torn = shuffled(samples)
    assert column_shapes(torn, train) == column_shapes(samples, train)
    assert averaged(column_pairs(torn, train)) < averaged(column_pairs(samples, train)) - 0.05


def test_a_constant_column_has_no_correlation_and_an_empty_one_no_shape(fitted: Any) -> None:
    train, _, _ = parts(fitted)
    codes = train.codes.copy()
    codes[:, 0], codes[:, 1] = np.nan, 5.0
    broken = Cells(train.table, codes)
    assert np.isnan(column_shapes(broken, train)["age"])
    assert np.isnan(column_pairs(broken, train)[0, 1])
    assert np.isfinite(averaged(column_pairs(broken, train)))


def test_the_scores_of_models_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score, r2_score

    random = np.random.default_rng(0)
    right, told = random.integers(0, 4, 300), random.integers(0, 4, 300)
    assert f1(right, told) == pytest.approx(f1_score(right, told, average="macro"))
    truth = random.normal(size=300)
    guess = truth + random.normal(0, 0.5, 300)
    assert explained(truth, guess) == pytest.approx(r2_score(truth, guess))
    assert explained(truth, -truth) == 0 == explained(np.ones(3), np.zeros(3))


def test_utility_is_near_that_of_real_rows_for_real_ones_and_far_for_torn_ones(fitted: Any) -> None:
    train, test, samples = parts(fitted)
    for target in ("job", "income"):
        real = utility(samples, train, test, target)
        assert real["utility"] == pytest.approx(real["utility_real"], abs=0.06)
        assert real["utility_real"] > 0.85
        assert utility(shuffled(samples), train, test, target)["utility"] < 0.45
    alone = Cells(samples.table, samples.codes[samples.codes[:, 2] == 0])
    assert utility(alone, train, test, "job")["utility"] < 0.3  # one category: there is nothing to learn


def test_detection_is_chance_for_real_rows_and_certain_for_rows_of_another_kind(fitted: Any) -> None:
    train, test, samples = parts(fitted)
    space = space_of(train)
    assert detection(samples, test, space)["detection"] == pytest.approx(0.5, abs=0.1)
    moved = Cells(samples.table, samples.codes + np.array([30.0, 0, 0, 0]))
    assert min(detection(moved, test, space).values()) > 0.95
    assert detection(shuffled(samples), test, space)["detection"] > 0.75


def test_copies_are_nearer_than_held_out_rows_and_real_rows_are_as_near(fitted: Any) -> None:
    train, test, samples = parts(fitted)
    assert closest_record(samples, train, test, quantile=0.05).value == pytest.approx(1, abs=0.4)
    assert closest_record(train.of(np.arange(100)), train, test, quantile=0.05).value == 0
    assert closest_record(train, train, train, quantile=0.05).value == 1  # held-out rows are in the training rows


def test_cells_are_those_that_a_file_would_hold(fitted: Any) -> None:
    table, codes = fitted
    rows = table.encode(codes, np.random.default_rng(0).random(codes.shape))
    np.testing.assert_array_equal(cells_of(table, [rows[:700], rows[700:]]).codes, codes)
    wild = table.written(np.array([[1e9, -1e9, 1, 0.0], [25.04, 10_000.4, 2, np.nan]]))
    texts = table.texts(wild)
    assert [float(texts[0][0]), float(texts[0][1])] == [np.nanmax(codes[:, 0]), codes[:, 1].min()]
    assert texts[1][0] == "25.0"


SPEC = """experiment people
data {{ source csv("t.csv"){block}; {split} batch 8 }}
network generator(z: normal(2)) -> row {{ dense row.width }}
network critic(x: row) -> logits(1) {{ dense 1 }}
train {{ objective wgan(critic: critic); optimizer adam(1e-3); steps 2 }}
evaluate samples: 128 {{ {scores} }}
"""
ALL = "column_shapes; column_pairs; utility target: job; detection; closest_record"


def planned(folder: Path, scores: str, *, split: str = "split train: 80%, test: 20%;", block: str = "") -> Any:
    random = np.random.default_rng(0)
    jobs = [JOBS[one] for one in random.integers(0, 3, 200)]
    save(folder / "t.csv", {"age": [20 + 9 * JOBS.index(job) + i % 7 for i, job in enumerate(jobs)], "job": jobs})
    problems = Problems()
    text = SPEC.format(scores=scores, split=split, block=block)
    plan = check(Source("t.gen", text), problems, folder=str(folder))
    return plan, [f"{one.message} ({one.help})" for one in problems]


def test_the_evaluator_takes_all_of_them(tmp_path: Path) -> None:
    plan, told = planned(tmp_path, ALL)
    assert plan is not None, told
    assert not plan.not_built
    dataset = dataset_of(plan, str(tmp_path))

    class Drawn:
        def chunks(self, count: int, *, seed: int, fields: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
            rows = np.asarray(dataset.split("train")["row"])
            yield {"row": rows[np.random.default_rng(seed).integers(0, len(rows), count)]}

    experiment = SimpleNamespace(class_counts=None, seed=0)
    evaluator = Evaluator(plan, experiment, dataset, Drawn(), lambda count: {})
    found = {plain(key): value for key, value in evaluator.scores(0).values.items()}
    names = ["closest_record", "column_pairs", "column_shapes", "detection", "detection_linear", "utility"]
    assert sorted(found) == [*names, "utility_real"]
    assert found["column_shapes"] > 0.85 and found["column_pairs"] > 0.8 and found["utility"] > 0.9


def test_rows_that_break_a_rule_are_counted_by_each_and_by_all(tmp_path: Path) -> None:
    rules = 'ordered age, until; pattern job, "c.*"; unique age, job; pattern job, "nurse|cook";'
    save(tmp_path / "t.csv", {"age": range(20, 80), "until": range(30, 90), "job": [JOBS[i % 3] for i in range(60)]})
    block = " { column age, integer, encoding: minmax; column until, integer, encoding: minmax }"
    problems = Problems()
    text = SPEC.format(scores="broken_rules", split=rules, block=block).replace("samples: 128", "samples: 6")
    plan = check(Source("t.gen", text), problems, folder=str(tmp_path))
    assert plan is not None, [one.message for one in problems]
    dataset = dataset_of(plan, str(tmp_path))
    codes = np.array([[30, 40, 0], [41, 40, 1], [30, 40, 2], [30, 41, 0], [50, 60, 0], [50, 70, 1]], float)
    rows = dataset.tables["row"].encode(codes, np.full(codes.shape, 0.5))

    class Drawn:
        def chunks(self, count: int, *, seed: int, fields: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
            yield {"row": rows[:count]}

    def scored(plan: Any) -> dict[str, float]:
        experiment = SimpleNamespace(class_counts=None, seed=0)
        return Evaluator(plan, experiment, dataset, Drawn(), lambda count: {}).scores(0, intervals=True).values

    found = scored(plan)
    assert {plain(key): value for key, value in found.items()} == {
        "broken_rules": pytest.approx(5 / 6),  # all but the last, a cook of 50
        "broken_ordered_age_until": pytest.approx(1 / 6),
        "broken_pattern_job": pytest.approx(1 / 6),
        "broken_unique_age_job": pytest.approx(1 / 6),
        "broken_pattern_job_2": pytest.approx(3 / 6),
    }
    assert "broken_unique_age_job 16.7 %" in shown_scores(found)
    less = replace(plan, data=replace(plan.data, constraints=plan.data.constraints[:1]))
    assert not found.keys() & scored(less).keys()  # other rules are another contract


@pytest.mark.parametrize("lacking", ["held-out rows", "samples"])
def test_detection_of_fewer_rows_than_it_takes_is_refused_before_training(tmp_path: Path, lacking: str) -> None:
    few = lacking == "samples"
    plan, told = planned(tmp_path, "detection", split=f"split train: {80 if few else 98}%, test: {20 if few else 2}%;")
    assert plan is not None, told
    if few:
        plan = replace(plan, evaluations=(replace(plan.evaluations[0], samples=4),))
    with pytest.raises(UserError, match=f"`detection` needs 10 {lacking}, and there are 4"):
        Evaluator(plan, SimpleNamespace(), dataset_of(plan, str(tmp_path)), Sampler(SimpleNamespace()), lambda _: {})


@pytest.mark.parametrize(
    ("scores", "block", "message"),
    [
        ("utility target: jop", "", "the table has no column `jop` to predict (did you mean `job`?"),
        ("broken_rules", "", "`broken_rules` counts rows that break a rule, and `data` says none"),
        ("column_pairs", " { column age, drop }", "`column_pairs` needs two columns, and the table has one, `job`"),
    ],
)
def test_what_cannot_be_scored_is_known_to_the_checker(tmp_path: Path, scores: str, block: str, message: str) -> None:
    plan, told = planned(tmp_path, scores, block=block)
    assert plan is None and any(one.startswith(message) for one in told), told


def test_scores_of_held_out_rows_need_such(tmp_path: Path) -> None:
    plan, told = planned(tmp_path, "closest_record", split="")
    assert plan is not None, told
    dataset = dataset_of(plan, str(tmp_path))
    with pytest.raises(UserError, match="`closest_record` needs examples that were not trained on"):
        Evaluator(plan, SimpleNamespace(), dataset, Sampler(SimpleNamespace()), lambda count: {})
