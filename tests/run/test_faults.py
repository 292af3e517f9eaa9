"""A full disk, a folder that goes away, a terminal that is closed: a clear end, the last checkpoint whole."""

import hashlib
import itertools
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from terminal import CTRL_C, Terminal
from test_processes import ENVIRONMENT, bits, finished, gendsl, reaches
from test_run import metrics

LONG = ("--set", "length=1_000_000 steps")


@pytest.fixture
def spec(tmp_path: Path, tiny_text: str) -> Path:
    """The tiny spec, scored rarely, in a folder of its own."""
    path = tmp_path / "tiny.gen"
    path.write_text(tiny_text.replace("evaluate every: 30 steps", "evaluate every: 100_000 steps"))
    return path


def ended(process: subprocess.Popen[str], code: int) -> str:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "Traceback" not in said and "mistake in gendsl" not in said, said
    return said


def last_whole(folder: Path) -> int:
    """The newest checkpoint, all of whose files are as its manifest says."""
    there = [path for path in (folder / "checkpoints").iterdir() if path.suffix != ".tmp"]
    newest = max(there, key=lambda path: int(path.name[5:]))
    for name, told in json.loads((newest / "manifest.json").read_text())["files"].items():
        assert hashlib.sha256((newest / name).read_bytes()).hexdigest() == told["sha256"]
    return int(newest.name[5:])


@pytest.mark.slow
def test_files_that_may_not_grow(spec: Path) -> None:
    folder = spec.parent / "run"
    process = gendsl("run", "tiny.gen", *LONG, "--out", "run", folder=spec.parent)
    reaches(folder, 40, process)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1_000, 1_000))
    said = ended(process, 3)
    assert re.search(r"(cannot|could not) be written: File too large", said) and "go on with --resume" in said
    assert last_whole(folder) >= 40
    code, said = finished("run", "tiny.gen", *LONG, "--out", "run", "--resume", "--steps", "100", folder=spec.parent)
    assert code in (0, 3), said  # it may have come past step 100 already


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "gendsl", path]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("a disk can only be mounted by root")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk(spec: Path, disk: Path) -> None:
    spec.write_text(spec.read_text().replace("dense 16 | leaky", "dense 64 | dense 512 | leaky"))  # 0.4 MB a checkpoint
    steps = ("--set", "length=2_000 steps")
    process = gendsl("run", "tiny.gen", *steps, "--out", "disk/run", folder=spec.parent)
    reaches(disk / "run", 40, process)
    with open(disk / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
    said = ended(process, 3)
    assert "be written: No space left on device" in said and "go on with --resume" in said
    assert last_whole(disk / "run") >= 40
    (disk / "filler").unlink()
    code, said = finished("run", "tiny.gen", *steps, "--out", "disk/run", "--resume", folder=spec.parent)
    assert code == 0 and "passed over" not in said, said
    code, said = finished("run", "tiny.gen", *steps, "--out", "whole", folder=spec.parent)
    assert code == 0, said
    assert bits(disk / "run", 2_000) == bits(spec.parent / "whole", 2_000)


def test_a_folder_that_is_deleted(spec: Path) -> None:
    folder = spec.parent / "run"
    process = gendsl("run", "tiny.gen", *LONG, "--out", "run", folder=spec.parent)
    reaches(folder, 40, process)
    folder.rename(spec.parent / "away")
    said = ended(process, 3)
    assert "be written: No such file or directory" in said and "bring the folder back" in said
    assert not folder.exists(), "no part of it is made anew"
    assert last_whole(spec.parent / "away") >= 40
    (spec.parent / "away").rename(folder)
    process = gendsl("run", "tiny.gen", *LONG, "--out", "run", "--resume", folder=spec.parent)
    before = last_whole(folder)
    reaches(folder, before + 20, process)
    process.kill()
    assert f"going on at step {before}" in process.communicate(timeout=20)[0]


def test_a_closed_terminal_saves(spec: Path) -> None:
    outside, inside = pty.openpty()
    start = "import os, sys; os.login_tty(0); os.execv(sys.executable, [sys.executable, '-m', 'gendsl', *sys.argv[1:]])"
    process = subprocess.Popen(
        [sys.executable, "-c", start, "run", "tiny.gen", *LONG, "--out", "run"],
        cwd=spec.parent,
        env=ENVIRONMENT,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    reaches(spec.parent / "run", 40, process)
    os.close(outside)
    assert process.wait(timeout=60) == 128 + signal.SIGHUP
    events = [json.loads(line) for line in (spec.parent / "run" / "events.jsonl").read_text().splitlines()]
    assert events[-1]["event"] == "interrupted" and events[-1]["step"] == last_whole(spec.parent / "run")


@pytest.mark.slow
def test_a_run_under_nohup_outlives_its_terminal(spec: Path) -> None:
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "gendsl", "run", "tiny.gen", *LONG, "--out", "run"],
        cwd=spec.parent,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    reaches(spec.parent / "run", 20, process)
    process.send_signal(signal.SIGHUP)
    reaches(spec.parent / "run", last_whole(spec.parent / "run") + 60, process)
    process.send_signal(signal.SIGTERM)
    assert "all of them are saved" in ended(process, 128 + signal.SIGTERM)


@pytest.mark.parametrize("how", ["ctrl_c", "terminate"])
def test_a_signal_while_tensorflow_loads(spec: Path, how: str) -> None:
    with Terminal("gendsl", "run", "tiny.gen", "--out", "run", folder=spec.parent, columns=80) as terminal:
        terminal.until("loading TensorFlow")
        time.sleep(0.5)
        if how == "ctrl_c":
            terminal.type(CTRL_C)
        else:
            terminal.signal(signal.SIGTERM)
        assert terminal.end(seconds=20) == 128 + (signal.SIGINT if how == "ctrl_c" else signal.SIGTERM)
        assert terminal.shows_its_cursor
        terminal.until("stopped +before training began")
        assert "Traceback" not in terminal.text
    assert not (spec.parent / "run").exists()


def test_a_clock_that_is_moved_changes_nothing(
    tiny: tuple[Path, str], tmp_path: Path, run_tiny: Any, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    moved = itertools.count(now, -86_400)
    monkeypatch.setattr("time.time", lambda: float(next(moved)))
    outcome, _ = run_tiny(tiny_text.replace("every: 20 steps", "every: 5 minutes"), tmp_path / "run")
    assert outcome.finished and metrics(tmp_path / "run") == metrics(tiny[0])
    there = [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert there == ["step-60"], "five minutes have never passed"
    assert next(moved) < now - 30 * 86_400, "it was asked for the time"


BLOCKED = """
import hashlib, os, sys, threading
from gendsl.run.interruption import Interruption
with Interruption(lambda: os.write(1, b"noted "), last_words=lambda: os.write(1, b"last words")) as interruption:
    os.write(1, b"ready ")
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # half an hour, in which the main thread handles no signal
"""


def test_a_second_ctrl_c_ends_a_main_thread_that_cannot_hear_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", BLOCKED], stdout=subprocess.PIPE)
    assert process.stdout is not None

    def hears(text: bytes) -> None:
        assert os.read(process.stdout.fileno(), 100) == text

    hears(b"ready ")
    process.send_signal(signal.SIGINT)
    hears(b"noted ")
    process.send_signal(signal.SIGTERM)  # the system's wish is known: it is not impatience
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert process.stdout.read() == b"last words"
