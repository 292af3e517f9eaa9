"""`gendsl sample`: the same bytes for the same seed, whatever the number."""

from pathlib import Path

import pytest
import tensorflow as tf

from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.run.evaluating import evaluated
from gendsl.run.sample import sample


def test_the_same_seed_gives_the_same_bytes_whatever_the_number(plain: Path, tmp_path: Path) -> None:
    few = sample(plain, 5, 3, tmp_path / "few")
    many = sample(plain, 70, 3, tmp_path / "many")
    assert [path.name for path in few] == ["000.png", "001.png", "002.png", "003.png", "004.png", "grid.png"]
    assert len(many) == 71
    for one, other in zip(few[:5], many[:5], strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert len({path.read_bytes() for path in many[:-1]}) == 70
    again = sample(plain, 5, 3, tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in few]
    other = sample(plain, 5, 4, tmp_path / "other")
    assert not {path.read_bytes() for path in other} & {path.read_bytes() for path in few}


def test_kernels_repeat_where_there_is_a_gpu_too(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(True))
    sample(plain, 1, 3, tmp_path)
    assert asked
    asked.clear()
    assert evaluated(plain, Problems(), samples=20, scores="diversity")
    assert asked


def test_a_sampling_loop_draws_the_same_whatever_the_number(guided: Path, tmp_path: Path) -> None:
    few, many = sample(guided, 3, 3, tmp_path / "few"), sample(guided, 66, 3, tmp_path / "many")
    assert [path.read_bytes() for path in few[:3]] == [path.read_bytes() for path in many[:3]]
    assert len({path.read_bytes() for path in many[:-1]}) == 66


def test_labels_are_drawn_where_none_are_given(conditional: Path, tmp_path: Path) -> None:
    assert len(sample(conditional, 3, 0, tmp_path)) == 4


def test_what_cannot_be_drawn_is_said(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="0 samples"):
        sample(plain, 0, 3, tmp_path)
    with pytest.raises(UserError, match="no folder"):
        sample(tmp_path / "nowhere", 1, 3, tmp_path)
