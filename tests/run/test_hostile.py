"""Specs, data and run folders from a stranger: none runs code of its own, reads or writes elsewhere, or steers the
terminal; each gets an answer, and no traceback."""

import gzip
import hashlib
import io
import json
import pickle
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.cli import main

SPEC = """experiment theirs
data { source SOURCE; image resize: 8x8; batch 4 }
network generator(z: normal(2)) -> image { dense 8 * 8 * image.channels | LAYER tanh | reshape 8, 8, image.channels }
network discriminator(x: image) -> logits(1) { flatten | dense 1 }
train { objective gan(loss: hinge); optimizer adam(1e-3); steps 1 }
"""


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs `gendsl WORDS` in the test's folder; gives the exit code and what was said, in which nothing is hidden."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: str) -> tuple[int, str]:
        code = main(list(words))
        said = "".join(capfd.readouterr())
        assert "Traceback" not in said and "\x1b" not in said and code != 70, said
        return code, said

    return run


def spec(source: str = 'images("*.png")', layer: str = "") -> str:
    text = SPEC.replace("SOURCE", source).replace("LAYER", layer)
    Path("theirs.gen").write_text(text)
    return "theirs.gen"


# Specs


def test_a_spec_that_is_not_hostile_is_fine(answer: Any) -> None:
    code, said = answer("check", spec("digits", "keras.UnitNormalization |"))
    assert code == 0, said


@pytest.mark.parametrize(
    "layer",
    [
        'keras.Lambda function: "print" |',
        'keras.TorchModuleWrapper module: "evil" |',
        'keras.TFSMLayer filepath: "evil" |',
        'keras.JaxLayer call_fn: "evil" |',
        'keras.FlaxLayer module: "evil" |',
        'keras.StringLookup vocabulary: "/etc/passwd" |',
        'keras.TextVectorization vocabulary: "/etc/passwd" |',
        'keras.IntegerLookup vocabulary: "/etc/passwd" |',
        "keras.Layer |",
        "keras.src.os.system |",
        "keras.__class__ |",
    ],
)
def test_layers_that_run_code_or_read_files_are_none(answer: Any, layer: str) -> None:
    code, said = answer("check", spec("digits", layer))
    assert code == 1 and "error[" in said and "keras." in said


@pytest.mark.parametrize(
    "path",
    ["../x.npz", "/etc/x.npz", "~/x.npz", "out/x.npz", "file:///x.npz", "gs://b/x.npz", "C:/x.npz", "a/../../x.npz"],
)
@pytest.mark.parametrize("source", ['npz("PATH")', 'images("PATH")', 'idx("PATH")'])
def test_paths_stay_in_the_projects_folder(answer: Any, tmp_path: Path, source: str, path: str) -> None:
    (tmp_path / "x.npz").write_bytes(b"secret")
    Path("out").symlink_to(tmp_path)
    code, said = answer("check", spec(source.replace("PATH", path)))
    assert code == 1 and "secret" not in said
    assert any(words in said for words in ("inside its folder", "leads out of", "web address", "is an absolute")), said


@pytest.mark.parametrize("path", ["../blocks.gen", "/etc/passwd", "https://x.org/a.gen", "~/a.gen"])
def test_imports_stay_in_the_projects_folder(answer: Any, tmp_path: Path, path: str) -> None:
    (tmp_path / "blocks.gen").write_text("block secret() { dense 3 }")
    name = spec("digits")
    Path(name).write_text(f'import "{path}"\n' + Path(name).read_text())
    code, said = answer("check", name)
    assert code == 1 and "root:" not in said


def test_a_spec_does_not_steer_the_terminal(answer: Any) -> None:
    Path("\x1b]0;owned\x07").mkdir()
    for text in ('npz("\x1b[2J.npz")', 'images("\x1b]0;owned\x07/*.png", label: folder)'):
        for command in ("check", "plan", "run"):
            _, said = answer(command, spec(text))
            assert "owned" in said or "2J" in said
            assert "\x07" not in said


# Data


def test_pickles_are_not_loaded(answer: Any, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    bombs = np.empty((4, 8, 8), object)
    bombs[...] = Bomb(touched)
    np.savez("bombs.npz", images=bombs)
    with zipfile.ZipFile("header.npz", "w") as archive:  # says that it holds bytes, and holds a pickle
        head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4, 8, 8), }"
        true = head.replace(b"'|u1'", b"'|O'")
        for name, header in (("images.npy", head), ("labels.npy", true)):
            body = pickle.dumps(bombs)
            archive.writestr(name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body)
    Path("pickle.npz").write_bytes(pickle.dumps(Bomb(touched)))
    for name in ("bombs", "header", "pickle"):
        code, said = answer("run", spec(f'npz("{name}.npz", image: "images")'), "--out", "run", "--steps", "0")
        assert code in (0, 1, 3), said
    assert not touched.exists()
    pickle.loads(pickle.dumps(Bomb(touched)))
    assert touched.exists()  # or the test would prove nothing


