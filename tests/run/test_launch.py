"""Several workers as real processes on this machine: the same training as by one, and a clear end when one is lost."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from terminal import CTRL_C, Terminal

from gendsl.run.launch import devices_of, free_addresses
from tests.run.tiny_runs import TINY

ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONUNBUFFERED": "1"}
ENVIRONMENT.pop("TF_CONFIG", None)

SPEC = (
    TINY.partition("\nevaluate")[0]
    .replace("experiment tiny", "experiment pair")
    .replace("batch_norm", "batch_norm synchronized: on")
    .replace("adam(linear_decay(1e-3, 0), beta_1: 0.5)", "sgd(0.1)")
    .replace("keep: 2", "keep: 10")
)


def gendsl(*words: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gendsl", *words],
        cwd=folder,
        env=ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(*words: str, folder: Path, **environment: str) -> tuple[int, str]:
    process = gendsl(*words, folder=folder, **environment)
    said, _ = process.communicate(timeout=240)
    return process.returncode, said


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def workers_of(launcher: subprocess.Popen[str]) -> dict[int, int]:
    """The process ids of the workers by index."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_text().split("\0")
        except (OSError, ValueError):
            continue
        if parent == launcher.pid and "--worker" in words:
            found[int(words[words.index("--worker") + 1])] = int(folder.name)
    return found


def is_there(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@contextmanager
def launched(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict[int, int]]]:
    """Two workers in the middle of a run, and their process ids; nothing of them is left afterwards."""
    launcher = gendsl("launch", "-n", "2", "pair.gen", *words, folder=folder)
    workers: dict[int, int] = {}
    try:
        wait_until((folder / words[words.index("--out") + 1] / "checkpoints" / "step-20").is_dir, launcher)
        workers = workers_of(launcher)
        assert sorted(workers) == [0, 1]
        yield launcher, workers
    finally:
        for process in [*workers.values(), launcher.pid]:
            if is_there(process):
                os.kill(process, signal.SIGKILL)
        launcher.wait()


