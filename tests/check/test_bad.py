"""Every rule has a bad spec, bad/<rule>.gen, whose first mistake is of that rule, and bad/<rule>.txt, its rendering.

`pytest tests/check/test_bad.py --accept` writes the renderings; they are to be read before they are committed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Diagnostic, Problems
from gendsl.reading import SIZE, decoded, read
from gendsl.render import text as rendered
from gendsl.rules import RULES, Rule

BAD = Path(__file__).parent / "bad"
ROOT = Path(__file__).parents[2]
GOOD = [path for folder in ("specs", "examples", "gendsl/templates") for path in sorted(ROOT.glob(f"{folder}/*.gen"))]


def problems_of(rule: Rule) -> Problems:
    """The problems of a rule's bad spec; of rules on files, of a file that breaks them."""
    problems = Problems()
    if rule.code == "unreadable":
        read("unreadabel.gen", problems)
        return problems
    content = b" " * (SIZE + 1) if rule.code == "too_large" else (BAD / f"{rule.code}.gen").read_bytes()
    source = decoded(content, f"{rule.code}.gen", problems)
    if source is not None:
        check(source, problems, folder=".")
    return problems


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_rule(
    rule: Rule, expected: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(BAD)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    problems = problems_of(rule)
    first: Diagnostic | None = next(iter(problems.of("error") or problems.of("warning") or problems.of("hint")), None)
    assert first is not None, "nothing is found"
    assert first.rule is rule, f"the first is {first.rule.code}: {first.message}"
    shown = rendered(problems).replace(str(BAD), "FOLDER").replace(str(tmp_path), "TFDS")
    expected(BAD / f"{rule.code}.txt", shown)


def test_there_is_nothing_else() -> None:
    codes = {rule.code for rule in RULES}
    assert {path.stem for path in BAD.iterdir() if path.suffix in (".gen", ".txt")} <= codes


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_a_good_spec_breaks_none(path: Path) -> None:
    problems = Problems()
    source = read(str(path), problems)
    assert source is not None
    assert check(source, problems, folder=str(path.parent)) is not None
    assert {found.rule.code for found in problems if found.severity != "hint"} <= {"missing_data"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_a_rule_says_of_itself(rule: Rule) -> None:
    assert rule.code.isidentifier() and rule.code == rule.code.lower()
    assert rule.summary.endswith(".") and rule.explanation.endswith(".") and len(rule.summary) < 100
    assert rule.severity != "warning" or rule.source or rule.code == "missing_data"
