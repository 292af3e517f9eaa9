"""A picture of columns and their names in, the picture with the names over the columns out."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gendsl.run.pictures import Pixels

_PAPER, _INK = 255, 40
_SMALLEST = 16  # pixels a column: narrower ones have no room for a name


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def with_captions(sheet: Pixels, names: Sequence[str]) -> Pixels:
    """A picture (height, width, channels) under a strip of names, one over each of as many even columns.

    A name that is too long is cut; columns that are too narrow have none."""
    _, width, channels = sheet.shape
    each = width / max(len(names), 1)
    if not names or each < _SMALLEST:
        return sheet
    size = int(min(max(each / 3, 10), 18))
    strip = Image.new("L", (width, size + 8), _PAPER)
    draw, font = ImageDraw.Draw(strip), _font(size)
    for place, name in enumerate(names):
        text = fitted(" ".join(name.split()), font, each - 4)
        draw.text(((place + 0.5) * each, (size + 8) / 2), text, fill=_INK, font=font, anchor="mm")
    colours = np.repeat(np.asarray(strip, np.uint8)[..., None], channels, axis=-1)
    if channels == 4:
        colours[..., 3] = 255
    return np.concatenate([colours, sheet])


def fitted(text: str, font: Any, width: float) -> str:
    """A text, cut so that it is no wider."""
    text = text[:80]
    while len(text) > 1 and font.getlength(text) > width:
        text = text[:-2].rstrip() + "…" if len(text) > 2 else text[:1]
    return text
