"""What a person names, and which SavedModel that is."""

from pathlib import Path

import pytest

from gendsl.lower.errors import UserError
from gendsl.serve.finding import Found, found


def model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def test_the_highest_version_counts_wherever_one_stands(tmp_path: Path) -> None:
    run = tmp_path / "run"
    model(run / "export" / "digits" / "2")
    ten = model(run / "export" / "digits" / "10")
    (run / "export" / "digits" / "11").mkdir()  # it is being written
    model(run / "export" / ".writing-1" / "1")
    (run / "export" / "models.config").write_text("")
    (run / "plan.json").write_text("{}")
    for named in (run, run / "export", run / "export" / "digits", ten):
        assert found(named) == Found("digits", 10, ten)
    assert found(run / "export" / "digits" / "2").version == 2


def test_a_savedmodel_of_others_is_version_1_of_its_name(tmp_path: Path) -> None:
    folder = model(tmp_path / "half_plus_two")
    assert found(str(folder)) == Found("half_plus_two", 1, folder)


def test_what_is_no_export_is_told(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for wrong, part in (("gone", "there is no folder"), ("a.txt", "is a file"), ("m.tflite", "is no SavedModel")):
        if wrong != "gone":
            (tmp_path / wrong).write_text("")
        with pytest.raises(UserError, match=part):
            found(tmp_path / wrong)
    with pytest.raises(UserError, match="holds no exported model"):
        found(run)
    (run / "plan.json").write_text("{}")
    with pytest.raises(UserError, match="has not been exported") as raised:
        found(run)
    assert raised.value.help == f"first `gendsl export {run}`"
    model(run / "export" / "a" / "1"), model(run / "export" / "b" / "1")
    with pytest.raises(UserError, match="holds 2 models: a, b"):
        found(run)
