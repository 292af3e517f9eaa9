"""`gendsl evaluate` and `gendsl compare`: the scores of checkpoints, and runs side by side."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gendsl.cli import main
from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.run.command import Outcome
from gendsl.run.comparing import compared
from gendsl.run.evaluating import evaluated
from gendsl.vocabulary.score_keys import plain, shown

Run = Callable[..., tuple[Outcome, str]]


@pytest.fixture
def run_folder(tiny: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the tiny run."""
    return Path(shutil.copytree(tiny[0], tmp_path / "run", symlinks=True))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def told(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    """The exit code of a command and its outputs."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_scores_of_the_last_checkpoint_are_those_of_training(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run_folder / "metrics.jsonl").read_bytes()
    trained = lines(run_folder / "metrics.jsonl")[-1]
    code, out, _ = told(capsys, "evaluate", run_folder, "--format", "json")
    found = json.loads(out)
    assert code == 0 and found["step"] == 60
    assert set(found["scores"]) == {key for key in trained if "#" in key}
    for key, score in found["scores"].items():
        assert score["value"] == pytest.approx(trained[key], rel=1e-6)  # the same samples and the same weights
        assert score["contract"]["weights"] == "averaged" and score["name"] == plain(key)
    fid = next(score for score in found["scores"].values() if score["name"] == "fid")
    assert fid["interval"][0] < fid["value"] < fid["interval"][1] and fid["resampled"] == "samples"
    assert (run_folder / "metrics.jsonl").read_bytes() == before
    (record,) = lines(run_folder / "evaluations.jsonl")
    assert record["step"] == 60 and set(record["intervals"]) <= {key for key in record if "#" in key}


def test_other_scores_of_another_checkpoint(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--scores", "kid subsets: 2; precision_recall", "--checkpoint", "40", "--samples", "50")
    code, out, _ = told(capsys, "evaluate", run_folder, *words)
    assert code == 0 and "after 40 steps" in out
    assert [row.split()[0] for row in out.splitlines()[2:]] == ["kid_pixels", "precision_pixels", "recall_pixels"]
    code, out, _ = told(capsys, "evaluate", run_folder, "--scores", "kid, diversity", "--format", "json")
    assert [score["name"] for score in json.loads(out)["scores"].values()] == ["kid", "diversity"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    (
        (("--scores", "fidd"), 1, "did you mean `fid`?"),
        (("--scores", "classification_accuracy"), 1, "a sample takes none"),
        (("--samples", "1000000000"), 3, "1,000,000,000 samples are too many"),
        (("--samples", "0"), 2, "0 is too few"),
        (("--checkpoint", "best"), 3, "has no best checkpoint"),
        (("--checkpoint", "41"), 3, "41"),
    ),
)
def test_what_cannot_be_scored(
    run_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, message: str
) -> None:
    found, _, err = told(capsys, "evaluate", run_folder, *words)
    assert found == code and message in err and "Traceback" not in err
    assert not (run_folder / "evaluations.jsonl").exists()


def test_a_run_without_checkpoints(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run_folder / "checkpoints")
    code, _, err = told(capsys, "evaluate", run_folder)
    assert code == 3 and "has no checkpoint yet" in err and "gendsl resume" in err


def test_a_run_that_was_scored_goes_on_as_if_it_had_not_been(
    tiny: tuple[Path, str], tmp_path: Path, run_tiny: Run, tiny_text: str
) -> None:
    run_tiny(tiny_text, tmp_path / "part", steps=40)
    assert evaluated(tmp_path / "part", Problems()) is not None
    scored = (tmp_path / "part" / "evaluations.jsonl").read_bytes()
    run_tiny(tiny_text, tmp_path / "part", resume=True)

    def of(folder: Path) -> list[dict[str, Any]]:
        records = lines(folder / "metrics.jsonl")
        return [{name: value for name, value in record.items() if name != "seconds"} for record in records]

    ours = [record for record in of(tmp_path / "part") if record["step"] != 40 or "evaluation" not in record]
    assert ours == of(tiny[0])
    assert (tmp_path / "part" / "evaluations.jsonl").read_bytes() == scored


def test_runs_side_by_side(run_folder: Path, tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    other = tmp_path / "other"
    text = tiny_text.replace("dense 16 | batch_norm", "dense 24 | batch_norm")
    run_tiny(text.replace("  diversity\n}", "  diversity\n  keep best: diversity\n}"), other)
    best = int(os.readlink(other / "best").rpartition("-")[2])
    found = compared([run_folder, other])
    assert not found.refused and not found.alone
    assert [shown(row.key) for row in found.rows][:2] == ["fid_pixels", "modes"]
    for row in found.rows:
        assert row.best[0] is None and row.best[1] is not None and row.best[1].step == best  # one spec keeps none
        assert all(value is not None and value.step == 60 for value in row.last)
    fid = found.rows[0].last
    assert all(value is not None and value.interval is not None and value.value is not None for value in fid)
    taken = len(lines(other / "evaluations.jsonl"))
    assert taken == len({best, 60})
    compared([run_folder, other])
    assert len(lines(other / "evaluations.jsonl")) == taken  # what is known is not taken again


def test_scores_that_were_not_taken_alike_are_refused(
    run_folder: Path, tmp_path: Path, run_tiny: Run, tiny_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    text = tiny_text.replace("samples: 100", "samples: 120").replace("  ema generator, decay: 0.9\n", "")
    run_tiny(text, other)
    code, out, _ = told(capsys, "compare", run_folder, other, "--recorded", "--scores", "fid")
    assert code == 3 and "`fid` cannot be compared: the runs differ in\n" in out
    assert f"samples: 100 in {run_folder}, 120 in {other}" in out
    assert f"weights: averaged in {run_folder}, raw in {other}" in out
    code, out, _ = told(capsys, "compare", run_folder, other, "--recorded", "--format", "json")
    refused = {one["name"]: one["fields"] for one in json.loads(out)["refused"]}
    assert code == 3 and refused["fid"] == {"samples": [100, 120], "weights": ["averaged", "raw"]}
    (other / "scores.json").unlink()
    code, out, _ = told(capsys, "compare", run_folder, other, "--recorded", "--scores", "fid")
    assert code == 3 and "not in scores.json" in out


def test_what_cannot_be_compared(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "compare", run_folder)[0] == 2
    code, _, err = told(capsys, "compare", run_folder, tmp_path)
    assert code == 3 and "is not the folder of a run" in err
    bare = Path(shutil.copytree(run_folder, tmp_path / "bare", symlinks=True))
    (bare / "metrics.jsonl").unlink()
    code, _, err = told(capsys, "compare", run_folder, bare)
    assert code == 3 and "has no scores" in err and "gendsl evaluate" in err
    with pytest.raises(UserError, match="no run has a score `fidd`"):
        compared([run_folder, run_folder], scores=["fidd"], recorded=True)


def test_metrics_that_are_cut_off_lose_no_score_before_the_cut(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = Path(shutil.copytree(run_folder, tmp_path / "cut", symlinks=True))
    whole = (cut / "metrics.jsonl").read_bytes()
    (cut / "metrics.jsonl").write_bytes(whole[: whole.rindex(b'"diversity')] + b"\x00\xff")
    (cut / "scores.json").write_bytes(b'{"contracts": ')
    found = compared([run_folder, cut], recorded=True)
    fid = next(row for row in found.rows if shown(row.key) == "fid_pixels")
    assert fid.last[0] is not None and fid.last[1] is None  # the line of step 60 is torn
    assert told(capsys, "evaluate", cut)[0] == 0  # and is taken anew
    found = compared([run_folder, cut], recorded=True)
    assert next(row for row in found.rows if shown(row.key) == "fid_pixels").last[1] is not None


def test_what_is_recorded_is_compared_without_tensorflow(run_folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from gendsl.cli import main\n"
        f"code = main(['compare', {str(run_folder)!r}, {str(run_folder)!r}, '--recorded'])\n"
        "assert code == 0 and 'tensorflow' not in sys.modules, code"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert "fid_pixels" in done.stdout
