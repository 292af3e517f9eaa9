"""Tables as data sets: rows by step, splits, what data.json holds, Parquet, and what a user is told."""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.headers.columns import column
from gendsl.check.headers.tables import head_of
from gendsl.lower.data import Dataset, dataset_of, tables
from gendsl.lower.errors import DataError
from gendsl.lower.tables.table import table_of
from gendsl.plan.plan import Call
from tests.lower.data_plans import call_of, plan_of
from tests.lower.tables import save

COUNT = 60
CELLS: dict[str, list[Any]] = {
    "age": [17 + i * 7 % 50 for i in range(COUNT)],
    "income": ["" if i % 9 == 0 else f"{1_000 + i * i:.2f}" for i in range(COUNT)],
    "job": [("baker", "smith", "")[i % 3] for i in range(COUNT)],
    "since": [f"20{i % 20 + 10}-0{i % 9 + 1}-11" for i in range(COUNT)],
    "id": list(range(COUNT)),
}
COLUMNS = (column("age", "integer", modes=2), column("income", "continuous", modes=3), column("id", "drop"))


def source(folder: Path, *columns: Call, **cells: Any) -> Call:
    save(folder / "t.csv", CELLS | cells)
    call = call_of("source", "csv", file="t.csv")
    return Call("csv", call.arguments, columns or COLUMNS)


def rows_of(data: Dataset, step: int) -> np.ndarray:
    addresses = tf.constant(data.addresses(step, 1))
    found: np.ndarray = data.fetch(addresses[0])["row"].numpy()
    return found[0]


def test_rows_are_a_function_of_the_step(tmp_path: Path) -> None:
    plan = plan_of(source(tmp_path), str(tmp_path), split={"train": 0.75, "test": 0.25}, batch=8, seed=4)
    width = 3 + 5 + 3 + 11
    assert plan.data.fields[0].shape == (width,)
    data, again = dataset_of(plan, str(tmp_path)), dataset_of(plan, str(tmp_path))
    assert data.sizes == {"train": 45, "test": 15}
    batch = rows_of(data, 7)
    assert batch.shape == (8, width) and batch.dtype == np.float32
    np.testing.assert_array_equal(batch, rows_of(again, 7))
    np.testing.assert_array_equal(batch, data.split("train")["row"][data.addresses(7, 1)[0, 0, :, 1]])
    json.dumps(data.manifest)


def test_all_rows_come_back_through_what_data_json_holds(tmp_path: Path) -> None:
    plan = plan_of(source(tmp_path), str(tmp_path), split={"train": 0.75, "test": 0.25}, batch=8)
    data = dataset_of(plan, str(tmp_path))
    table = table_of(json.loads(json.dumps(data.manifest))["sources"][0]["table"])
    assert table == data.tables["row"]
    rows = np.concatenate([data.split("train")["row"], data.split("test")["row"]])
    kept = [list(map(str, cells)) for name, cells in CELLS.items() if name != "id"]
    assert sorted(table.texts(table.decode(rows))) == sorted(map(list, zip(*kept, strict=True)))


def test_encodings_are_fitted_to_the_training_rows(tmp_path: Path) -> None:
    columns = (
        *(column(name, "drop") for name in CELLS if name != "age"),
        column("age", "integer", encoding="standard"),
    )
    plan = plan_of(source(tmp_path, *columns), str(tmp_path), split={"train": 0.5, "test": 0.5})
    data = dataset_of(plan, str(tmp_path))
    train, test = data.split("train")["row"], data.split("test")["row"]
    assert abs(train.mean()) < 1e-5 and train.std() == pytest.approx(1, abs=1e-5)
    assert abs(test.mean()) > 1e-3


def test_a_limited_table(tmp_path: Path) -> None:
    plan = plan_of(source(tmp_path), str(tmp_path), curate=(call_of("curate", "limit", examples=20),))
    assert dataset_of(plan, str(tmp_path)).sizes == {"train": 20}


