"""A glob of picture files in, loaded examples out: decoded by Pillow in threads, damaged ones counted and left out."""

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from gendsl.check.headers.paths import Refused, files
from gendsl.check.headers.pictures import size_of
from gendsl.lower.data.loaded import LeftOut, Loaded, check_memory, pictured
from gendsl.lower.data.resizing import Transform
from gendsl.lower.errors import DataError

MOST_PIXELS = 1 << 26  # of one picture (8192x8192): a small file can decode to far more memory than there is
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
_DAMAGED_SHARE = 0.5  # beyond, the glob or the folder is wrong, not a file


def images(
    arguments: Mapping[str, Any],
    folder: str,
    transform: Transform,
    refused: Callable[[int, int], str | None] = lambda height, width: None,
) -> Loaded:
    """The pictures that match a glob, in the order of their paths; classes are their folders' names, sorted.

    `refused` says why pictures of a (height, width) are left out, None if they are not.
    """
    pattern = str(arguments["glob"])
    root = os.path.realpath(folder or ".")
    try:
        paths = list(files(folder, pattern))
    except Refused as error:
        raise DataError(error.message, error.help) from None
    if not paths:
        raise DataError(
            f'no file matches "{pattern}" (looked in {os.path.join(root, pattern)})',
            "check the folder and the ending; `**` matches folders of any depth",
        )
    sizes, damaged, huge = _headers(root, paths)
    if len(sizes) < len(paths) * _DAMAGED_SHARE:
        raise DataError(
            f'{len(paths) - len(sizes)} of the {len(paths)} files that match "{pattern}" are no pictures, or damaged: '
            f"{_some(damaged + huge)}",
            "narrow the glob to PNG, JPEG, GIF, BMP or WebP files, or fetch them again",
        )
    reasons = {path: reason for path, size in sizes.items() if (reason := refused(size[0], size[1])) is not None}
    good = [path for path in sizes if path not in reasons]
    if not good:
        raise DataError(f'`curate` leaves no picture of "{pattern}"', "drop less")
    sizes = {path: sizes[path] for path in good}
    channels = transform.channels or sizes[good[0]][2]
    if transform.resize is None:
        _same_sizes(sizes, transform)
    shape = (*transform.size_of(*sizes[good[0]][:2]), channels)
    check_memory(len(good), shape, 1, f'"{pattern}"')

    every = np.empty((len(good), *shape), np.uint8)
    digest = hashlib.sha256()
    kept, rows = [], 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for path, (pixels, content) in zip(
            good, pool.map(lambda path: _decoded(root, path, transform, channels), good), strict=True
        ):
            digest.update(path.encode() + b"\0" + content)
            if pixels is None:
                damaged.append(path)
                continue
            if pixels.shape != shape:  # the header and the decoder disagree
                told = "x".join(map(str, pixels.shape))
                raise DataError(f'"{path}" is {told}; the others are {"x".join(map(str, shape))}', "add `resize`")
            every[rows] = pixels
            kept.append(path)
            rows += 1
    if rows < len(good) * _DAMAGED_SHARE:
        raise DataError(f'most files that match "{pattern}" are damaged: {_some(damaged)}', "fetch them again")
    labels, names = _labels(kept, paths) if arguments.get("label") is not None else (None, None)
    why = dict.fromkeys(damaged, "damaged") | dict.fromkeys(huge, "too large") | reasons
    place = {path: number for number, path in enumerate(paths)}
    return Loaded(
        pictured(every[:rows], labels),
        digest.hexdigest(),
        class_names=names,
        names=tuple(kept),
        places=np.array([place[path] for path in kept]),
        left_out=tuple(LeftOut(path, why[path]) for path in paths if path in why),
    )


def _headers(root: str, paths: list[str]) -> tuple[dict[str, tuple[int, int, int]], list[str], list[str]]:
    """Sizes by path, the paths of what is no picture, and of what would not fit into memory."""
    sizes: dict[str, tuple[int, int, int]] = {}
    damaged, huge = [], []
    for path in paths:
        try:
            size = size_of(os.path.join(root, path), path)
        except Refused:
            damaged.append(path)
            continue
        if size[0] * size[1] > MOST_PIXELS:
            huge.append(path)
        else:
            sizes[path] = size
    return sizes, damaged, huge


def _decoded(root: str, path: str, transform: Transform, channels: int) -> tuple[np.ndarray | None, bytes]:
    """A picture's pixels (h, w, c), None if it does not decode, and the SHA-256 of its file."""
    with open(os.path.join(root, path), "rb") as file:
        data = file.read()
    content = hashlib.sha256(data).digest()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None, content
            turned = ImageOps.exif_transpose(picture)
            return transform.of_file(turned, channels), content
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None, content


def _same_sizes(sizes: Mapping[str, tuple[int, int, int]], transform: Transform) -> None:
    first = next(iter(sizes))
    if transform.crop is not None:
        for path, size in sizes.items():
            if size[0] < transform.crop[0] or size[1] < transform.crop[1]:
                raise DataError(
                    f'"{path}" is {size[0]}x{size[1]}, less than its crop to {transform.crop[0]}x{transform.crop[1]}',
                    "add `resize` before the crop, or drop it: `curate { drop smaller: … }`",
                )
        return
    for path, size in sizes.items():
        if size[:2] != sizes[first][:2]:
            raise DataError(
                f'the pictures differ in size: "{first}" is {sizes[first][0]}x{sizes[first][1]}, "{path}" is '
                f"{size[0]}x{size[1]}",
                "add `resize: 64x64` (or another size) to `image`",
            )


def _labels(kept: list[str], paths: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The classes of pictures by their folders, those of damaged ones too: the checker counted them all."""

    def class_of(path: str) -> str:
        return os.path.basename(os.path.dirname(path))

    names = tuple(sorted({class_of(path) for path in paths}))
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[class_of(path)] for path in kept], np.int32), names


def _some(paths: list[str]) -> str:
    return ", ".join(f'"{path}"' for path in paths[:3]) + (", …" if len(paths) > 3 else "")
