"""The bytes of picture files in, pixels out: decoded by Pillow in threads, as many ahead as memory stays flat with."""

import io
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

from gendsl.check.headers.pictures import MOST_PIXELS
from gendsl.lower.data.resizing import Transform

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
DAMAGED_SHARE = 0.5  # beyond, the glob or the folder is wrong, not a file
_GROUP = 8  # items that a thread takes at once
_AHEAD = 8  # groups

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
    left = iter(items)
    waiting: deque[Future[list[Result]]] = deque()

    def several(group: list[Item]) -> list[Result]:
        return [function(item) for item in group]

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        while group := list(islice(left, _GROUP)):
            waiting.append(pool.submit(several, group))
            if len(waiting) >= _AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
