"""The bytes of picture files in, pixels out: decoded by Pillow in threads, as many ahead as memory stays flat with."""

import io
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

from gendsl.check.headers.pictures import MOST_PIXELS
from gendsl.lower.data.resizing import Transform

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
DAMAGED_SHARE = 0.5  # beyond, the glob or the folder is wrong, not a file
_AHEAD = 64

Item = TypeVar("Item")
Result = TypeVar("Result")


def decoded(data: bytes, transform: Transform, channels: int) -> np.ndarray | None:
    """A picture's pixels (h, w, channels) uint8, turned as its EXIF says; None if it does not decode."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            turned = ImageOps.exif_transpose(picture)
            return transform.of_file(turned, channels)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The function of each item, in order; only a few are done before they are asked for."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
