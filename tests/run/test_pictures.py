"""Pictures of samples."""

import io

import numpy as np
from PIL import Image

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