def test_what_is_for_pictures_is_refused(tmp_path: Path) -> None:
    plan = plan_of(source(tmp_path), str(tmp_path), curate=(call_of("curate", "drop", what=("blank",)),))
    with pytest.raises(DataError, match="needs pictures"):
        dataset_of(plan, str(tmp_path))


def test_a_table_that_changed_since_the_check(tmp_path: Path) -> None:
    plan = plan_of(source(tmp_path), str(tmp_path))
    save(tmp_path / "t.csv", CELLS | {"job": [f"job {i % 9}" for i in range(COUNT)]})
    with pytest.raises(DataError) as raised:
        dataset_of(plan, str(tmp_path))
    assert "`row` is 28 numbers wide; the plan was made for 22" in raised.value.message
    (tmp_path / "t.csv").unlink()
    with pytest.raises(DataError, match=r'there is no file "t.csv"'):
        dataset_of(plan, str(tmp_path))


def test_a_broken_line_beyond_the_head_is_named(tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f"{i},{'text ' * 8}\n" for i in range(30_000))
    (tmp_path / "t.csv").write_text(text)
    call = Call("csv", call_of("source", "csv", file="t.csv").arguments)
    plan = plan_of(call, str(tmp_path))
    for more, told in ((b"1,2,3\n", "line 30,002 has 3 cells"), (b"1,\xff\n", "line 30,002 is not UTF-8")):
        (tmp_path / "t.csv").write_bytes(text.encode() + more)
        with pytest.raises(DataError, match=told):
            dataset_of(plan, str(tmp_path))


def test_a_table_that_memory_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(source(tmp_path, *COLUMNS, column("since", "categorical", categories=10_000)), str(tmp_path))
    for there, told in ((1_000_000, "60 rows of 10,0"), (1_000, '"t.csv" has')):
        monkeypatch.setattr(tables, "memory", lambda there=there: there)
        with pytest.raises(DataError) as raised:
            dataset_of(plan, str(tmp_path))
        assert raised.value.message.startswith(told)


def parquet_plan(folder: Path, *columns: Call, width: int | None = None) -> Any:
    call = Call("parquet", call_of("source", "parquet", file="t.parquet").arguments, columns)
    return plan_of(call, str(folder), fields={} if width is None else {"row": {"width": width}})


def write_parquet(folder: Path) -> dict[str, list[str]]:
    """A Parquet file with the usual types, and its cells as texts."""
    import datetime

    import pyarrow as arrow
    from pyarrow import parquet

    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(COUNT)]
    columns = {
        "whole": arrow.array([None if i % 7 == 0 else i * 3 for i in range(COUNT)], arrow.int64()),
        "single": arrow.array([i / 10 for i in range(COUNT)], arrow.float32()),
        "name": arrow.array(["uvw"[i % 3] for i in range(COUNT)]).dictionary_encode(),
        "truth": arrow.array([i % 2 == 0 for i in range(COUNT)]),
        "day": arrow.array(days),
        "time": arrow.array([datetime.datetime(2020, 1, 1, 5, i) for i in range(COUNT)], arrow.timestamp("us")),
    }
    parquet.write_table(arrow.table(columns), folder / "t.parquet")
    return {
        "whole": ["" if i % 7 == 0 else str(i * 3) for i in range(COUNT)],
        "single": [str(i / 10) for i in range(COUNT)],
        "name": ["uvw"[i % 3] for i in range(COUNT)],
        "truth": [str(i % 2 == 0).lower() for i in range(COUNT)],
        "day": [day.isoformat() for day in days],
        "time": [f"2020-01-01 05:{i:02}:00" for i in range(COUNT)],
    }


def test_parquet(tmp_path: Path) -> None:
    cells = write_parquet(tmp_path)
    with pytest.raises(DataError) as raised:
        dataset_of(parquet_plan(tmp_path), str(tmp_path))
    width = 12 + 11 + 3 + 2 + 11 + 11
    assert f"`row` is {width} numbers wide, which the plan cannot know" in raised.value.message
    assert raised.value.help == f"write `row {width}` in `data`"
    data = dataset_of(parquet_plan(tmp_path, width=width), str(tmp_path))
    table = data.tables["row"]
    texts = table.texts(table.decode(data.split("train")["row"]))
    assert {one.name: [row[i] for row in texts] for i, one in enumerate(table.columns)} == cells
    assert [one.kind for one in table.columns] == [
        "integer", "continuous", "categorical", "categorical", "datetime", "datetime"
    ]  # fmt: skip


