"""A run on several replicas of one machine, by the command that a user types; and the kernels that a spec asks for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_processes import bits, finished
from test_run import metrics

pytestmark = pytest.mark.slow


def test_a_mirrored_run_goes_on_bit_for_bit(tmp_path: Path, tiny_text: str) -> None:
    (tmp_path / "tiny.gen").write_text(tiny_text)
    mirrored = ("run", "tiny.gen", "--strategy", "mirrored(2)")
    code, said = finished(*mirrored, "--out", "whole", folder=tmp_path)
    assert code == 0 and "by 2 replicas" in said, said
    assert (
        "`batch_norm` in `generator` couples the examples of a batch" in said
        and "`synchronized: on` mends that" in said
    )
    code, said = finished(*mirrored, "--out", "part", "--steps", "33", folder=tmp_path)
    assert code == 0, said
    code, said = finished("resume", "part", "--steps", "60", folder=tmp_path)
    assert code == 0 and "going on at step 33 of 60, by 2 replicas" in said and "not bit for bit" not in said, said
    assert bits(tmp_path / "part", 60) == bits(tmp_path / "whole", 60)
    assert metrics(tmp_path / "part") == metrics(tmp_path / "whole")


def test_xla_is_asked_for_on_one_replica_only(tmp_path: Path, tiny_text: str) -> None:
    (tmp_path / "tiny.gen").write_text(tiny_text.replace("steps length", "steps length\n  jit on"))
    code, said = finished("run", "tiny.gen", "--strategy", "mirrored(2)", folder=tmp_path)
    assert code == 3 and "`jit on` compiles a step on one replica, and there are 2" in said


@pytest.mark.parametrize(("asked", "expected"), [(None, True), (True, True), (False, False)])
def test_kernels_are_deterministic_where_it_is_asked_or_free(
    tmp_path: Path, tiny_text: str, asked: bool | None, expected: bool
) -> None:
    script = (
        "from gendsl.run.loading import load_tensorflow\n"
        f"load_tensorflow(deterministic={asked})\n"
        "from tensorflow.python.framework import config\n"
        "print(config.is_op_determinism_enabled())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(expected)
    word = "" if asked is None else f"\n  deterministic {'on' if asked else 'off'}"
    (tmp_path / "tiny.gen").write_text(tiny_text.replace("steps length", "steps length" + word))
    code, said = finished("run", "tiny.gen", "--out", "run", "--steps", "1", folder=tmp_path)
    assert code == 0, said
    recorded = json.loads((tmp_path / "run" / "environment.json").read_text())["deterministic kernels"]
    assert recorded == ("on" if expected else "off")
