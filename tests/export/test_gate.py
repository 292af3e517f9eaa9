"""The gate of an export: which scores and card fields keep a checkpoint in, what is said, and what overrides it."""

from pathlib import Path

import pytest
from carded import SPEC, run_folder

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.export.gate import admitted
from gendsl.lower.errors import UserError
from gendsl.run.folder import RunFolder, plan_in
from gendsl.source import Source

LIMIT = "saved_model; refuse when: memorized > 5% or diversity < 20%"
SCORES = {20: {"memorized_pixels#aa": 0.3, "diversity#bb": 0.5}, 30: {"memorized_pixels#aa": 0.01, "diversity#bb": 0.5}}


def passed(path: Path, step: int, override: str | None = None) -> tuple[str, ...]:
    folder = RunFolder(path)
    return admitted(folder, plan_in(folder), step, override=override)


def refusal(path: Path, step: int) -> UserError:
    with pytest.raises(UserError) as refused:
        passed(path, step)
    return refused.value


def test_each_checkpoint_is_judged_by_its_own_scores(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", export=LIMIT, scores=SCORES)
    assert passed(run, 30) == ()
    told = refusal(run, 20).message
    assert "`memorized > 5% or diversity < 20%` holds: `memorized` is 0.3, `diversity` is 0.5" in told


def test_what_was_never_measured_is_refused_with_the_command_that_measures_it(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", export=LIMIT, scores={30: {"diversity#bb": 0.5}})
    told = refusal(run, 30).message
    assert "`memorized` was not scored at step 30" in told and f"`gendsl evaluate {run} --checkpoint 30`" in told
    (run / "evaluations.jsonl").write_text('{"step": 30, "evaluation": 0, "memorized_pixels#aa": 0.02}\n')
    assert passed(run, 30) == ()


def test_one_side_can_decide_alone(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", export=LIMIT, scores={30: {"diversity#bb": 0.1}})
    assert "holds: `diversity` is 0.1" in refusal(run, 30).message


def test_a_later_score_counts_and_the_worse_one_of_two_extractors_is_not_averaged_away(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", export=LIMIT, scores=SCORES)
    (run / "evaluations.jsonl").write_text('{"step": 30, "evaluation": 0, "memorized_classifier#cc": 0.09}\n')
    assert "`memorized` is 0.09" in refusal(run, 30).message


def test_a_required_field_that_nobody_filled_in_is_refused(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", card='require summary, contact; summary "Digits."; contact " "')
    told = refusal(run, 30).message
    assert "the card requires `contact`" in told and f"gendsl run SPEC --out {run} --resume" in told


def test_a_reason_overrides_and_is_handed_on(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", export=LIMIT, card="require contact", scores=SCORES)
    notes = passed(run, 20, "for the workshop")
    assert notes[-1] == "overridden: for the workshop" and len(notes) == 3
    with pytest.raises(UserError, match="says no reason"):
        passed(run, 20, "  ")
    plain = run_folder(tmp_path / "plain")
    assert passed(plain, 30, "for nothing") == ()


@pytest.mark.parametrize(
    ("export", "card", "codes"),
    [
        ("refuse when: memorized > 5%", "", []),
        ("refuse when: memorised > 5%", "", ["unknown_score"]),
        ("refuse when: copied > 5%", "", ["unknown_score"]),
        ("refuse when: memorized", "", ["type_mismatch"]),
        ("refuse when: 5", "", ["type_mismatch"]),
        ("refuse", "", ["missing_argument"]),
        ("refuse when: memorized > 5%; refuse when: diversity < 20%", "", []),
        ("saved_model", "require summary", ["missing_card_field"]),
        ("saved_model", 'require summary; summary "x"', []),
        ("saved_model", "require sumary", ["wrong_type"]),
        ("saved_model", 'summary "a"; summary "b"', ["duplicate_block"]),
    ],
)
def test_the_check_tells_what_is_wrong(export: str, card: str, codes: list[str]) -> None:
    problems = Problems()
    text = SPEC.replace("EXPORT", f"export {{ {export} }}").replace("CARD", f"card {{ {card} }}" if card else "")
    check(Source("carded.gen", text), problems)
    assert [found.rule.code for found in problems if found.severity != "hint"] == codes