def test_parquet_declared_in_another_order(tmp_path: Path) -> None:
    write_parquet(tmp_path)
    columns = (column("name", "categorical"), column("single", "continuous"))
    with pytest.raises(DataError, match="in another order") as raised:
        dataset_of(parquet_plan(tmp_path, *columns), str(tmp_path))
    assert raised.value.help == "declare them as the file has them: `single`, `name`"


def test_parquet_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(DataError, match="no Parquet file, or is damaged"):
        dataset_of(parquet_plan(tmp_path, width=3), str(tmp_path))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError) as raised:
        dataset_of(parquet_plan(tmp_path, width=3), str(tmp_path))
    assert "needs pyarrow" in raised.value.message and "gendsl[parquet]" in raised.value.help


def test_one_row_and_one_column(tmp_path: Path) -> None:
    for text in ("a\n1.5\n", "a\nu\n", "a\n2020-01-02\n"):
        (tmp_path / "t.csv").write_text(text)
        for encoding in ("mixture", "quantile", "log", "standard", "minmax"):
            kind = {"1": "continuous", "u": "categorical", "2": "datetime"}[text[2]]
            columns = () if kind == "categorical" else (column("a", kind, encoding=encoding),)
            call = Call("csv", call_of("source", "csv", file="t.csv").arguments, columns)
            data = dataset_of(plan_of(call, str(tmp_path), batch=1), str(tmp_path))
            table, rows = data.tables["row"], data.split("train")["row"]
            assert np.isfinite(rows).all() and table.texts(table.decode(rows)) == [[text.split("\n")[1]]]


def test_rows_that_repeat_others_are_dropped(tmp_path: Path) -> None:
    """Row 30 repeats row 0 but for `id`, which is dropped; 31 differs in one cell; 32 repeats 9, missing cells too."""
    cells: dict[str, list[Any]] = {name: list(values) for name, values in CELLS.items()}
    for values in cells.values():
        values[30], values[31], values[32] = values[0], values[0], values[9]
    cells["job"][31] = "smith"
    cells["id"][30] = 999
    rule = (Call("drop", {"what": ("duplicates",)}),)
    plan = plan_of(source(tmp_path, **cells), str(tmp_path), curate=rule, batch=8)
    data = dataset_of(plan, str(tmp_path))
    assert data.manifest["sources"][0]["dropped"] == {"duplicates": 2} and data.sizes == {"train": COUNT - 2}
    assert [(one.example, one.repeats) for _, one in data.findings.left_out] == [("30", "0"), ("32", "9")]


def test_rows_of_the_file_that_break_a_constraint_and_constant_columns_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gendsl.lower.data.tables.head_of", partial(head_of, limit=200))  # as of a large file
    plan = plan_of(source(tmp_path, *COLUMNS, job=["smith"] * COUNT), str(tmp_path), batch=8)
    rules = (Call("ordered", {"columns": ("income", "age")}), Call("unique", {"columns": ("job",)}))
    data = dataset_of(replace(plan, data=replace(plan.data, constraints=rules)), str(tmp_path))
    ordered, unique, constant = data.findings.warnings
    there = sum(bool(income) for income in CELLS["income"])  # every income is more than any age
    assert ordered == f"{there} of 60 rows of the file break `ordered income, age`: samples that do are passed over"
    assert unique.startswith(f"{COUNT - there - 1} of 60 rows of the file break `unique job`")
    assert constant == "column `job` is the same in all rows, and teaches nothing: `column job, drop`"
    assert not dataset_of(plan_of(source(tmp_path), str(tmp_path), batch=8), str(tmp_path)).findings.warnings
