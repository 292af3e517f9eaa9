"""Rows that are asked for, by `--where` and by a spec's constraints, and the files that they are written into."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as arrow
import pytest
from pyarrow import parquet
from rich.console import Console

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.lower.tables import parquet as parquet_module
from gendsl.lower.tables.constraints import Constraint, constraints_of, kept_by_all, told_of
from gendsl.lower.tables.parquet import ParquetRows
from gendsl.lower.tables.table import Table
from gendsl.plan.plan import Call
from gendsl.run.command import run
from gendsl.run.order import Order, Where
from gendsl.run.sample import sample
from gendsl.run.tables import Asked, rows_asked
from gendsl.run.where import wanted_of
from gendsl.source import Source
from tests.cli.processes import gendsl
from tests.lower.tables import fit, save

JOBS = ("clerk", "cook", "nurse")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    place = tmp_path_factory.mktemp("t") / "t.csv"
    save(
        place,
        {
            "age": [str(20 + one) if one % 7 else "" for one in range(60)],
            "until": [str(30 + one) for one in range(60)],
            "job": [JOBS[one % 3] for one in range(60)],
            "day": [f"2020-01-{1 + one % 28:02}" for one in range(60)],
        },
    )
    return fit(place)[0]


CELLS = np.array(
    [[30, 40, 0, 1.58e9], [50, 40, 1, 1.58e9], [np.nan, 40, 2, 1.58e9], [30, 40, 0, 1.58e9], [31, 40, 2, np.nan]]
)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("job=clerk", [1, 0, 0, 1, 0]),
        ("job = cook", [0, 1, 0, 0, 0]),
        ("age<31", [1, 0, 0, 1, 0]),
        ("age>=31", [0, 1, 0, 0, 1]),
        ("age=", [0, 0, 1, 0, 0]),
        ("day<=2020-01-27", [1, 1, 1, 1, 0]),
    ],
)
def test_what_is_wanted(table: Table, text: str, met: list[int]) -> None:
    (wanted,) = wanted_of([text], table)
    assert wanted.met(CELLS).astype(int).tolist() == met


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("jop=clerk", "the table has no column `jop`", "did you mean `job`?"),
        ("job=clark", "column `job` has no category `clark`", "did you mean `clerk`?; it has clerk, cook, nurse"),
        ("job<cook", "the categories of `job` have no order", "--where job=cook"),
        ("age=old", "`old` is no number", "write a number"),
        ("day=1.1.2020", "`1.1.2020` is no time", "write it as %Y-%m-%d"),
        ("until=", "column `until` has no missing cells", "say which value"),
        ("job", "`--where job` compares nothing", "--where job=clerk"),
    ],
)
def test_what_cannot_be_wanted(table: Table, text: str, message: str, help: str) -> None:
    with pytest.raises(UserError) as caught:
        wanted_of([text], table)
    assert message in caught.value.message and help in caught.value.help


def constraint(word: str, table: Table, **given: Any) -> Constraint:
    return constraints_of([Call(word, given)], table)[0]


def test_constraints_turn_rows_away_and_count_them(table: Table) -> None:
    ordered = constraint("ordered", table, columns=("age", "until"))
    assert ordered.kept(CELLS).tolist() == [True, False, True, True, True]
    unique = constraint("unique", table, columns=("age", "job"))
    assert unique.kept(CELLS).tolist() == [True, True, True, False, True]
    assert unique.kept(CELLS).tolist() == [False, False, True, False, False]  # it remembers; missing is never the same
    pattern = constraint("pattern", table, column="job", expression="c.*")
    assert pattern.kept(CELLS).tolist() == [True, True, False, True, False]
    assert told_of([ordered, pattern], 5, "rows") == [
        "1 of 5 rows break `ordered age, until`",
        '2 of 5 rows break `pattern job, "c.*"`',
    ]


def test_a_row_that_one_turns_away_is_not_remembered_by_the_next(table: Table) -> None:
    held = constraints_of(
        [Call("ordered", {"columns": ("age", "until")}), Call("unique", {"columns": ("job",)})], table
    )
    assert kept_by_all(held, CELLS).tolist() == [True, False, True, False, False]


class Sampler:
    """Gives the same 64 rows in each chunk, and notes what it was given."""

    def __init__(self, table: Table) -> None:
        random = np.random.default_rng(0)
        codes = np.stack([random.integers(20, 70, 64), random.integers(30, 80, 64), np.arange(64) % 2], axis=1)
        codes = np.concatenate([codes, np.full((64, 1), 1.58e9)], axis=1).astype(float)
        self.rows = table.encode(codes, np.full(codes.shape, 0.5))
        self.given: Mapping[str, Any] = {}

    def chunks(self, count: int, *, seed: int, fields: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
        self.given = fields
        for start in range(0, count, 64):
            yield {"row": self.rows[: count - start], "beside": np.arange(start, start + 64)}


def together(chunks: Iterator[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    every = list(chunks)
    return {name: np.concatenate([chunk[name] for chunk in every]) for name in every[0]} if every else {}


def parquet_of(table: Table, codes: np.ndarray, types: Mapping[str, str]) -> bytes:
    written: list[bytes] = []
    rows = ParquetRows(table, types, written.append)
    rows.add(codes)
    rows.end()
    return b"".join(written)


def test_rows_are_drawn_until_there_are_enough_and_the_first_ones_stay_the_first(table: Table) -> None:
    told: list[str] = []
    asked = Asked("row", table, wanted_of(["job=cook", "age>30"], table), ())
    many = together(rows_asked(Sampler(table), asked, None, 100, 0, told.append))
    few = together(rows_asked(Sampler(table), asked, None, 10, 0, lambda _: None))
    codes = table.written(table.decode(many["row"]))
    assert len(codes) == 100 and (codes[:, 2] == 1).all() and (codes[:, 0] > 30).all()
    np.testing.assert_array_equal(many["row"][:10], few["row"])
    assert len(many["beside"]) == 100 and (np.diff(many["beside"]) > 0).all()
    assert told and told[0].endswith("samples have `job=cook` and `age>30`")


def test_rows_that_hardly_exist_end_with_an_error_and_not_never(table: Table) -> None:
    asked = Asked("row", table, wanted_of(["job=nurse"], table), ())
    with pytest.raises(UserError, match="0 of 20,000 samples keep to `job=nurse`, and 5 are asked for"):
        together(rows_asked(Sampler(table), asked, None, 5, 0, lambda _: None))
    only = Asked("row", table, (), (constraint("unique", table, columns=("job",)),))
    with pytest.raises(UserError, match=r"2 of .* samples keep to `unique job`"):
        together(rows_asked(Sampler(table), only, None, 5, 0, lambda _: None))


def test_parquet_by_groups_is_one_table(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "_BATCH", 400)
    written: list[bytes] = []
    rows = ParquetRows(table, {}, written.append)
    many = np.tile(CELLS, (300, 1))
    for first in range(0, len(many), 70):
        rows.add(many[first : first + 70])
    rows.end()
    file = parquet.ParquetFile(io.BytesIO(b"".join(written)))
    assert file.num_row_groups > 1 and file.metadata.num_rows == len(many)
    assert file.read().column("job").to_pylist()[:5] == ["clerk", "cook", "nurse", "clerk", "nurse"]


def test_parquet_has_the_types_of_kinds_or_those_that_the_file_had(table: Table) -> None:
    file = parquet.read_table(io.BytesIO(parquet_of(table, CELLS, {})))
    assert [str(field.type).partition("<")[0] for field in file.schema] == [
        "int64",
        "int64",
        "dictionary",
        "date32[day]",
    ]
    assert file.column("age").to_pylist() == [30, 50, None, 30, 31]
    assert file.column("job").to_pylist() == ["clerk", "cook", "nurse", "clerk", "nurse"]
    assert file.column("day").to_pylist()[3:] == [date(2020, 1, 26), None]
    types = {"age": "float", "until": "int16", "job": "string", "day": "timestamp[us]"}
    again = parquet.read_table(io.BytesIO(parquet_of(table, CELLS, types)))
    assert {field.name: str(field.type) for field in again.schema} == types


SPEC = """experiment people

