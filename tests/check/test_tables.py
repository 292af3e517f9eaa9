"""Tables as the checker sees them: what is inferred of their columns, how wide a row is, what is refused, and where."""

import csv
import io
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gendsl.check.checker import check
from gendsl.check.headers import header_of
from gendsl.check.headers.columns import column
from gendsl.check.headers.header import Header
from gendsl.diagnostics import Problems
from gendsl.plan.columns import column_text, table_text
from gendsl.plan.plan import Call, Plan
from gendsl.source import Source

SPEC = """experiment table

data {{
  source csv("t.csv"{more}) {{
    {columns}
  }}
  batch 2
}}

network generator(z: normal(4)) -> row {{
  dense 8 | relu
  dense row.width
}}

network critic(x: row) -> logits(1) {{
  dense 8 | relu
  dense 1
}}

train {{
  objective gan(loss: hinge, discriminator: critic)
  optimizer adam(1e-3)
  steps 3
}}
"""


def written(folder: Path, rows: Sequence[Sequence[Any]] | str | bytes) -> Path:
    """`t.csv` of rows of cells, or of text or bytes as they are."""
    path = folder / "t.csv"
    if not isinstance(rows, str | bytes):
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(rows)
        rows = stream.getvalue()
    path.write_bytes(rows.encode() if isinstance(rows, str) else rows)
    return path


def header(folder: Path, *columns: Call, separator: str = ",") -> Header:
    return header_of(Call("csv", {"file": "t.csv", "separator": separator}, columns), str(folder))


def planned(folder: Path, columns: str = "", more: str = "") -> tuple[Plan | None, list[str]]:
    problems = Problems()
    text = SPEC.format(columns=columns, more=more)
    plan = check(Source("t.gen", text), problems, folder=str(folder))
    return plan, [f"{problem.message}; {problem.help}" for problem in problems.of("error")]


def columnar(**columns: Sequence[Any]) -> list[Sequence[Any]]:
    return [list(columns), *map(list, zip(*columns.values(), strict=True))]