def test_names_in_an_archive_are_no_places(answer: Any, tmp_path: Path) -> None:
    array = io.BytesIO()
    np.save(array, np.zeros((8, 8, 8), np.uint8))
    with zipfile.ZipFile("slip.npz", "w") as archive:
        archive.writestr("../../slipped.npy", array.getvalue())
    before = set(tmp_path.rglob("*"))
    code, said = answer("check", spec('npz("slip.npz", image: "../../slipped")'))
    assert code in (0, 1), said
    assert set(tmp_path.rglob("*")) - before <= {tmp_path / "project" / "theirs.gen"}


def test_what_unpacks_to_more_than_there_is_is_refused(answer: Any) -> None:
    side = 50_000

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(1 << 20))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    for number in range(4):
        Path(f"bomb{number}.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
        )
    code, said = answer("run", spec(), "--out", "run", "--steps", "0")
    assert code in (1, 3) and "bomb" in said
    Path("idx").mkdir()
    with gzip.open("idx/train-images-idx3-ubyte.gz", "wb", compresslevel=1) as packed:
        packed.write(b"\0\0\x08\x03" + struct.pack(">III", 2**31, 8, 8) + bytes(1 << 20))
    code, said = answer("run", spec('idx("idx")'), "--out", "run", "--steps", "0")
    assert code in (1, 3) and "GiB of memory" in said
    with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 8, 8), }"
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(1 << 20))
    code, said = answer("run", spec('npz("bomb.npz")'), "--out", "run", "--steps", "0")
    assert code in (1, 3) and "GiB of memory" in said


# Run folders


@pytest.fixture
def theirs(answer: Any, tiny: tuple[Path, str]) -> Path:
    """A copy of a finished run, in the project's folder."""
    shutil.copytree(tiny[0], "theirs", symlinks=True)
    return Path("theirs")


