"""The folder of a run: files whole or not at all, lines that survive a crash, one process at a time."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gendsl.lower.errors import UserError
from gendsl.run import folder as folders
from gendsl.run.folder import Lock, RunFolder


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.json"
    folders.write_whole(path, "old")

    def broken(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(folders.os, "replace", broken)
    with pytest.raises(UserError, match="cannot be written"):
        folders.write_whole(path, "new")
    assert path.read_text() == "old"


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    folders.append_line(path, {"step": 1, "loss": math.inf, "count": np.int64(3)})
    with open(path, "a") as file:
        file.write('{"step": 2, "lo')
    assert folders.read_lines(path) == [{"step": 1, "loss": None, "count": 3}]


def test_lines_after_a_step_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for step in (1, 2, 3):
        folders.append_line(path, {"step": step})
    folders.keep_lines_until(path, 2)
    assert [record["step"] for record in folders.read_lines(path)] == [1, 2]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    lock = Lock(RunFolder(tmp_path))
    code = (
        "import sys; from pathlib import Path; from gendsl.run.folder import Lock, RunFolder\n"
        "from gendsl.lower.errors import UserError\n"
        "try: Lock(RunFolder(Path(sys.argv[1])))\n"
        "except UserError as error: print(error.message)"
    )

    def told() -> str:
        return subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True).stdout

    assert "another process" in told()
    lock.release()
    assert told() == ""


def test_new_folders_have_names_of_their_own(tmp_path: Path) -> None:
    first = folders.new_path("digits", "abcdef0123", root=tmp_path)
    first.mkdir(parents=True)
    second = folders.new_path("digits", "abcdef0123", root=tmp_path)
    assert first.parent == second.parent == tmp_path / "digits" and first != second
    assert "-abcdef01" in first.name


def test_what_is_no_run_is_refused_with_the_run_that_is_near(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder"):
        folders.open_run(tmp_path / "nowhere")
    inside = tmp_path / "digits" / "one"
    folders.write_json(inside / "plan.json", {"hash": "a"})
    with pytest.raises(UserError) as caught:
        folders.open_run(tmp_path)
    assert str(inside) in caught.value.help
    assert json.loads((inside / "plan.json").read_text()) == {"hash": "a"}


def test_the_lock_sweeps_what_a_killed_process_had_half_written(tmp_path: Path) -> None:
    left = tmp_path / "samples" / ".step-0000040.png.123.tmp"
    left.parent.mkdir()
    left.write_bytes(b"half")
    lock = Lock(RunFolder(tmp_path))
    assert not left.exists()
    lock.release()
