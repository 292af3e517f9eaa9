"""Samples in, pictures out: images as PNG and as grids, points of the plane as a scatter picture."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gendsl.plan.plan import Field

Pixels = NDArray[np.uint8]  # (height, width, 1 or 3 or 4)

_GAP = 2
_SMALLEST_SIDE = 512  # of a grid: small images are enlarged by whole numbers so that a person can see them


def png(pixels: Pixels) -> bytes:
    """The bytes of a PNG; the same for the same pixels."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=1)  # a run waits for it; a grid is small
    return stream.getvalue()


def pixels_of(images: NDArray[np.floating], value_range: tuple[float, float]) -> Pixels:
    """Bytes (…, height, width, channels) of values in a range; values outside are cut, NaN is its low end."""
    low, high = value_range
    scaled = (np.nan_to_num(np.asarray(images, np.float32), nan=low) - low) / (high - low)
    return np.asarray(np.clip(np.rint(scaled * 255), 0, 255), np.uint8)


def grid(images: Pixels, *, columns: int | None = None, enlarge: bool = True, gap: int = _GAP) -> Pixels:
    """One picture of many (count, height, width, channels), in rows, with a thin gap; small ones are enlarged."""
    count, height, width, channels = images.shape
    if channels == 2:  # grey with alpha has no grid of its own kind
        images, channels = images[..., :1], 1
    columns = columns or max(1, math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    scale = max(1, _SMALLEST_SIDE // max(1, columns * (width + gap))) if enlarge else 1
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = height * scale, width * scale
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 64, np.uint8)
    for number, image in enumerate(images):
        top = gap + number // columns * (height + gap)
        left = gap + number % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def scatter(points: NDArray[np.floating], *, real: NDArray[np.floating] | None = None, side: int = 512) -> Pixels:
    """Points (count, 2) in blue on white, real ones in grey behind them; the frame holds the real ones if given."""
    shown = real if real is not None and len(real) else points
    finite = shown[np.isfinite(shown).all(axis=1)]
    low, high = (finite.min(axis=0), finite.max(axis=0)) if len(finite) else (np.full(2, -1.0), np.full(2, 1.0))
    middle, reach = (low + high) / 2, max(float((high - low).max()) * 0.55, 1e-6)
    sheet = np.full((side, side, 3), 255, np.uint8)
    for cloud, colour in ((real, (205, 205, 205)), (points, (31, 90, 200))):
        if cloud is None:
            continue
        cloud = cloud[np.isfinite(cloud).all(axis=1)]
        across = np.rint((cloud[:, 0] - middle[0]) / reach * side / 2 + side / 2).astype(int)
        down = np.rint(side / 2 - (cloud[:, 1] - middle[1]) / reach * side / 2).astype(int)
        for x in (-1, 0, 1):
            for y in (-1, 0, 1):
                inside = (across + x >= 0) & (across + x < side) & (down + y >= 0) & (down + y < side)
                sheet[down[inside] + y, across[inside] + x] = colour
    return sheet


def range_of(field: Field | None) -> tuple[float, float]:
    """The range of a field's values; 0..1 where it says none."""
    declared = field.arguments.get("range") if field is not None else None
    return (float(declared[0]), float(declared[1])) if declared else (0.0, 1.0)