data {
  source parquet("people.parquet") {
    column begin, integer, modes: 3
    column end, integer, modes: 3
    column job, categorical, categories: [clerk, cook, nurse]
    column married, categorical, categories: ["false", "true"]
  }
  condition job
  unique begin, end, job, married
  ordered begin, end
  batch 32
}

network generator(z: normal(8), c: condition) -> row {
  from z | concat c | dense 32 | relu | dense row.width | row_activation
}
network critic(x: row, c: condition) -> logits(1) { from x | concat c | pack 4 | dense 16 | leaky_relu | dense 1 }

train {
  update critic, with: adam(1e-3) {
    fake = generator(c: condition)
    minimize mean(critic(fake, condition)) - mean(critic(row, condition)) + 10 * gradient_penalty(critic, row, fake)
  }
  update generator, with: adam(1e-3) {
    fake = generator(c: condition)
    minimize -mean(critic(fake, condition)) + condition_loss(fake, condition)
  }
  steps 150
}

evaluate samples: 256 { column_shapes; column_pairs }
"""


def test_a_conditional_gan_from_parquet_to_parquet(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    begin = random.integers(0, 500, 400)
    columns = {
        "begin": arrow.array(begin, arrow.int32()),
        "end": arrow.array(begin + random.integers(0, 200, 400), arrow.int32()),
        "job": arrow.array([JOBS[one] for one in random.choice(3, 400, p=[0.8, 0.15, 0.05])]).dictionary_encode(),
        "married": arrow.array(random.random(400) > 0.5),
    }
    parquet.write_table(arrow.table(columns), tmp_path / "people.parquet")
    problems = Problems()
    plan = check(Source("t.gen", SPEC), problems, folder=str(tmp_path))
    assert plan is not None, [problem.message for problem in problems]
    assert not plan.not_built
    order = Order(plan, SPEC, str(tmp_path / "t.gen"), str(tmp_path))
    assert run(order, Where(tmp_path / "run"), console=Console(file=io.StringIO())).finished
    told: list[str] = []
    (path,) = sample(tmp_path / "run", 40, 0, tmp_path / "out", where=["job=nurse"], format="parquet", told=told.append)
    assert path.name == "samples.parquet"
    found = parquet.read_table(path)
    assert [(f.name, str(f.type).partition("<")[0]) for f in found.schema] == [
        ("begin", "int32"),
        ("end", "int32"),
        ("job", "dictionary"),
        ("married", "bool"),
    ]
    rows = found.to_pylist()
    assert len(rows) == 40 and {row["job"] for row in rows} == {"nurse"}
    assert all(row["begin"] <= row["end"] for row in rows)
    assert len({tuple(row.values()) for row in rows}) == 40
    given = next(one for one in told if "given `job=nurse`" in one)
    kept, drawn = (int(one.replace(",", "")) for one in given.split(" samples")[0].split(" of "))
    assert kept / drawn > 0.3  # a twentieth of the people, and the network was told which
    done = gendsl("sample", "run", "-n", "3", "--where", "job=nurze", folder=tmp_path)
    assert done.code != 0 and "did you mean `nurse`?" in done.err and "Traceback" not in done.err
    path, _ = sample(tmp_path / "run", 3, 0, tmp_path / "some")
    with open(path, encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 4
