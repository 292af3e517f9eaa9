"""The plan's record: from it alone comes an equal plan, with the same hash."""

import json
from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Plan
from gendsl.plan.record import hash_of, plan_of, record_of
from gendsl.source import Source

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.gen"))


def planned(text: str, **settings: str) -> Plan:
    plan = check(Source("a.gen", text), Problems(), settings=settings, folder=str(SPECS[0].parent))
    assert plan is not None
    return plan


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_plan_goes_through_json_and_comes_back(path: Path) -> None:
    plan = planned(path.read_text())
    record = json.loads(json.dumps(record_of(plan)))
    back = plan_of(record)
    assert hash_of(back) == hash_of(plan) == record["hash"]
    assert back.networks == plan.networks and back.train.phases == plan.train.phases
    assert record_of(back) == record_of(plan)


def test_comments_and_spaces_do_not_change_the_hash_and_numbers_do() -> None:
    text = (SPECS[0].parent / "digits_gan.gen").read_text()
    same = "# another comment\n" + text.replace("  batch 64", "    batch   64  # examples")
    assert hash_of(planned(same)) == hash_of(planned(text)) == hash_of(planned(text, width="32"))
    assert hash_of(planned(text, width="16")) != hash_of(planned(text))


def test_a_changed_or_foreign_record_is_refused() -> None:
    record = record_of(planned((SPECS[0].parent / "grid_gan.gen").read_text()))
    with pytest.raises(ValueError, match="changed"):
        plan_of(record | {"hash": "0" * 64})
    with pytest.raises(ValueError, match="format"):
        plan_of(record | {"format": 0})
