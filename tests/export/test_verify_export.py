"""`gendsl verify-export`: what it says of whole and of tampered exports, and of the run around them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from carded import run_folder

from gendsl.cli import main
from gendsl.export.chain import origin_of, write_chain
from gendsl.export.verification import verified


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = run_folder(tmp_path / "run")
    version = run / "export" / "carded" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"graph")
    origin = origin_of(run, run / "checkpoints" / "step-30")
    write_chain(version, origin)
    (run / "export" / "models.config").write_text("models")
    write_chain(run / "export", origin, whole=False)
    return run


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["verify-export", *words])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


@pytest.mark.parametrize("place", ["", "export", "export/carded", "export/carded/1"])
def test_a_whole_export_holds_wherever_it_is_looked_at(
    place: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(capsys, str(run / place))
    assert code == 0 and "1 files, as exported" in text
    assert "spec, plan, data manifest, environment and checkpoint are those of the export" in text


def test_a_copy_elsewhere_needs_no_run(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run / "export" / "carded", tmp_path / "models" / "carded")
    code, text = said(capsys, str(tmp_path / "models" / "carded" / "1"))
    assert code == 0 and "as exported" in text and "run" not in text.replace(str(tmp_path), "")


def test_a_tampered_file_is_named_and_the_rest_holds(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "export" / "carded" / "1" / "saved_model.pb").write_bytes(b"other")
    code, text = said(capsys, str(run))
    assert code == 1 and "saved_model.pb was changed: its content is not what was exported" in text
    assert text.count("files, as exported") == 1 and text.count("changed since it was exported") == 1
    code, text = said(capsys, str(run), "--format", "json")
    records = json.loads(text)
    assert code == 1 and [one["holds"] for one in records] == [True, False]


CHANGES: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "the spec": (lambda run: (run / "spec.gen").write_text("x"), 1, "spec.gen is not the one"),
    "the data": (lambda run: (run / "data.json").write_text("{}"), 1, "data.json is not the one"),
    "no data": (lambda run: (run / "data.json").unlink(), 0, "data.json is no longer there"),
    "weights": (
        lambda run: (run / "checkpoints/step-30/state.index").write_bytes(b"31"),
        1,
        "step-30/state.index does not have the content that was written",
    ),
    "a manifest": (
        lambda run: (run / "checkpoints/step-30/manifest.json").write_text('{"step": 30, "files": {}}'),
        1,
        "step-30 is not the checkpoint",
    ),
    "a pruned one": (
        lambda run: shutil.rmtree(run / "checkpoints/step-30"),
        0,
        "the checkpoint of step 30 is no longer there",
    ),
    "a changed spec": (
        lambda run: (shutil.copy(run / "spec.gen", run / "spec-1.gen"), (run / "spec.gen").write_text("x")),
        0,
        "checkpoint are those of the export",
    ),
    "the environment": (lambda run: (run / "environment.json").write_text("{}"), 0, "tells of another environment"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_run_around_it_is_compared(name: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    act, expected, told = CHANGES[name]
    act(run)
    code, text = said(capsys, str(run / "export" / "carded"))
    assert (code, told in text) == (expected, True), text


def test_a_run_that_was_moved_is_the_same(run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(run, moved)
    record = json.loads((moved / "environment.json").read_text())
    (moved / "environment.json").write_text(json.dumps(record | {"project": "/other", "command": ["gendsl"]}))
    assert not [one for one in verified(moved) if one.faults or one.differs or one.unknown]


def test_what_is_no_export_is_told(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run / "export")
    for place, told in ((run, "was never exported"), (tmp_path / "no", "there is no folder")):
        code, text = said(capsys, str(place))
        assert code == 3 and told in text


def test_it_loads_neither_tensorflow_nor_numpy(run: Path) -> None:
    code = (
        "import sys\nfrom gendsl.cli import main\n"
        f"code = main(['verify-export', {str(run)!r}])\n"
        "print(sorted({'tensorflow', 'numpy', 'keras'} & set(sys.modules)), code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"
