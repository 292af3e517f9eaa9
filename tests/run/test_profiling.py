"""`gendsl run --profile` as a process: a profile that tells the steps apart; and how much of the machine a run used."""

import re
from pathlib import Path

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_processes import bits, finished

from gendsl.run.throughput import matmul_rate


def test_a_profile_holds_the_steps_and_changes_no_bit(tmp_path: Path, tiny_text: str, tiny: tuple[Path, str]) -> None:
    (tmp_path / "tiny.gen").write_text(tiny_text)
    code, said = finished("run", "tiny.gen", "--out", "run", "--profile", "23..27", folder=tmp_path)
    assert code == 0, said
    (profile,) = (tmp_path / "run" / "logs").rglob("*.xplane.pb")
    assert "the profile of steps 23 to 27 is in" in said and "pip install xprof" in said
    content = tf.io.gfile.GFile(str(profile), "rb").read()
    assert b"train" in content and b"step_num" in content
    # Only a call of one step writes its number, and a trace ends where the calls do.
    assert steps_in(content) == {23, 24, 25, 26, 27}
    assert bits(tmp_path / "run", 60) == bits(tiny[0], 60)
    work = re.search(r"work +([\d.]+) [kMG]FLOP/s, ([\d.]+) % of this machine's .* in float32 matmul", said)
    assert work and float(work[1]) > 0 and float(work[2]) > 0, said
    found = EventAccumulator(str(tmp_path / "run" / "logs"), size_guidance={"tensors": 0})
    found.Reload()
    assert "run/flops_per_second" in found.Tags()["tensors"]
    code, said = finished("run", "tiny.gen", "--out", "new", "--profile", "50..61", folder=tmp_path)
    assert code == 3 and "--profile 50..61 goes beyond the run's last step, 60" in said


def steps_in(content: bytes) -> set[int]:
    """The numbers of the steps that a profile names, by its own format."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(content)
    found = set()
    for plane in space.planes:
        names = {number: one.name for number, one in plane.stat_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                if plane.event_metadata[event.metadata_id].name == "train":
                    found |= {stat.int64_value for stat in event.stats if names[stat.metadata_id] == "step_num"}
    return found


@pytest.mark.parametrize("text", ["20", "30..20", "0..3", "a..b", "-1..4", "1..5000"])
def test_a_range_of_steps_that_is_none_is_refused(text: str, tmp_path: Path, tiny_text: str) -> None:
    from gendsl.cli import main

    (tmp_path / "tiny.gen").write_text(tiny_text)
    assert main(["run", str(tmp_path / "tiny.gen"), f"--profile={text}"]) == 2


def test_the_rate_of_matrix_products_is_that_of_a_machine() -> None:
    rates = [matmul_rate("float32") for _ in range(2)]
    assert min(rates) > 1e9 and max(rates) < 4 * min(rates)
