"""`gendsl export`: which version is written, and what is said where none can be; nothing half-written stays."""

import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gendsl.export import saved_model
from gendsl.export.command import export
from gendsl.export.order import orders_of
from gendsl.export.place import place_of
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Plan
from gendsl.run.folder import RunFolder, plan_in
from tests.cli.processes import gendsl


@pytest.fixture
def run(plain: Path, tmp_path: Path) -> Path:
    """A copy of a run that has not been exported."""
    shutil.copytree(plain, tmp_path / "run", ignore=shutil.ignore_patterns("export"), symlinks=True)
    return tmp_path / "run"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is of no matter."""

    def write(run: Any, order: Any, folder: Path) -> None:
        from gendsl.export import description

        (folder / "saved_model.pb").write_bytes(b"model")
        description.write(run, order, folder, saved_model_outputs(run), {})

    def saved_model_outputs(run: Any) -> Any:
        from gendsl.export.answers import outputs_of

        return outputs_of(run.plan, run.plan.sample)

    monkeypatch.setattr(saved_model, "write", write)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_versions_count_on_and_nothing_new_is_not_written(run: Path, quick: None) -> None:
    (first,) = export(run)
    assert first.path == run / "export" / "small" / "1" and first.written
    (again,) = export(run)
    assert again.path == first.path and not again.written
    (other,) = export(run, options={"images": "uint8"})
    assert other.path.name == "2" and other.written
    with pytest.raises(UserError, match="version 1 of `small` is there already") as told:
        export(run, version=1)
    assert "version 3" in told.value.help
    (other.path / "saved_model.pb").write_bytes(b"another")
    heard: list[str] = []
    assert export(run, options={"images": "uint8"}, told=heard.append)[0].path.name == "3"
    assert len(heard) == 1 and "small/2 is not as it was exported: " in heard[0] and "saved_model.pb" in heard[0]
    (asked,) = export(run, version=9)
    (replaced,) = export(run, replace=True)
    assert asked.path.name == replaced.path.name == "9"
    assert export(run, version=1, replace=True)[0].path.name == "1"
    assert names(run / "export" / "small") == ["1", "2", "3", "9"]
    assert names(run / "export") == [
        *(
            "README.md",
            "batching.config",
            "client.py",
            "client.sh",
            "compose.yaml",
            "models.config",
            "provenance.json",
            "small",
        )
    ]


def test_the_command_twice_gives_the_same_bytes_wherever_the_run_lies(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "copy"
    shutil.copytree(run, other, symlinks=True)
    for folder in (run, other):
        done = gendsl("export", folder, "--also", "discriminator")
        assert done.code == 0 and done.err == "", done.err
        assert done.out == f"{folder}/export/small/1\n"
    files = [path.relative_to(run) for path in sorted((run / "export").rglob("*")) if path.is_file()]
    assert len(files) == 16
    same, different, missing = filecmp.cmpfiles(run, other, files, shallow=False)
    assert (different, missing) == ([], [])
    assert len(same) == len([path for path in (other / "export").rglob("*") if path.is_file()])
    done = gendsl("export", run, "--also", "discriminator")
    assert done.out == f"{run}/export/small/1 is it already: nothing has changed since\n"


def test_a_run_without_a_checkpoint(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    done = gendsl("export", run)
    assert done.code == 3 and "has no checkpoint yet" in done.err and "gendsl resume" in done.err
    assert not (run / "export").exists()


def test_a_spec_that_was_edited(run: Path, quick: None) -> None:
    text = (run / "spec.gen").read_text()
    (run / "spec.gen").write_text(text.replace("adam(1e-3)", "adam(2e-3)") + 'card { summary "Digits." }\n')
    with pytest.raises(UserError, match=r"spec.gen was edited since, and is not what was trained") as told:
        export(run)
    assert "learning_rate" in told.value.message and "card: is new" in told.value.message
    assert not (run / "export").exists()
    (run / "spec.gen").write_text(text.replace("# ", "## ") + "\n# a remark\n")
    original = run / "small.gen"  # where the run's own file was, as the record has it
    record = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps(record | {"project": str(run), "spec": "small.gen"}))
    original.write_text("experiment other\n")
    heard: list[str] = []
    assert export(run, told=heard.append)[0].written
    assert heard == ["small.gen has changed since the run was started; exported is what spec.gen in it says"]


def test_where_nothing_can_be_written(run: Path, quick: None) -> None:
    (run / "export").write_text("a file")
    with pytest.raises(UserError, match=r"export cannot be written: File exists"):
        export(run)
    (run / "export").unlink()
    with place_of(RunFolder(run)), pytest.raises(UserError, match="another process exports"):
        export(run)
    assert not (run / "export").exists(), "nothing came of it"


def test_an_interruption_leaves_nothing(run: Path, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    export(run)
    whole = saved_model.write

    def interrupted(run: Any, order: Any, folder: Path) -> None:
        whole(run, order, folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_model, "write", interrupted)
    before = {path: path.read_bytes() for path in (run / "export").rglob("*") if path.is_file()}
    with pytest.raises(KeyboardInterrupt):
        export(run, options={"images": "uint8"})
    assert {path: path.read_bytes() for path in (run / "export").rglob("*") if path.is_file()} == before
    assert names(run / "export" / "small") == ["1"]


def test_what_a_killed_process_left_is_put_right(run: Path, quick: None) -> None:
    export(run)
    place = run / "export"
    (place / ".writing-123").mkdir()
    (place / ".writing-123" / "saved_model.pb").write_bytes(b"half")
    os.rename(place / "small" / "1", place / ".before-small-1")  # killed while it was replaced
    assert export(run)[0].written is False
    assert (place / "small" / "1" / "saved_model.pb").read_bytes() == b"model"
    assert not [name for name in names(place) if name.startswith(".")]


@pytest.mark.slow  # a process that loads TensorFlow
def test_a_process_that_is_killed_while_it_writes(run: Path) -> None:
    command = [sys.executable, "-m", "gendsl", "export", str(run)]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 100
    while time.monotonic() < until and not list((run / "export").glob(".writing-*/*")):
        time.sleep(0.002)
        assert started.poll() is None, "it ended before it could be killed"
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not (run / "export" / "small").exists()
    with place_of(RunFolder(run)) as place:
        assert names(place.path) == [] and place.versions("small") == []


def _exporting(plan: Plan, *calls: Call) -> Plan:
    from dataclasses import replace

    return replace(plan, export=calls)


def test_names(plain: Path) -> None:
    plan = plan_in(RunFolder(plain))
    one, other = (Call("saved_model", {"name": name}) for name in ("a", "b.2"))
    assert [order.name for order in orders_of(_exporting(plan, one, other), {})] == ["a", "b.2"]
    with pytest.raises(UserError, match="two exports of the form `saved_model` are named `a`"):
        orders_of(_exporting(plan, one, one), {})
    for name in ("", "..", "a/b", "a b", ".hidden", "-v", "a\0", 'a"'):
        with pytest.raises(UserError, match="cannot be the name") if name else pytest.raises(AssertionError):
            assert [one.name for one in orders_of(_exporting(plan, Call("saved_model", {"name": name})), {})] == [name]
    with pytest.raises(UserError, match="there is no network `discriminater`") as told:
        orders_of(plan, {"also": ("discriminater",)})
    assert "`discriminator`" in told.value.help
