"""A real run from samples to export: the marks, the card and the chain tell of one and the same model."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.export.chain import faults, links_of
from gendsl.export.command import export
from gendsl.export.verification import verified
from gendsl.lower.errors import UserError
from gendsl.plan.record import record_of
from gendsl.run.sample import sample
from gendsl.source import Source


@pytest.fixture(scope="module")
def exported(conditional: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was exported."""
    run = tmp_path_factory.mktemp("provenance") / "run"
    shutil.copytree(conditional, run, symlinks=True, ignore=shutil.ignore_patterns("export"))
    export(run)
    return run


def test_samples_and_export_tell_of_the_same_chain(exported: Path, tmp_path: Path) -> None:
    sample(exported, 2, 3, tmp_path / "a")
    sample(exported, 2, 3, tmp_path / "b")
    version = exported / "export" / "served" / "1"
    for name in ("000.png", "001.png", "grid.png"):
        image = Image.open(tmp_path / "a" / name)
        image.load()
        told = json.loads(image.info["gendsl"])
        assert told["chain"] == links_of(version)["checkpoint"]["hash"] and told["drawn"] == "seed 3"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert told["chain"] in (version / "card.md").read_text()


def test_a_run_and_its_export_hold_together(exported: Path) -> None:
    assert faults(exported / "export") == []
    assert not [one for one in verified(exported) if one.faults or one.differs or one.unknown]
    assert (exported / "card.md").read_text().startswith("---\n")


def test_a_tampered_version_is_not_taken_for_the_same_again(exported: Path) -> None:
    assert [one.written for one in export(exported)] == [False]
    card = exported / "export" / "served" / "1" / "card.md"
    kept = card.read_bytes()
    card.write_bytes(b"a better card")
    assert faults(exported / "export") == ["served/1/card.md was changed: its content is not what was exported"]
    (again,) = export(exported)
    assert again.written and again.path.name == "2" and faults(again.path) == []
    card.write_bytes(kept)
    shutil.rmtree(again.path)


def test_a_refused_run_writes_nothing_and_a_reason_is_written_down(conditional: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(conditional, run, symlinks=True, ignore=shutil.ignore_patterns("export"))
    text = (run / "spec.gen").read_text() + "card { require contact }\n"
    plan = check(Source("small.gen", text), Problems())
    assert plan is not None
    (run / "spec.gen").write_text(text)
    (run / "plan.json").write_text(json.dumps(json.loads((run / "plan.json").read_text()) | record_of(plan)))
    with pytest.raises(UserError, match="the card requires `contact`"):
        export(run)
    assert not list(run.glob("export/*/*"))
    (one,) = export(run, override="for | the *workshop*")
    assert "overridden: for \\| the \\*workshop\\*" in (one.path / "card.md").read_text()
    assert links_of(one.path)["export"]["notes"][-1] == "overridden: for | the *workshop*"
    assert export(run, override="for | the *workshop*")[0].written is False
    assert export(run, override="another")[0].path.name == "2"