def test_what_is_inferred(tmp_path: Path) -> None:
    n = 40
    written(
        tmp_path,
        columnar(
            age=[i * 7 % 41 for i in range(n)],
            price=[f"{i / 4:.2f}" for i in range(n)],
            rate=["1e-3", *[f"{i}.5" for i in range(1, n)]],
            grade=[i % 3 for i in range(n)],
            city=["Köln", "Ulm"] * (n // 2),
            born=[f"19{i + 40}-02-03" for i in range(n)],
            seen=[f"{i % 28 + 1:02}.01.2020 10:{i:02}" for i in range(n)],
            gap=["" if i % 5 == 0 else i * 1.5 for i in range(n)],
            lost=["NA" if i % 5 == 0 else i * 3 for i in range(n)],
            hole=["" if i % 5 == 0 else "xyz"[i % 3] for i in range(n)],
            space=[f"{i} " for i in range(n)],
            zip=[f"0{i}" for i in range(n)],
            code=[12345678901234567890 + i for i in range(n)],
            same=["yes"] * n,
            none=[""] * n,
        ),
    )
    found = header(tmp_path)
    assert [column_text(one).removeprefix("column ") for one in found.columns] == [
        "age, integer",
        "price, continuous",
        "rate, continuous",
        "grade, categorical, categories: 3",
        "city, categorical, categories: 2",
        'born, datetime, format: "%Y-%m-%d"',
        'seen, datetime, format: "%d.%m.%Y %H:%M"',
        "gap, continuous, missing: on",
        "lost, integer, missing: on",
        "hole, categorical, categories: 3, missing: on",
        "space, integer",
        "zip, categorical, categories: 40",
        "code, categorical, categories: 40",
        "same, categorical, categories: 1",
        "none, drop",
    ]
    widths = [11, 11, 11, 3, 2, 11, 11, 12, 12, 4, 11, 40, 40, 1, 0]
    assert found.fields[0].shape == (sum(widths),) and found.examples == n


def test_an_index_without_a_name_is_dropped(tmp_path: Path) -> None:
    written(tmp_path, ",x\n0,1.5\n1,2.5\n")
    assert [one.arguments["kind"] for one in header(tmp_path).columns] == ["drop", "continuous"]


@pytest.mark.parametrize(
    ("declared", "width"),
    [
        (column("x", "continuous"), 11),
        (column("x", "integer", modes=3), 4),
        (column("x", "continuous", modes=3, missing=True), 5),
        (column("x", "continuous", encoding="quantile"), 1),
        (column("x", "continuous", encoding="log", missing=True), 2),
        (column("x", "categorical"), 4),
        (column("x", "categorical", categories=7), 7),
        (column("x", "categorical", categories=(4, 3, 2, 1), missing=True), 5),
        (column("x", "ordinal"), 1),
        (column("x", "ordinal", missing=True), 2),
    ],
)
def test_the_width_of_a_row(tmp_path: Path, declared: Call, width: int) -> None:
    written(tmp_path, "x,y\n1,a\n2,b\n3,a\n4,b\n")
    assert header(tmp_path, declared, column("y", "drop")).fields[0].shape == (width,)


def test_the_plan_holds_all_columns_and_shows_them(tmp_path: Path) -> None:
    written(tmp_path, "age,job,id\n3.5,a,1\n4,b,2\n,a,3\n")
    plan, problems = planned(tmp_path, "column id, drop")
    assert plan is not None and not problems
    assert plan.data.fields[0].shape == (14,) and plan.data.examples == 3
    assert plan.network("generator").layers[-1].shape == (14,)
    text = table_text(plan.data.sources[0].call)
    assert text == (
        'source csv("t.csv") {\n  column age, continuous, missing: on\n  column job, categorical, categories: 2\n'
        "  column id, drop\n}"
    )
    # pasted, it makes the same plan
    again, _ = planned(tmp_path, "\n".join(line for line in text.split("\n") if "column" in line))
    assert again == plan


def test_names_that_are_none_of_the_language_are_quoted(tmp_path: Path) -> None:
    rows = [["a b", 'say "x"', "on", "t\\", "ü"], *[[i, i + 0.5, i, i, i] for i in range(5)]]
    written(tmp_path, rows)
    plan, problems = planned(tmp_path)
    assert plan is not None, problems
    text = table_text(plan.data.sources[0].call)
    again, problems = planned(tmp_path, "\n".join(line for line in text.split("\n") if "column" in line))
    assert again == plan, problems


def test_categories_may_be_names_texts_and_numbers(tmp_path: Path) -> None:
    written(tmp_path, "x,y,z\nlow,1,very high\nhigh,2,low\n")
    columns = (
        "column x, ordinal, categories: [low, high]; column y, categorical, categories: [2, 1]; column z, ordinal, "
    )
    plan, problems = planned(tmp_path, columns + 'categories: [low, "very high"]')
    assert plan is not None, problems
    found = [one.arguments["categories"] for one in plan.data.sources[0].call.statements]
    assert found == [("low", "high"), (2, 1), ("low", "very high")]


BAD = [
    ("", "is empty"),
    ("a,b\n", "no rows"),
    ("1,2\n3,4\n", "holds numbers: 1, 2"),
    ("a;b\n1;2\n", 'write `separator: ";"`'),
    ("a,b\n1,2\n3\n", "line 3 has 1 cells; the header line has 2"),
    ('a,b\n"x\ny",2\n3,4,5\n', "line 4 has 3 cells"),
    ("a,b,a\n1,2,3\n", "two columns `a`, the columns 1 and 3"),
    ('a,b\n"x,2\n', "line 2 opens a quote that is never closed"),
    (b"a,b\n1,2\n\xff,3\n", "line 3 is not UTF-8: byte 1 of it, 0xFF"),
    (b"\xff\xfea\x00", "UTF-16"),
    (b"\x1f\x8b\x08\x00", "gzip"),
    (b"a,b\n1,\x002\n", "line 2 holds a NUL"),
    (b"a,b\r1,2\r", "carriage return"),
    ('a,b\n"x"y,2\n', "line 2 is no record of cells"),
    ("a\n" + "".join(f"{i}\n" for i in range(30)) + "oops\n", "line 32: column `a` holds numbers, and here `oops`"),
    ("a\n01/02/2020\n03/04/2020\n", "the day or the month first"),
    ("a\n" + "".join(f"x{i}\n" for i in range(1_200)), "has 1,200 categories; leave it out with `column a, drop`"),
    ("a,b\n" + f",{'long ' * 20}\n" * 20_000, "holds nothing in its first"),
    ("a\n" + "".join("\n" if i else '""\n' for i in range(3)), "no column of"),
]


@pytest.mark.parametrize(("content", "told"), BAD, ids=[told for _, told in BAD])
def test_what_is_refused(tmp_path: Path, content: str | bytes, told: str) -> None:
    written(tmp_path, content)
    found = header(tmp_path)
    assert told in f"{found.problem}; {found.help}" and found.help


DECLARED = [
    (column("b", "continuous"), "has no column `b`"),
    (column("x", "integer"), '"t.csv" line 3: column `x` holds `2.5`, which is not a whole number'),
    (column("y", "continuous"), "line 2: column `y` holds `u`, which is not a number"),
    (column("y", "ordinal"), "list the categories: `column y, ordinal, categories: [low, middle, high]`"),
    (column("y", "categorical", categories=("u",)), "line 3: `v` is not among the categories"),
    (column("y", "categorical", categories=("u", "v", "u")), "listed twice"),
    (column("y", "categorical", categories=1), "declared with 1 categories, and has 2"),
    (column("z", "continuous", missing=False), "line 3: column `z` has no value here"),
    (column("w", "datetime", format="%d.%m.%Y"), "holds `2020-01-01`, which is no time `%d.%m.%Y`"),
    (column("w", "datetime", format="%Y-%m-%d %z"), "time zone"),
    (column("y", "datetime"), "in no format that is known"),
    (column("y", "categorical", encoding="log"), "`encoding:` says nothing about column `y`"),
    (column("x", "continuous", categories=3), "`categories:` says nothing about column `x`"),
    (column("n", "continuous"), 'column `n` of "t.csv" holds nothing; write `column n, drop`'),
]


@pytest.mark.parametrize(("declared", "told"), DECLARED, ids=[told for _, told in DECLARED])
def test_declarations_that_do_not_fit(tmp_path: Path, declared: Call, told: str) -> None:
    written(tmp_path, "x,y,z,w,n\n1,u,1,2020-01-01,\n2.5,v,,2020-01-02,\n3,u,3,2020-01-03,\n")
    found = header(tmp_path, declared)
    assert told in f"{found.problem}; {found.help}" and found.help


def test_a_column_declared_twice(tmp_path: Path) -> None:
    written(tmp_path, "x\n1\n2\n")
    assert "declared twice" in header(tmp_path, column("x", "integer"), column("x", "drop")).problem


def test_a_mistake_is_told_by_the_checker(tmp_path: Path) -> None:
    written(tmp_path, "age,job\n1,a\n2,b\n")
    assert planned(tmp_path, "column id, drop")[1] == ['"t.csv" has no column `id`; its columns are age, job']
    assert "did you mean `age`?" in planned(tmp_path, "column Age, drop")[1][0]


def test_what_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """A byte order mark, quoted separators, quotes and newlines, spaces behind separators, blank lines, CRLF."""
    written(tmp_path, '\ufeff"a","b ""c"""\r\n"x,\ny", 2\r\n\r\n"z", 3\r\n'.encode())
    found = header(tmp_path)
    assert [one.arguments["name"] for one in found.columns] == ["a", 'b "c"'] and found.examples == 2
    written(tmp_path, "a\tb\n1\t2\n")
    assert len(header(tmp_path, separator="\t").columns) == 2
    assert "one character" in header(tmp_path, separator="::").problem


def test_a_large_table_is_known_by_its_first_mebibyte(tmp_path: Path) -> None:
    lines = [f"{i / 8:.3f},{'abc'[i % 3]},some text to fill the line, which a row has" for i in range(200_000)]
    written(tmp_path, "x,y,z,u\n" + "\n".join(lines) + "\n")
    assert (tmp_path / "t.csv").stat().st_size > 10 << 20
    header(tmp_path)
    began = time.process_time()
    found = header(tmp_path)
    assert time.process_time() - began < 1
    assert found.examples is None and found.fields[0].shape == (11 + 3 + 1 + 1,)
    assert [one.arguments["kind"] for one in found.columns] == ["continuous", *["categorical"] * 3]


def test_one_row_and_one_column(tmp_path: Path) -> None:
    written(tmp_path, "a\n1.5\n")
    found = header(tmp_path)
    assert found.examples == 1 and found.fields[0].shape == (11,)


def test_parquet_is_as_wide_as_its_declared_columns(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"")
    columns = (column("a", "continuous"), column("b", "categorical", categories=4), column("c", "drop"))
    found = header_of(Call("parquet", {"file": "t.parquet"}, columns), str(tmp_path))
    assert found.fields[0].shape == (15,) and found.examples is None
    for open in ((), (column("b", "categorical"),)):
        assert header_of(Call("parquet", {"file": "t.parquet"}, open), str(tmp_path)).fields[0].shape == (None,)


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    written(tmp_path, "a,b\n1,2020-01-01\n2,2020-01-02\n")
    script = (
        "import sys; from gendsl.check.headers import header_of; from gendsl.plan.plan import Call\n"
        "header = header_of(Call('csv', {'file': 't.csv', 'separator': ','}), sys.argv[1])\n"
        "assert len(header.columns) == 2\n"
        "assert not {'numpy', 'tensorflow', 'keras', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)


def test_columns_that_teach_nothing_are_told_once_and_what_is_dropped_is_not(tmp_path: Path) -> None:
    def told(columns: str) -> list[tuple[str, str]]:
        rows = [["", "age", "land", "none"], *[[i, 20 + i, "NL", ""] for i in range(30)]]
        written(tmp_path, rows)
        problems = Problems()
        check(Source("t.gen", SPEC.format(more="", columns=columns)), problems, folder=str(tmp_path))
        return [(one.message, one.help) for one in problems if one.rule.code == "idle_column"]

    ((message, help),) = told("column age, integer")
    assert message == (
        '"t.csv" has columns that teach nothing: `land` is `NL` in all rows, `none` is empty in all rows'
    )
    assert help == "leave them out: `column land, drop; column none, drop`"
    assert not told("column land, drop; column none, drop")
