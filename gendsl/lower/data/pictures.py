"""A glob of picture files in, loaded examples out: decoded once, damaged ones counted and left out."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from gendsl.check.headers.labels import ADD_LABELS, dropped_unlabelled, labels_of, some, unlabelled
from gendsl.check.headers.paths import Refused, regular
from gendsl.check.headers.pictures import MOST_PIXELS, size_of
from gendsl.lower.data.curation import size_reason
from gendsl.lower.data.decoding import DAMAGED_SHARE, decoded, in_threads
from gendsl.lower.data.files import matching
from gendsl.lower.data.loaded import LeftOut, Loaded, pictured, place_of
from gendsl.lower.data.resizing import Transform
from gendsl.lower.data.store import Store
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data


def images(arguments: Mapping[str, Any], folder: str, transform: Transform, data: Data) -> Loaded:
    """The pictures that match a glob, in the order of their paths; classes are their folders' names, or of a file."""
    pattern, label = str(arguments["glob"]), arguments.get("label")
    root = os.path.realpath(folder or ".")
    paths = matching(folder, pattern, "pictures")
    classes, names = _classes(label, paths, folder, data)
    sizes, bad = _headers(root, paths)
    if len(sizes) < len(paths) * DAMAGED_SHARE:
        raise DataError(
            f'{len(paths) - len(sizes)} of the {len(paths)} files that match "{pattern}" are no pictures, or damaged: '
            f"{some(list(bad))}",
            "narrow the glob to PNG, JPEG, GIF, BMP or WebP files, or fetch them again",
        )
    reasons = {path: "unlabeled" for path in sizes if classes is not None and path not in classes}
    for path, (height, width, _) in sizes.items():
        if path not in reasons and (reason := size_reason(data.curate, height, width)) is not None:
            reasons[path] = reason
    good = [path for path in sizes if path not in reasons]
    if not good:
        raise DataError(f'`curate` leaves no picture of "{pattern}"', "drop less")
    sizes = {path: sizes[path] for path in good}
    channels = transform.channels or sizes[good[0]][2]
    if transform.resize is None:
        _same_sizes(sizes, transform)
    shape = (*transform.size_of(*sizes[good[0]][:2]), channels)

    def decode(path: str) -> tuple[np.ndarray | str, bytes]:
        """The pixels, or why there are none; and the hash of the content."""
        content = _content(root, path)
        if content is None:
            return "unreadable", b""
        pixels = decoded(content, transform, channels)
        return "damaged" if pixels is None else pixels, hashlib.sha256(content).digest()

    store = Store(len(good), shape, np.uint8, what=f'"{pattern}"', cache=data.cache)
    digest, kept = hashlib.sha256(), []
    for path, (pixels, content) in zip(good, in_threads(decode, good), strict=True):
        digest.update(path.encode() + b"\0" + content)
        if isinstance(pixels, str):
            bad[path] = pixels
            continue
        if pixels.shape != shape:  # the header and the decoder disagree
            told = "x".join(map(str, pixels.shape))
            raise DataError(f'"{path}" is {told}; the others are {"x".join(map(str, shape))}', "add `resize`")
        store.add(pixels[None])
        kept.append(path)
    if len(kept) < len(good) * DAMAGED_SHARE:
        raise DataError(f'most files that match "{pattern}" are damaged: {some(list(bad))}', "fetch them again")
    labels = None
    if classes is not None and names is not None:
        number = {name: index for index, name in enumerate(names)}
        labels = np.array([number[classes[path]] for path in kept], np.int32)
        if label != "folder":  # the paths do not tell it
            digest.update("\0".join(classes[path] for path in kept).encode())
    why = bad | reasons
    place = {path: number for number, path in enumerate(paths)}
    return Loaded(
        pictured(store.column(), labels),
        digest.hexdigest(),
        class_names=names,
        names=tuple(kept),
        places=np.array([place[path] for path in kept]),
        left_out=tuple(LeftOut(path, why[path]) for path in paths if path in why),
    )


def _classes(
    label: Any, paths: list[str], folder: str, data: Data
) -> tuple[Mapping[str, str] | None, tuple[str, ...] | None]:
    """The classes by path and the names of all, those of damaged files too: the checker counted them all."""
    if label is None:
        return None, None
    try:
        found = labels_of(label, paths, folder)
    except Refused as error:
        raise DataError(error.message, error.help) from None
    except FileNotFoundError:
        shown = str(label.arguments["path"])
        told = f'there is no file "{shown}" (looked for {place_of(folder, shown)})'
        raise DataError(told, "the classes of the pictures are read from it") from None
    told = unlabelled(label, found, len(paths))
    if told and not dropped_unlabelled(data.curate):
        raise DataError(told, ADD_LABELS)
    return found.classes, found.names


def _headers(root: str, paths: list[str]) -> tuple[dict[str, tuple[int, int, int]], dict[str, str]]:
    """Sizes by path; and by path why others are not used: no picture, not to be read, or too large for memory."""
    sizes: dict[str, tuple[int, int, int]] = {}
    bad: dict[str, str] = {}
    for path in paths:
        try:
            size = size_of(os.path.join(root, path), path)
        except Refused as refused:
            bad[path] = "unreadable" if isinstance(refused.__cause__, OSError) else "damaged"
            continue
        if size[0] * size[1] > MOST_PIXELS:
            bad[path] = "too large"
        else:
            sizes[path] = size
    return sizes, bad


def _content(root: str, path: str) -> bytes | None:
    """A file's bytes; None where it can no longer be read."""
    try:
        with open(os.path.join(root, path), "rb", opener=regular) as file:
            return file.read()
    except OSError:
        return None


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
