"""`keep best`: which checkpoint it is, that it stays, and that a spec says which value is better."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.frozen import replace
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.run import checkpoints
from gendsl.run.best import Best, best_of
from gendsl.run.rebuild import rebuilt
from gendsl.source import Source
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.score_keys import shown

Run = Callable[..., Any]

NAN = float("nan")


def checked(text: str) -> tuple[Plan | None, list[str]]:
    problems = Problems()
    plan = check(Source("tiny.gen", text), problems)
    return plan, [f"{problem.rule.code}: {problem.message}" for problem in problems.of("error")]


def with_lines(text: str, *lines: str) -> str:
    """The tiny spec with more lines in its `evaluate`."""
    return text.replace("  diversity\n}", "\n".join(["  diversity", *(f"  {line}" for line in lines), "}"]))


@pytest.mark.parametrize(("higher", "steps"), [(True, [1, 3, 6]), (False, [1, 2, 5])])
def test_the_best_so_far(higher: bool, steps: list[int]) -> None:
    best = Best(0, "score", higher)
    values = {1: 0.5, 2: 0.25, 3: 0.75, 4: NAN, 5: -1.0, 6: 0.8, 7: 0.8, 8: -1.0}
    assert [step for step, value in values.items() if best.beaten(0, {"score": value})] == steps
    assert not best.beaten(1, {"score": 100.0}) and not best.beaten(0, {"another": 100.0}), "of its block alone"


def test_several_outputs_count_by_their_mean() -> None:
    best = Best(0, "diversity", higher=True)
    assert best.beaten(0, {"diversity/a": 0.25, "diversity/b": 0.75}) and best.value == 0.5


def test_what_is_best_goes_on_from_the_metrics(tiny_text: str) -> None:
    plan, _ = checked(with_lines(tiny_text, "keep best: diversity"))
    assert plan is not None
    records = [
        {"step": 1, "generator/loss": 9.0},
        {"step": 30, "evaluation": 0, "diversity": 0.4, "modes": 3.0},
        {"step": 60, "evaluation": 0, "diversity": 0.3, "modes": 4.0},
    ]
    assert best_of(plan, records) == Best(0, "diversity", True, 0.4)
    assert best_of(plan, []) == Best(0, "diversity", True, None)
    assert best_of(checked(tiny_text)[0], records) is None


def test_the_best_checkpoint_is_that_of_the_best_score_and_stays(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    # The loss of samples by a fixed rule: it falls with the rate that the spec's schedule gives.
    text = with_lines(tiny_text, "spread_out = mean(generator() ^ 2)", "keep best: spread_out, better: lower")
    text = text.replace("evaluate every: 30 steps", "evaluate every: 7 steps")
    text = text.replace("checkpoint every: 20 steps, keep: 2", "checkpoint every: 20 steps, keep: 1")
    folder = tmp_path / "run"
    outcome, said = run_tiny(text, folder)
    assert outcome.finished and f"best         {folder}/checkpoints/step-" in said and "keep" not in said.split("\n")[0]
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    named = [{shown(key): value for key, value in record.items()} for record in records]
    scores = {record["step"]: record["spread_out"] for record in named if "spread_out" in record}
    assert list(scores) == [*range(7, 57, 7), 60]
    best = min(scores, key=lambda step: scores[step])
    assert os.readlink(folder / "best") == f"checkpoints/step-{best}"
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == sorted({f"step-{best}", "step-60"})
    assert checkpoints.best(folder / "checkpoints") == best


def test_a_resumed_run_has_the_same_best(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    text = with_lines(tiny_text, "keep best: diversity")
    text = text.replace("evaluate every: 30 steps", "evaluate every: 7 steps")
    run_tiny(text, tmp_path / "whole")
    run_tiny(text, tmp_path / "part", steps=25)
    run_tiny(text, tmp_path / "part", resume=True)
    assert os.readlink(tmp_path / "part" / "best") == os.readlink(tmp_path / "whole" / "best")


def test_the_best_of_a_score_goes_by_its_name_in_the_spec(tiny_text: str) -> None:
    plan, told = checked(with_lines(tiny_text, "keep best: fid"))
    assert plan is not None and not told and not plan.not_built
    records = [
        {"step": 30, "evaluation": 0, "fid_pixels#0123abcd": 0.4, "fid_pixels_other": 0.1},
        {"step": 60, "evaluation": 0, "fid_pixels#0123abcd": 0.3},
    ]
    assert best_of(plan, records) == Best(0, "fid", False, 0.3)
    plan, told = checked(with_lines(tiny_text, "precision_recall", "keep best: recall"))
    assert plan is not None and not told
    assert best_of(plan, [{"step": 1, "evaluation": 0, "recall_pixels#0": 0.5}]) == Best(0, "recall", True, 0.5)


def test_a_score_that_is_not_built_is_left_out_by_name(tiny_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(WORDS["score"]["kid"], runs=False)  # as a word whose run-time part comes with a later version
    monkeypatch.setitem(WORDS["score"], "kid", later)
    monkeypatch.setattr("gendsl.check.evaluation.SCORES", (later,))
    plan, told = checked(with_lines(tiny_text, "kid", "keep best: kid"))
    assert plan is not None and not told
    assert ("keep best", "score") in plan.not_built and best_of(plan, []) is None
    plan, _ = checked(with_lines(tiny_text, "keep best: diversity"))
    assert plan is not None and ("keep best", "score") not in plan.not_built


def test_a_spec_says_which_value_is_better(tiny_text: str) -> None:
    _, told = checked(with_lines(tiny_text, "size = mean(generator())", "keep best: size"))
    assert told == ["missing_argument: it is not said whether a lower or a higher `size` is better"]
    assert not checked(with_lines(tiny_text, "size = mean(generator())", "keep best: size, better: higher"))[1]
    assert checked(with_lines(tiny_text, "keep best: diversty"))[1] == [
        "unknown_score: `diversty` is no score of this block"
    ]
    twice = with_lines(tiny_text, "keep best: modes", "keep best: diversity")
    assert checked(twice)[1] == ["duplicate_block: a run keeps one best checkpoint"]


def test_weights_that_are_not_finite_are_never_saved(
    tmp_path: Path, run_tiny: Run, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = checkpoints.snapshot

    def poisoned(state: Any) -> checkpoints.Snapshot:
        values = dict(taken(state))
        if (tmp_path / "run" / "checkpoints" / "step-20").is_dir():
            values[next(iter(values))] = values[next(iter(values))] * NAN
        return values

    monkeypatch.setattr(checkpoints, "snapshot", poisoned)
    with pytest.raises(UserError, match=r"is not finite at step 40; the last checkpoint, of step 20, is whole"):
        run_tiny(tiny_text, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-20"]


def test_samples_of_the_best_the_last_and_a_step(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    text = with_lines(tiny_text, "size = mean(generator() ^ 2)", "keep best: size, better: lower")
    text = text.replace("evaluate every: 30 steps", "evaluate every: 7 steps")
    folder = tmp_path / "run"
    run_tiny(text, folder)
    best = checkpoints.best(folder / "checkpoints")
    assert rebuilt(folder, "best").step == best and rebuilt(folder).step == 60
    assert rebuilt(folder, "40").step == 40
    with pytest.raises(UserError, match="no checkpoint of step 41"):
        rebuilt(folder, "41")
    with pytest.raises(UserError, match="`newest` is no checkpoint"):
        rebuilt(folder, "newest")
    (folder / "best").unlink()
    with pytest.raises(UserError, match="no best checkpoint"):
        rebuilt(folder, "best")
    (folder / "checkpoints" / "step-60" / "manifest.json").unlink()
    told: list[str] = []
    assert rebuilt(folder, told=told.append).step == 40
    assert told == ["step-60 was passed over: its manifest is missing or damaged"]
