"""Checkpoints: what is read back is what was written, and nothing damaged is."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from fakes import FakeExperiment

from gendsl.lower.errors import UserError
from gendsl.run import checkpoints
from gendsl.run.saver import Saver


def save(folder: Path, step: int, value: float, *, keep: int = 3, plan: str = "p") -> None:
    experiment = FakeExperiment()
    experiment.weights.assign([value, -value])
    values = checkpoints.snapshot(experiment.state())
    checkpoints.write(folder, step, values, record={"window": {}}, keep=keep, plan_hash=plan)


def restore(folder: Path, *, plan: str = "p") -> tuple[FakeExperiment, checkpoints.Restored | None]:
    experiment = FakeExperiment()
    return experiment, checkpoints.restore(folder, experiment.state(), plans=[plan])


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
        checkpoints.restore(tmp_path, state, plans=["p"])


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


def names(folder: Path) -> list[str]:
    return sorted((path.name for path in folder.iterdir()), key=lambda name: int(name.removeprefix("step-")))


def test_tensorflow_reads_them_too(tmp_path: Path) -> None:
    save(tmp_path, 3, 0.25)
    reader = tf.train.load_checkpoint(str(tmp_path / "step-3" / "state"))
    assert reader.get_tensor("state/networks/fit/weights").tolist() == [0.25, -0.25]


def test_a_snapshot_is_a_copy(tmp_path: Path) -> None:
    experiment = FakeExperiment()
    values = checkpoints.snapshot(experiment.state())
    experiment.weights.assign_add([100.0, 100.0])
    assert values["networks/fit/weights"].tolist() == [0.5, -0.25]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_named(bad: float) -> None:
    values = {
        "fine": np.array([[1.0, -3e38]], np.float32),
        "bad": np.array([1.0, bad, 2.0], np.float32),
        "half": np.array([bad], np.float16),
        "short": tf.constant([1.0, bad], tf.bfloat16).numpy(),
        "counted": np.array(7, np.int64),
        "empty": np.zeros([0], np.float32),
        "scale": np.asarray(np.float32(2.0)),
    }
    assert checkpoints.unfinite(values) == ["bad", "half", "short"]


def test_the_best_is_linked_and_outlives_the_newest(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    assert checkpoints.best(folder) is None
    for step in (1, 2, 3, 4):
        save(folder, step, float(step), keep=2)
        if step in (1, 2):
            checkpoints.make_best(folder, step)
    assert names(folder) == ["step-2", "step-3", "step-4"], "step 1 was the best once, and is no more"
    assert checkpoints.best(folder) == 2
    assert os.readlink(tmp_path / "best") == "checkpoints/step-2"
    tmp_path.rename(tmp_path.with_name("moved"))
    assert (tmp_path.with_name("moved") / "best" / "manifest.json").is_file(), "the folder may be moved"


def test_damaged_ones_do_not_count_among_those_that_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        save(tmp_path, step, float(step), keep=3)
    for step in (20, 30):
        (tmp_path / f"step-{step}" / "manifest.json").unlink()
    # The run goes on from step 10; were the damaged ones counted, what is saved next would be removed at once.
    save(tmp_path, 12, 12.0, keep=2)
    _, restored = restore(tmp_path)
    assert restored is not None and restored.step == 12
    assert names(tmp_path) == ["step-10", "step-12", "step-20", "step-30"]
    save(tmp_path, 20, 20.0, keep=2)
    assert restore(tmp_path)[1].step == 20, "written anew, it is whole again"


def test_a_folder_that_was_deleted_is_not_brought_back_by_half(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        save(tmp_path / "gone" / "checkpoints", 1, 1.0)
    assert not (tmp_path / "gone").exists()


class Gate:
    """Lets a checkpoint be written only when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.error: OSError | None = None
        self._write = checkpoints._write_variables
        monkeypatch.setattr(checkpoints, "_write_variables", self)

    def __call__(self, folder: Path, values: checkpoints.Snapshot) -> None:
        assert self.open.wait(20)
        if self.error:
            raise self.error
        self._write(folder, values)


def saver(folder: Path, experiment: FakeExperiment) -> Saver:
    return Saver(folder, experiment.state(), keep=2, plan_hash="p")


def test_training_goes_on_while_a_checkpoint_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, experiment = Gate(monkeypatch), FakeExperiment()
    saving = saver(tmp_path, experiment)
    saving.save(1, checkpoints.snapshot(experiment.state()), record={})
    experiment.weights.assign([9.0, 9.0])  # the next step, while nothing is on disk yet
    saving.look()
    assert (saving.asked, saving.step) == (1, -1)
    gate.open.set()
    saving.save(2, checkpoints.snapshot(experiment.state()), record={})  # waits for the one before
    assert saving.step == 1
    saving.wait()
    assert (saving.asked, saving.step) == (2, 2)
    for step, value in ((1, 0.5), (2, 9.0)):
        fresh = FakeExperiment()
        checkpoints.restore(tmp_path, fresh.state(), plans=["p"], step=step)
        assert fresh.weights.numpy()[0] == value


def test_training_goes_on_while_the_best_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, experiment = Gate(monkeypatch), FakeExperiment()
    saving = saver(tmp_path / "checkpoints", experiment)
    saving.folder.mkdir()
    saving.save(1, checkpoints.snapshot(experiment.state()), record={})
    saving.make_best(1)
    assert (saving.asked, saving.step, checkpoints.best(saving.folder)) == (1, -1, None)
    gate.open.set()
    saving.wait()
    assert (saving.step, checkpoints.best(saving.folder)) == (1, 1)
    saving.make_best(1)  # it is on disk already
    saving.wait()
    gate.error = OSError(28, "No space left on device")
    saving.save(2, checkpoints.snapshot(experiment.state()), record={})
    saving.make_best(2)
    with pytest.raises(UserError, match="step 2 could not be written: No space left"):
        saving.wait()
    assert checkpoints.best(saving.folder) == 1


def test_what_goes_wrong_in_the_thread_is_told_and_the_last_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, experiment = Gate(monkeypatch), FakeExperiment()
    gate.open.set()
    saving = saver(tmp_path, experiment)
    saving.save(1, checkpoints.snapshot(experiment.state()), record={})
    saving.wait()
    gate.error = OSError(28, "No space left on device")
    saving.save(2, checkpoints.snapshot(experiment.state()), record={})
    with pytest.raises(UserError, match="step 2 could not be written: No space left"):
        saving.wait()
    saving.close()
    assert saving.step == 1 and names(tmp_path) == ["step-1"]
    assert restore(tmp_path)[1].step == 1


def test_what_must_be_there_before_is_on_disk_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, synced = tmp_path / "metrics.jsonl", []
    log.write_text("{}")
    sync = checkpoints._sync
    monkeypatch.setattr(checkpoints, "_sync", lambda file: (synced.append((file.name, (final).is_dir())), sync(file)))
    final = tmp_path / "checkpoints" / "step-1"
    values = checkpoints.snapshot(FakeExperiment().state())
    checkpoints.write(tmp_path / "checkpoints", 1, values, record={}, keep=2, plan_hash="p", before=[log])
    assert ("metrics.jsonl", False) in synced
