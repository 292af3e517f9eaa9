"""A run that is killed at twenty random moments, half of them while it saves, ends as one that was not."""

import random
import time
from pathlib import Path

import pytest
from test_logs import Watcher
from test_processes import bits, finished, gendsl
from test_run import metrics

pytestmark = pytest.mark.slow

KILLS, STEPS, SEED = 20, 2_000, 20


def steps_done(folder: Path) -> int:
    """As far as the metrics tell."""
    path = folder / "metrics.jsonl"
    return path.read_bytes().count(b"generator/loss") if path.is_file() else 0


def writes(folder: Path) -> bool:
    """Whether a checkpoint is being written."""
    return any(path.suffix == ".tmp" for path in (folder / "checkpoints").glob("step-*"))


def test_kills_at_random_moments_change_nothing(tmp_path: Path, tiny_text: str) -> None:
    text = tiny_text.replace("= 60 steps", f"= {STEPS} steps")
    text = text.replace("every: 30 steps", "every: 200 steps").replace("every: 20 steps", "every: 50 steps")
    (tmp_path / "tiny.gen").write_text(text)
    code, said = finished("run", "tiny.gen", "--out", "whole", folder=tmp_path)
    assert code == 0, said
    folder, chance, cut_off = tmp_path / "killed", random.Random(SEED), 0
    logged = STEPS // 10  # a line every ten steps
    moments = [1, *sorted(chance.sample(range(2, logged - 5), KILLS - 1))]  # the first before anything is saved
    for number, moment in enumerate(moments):
        process = gendsl("run", "tiny.gen", "--out", "killed", "--resume", folder=tmp_path)
        end, late = time.monotonic() + 120, chance.uniform(0, 0.05)
        while steps_done(folder) < moment or (number % 2 and not writes(folder)):
            assert process.poll() is None and time.monotonic() < end, process.communicate(timeout=20)
        if number % 2 == 0:
            time.sleep(late)
        process.kill()
        said, _ = process.communicate(timeout=20)
        cut_off += writes(folder)
        print(f"kill {number + 1} at {steps_done(folder)} lines, a checkpoint half written: {writes(folder)}")
    assert cut_off >= KILLS // 4, "checkpoints were cut off, too"
    code, said = finished("run", "tiny.gen", "--out", "killed", "--resume", folder=tmp_path)
    assert code == 0 and "going on at step" in said and "passed over" not in said, said
    assert bits(folder, STEPS) == bits(tmp_path / "whole", STEPS)
    assert metrics(folder) == metrics(tmp_path / "whole")
    scored = next(key for record in metrics(folder) for key in record if key.startswith("diversity#"))
    for tag in ("generator/loss", f"scores/{scored}", "samples/point", "spec"):
        assert Watcher(folder / "logs")(tag) == Watcher(tmp_path / "whole" / "logs")(tag)
    assert not list(folder.rglob("*.tmp"))
