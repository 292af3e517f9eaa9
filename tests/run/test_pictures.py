"""Pictures of samples."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gendsl.pictures.gallery import Gallery
from gendsl.run.checkpoints import paths
from gendsl.run.pictures import grid, pixels_of, png, scatter


def test_values_become_bytes_over_their_range() -> None:
    values = np.array([-1.0, 0.0, 1.0, 2.0, -9.0, np.nan])
    assert pixels_of(values, (-1, 1)).tolist() == [0, 128, 255, 255, 0, 0]
    assert pixels_of(values[:3], (0, 1)).tolist() == [0, 0, 255]


def test_a_grid_holds_every_image_where_it_belongs() -> None:
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1).repeat(4, 1).repeat(4, 2) * 40
    sheet = grid(images, columns=3, enlarge=False)
    assert sheet.shape == (2 * 6 + 2, 3 * 6 + 2, 1)
    assert (sheet[2:6, 2:6] == 0).all() and (sheet[8:12, 14:18] == 200).all()
    assert grid(images).shape[1] > 300  # tiny images are enlarged for the eye


def test_png_reads_back_and_has_the_same_bytes_again() -> None:
    for channels in (1, 3, 4):
        pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
        back = np.asarray(Image.open(io.BytesIO(png(pixels))))
        assert (back.reshape(pixels.shape) == pixels).all()
        assert png(pixels) == png(pixels)


def test_a_scatter_shows_points_and_stands_what_is_no_number() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [np.nan, 1.0], [np.inf, 0.0]])
    sheet = scatter(points, side=64)
    assert sheet.shape == (64, 64, 3) and (sheet == (31, 90, 200)).all(axis=-1).sum() == 18
    assert (scatter(np.full((3, 2), np.nan)) == 255).all()


def hashes(folder: Path) -> dict[str, Any]:
    """What the last checkpoint holds, as its manifest says."""
    manifest = json.loads((paths(folder / "checkpoints")[0] / "manifest.json").read_text())
    return {name: told for name, told in manifest["files"].items() if "data" in name}


def test_pictures_change_no_bit_of_the_training(
    tmp_path: Path,
    tiny: tuple[Path, str],
    run_tiny: Callable[..., Any],
    tiny_text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Gallery, "shown", lambda self, step, **_: iter(()))
    monkeypatch.setattr(Gallery, "measured", lambda self, **_: None)
    outcome, _ = run_tiny(tiny_text, tmp_path / "bare")
    assert outcome.finished and not list((tmp_path / "bare").glob("samples/*"))
    assert hashes(tmp_path / "bare") == hashes(tiny[0]) != {}
    metrics = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (tmp_path / "bare", tiny[0])]
    losses = [[line for line in lines if "seconds" not in line] for lines in metrics]
    assert losses[0] == losses[1]


def test_a_run_ends_with_its_report(tiny: tuple[Path, str]) -> None:
    folder, said = tiny
    lines = [line.split() for line in said.rstrip().splitlines()]
    assert lines[-2:] == [["card", f"{folder}/card.md"], ["report", f"{folder}/report.html"]]
    assert (folder / "card.md").read_text().startswith("---\n") and (folder / "card.html").is_file()
    page = (folder / "report.html").read_text()
    assert "tiny" in page and page.count("data:image/png") >= 3
    shown = sorted(path.name for path in (folder / "samples").iterdir())
    assert "samples_fresh-final.png" in shown and "grid-final.png" in shown