def changed_plan(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes plan.json and makes its hash and those in the checkpoints fit."""
    record = json.loads((folder / "plan.json").read_text())
    change(record["plan"])
    text = json.dumps(record["plan"], sort_keys=True, separators=(",", ":"))
    record["hash"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "plan.json").write_text(json.dumps(record))


def layer_of(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plan["networks"][0]["layers"][0]
    return found


def module(plan: dict[str, Any]) -> None:
    config = {"module": "os", "class_name": "system", "config": {"command": "touch touched"}, "registered_name": None}
    layer_of(plan)["arguments"]["init"] = config


def saved_model(plan: dict[str, Any]) -> None:
    layer_of(plan).update({"word": "keras.TFSMLayer", "arguments": {"filepath": "evil"}})


def function(plan: dict[str, Any]) -> None:
    layer_of(plan).update({"word": "keras.Lambda", "arguments": {"function": "print"}})


def vocabulary(plan: dict[str, Any]) -> None:
    layer_of(plan).update({"word": "keras.StringLookup", "arguments": {"vocabulary": "/etc/passwd"}})


def unknown_argument(plan: dict[str, Any]) -> None:
    layer_of(plan).update({"word": "keras.Dense", "arguments": {"units": 3, "autocast": False}})


def climbing_experiment(plan: dict[str, Any]) -> None:
    plan["experiment"] = "../../climbed"


def climbing_output(plan: dict[str, Any]) -> None:
    plan["sample"]["outputs"][0][0] = "../../climbed"


def steering(plan: dict[str, Any]) -> None:
    plan["experiment"] = "\x1b]0;owned\x07"


def wrong_class(plan: dict[str, Any]) -> None:
    plan["networks"][0]["layers"][0] = {"is": "os.system", "command": "touch touched"}


def no_layers(plan: dict[str, Any]) -> None:
    plan["networks"][0]["layers"] = 7


CHANGES = [module, saved_model, function, vocabulary, unknown_argument, climbing_experiment, climbing_output, steering]


@pytest.mark.parametrize("change", [*CHANGES, wrong_class, no_layers])
@pytest.mark.parametrize("command", ["sample", "export"])
def test_a_plan_that_was_changed_runs_nothing(
    answer: Any, theirs: Path, tmp_path: Path, change: Any, command: str
) -> None:
    changed_plan(theirs, change)
    before = set(tmp_path.rglob("*"))
    code, said = answer(command, "theirs")
    assert code == 3 and "help" in said, said
    assert {path.name for path in set(tmp_path.rglob("*")) - before} <= {".lock"}


def test_a_plan_that_is_nested_without_end_is_answered(answer: Any, theirs: Path) -> None:
    (theirs / "plan.json").write_text('{"format": 2, "hash": "", "plan": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert answer("sample", "theirs")[0] == 3
    assert answer("resume", "theirs")[0] == 3


@pytest.mark.parametrize("name", ["metrics.jsonl", "events.jsonl", "logs", "samples", "checkpoints", ".lock", "export"])
def test_a_link_out_of_a_run_is_not_followed(answer: Any, theirs: Path, tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine"
    there = theirs / name
    if there.is_dir() or name == "export":
        shutil.copytree(there, mine) if there.is_dir() else mine.mkdir()
        shutil.rmtree(there, ignore_errors=True)
    else:
        mine.write_text("mine\n")
        there.unlink(missing_ok=True)
    there.symlink_to(mine)
    before = {path: path.read_bytes() for path in [mine, *mine.rglob("*")] if path.is_file()}
    for command in ("resume", "sample", "export"):
        code, said = answer(command, "theirs")
        assert code == 3 and f"a link that leads out of it: {name}" in said
    assert {path: path.read_bytes() for path in [mine, *mine.rglob("*")] if path.is_file()} == before


MANIFESTS: list[Any] = [
    [],
    {"files": {"../../../secret": {"bytes": 6, "sha256": ""}}},
    {"files": 7},
    {"variables": 3},
    {"record": None},
    {"record": {"window": 3}},
    {"record": {"window": {}, "lengths": {"metrics.jsonl": "all"}}},
    {"record": {"window": {"names": ["a"], "sums": ["b"], "steps": 3}, "lengths": {}}},
    {"record": {"window": {"names": ["a"], "sums": [], "steps": 3}, "lengths": {}}},
    {"step": "many"},
    {"step": 10**30},
]


@pytest.mark.parametrize("change", MANIFESTS, ids=str)
def test_a_manifest_that_was_changed_is_passed_over(answer: Any, theirs: Path, change: Any) -> None:
    path = theirs / "checkpoints" / "step-60" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(change if isinstance(change, list) else manifest | change))
    shutil.rmtree(theirs / "checkpoints" / "step-40")
    code, said = answer("sample", "theirs")
    assert code == 3 and "its manifest is missing or damaged" in said


def test_variables_that_were_changed_are_numbers_or_nothing(answer: Any, theirs: Path) -> None:
    shutil.rmtree(theirs / "checkpoints" / "step-40")
    folder = theirs / "checkpoints" / "step-60"
    for file in folder.glob("state*"):
        file.unlink()
    with tf.device("CPU:0"):
        tf.raw_ops.SaveV2(
            prefix=str(folder / "state"), tensor_names=["state/evil"], shape_and_slices=[""], tensors=[tf.constant("x")]
        )
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {
        file.name: {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file in folder.glob("state*")
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    code, said = answer("sample", "theirs")
    assert code == 3 and "not those that its manifest names" in said


@pytest.mark.parametrize("project", ["/etc", "../..", "\0", "/proc/self/root", 7])
def test_an_environment_that_points_elsewhere_reads_nothing_there(answer: Any, theirs: Path, project: Any) -> None:
    environment = json.loads((theirs / "environment.json").read_text())
    (theirs / "environment.json").write_text(
        json.dumps(environment | {"project": project, "project_from_here": project})
    )
    text = spec('npz("passwd")')
    (theirs / "spec.gen").write_text(Path(text).read_text())
    code, said = answer("resume", "theirs")
    assert code in (1, 3) and "root:" not in said, said


DAMAGES = {
    "data.json": [b'{"sizes": null}', b'{"sizes": {"train": "x"}}', b"7"],
    "environment.json": [b'{"options": null}', b'{"options": [1]}', b"\xff"],
    "events.jsonl": [b'{"event": "started", "step": "x"}\n', b"\xff\xfe\n", b"[" * 100_000],
    "metrics.jsonl": [b'{"step": [0]}\n', b'{"evaluation": 0, "step": 1}\n\xc3'],
}


@pytest.mark.parametrize(("file", "content"), [(name, one) for name, all in DAMAGES.items() for one in all])
def test_files_that_hold_anything_are_answered(
    answer: Any, theirs: Path, tiny_text: str, file: str, content: bytes
) -> None:
    (theirs / file).write_bytes(content)
    Path("tiny.gen").write_text(tiny_text)
    for words in (("resume", "theirs"), ("run", "tiny.gen", "--out", "theirs", "--resume", "--steps", "20")):
        assert answer(*words)[0] in (0, 3)


def test_a_repository_runs_nothing(answer: Any, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    program = Path("monitor.sh").resolve()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/touched\n")
    program.chmod(0o755)
    with open(".git/config", "a") as file:
        file.write(f'[core]\n  fsmonitor = {program}\n[filter "evil"]\n  clean = {program}\n  process = {program}\n')
    Path(".gitattributes").write_text("* filter=evil\n")
    code, said = answer("run", spec("digits"), "--out", "run", "--steps", "1")
    assert code == 0 and not (tmp_path / "touched").exists(), said
    subprocess.run(["git", "status"], check=False, capture_output=True)
    assert (tmp_path / "touched").exists()  # or the test would prove nothing


@pytest.mark.parametrize("options", [[], {"settings": [1]}, {"strategy": "workers; evil"}, {"steps": -1}], ids=str)
def test_options_that_are_none_are_answered(answer: Any, theirs: Path, options: Any) -> None:
    environment = json.loads((theirs / "environment.json").read_text())
    (theirs / "environment.json").write_text(json.dumps(environment | {"options": options}))
    assert answer("resume", "theirs")[0] == 3
