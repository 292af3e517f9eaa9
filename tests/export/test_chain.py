"""The chain of hashes over an exported folder: it holds as written, and tells which file or link was touched."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gendsl.export.chain import FORMAT, PROVENANCE, Origin, chained_folders, faults, head_of, links_of, write_chain
from gendsl.frozen import replace

ORIGIN = Origin("small", "1.2", 30, spec="a" * 64, plan="b" * 64, data="c" * 64, environment="", checkpoint="d" * 64)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A version of a model as an export leaves it."""
    folder = tmp_path / "export" / "small" / "1"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    (folder / "card.md").write_text("a card")
    write_chain(folder, ORIGIN, notes=["overridden"])
    return folder


def test_a_chain_holds_as_it_was_written(version: Path) -> None:
    assert faults(version) == []
    assert list(links_of(version)) == ["spec", "plan", "data", "environment", "checkpoint", "export"]
    assert links_of(version)["export"]["notes"] == ["overridden"]
    assert links_of(version)["checkpoint"]["hash"] == ORIGIN.head
    before = (version / PROVENANCE).read_bytes()
    write_chain(version, ORIGIN, notes=["overridden"])
    assert (version / PROVENANCE).read_bytes() == before


def _rewritten(change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        record = json.loads((folder / PROVENANCE).read_text())
        change(record)
        (folder / PROVENANCE).write_text(json.dumps(record))

    return act


def _set(number: int, name: str, value: object) -> Callable[[Path], None]:
    return _rewritten(lambda record: record["links"][number].__setitem__(name, value))


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit": (lambda at: (at / "saved_model.pb").write_bytes(b"grapi"), "saved_model.pb was changed"),
    "the card": (lambda at: (at / "card.md").write_text("a better card"), "card.md was changed"),
    "one gone": (lambda at: (at / "variables" / "variables.index").unlink(), "variables/variables.index is missing"),
    "one more": (lambda at: (at / "variables" / "x").write_bytes(b""), "variables/x was added"),
    "hidden": (lambda at: (at / ".x.tmp").write_bytes(b""), ".x.tmp was added"),
    "a link": (lambda at: _as_link(at / "card.md"), "card.md was changed: it is no file any more"),
    "a folder": (lambda at: ((at / "card.md").unlink(), (at / "card.md").mkdir()), "card.md is missing"),
    "a linked folder": (lambda at: (at / "extra").symlink_to("/"), "extra was added"),
    "no chain": (lambda at: (at / PROVENANCE).unlink(), "provenance.json is missing"),
    "no JSON": (lambda at: (at / PROVENANCE).write_bytes(b"\x00["), "provenance.json cannot be read"),
    "deep JSON": (lambda at: (at / PROVENANCE).write_text("[" * 100_000), "provenance.json cannot be read"),
    "a format": (_rewritten(lambda record: record.update(format=FORMAT + 1)), "provenance.json cannot be read"),
    "a word more": (_rewritten(lambda record: record.update(by="me")), "provenance.json cannot be read"),
    "no links": (_rewritten(lambda record: record.update(links=3)), "its links are not"),
    "a link less": (_rewritten(lambda record: record["links"].pop(2)), "its links are not"),
    "the spec": (_set(0, "sha256", "0" * 64), "broken at the link `spec`"),
    "the name": (_set(0, "experiment", "other"), "broken at the link `spec`"),
    "the data": (_set(2, "sha256", "0" * 64), "broken at the link `data`"),
    "the step": (_set(4, "step", 31), "broken at the link `checkpoint`"),
    "the reason": (_set(5, "notes", []), "broken at the link `export`"),
    "the list": (_set(5, "files", {}), "broken at the link `export`"),
}


def _as_link(path: Path) -> None:
    shutil.move(path, path.parent.parent / "card.md")
    path.symlink_to(path.parent.parent / "card.md")


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_touched_is_told(name: str, version: Path) -> None:
    act, told = TAMPERED[name]
    act(version)
    found = faults(version)
    assert len(found) == 1 and told in found[0], found


def test_links_chained_anew_have_another_head(version: Path) -> None:
    head = head_of(version)
    write_chain(version, replace(ORIGIN, data="e" * 64), notes=["overridden"])
    assert faults(version) == [] and head_of(version) != head


def test_each_version_and_the_files_beside_them_count(version: Path) -> None:
    model, export = version.parent, version.parent.parent
    shutil.copytree(version, model / "12")
    (model / ".3.99.tmp").mkdir()
    (export / "models.config").write_text("models")
    write_chain(export, ORIGIN, whole=False)
    assert [path.relative_to(export).as_posix() for path in chained_folders(export)] == [".", "small/1", "small/12"]
    assert faults(export) == faults(model) == []
    (model / "12" / "card.md").unlink()
    (export / "models.config").write_text("others")
    assert faults(model) == ["12/card.md is missing"]
    assert faults(export) == [
        "models.config was changed: its content is not what was exported",
        "small/12/card.md is missing",
    ]


def test_a_folder_that_is_none_or_empty_holds_no_chain(tmp_path: Path) -> None:
    assert faults(tmp_path / "no") == [f"there is no folder {tmp_path / 'no'}"]
    assert "provenance.json is missing" in faults(tmp_path)[0]
