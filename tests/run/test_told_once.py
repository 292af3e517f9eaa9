"""A run that is stopped where it tells something: in the end each thing is told once, as if it had not been stopped."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from test_run import metrics

from gendsl.evaluate.scores import Evaluator
from gendsl.run.command import Outcome

Run = Callable[..., tuple[Outcome, str]]


def told(folder: Path) -> dict[str, list[int]]:
    """The steps of everything in TensorBoard's files, by tag; a speed is measured anew."""
    found = EventAccumulator(str(folder / "logs"), size_guidance={"tensors": 0}).Reload()
    tags = found.Tags()["tensors"]
    return {tag: [event.step for event in found.Tensors(tag)] for tag in tags if not tag.startswith("run/")}


def interrupted_while_scoring(monkeypatch: pytest.MonkeyPatch, time: int) -> None:
    """Ctrl-C while a run computes scores for so many a time."""
    scores, seen = Evaluator.scores, []

    def interrupted(self: Evaluator, number: int) -> Any:
        seen.append(number)
        if len(seen) == time:
            os.kill(os.getpid(), signal.SIGINT)
        return scores(self, number)

    monkeypatch.setattr(Evaluator, "scores", interrupted)


@pytest.mark.parametrize(("time", "step"), [(1, 30), (2, 60)])
def test_ctrl_c_while_it_scores(
    tmp_path: Path, tiny: tuple[Path, str], run_tiny: Run, tiny_text: str, monkeypatch: Any, time: int, step: int
) -> None:
    folder = tmp_path / "run"
    twice = tiny_text + "evaluate samples: 50 {\n  modes within: 3\n}\n"
    run_tiny(twice, tmp_path / "whole")
    with monkeypatch.context() as patched:
        interrupted_while_scoring(patched, time)
        outcome, said = run_tiny(twice, folder)
    assert (outcome.step, outcome.finished, outcome.exit_code) == (step, False, 130)
    assert f"interrupted  after {step} of 60 steps; all of them are saved" in said
    outcome, said = run_tiny(twice, folder, resume=True)
    assert outcome.finished and outcome.exit_code == 0 and "grid-final.png" in said
    assert metrics(folder) == metrics(tmp_path / "whole")
    assert told(folder) == told(tmp_path / "whole")


def test_an_end_that_is_moved_leaves_no_trace(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    long = tiny_text.replace("= 60 steps", "= 2_000 steps")  # a log every ten steps
    run_tiny(long, tmp_path / "whole", steps=40)
    run_tiny(long, tmp_path / "run", steps=27)
    assert [record["step"] for record in metrics(tmp_path / "run") if "evaluation" not in record] == [10, 20, 27]
    run_tiny(long, tmp_path / "run", steps=40, resume=True)
    assert metrics(tmp_path / "run") == metrics(tmp_path / "whole")
    assert told(tmp_path / "run") == told(tmp_path / "whole")


def test_a_change_closes_the_mean_of_what_was_before(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    long = tiny_text.replace("= 60 steps", "= 2_000 steps")
    run_tiny(long, tmp_path / "run", steps=27)
    changed = long.replace("loss: nonsaturating", "loss: hinge")
    run_tiny(changed, tmp_path / "run", steps=40, resume=True, allow_changes=True)
    means = [record for record in metrics(tmp_path / "run") if "evaluation" not in record]
    assert [record["step"] for record in means] == [10, 20, 27, 30, 40]
    # Killed before its next checkpoint, it goes on from that of the spec before, and the means of each stay apart.
    (tmp_path / "run" / "checkpoints" / "step-40" / "manifest.json").unlink()
    run_tiny(changed, tmp_path / "run", steps=41, resume=True)
    again = [record for record in metrics(tmp_path / "run") if "evaluation" not in record]
    assert again[:4] == means[:4] and [record["step"] for record in again] == [10, 20, 27, 30, 40, 41]
