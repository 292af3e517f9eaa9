"""A look at data: what is written where, what TensorBoard shows, and what a run keeps of the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gendsl.lower.errors import UserError
from gendsl.run.command import Outcome
from gendsl.run.survey import default_folder, surveyed
from tests.run.tiny_runs import planned

SPEC = """experiment look

data {
  source npz("s.npz")
  image range: -1..1
  curate { drop duplicates, blank }
  batch 4
}

augment { flip horizontal, probability: 1.0 }

network generator(z: normal(4)) -> image { dense 64 | tanh | reshape 8, 8, 1 }

network discriminator(x: image) -> logits(1) { flatten | dense 1 }

train {
  objective gan(loss: hinge)
  optimizer adam(1e-3)
  steps 4
}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """20 training and 5 test pictures: train 3 repeats train 1, train 6 is blank, test 2 is train 4 but for a pixel."""
    images = np.random.default_rng(0).integers(0, 255, (25, 8, 8), np.uint8)
    images[3], images[6], images[22] = images[1], 9, images[4]
    images[22, 0, 0] += 1
    np.savez(tmp_path / "s.npz", x_train=images[:20], x_test=images[20:])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def survey(text: str, out: Path) -> tuple[Any, list[str]]:
    said: list[str] = []
    return surveyed(planned(text), ".", out, tell=said.append), said


def test_a_look_at_pictures(project: Path) -> None:
    out = default_folder(planned(SPEC))
    found, said = survey(SPEC, out)
    assert out == Path("runs/look/data") and said[-1] == "drawing pictures…"
    assert "comparing the examples… 25 of 25" in said and "looking at the training examples… part 1" in said
    assert {path.name for path in out.iterdir()} == {
        "data.json", "dropped.csv", "leaks.csv", "image.png", "image_augmented.png", "logs",
    }  # fmt: skip
    assert (out / "dropped.csv").read_text().splitlines()[1:] == [
        ",train/3,duplicates,train/1",
        ",train/6,blank,",
    ]
    assert (out / "leaks.csv").read_text().splitlines()[1:] == [",test/2,near leak,train/4"]
    record = json.loads((out / "data.json").read_text())
    assert record["sizes"] == {"train": 18, "test": 5}
    assert record["sources"][0]["dropped"] == {"duplicates": 1, "blank": 1}
    assert record["sources"][0]["leaks"]["test"]["near"] == 1 and "1 of the 5 examples" in record["warnings"][0]
    assert record["fields"]["image"]["shape"] == [8, 8, 1]
    plain, flipped = (np.asarray(Image.open(path)) for path in found.pictures)
    assert plain.shape == flipped.shape and (plain != flipped).any()
    # 18 pictures in five columns, each enlarged and flipped on its own
    scale = (plain.shape[1] - 2) // 5 - 2
    for number in range(18):
        top, left = 2 + number // 5 * (scale + 2), 2 + number % 5 * (scale + 2)
        place = np.s_[top : top + scale, left : left + scale]
        np.testing.assert_array_equal(plain[place][:, ::-1], flipped[place])


def test_tensorboard_shows_the_same(project: Path) -> None:
    found, _ = survey(SPEC, project / "look")
    survey(SPEC, project / "look")  # another look takes the place of the first
    events = EventAccumulator(str(found.logs), size_guidance={"tensors": 0}).Reload()
    assert set(events.Tags()["tensors"]) == {"data", "data/image", "data/image_augmented"}
    (event,) = events.Tensors("data/image")
    assert event.tensor_proto.string_val[2] == found.pictures[0].read_bytes()
    assert len(list(found.logs.iterdir())) == 1


def test_without_augmentation_there_is_one_sheet(project: Path) -> None:
    found, _ = survey(SPEC.replace("augment { flip horizontal, probability: 1.0 }", ""), project / "look")
    assert [path.name for path in found.pictures] == ["image.png"]


def test_lists_go_when_nothing_is_on_them(project: Path) -> None:
    survey(SPEC, project / "look")
    survey(SPEC.replace("drop duplicates, blank", "drop leaks"), project / "look")
    assert (project / "look/dropped.csv").read_text().splitlines()[1:] == [",test/2,near leak,train/4"]
    assert not (project / "look/leaks.csv").exists()


def test_points(tiny_text: str, tmp_path: Path) -> None:
    found, _ = survey(tiny_text, tmp_path / "look")
    assert [path.name for path in found.pictures] == ["point.png"]
    assert (np.asarray(Image.open(found.pictures[0])) == (31, 90, 200)).all(axis=-1).sum() > 100
    assert dict(found.report.lines)["source"].startswith("gaussians(grid: 2x2, ")
    assert not found.lists


def test_what_cannot_be_looked_at(project: Path, tiny: tuple[Path, str]) -> None:
    with pytest.raises(UserError, match="is the folder of a run"):
        survey(SPEC, tiny[0])
    not_built = replace(planned(SPEC), not_built=(("fid", "score"), ("hologram", "source")))
    with pytest.raises(UserError, match="`hologram` cannot be run yet") as caught:
        surveyed(not_built, ".", project / "look", tell=lambda _: None)
    assert "fid" not in caught.value.message and not (project / "look").exists()


def test_a_run_warns_and_keeps_the_lists(project: Path, run_tiny: Callable[..., tuple[Outcome, str]]) -> None:
    outcome, said = run_tiny(SPEC, project / "run")
    assert outcome.finished
    assert "warning: 1 of the 5 examples of `test` stand in `train` too (1 near): test/2 as train/4" in said
    assert (project / "run/dropped.csv").read_text().splitlines()[1:] == [
        ",train/3,duplicates,train/1",
        ",train/6,blank,",
    ]
    assert (project / "run/leaks.csv").is_file()
    record = json.loads((project / "run/data.json").read_text())
    assert record["sources"][0]["leaks"]["test"]["first"][0]["repeats"] == "train/4"
    again, said = run_tiny(SPEC.replace("steps 4", "steps 6"), project / "run", resume=True)
    assert again.finished and again.step == 6
