"""Checkpoints: what is read back is what was written, and nothing damaged is."""

import os
from pathlib import Path

import pytest
import tensorflow as tf
from fakes import FakeExperiment

from gendsl.lower.errors import UserError
from gendsl.run import checkpoints


def save(folder: Path, step: int, value: float, *, keep: int = 3, plan: str = "p") -> None:
    experiment = FakeExperiment()
    experiment.weights.assign([value, -value])
    checkpoints.save(folder, step, experiment.state(), record={"window": {}}, keep=keep, plan_hash=plan)


def restore(folder: Path, *, plan: str = "p") -> tuple[FakeExperiment, checkpoints.Restored | None]:
    experiment = FakeExperiment()
    return experiment, checkpoints.restore(folder, experiment.state(), plan_hash=plan)


def test_the_newest_is_read_and_the_oldest_are_removed(tmp_path: Path) -> None:
    for step in (5, 10, 100):
        save(tmp_path, step, float(step), keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-10", "step-100"]
    experiment, restored = restore(tmp_path)
    assert restored is not None and restored.step == 100 and not restored.damaged
    assert experiment.weights.numpy().tolist() == [100.0, -100.0]


def test_nothing_there_is_nothing_restored(tmp_path: Path) -> None:
    assert restore(tmp_path)[1] is None


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "manifest"])
def test_a_damaged_one_is_passed_over_and_named(tmp_path: Path, damage: str) -> None:
    save(tmp_path, 1, 1.0)
    save(tmp_path, 2, 2.0)
    data = next((tmp_path / "step-2").glob("state.data-*"))
    match damage:
        case "flip":
            content = bytearray(data.read_bytes())
            content[len(content) // 2] ^= 1
            data.write_bytes(content)
        case "cut":
            os.truncate(data, 3)
        case "remove":
            data.unlink()
        case _:
            (tmp_path / "step-2" / "manifest.json").write_text('{"format": 1')
    experiment, restored = restore(tmp_path)
    assert restored is not None and restored.step == 1
    assert [name for name, _ in restored.damaged] == ["step-2"]
    assert experiment.weights.numpy().tolist() == [1.0, -1.0]


def test_only_damaged_ones_are_a_mistake_that_says_why(tmp_path: Path) -> None:
    save(tmp_path, 2, 2.0)
    (tmp_path / "step-2" / "manifest.json").unlink()
    with pytest.raises(UserError, match="manifest"):
        restore(tmp_path)


def test_one_of_another_plan_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 2, 2.0)
    with pytest.raises(UserError, match="another plan"):
        restore(tmp_path, plan="q")


def test_one_of_other_variables_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 2, 2.0)
    state = FakeExperiment().state() | {"networks/fit/more": tf.Variable([1.0])}
    with pytest.raises(UserError, match="variables"):
        checkpoints.restore(tmp_path, state, plan_hash="p")


def test_what_a_killed_process_left_is_swept_and_never_read(tmp_path: Path) -> None:
    save(tmp_path, 1, 1.0)
    (tmp_path / "step-9.tmp").mkdir()
    (tmp_path / "step-9.tmp" / "manifest.json").write_text("{}")
    _, restored = restore(tmp_path)
    assert restored is not None and restored.step == 1
    save(tmp_path, 2, 2.0)
    assert not (tmp_path / "step-9.tmp").exists()


def test_a_full_disk_keeps_the_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1, 1.0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "_sync", full)
    with pytest.raises(UserError, match="No space left"):
        save(tmp_path, 2, 2.0)
    assert [path.name for path in tmp_path.iterdir()] == ["step-1"]
