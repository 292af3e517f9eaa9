"""`unique`, `ordered`, `pattern`: what does not fit the table is told with what to write; the rest is in the plan."""

from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Plan
from gendsl.plan.record import plan_of, record_of
from gendsl.source import Source

SPEC = """experiment t
data {{ source {source}; {rules}; batch 2 }}
network generator(z: normal(2)) -> {field} {{ {made} }}
network critic(x: {field}) -> logits(1) {{ flatten | dense 1 }}
train {{ objective wgan(critic: critic); optimizer adam(1e-3); steps 2 }}
"""


def checked(folder: Path, rules: str, **given: str) -> tuple[Plan | None, list[str]]:
    rows = [f"{20 + i},{30 + i},job{i % 2},2020-01-{i + 1:02}" for i in range(20)]
    (folder / "t.csv").write_text("\n".join(["begin,end,job,day", *rows]) + "\n")
    usual = {"source": 'csv("t.csv")', "field": "row", "made": "dense row.width"}
    problems = Problems()
    plan = check(Source("t.gen", SPEC.format(rules=rules, **{**usual, **given})), problems, folder=str(folder))
    return plan, [f"{one.rule.code}: {one.message}; {one.help}" for one in problems if one.severity == "error"]


def test_constraints_are_in_the_plan_and_its_record(tmp_path: Path) -> None:
    plan, told = checked(tmp_path, 'unique begin, job; ordered begin, end; pattern job, "job[0-9]"')
    assert plan is not None, told
    assert [call.word for call in plan.data.constraints] == ["unique", "ordered", "pattern"]
    assert plan.data.constraints[1].arguments["columns"] == ("begin", "end")
    assert plan_of(record_of(plan)) == plan


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("unique bejin", "bad_data: the table has no column `bejin`; did you mean `begin`?"),
        ("ordered begin", "bad_data: `ordered` names 1 columns; write `ordered begin, end`"),
        ("ordered begin, job", "`begin` is integer, `job` is categorical; name columns of one kind"),
        ("ordered begin, day", "`begin` is integer, `day` is datetime; name columns of one kind"),
        ('pattern job, "job["', "`job[` is no regular expression: unterminated character set"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, rules: str, told: str) -> None:
    plan, found = checked(tmp_path, rules)
    assert plan is None and any(told in one for one in found), found


def test_a_dropped_column_and_data_that_is_no_table(tmp_path: Path) -> None:
    _, found = checked(tmp_path, "unique job", source='csv("t.csv") { column job, drop }')
    assert any("column `job` is dropped, and no sample has it" in one for one in found), found
    made = "dense 64 | reshape 8, 8, 1"
    _, found = checked(tmp_path, "unique label", source="digits()", field="image", made=made)
    assert any("`unique` is of the rows of a table, and this is `digits`" in one for one in found), found
