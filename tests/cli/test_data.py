"""`gendsl data` as a process: its lines, its JSON, its exit codes."""

import json
from pathlib import Path

from tests.cli.processes import ROOT, gendsl

SPEC = (ROOT / "specs/digits_gan.gen").read_text(encoding="utf-8")


def test_data(tmp_path: Path) -> None:
    text = SPEC.replace("  batch ", "  curate { drop duplicates, within: 1 }\n  batch ", 1)
    (tmp_path / "my.gen").write_text(text, encoding="utf-8")
    done = gendsl("data", "my.gen", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    lines = {line[:12].strip(): line[13:] for line in done.out.splitlines()}
    of_source = ["source", "splits", "dropped", "leaks", "SHA-256", "licence"]
    assert list(lines) == [*of_source, "image", "label", "picture", "lists", "pictures", "TensorBoard"]
    assert lines["dropped"].startswith("duplicates ") and lines["licence"].startswith("CC BY")
    assert lines["lists"] == "runs/digits_gan/data/dropped.csv"
    assert all((tmp_path / path).is_file() for path in lines["pictures"].split())
    assert lines["picture"] == "image_classes.png: a row each from the top: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"

    done = gendsl("data", "my.gen", "--format", "json", "-o", "look", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    assert record["files"]["pictures"] == ["look/image.png", "look/image_classes.png"]
    assert record["files"]["TensorBoard"] == ["look/logs"]
    assert sum(record["fields"]["label"]["classes"].values()) == record["sizes"]["train"]
    listed = (tmp_path / "look/dropped.csv").read_text().splitlines()
    assert len(listed) - 1 == record["sources"][0]["dropped"]["duplicates"] > 0
    assert json.loads((tmp_path / "look/data.json").read_text())["sizes"] == record["sizes"]


def test_what_cannot_be_looked_at(tmp_path: Path) -> None:
    text = SPEC.replace("source digits()", 'source npz("pictures.npz")')
    (tmp_path / "my.gen").write_text(text, encoding="utf-8")
    done = gendsl("data", "my.gen", folder=tmp_path)
    assert done.code == 3 and 'there is no file "pictures.npz"' in done.err and not done.out
    assert not (tmp_path / "runs").exists()
    (tmp_path / "wrong.gen").write_text(SPEC.replace("tanh", "tahn"), encoding="utf-8")
    assert gendsl("data", "wrong.gen", folder=tmp_path).code == 1