def values(folder: Path, step: int) -> dict[str, Any]:
    reader = tf.train.load_checkpoint(str(folder / "checkpoints" / f"step-{step}" / "state"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("state/")]
    assert len(names) > 15
    return {name: reader.get_tensor(name) for name in names}


def bits(folder: Path, step: int) -> dict[str, bytes]:
    return {name: value.tobytes() for name, value in values(folder, step).items()}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which two workers trained `two`, and what was said."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "pair.gen").write_text(SPEC)
    code, said = finished("launch", "-n", "2", "pair.gen", "--out", "two", folder=folder)
    assert code == 0, said
    return folder, said


def test_two_workers_follow_the_trajectory_of_one_process(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    code, said = finished("run", "pair.gen", "--out", "one", folder=folder)
    assert code == 0, said
    one, two = values(folder / "one", 20), values(folder / "two", 20)
    assert one.keys() == two.keys()
    moved = 0
    for name, value in one.items():
        if value.dtype.kind != "f":
            assert (value == two[name]).all(), name
            continue
        np.testing.assert_allclose(two[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
        moved += not np.array_equal(value, two[name])
    assert moved, "the two never did the same sums: was there one replica only?"


def test_the_chief_alone_speaks_and_writes(pair: tuple[Path, str]) -> None:
    folder, said = pair
    assert said.count("training 60 steps") == 1 == said.count("done ")
    assert "worker" not in said and "tensorflow" not in said.lower()
    events = (folder / "two" / "events.jsonl").read_text()
    assert events.count("started") == 1 == events.count("finished")
    assert len(list((folder / "two" / "logs").rglob("events.out.*"))) == 1


def test_a_signal_to_one_ends_all_at_the_same_step(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    with launched(folder, "--out", "stopped", "--set", "length=1_000_000 steps") as (launcher, workers):
        os.kill(workers[1], signal.SIGTERM)
        said, _ = launcher.communicate(timeout=60)
        assert launcher.returncode == 143, said
        assert "interrupted" in said and "all of them are saved" in said and "lost" not in said
        assert re.search(r"^go on +gendsl launch -n 2 stopped$", said, re.MULTILINE), said
        assert not any(map(is_there, workers.values()))


@pytest.mark.slow
def test_what_ends_the_chief_ends_all_with_its_reason(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    (folder / "wild.gen").write_text(SPEC.replace("sgd(0.1)", "sgd(1e30)"))
    addresses = free_addresses(2)
    words = ("run", "wild.gen", "--out", "wild", "--workers", ",".join(addresses), "--worker")
    other = gendsl(*words, "1", folder=folder)
    code, said = finished(*words, "0", folder=folder)
    assert code == 3 and "diverged" in said, said
    told, _ = other.communicate(timeout=60)
    assert other.returncode == 3 and "lost" not in told, told
    assert f"the chief, worker 0 ({addresses[0]}), cannot go on: training diverged" in told


def test_what_every_worker_finds_is_said_once(tmp_path: Path) -> None:
    code, said = finished("launch", "-n", "3", "nothing.gen", folder=tmp_path)
    assert code == 1 and said.count("there is no file") == 1 and "worker" not in said
    code, said = finished("launch", "-n", "2", "--stepps", "3", "nothing.gen", folder=tmp_path)
    assert code == 2 and "--stepps" in said and "worker" not in said


def test_a_worker_that_does_not_come_is_named_and_waiting_can_be_stopped(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    here, there, missing = free_addresses(3)
    words = ("run", "pair.gen", "--out", "missing", "--worker", "0", "--workers")
    patient = gendsl(*words, f"{here},{missing}", folder=folder)
    code, said = finished(*words, f"{there},{missing}", "--wait", "1", folder=folder)
    assert code == 3 and f"worker 1 ({missing}) has not come within 1 seconds" in said, said
    patient.send_signal(signal.SIGINT)
    said, _ = patient.communicate(timeout=10)
    assert patient.returncode == 130 and "Traceback" not in said, said
    assert not (folder / "missing").exists()


def test_tf_config_is_read_and_refused_clearly(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    code, said = finished("run", "pair.gen", folder=folder, TF_CONFIG="{'cluster'")
    assert code == 3 and "TF_CONFIG is not JSON" in said and "Traceback" not in said


def test_gpus_are_shared_out_among_workers() -> None:
    assert devices_of(0, 2, {}, 0) == {}
    assert [devices_of(index, 2, {}, 4)["CUDA_VISIBLE_DEVICES"] for index in (0, 1)] == ["0,1", "2,3"]
    given = {"CUDA_VISIBLE_DEVICES": "5,7,9"}
    assert [devices_of(index, 2, given, 8)["CUDA_VISIBLE_DEVICES"] for index in (0, 1)] == ["5", "7"]
    assert devices_of(0, 2, {}, 1) == {"CUDA_VISIBLE_DEVICES": "-1"}


# Whoever is lost

LONG = ("--set", "length=600 steps")
LOSSES = [("SIGKILL", 1, 30), ("SIGKILL", 0, 30), ("SIGSTOP", 1, 60), ("SIGSTOP", 0, 60)]


@pytest.fixture(scope="module")
def whole(pair: tuple[Path, str]) -> Path:
    """A run of 600 steps by two workers, of whom none was lost."""
    code, said = finished("launch", "-n", "2", "pair.gen", "--out", "whole", *LONG, folder=pair[0])
    assert code == 0, said
    return pair[0] / "whole"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "who", "seconds"), LOSSES)
def test_a_lost_worker_ends_the_others_and_the_run_goes_on_from_the_last_checkpoint(
    number: str, who: int, seconds: float, whole: Path
) -> None:
    folder, out = whole.parent, f"lost-{number}-{who}"
    with launched(folder, "--out", out, *LONG) as (launcher, workers):
        began = time.monotonic()
        os.kill(workers[who], getattr(signal, number))
        said, _ = launcher.communicate(timeout=100)
        took = time.monotonic() - began
        assert launcher.returncode == 3, said
        assert re.search(rf"worker {who} \(127\.0\.0\.1:\d+\) was", said), said
        assert took < seconds and not any(map(is_there, workers.values()))
        assert "Traceback" not in said and "Error" not in said
    code, said = finished("launch", "-n", "2", "pair.gen", "--out", out, *LONG, "--resume", folder=folder)
    assert code == 0 and "going on at step" in said, said
    assert bits(folder / out, 600) == bits(whole, 600)


@pytest.mark.slow
def test_the_chief_has_the_terminal_and_ctrl_c_reaches_all_once(pair: tuple[Path, str]) -> None:
    words = ("launch", "-n", "2", "pair.gen", "--out", "seen", "--set", "length=1_000_000 steps")
    with Terminal("gendsl", *words, folder=pair[0], columns=100) as terminal:
        terminal.until(r"[1-9]\d*/1,000,000 .*steps/s")
        terminal.type(CTRL_C)
        terminal.until("stopping; once more stops at once|interrupted")
        assert terminal.end() == 130
        assert "all of them are saved" in terminal.text and "lost" not in terminal.text


@pytest.mark.slow
def test_workers_end_with_their_launcher(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    with launched(folder, "--out", "orphans", "--set", "length=1_000_000 steps") as (launcher, workers):
        launcher.kill()
        end = time.monotonic() + 30
        while any(map(is_there, workers.values())):
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.mark.slow
def test_four_workers_follow_the_trajectory_of_two(pair: tuple[Path, str]) -> None:
    folder, _ = pair
    code, said = finished("launch", "-n", "4", "pair.gen", "--out", "four", "--steps", "20", folder=folder)
    assert code == 0, said
    four, two = values(folder / "four", 20), values(folder / "two", 20)
    for name, value in two.items():
        np.testing.assert_allclose(four[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
