"""`condition` as the checker sees it: how wide it is, and what is refused, where and with what help."""

from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Field, Plan
from gendsl.plan.show import plan_shown
from gendsl.source import Source

SPEC = """experiment table

data {{
  source {source}
  condition {columns}
  batch 2
  {more}
}}

network generator(z: normal(4), c: condition) -> row {{
  from z | concat c
  dense row.width
}}

network critic(x: row, c: condition) -> logits(1) {{
  from x | concat c
  dense condition.width | relu
  dense 1
}}

train {{
  update critic, with: adam(1e-3) {{
    fake = generator(c: condition)
    minimize mean(critic(fake, condition)) - mean(critic(row, condition)) + gradient_penalty(critic, row, fake)
  }}
  update generator, with: adam(1e-3) {{
    minimize -mean(critic(generator(c: condition), condition))
  }}
  steps 3
}}
"""
TABLE = 'csv("t.csv") { column size, ordinal, categories: [S, M]; column id, drop }'


def planned(folder: Path, columns: str, source: str = TABLE, more: str = "") -> tuple[Plan | None, list[str]]:
    lines = [f"{i},{'ab'[i % 2]},{('x', '', 'z')[i % 3]},{'SM'[i % 2]},{i / 8}," for i in range(24)]
    (folder / "t.csv").write_text("\n".join(["id,job,home town,size,income,gone", *lines, ""]))
    problems = Problems()
    text = SPEC.format(source=source, columns=columns, more=more)
    plan = check(Source("t.gen", text), problems, folder=str(folder))
    return plan, [f"{problem.span.text}: {problem.message}; {problem.help}" for problem in problems.of("error")]


def test_as_wide_as_the_categories_of_its_columns(tmp_path: Path) -> None:
    plan, told = planned(tmp_path, 'job, "home town"')
    assert plan is not None and not told
    assert plan.data.condition == ("job", "home town")
    columns = {"columns": ("job", "home town")}
    assert plan.data.fields[1] == Field("condition", "condition", (2 + 3,), "", None, columns)
    assert '  condition  5, of job, "home town"\n' in plan_shown(plan)


@pytest.mark.parametrize(
    ("columns", "source", "more", "told"),
    [
        (
            "jbo",
            TABLE,
            "",
            'jbo: the table has no column `jbo`; did you mean `job`?; its categorical columns are job, "home town"',
        ),
        (
            "job, income",
            TABLE,
            "",
            "income: column `income` is continuous, and a condition is a category; declare it: "
            "`column income, categorical`; or take it out of `condition`",
        ),
        (
            "size",
            TABLE,
            "",
            "size: column `size` is ordinal, and a condition is a category; declare it: "
            "`column size, categorical`; or take it out of `condition`",
        ),
        (
            "id",
            TABLE,
            "",
            "id: column `id` is dropped, and a condition is a category; declare it: `column id, categorical`; or take "
            "it out of `condition`",
        ),
        (  # nothing stands in it, so that it was dropped
            "gone",
            TABLE,
            "",
            "gone: column `gone` is dropped, and a condition is a category; declare it: `column gone, categorical`; or "
            "take it out of `condition`",
        ),
        ("job, job", TABLE, "", "job: `job` is a column of the condition already; name it once"),
        (
            "job",
            TABLE,
            "shuffle off",
            "shuffle off: `condition` draws the rows of each step, and they have no order to keep; take `shuffle off` "
            "out",
        ),
        (
            "job",
            "digits()",
            "",
            "condition: conditions are columns of a table, and this is the source `digits`; use one `csv` or `parquet`",
        ),
        (
            "job",
            'a: csv("t.csv"), b: csv("t.csv")',
            "",
            "condition: conditions are columns of a table, and this is several sources; use one `csv` or `parquet`",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, columns: str, source: str, more: str, told: str) -> None:
    _, found = planned(tmp_path, columns, source, more)
    assert found[0] == told
    if source == TABLE:
        assert len(found) == 1  # nothing else is told of the same mistake


def test_a_column_that_holds_nothing_is_not_made_one_by_declaring_it(tmp_path: Path) -> None:
    _, found = planned(tmp_path, "gone", 'csv("t.csv") { column gone, categorical }')
    assert found == ['source csv("t.csv"): column `gone` of "t.csv" holds nothing; write `column gone, drop`']


def test_a_condition_without_a_column(tmp_path: Path) -> None:
    _, found = planned(tmp_path, "")
    assert len(found) == 1 and found[0].startswith("condition: ")


def test_a_table_that_is_not_there_yet(tmp_path: Path) -> None:
    plan, told = planned(tmp_path, "job", 'csv("other.csv") { column job, categorical, categories: 3 }')
    assert plan is not None and not told
    assert plan.data.fields[1].shape == (3,)
    plan, told = planned(tmp_path, "job", 'csv("other.csv")')
    assert plan is not None and not told
    assert str(plan.data.fields[1].shape[0]) == "condition.width"
