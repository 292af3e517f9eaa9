"""A run as a process: killed without warning, interrupted, and watched through a pipe."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONUNBUFFERED": "1"}


def gendsl(*words: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gendsl", *words],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(*words: str, folder: Path, seconds: float = 240) -> tuple[int, str]:
    process = gendsl(*words, folder=folder)
    said, _ = process.communicate(timeout=seconds)
    return process.returncode, said


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 200
    while not condition():
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def reaches(folder: Path, step: int, process: subprocess.Popen[str]) -> None:
    """Waits for the checkpoint of a step, or a later one."""

    def there() -> bool:
        steps = [path.name[5:] for path in (folder / "checkpoints").glob("step-*")]
        return any(int(number) >= step for number in steps if number.isdigit())

    wait_until(there, process)


def bits(folder: Path, step: int) -> dict[str, bytes]:
    reader = tf.train.load_checkpoint(str(folder / "checkpoints" / f"step-{step}" / "state"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("state/")]
    return {name: reader.get_tensor(name).tobytes() for name in names}


def test_a_killed_run_ends_at_the_bits_of_one_that_was_not(tmp_path: Path, tiny_text: str) -> None:
    (tmp_path / "tiny.gen").write_text(tiny_text.replace("= 60 steps", "= 300 steps"))
    code, said = finished("run", "tiny.gen", "--out", "whole", folder=tmp_path)
    assert code == 0, said
    process = gendsl("run", "tiny.gen", "--out", "killed", folder=tmp_path)
    reaches(tmp_path / "killed", 40, process)
    process.kill()
    process.wait()
    code, said = finished("run", "tiny.gen", "--out", "killed", "--resume", folder=tmp_path)
    assert code == 0 and "going on at step" in said, said
    assert bits(tmp_path / "killed", 300) == bits(tmp_path / "whole", 300)
    for tag in ("generator/loss", "scores/diversity", "samples/point", "spec"):
        found = EventAccumulator(str(tmp_path / "killed" / "logs"), size_guidance={"tensors": 0}).Reload()
        whole = EventAccumulator(str(tmp_path / "whole" / "logs"), size_guidance={"tensors": 0}).Reload()
        tag = next(one for one in whole.Tags()["tensors"] if one.partition("#")[0] == tag)
        assert [event.step for event in found.Tensors(tag)] == [event.step for event in whole.Tensors(tag)] != []
    assert not list((tmp_path / "killed").rglob("*.tmp"))
    code, said = finished("run", "tiny.gen", "--out", "killed", "--resume", folder=tmp_path)
    assert code == 0 and "finished" in said and "300 steps were done before" in said


def test_an_interrupted_run_saves_and_says_how_to_go_on(tmp_path: Path, tiny_text: str) -> None:
    (tmp_path / "tiny.gen").write_text(tiny_text)
    process = gendsl("run", "tiny.gen", "--set", "length=1_000_000 steps", "--out", "run", folder=tmp_path)
    reaches(tmp_path / "run", 40, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said and "Traceback" not in said
    command = next(line for line in said.splitlines() if line.startswith("go on")).split(maxsplit=2)[2]
    assert command == "gendsl resume run"
    assert "tensorflow" not in said.lower(), "its notes are kept from the terminal"
    # Without --resume, and with nobody to ask, the folder is not touched.
    before = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    code, said = finished("run", "tiny.gen", "--out", "run", folder=tmp_path)
    assert code == 3 and "holds an unfinished run of this spec" in said and "--resume` goes on with it" in said
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == before
