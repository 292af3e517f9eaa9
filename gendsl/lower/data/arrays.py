"""Sources that are arrays already (digits, IDX files, NumPy archives) in, loaded examples out."""

import gzip
import os
import zlib
from collections.abc import Mapping
from tokenize import TokenError
from typing import Any

import numpy as np

from gendsl.check.headers import archives
from gendsl.check.headers.paths import Refused, regular
from gendsl.lower.data.loaded import MOST_CLASSES, Digest, Loaded, check_memory, digest_of, pictured, place_of
from gendsl.lower.data.resizing import Transform
from gendsl.lower.data.store import Store
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data

_AGAIN = "fetch the file again"
_CHUNK = 1024  # pictures of an array that are read at once


def digits(arguments: Mapping[str, Any], folder: str, transform: Transform) -> Loaded:
    """scikit-learn's digits: pictures (1797, 8, 8, 1) of 17 levels, in 0..1."""
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    images = (bunch.images / 16).astype(np.float32)[..., None]
    labels = bunch.target.astype(np.int32)
    return Loaded(
        pictured(transform.of_array(images), labels),
        digest_of([images, labels]),
        class_names=tuple(map(str, bunch.target_names)),
        licence="CC BY 4.0 (UCI Machine Learning Repository, Optical Recognition of Handwritten Digits)",
    )


def idx(arguments: Mapping[str, Any], folder: str, transform: Transform) -> Loaded:
    """A folder of the MNIST family."""
    path = str(arguments["folder"])
    place = place_of(folder, path)
    try:
        parts = archives.idx_parts(place, path)
    except (FileNotFoundError, NotADirectoryError):
        there = "the folder is not there" if not os.path.isdir(place) else "the folder is there, but not its files"
        raise DataError(
            f'no `train-images-idx3-ubyte` or `train-images-idx3-ubyte.gz` in "{path}": {there} (looked in {place})',
            "put the four files of the MNIST family there; Debian's package dataset-fashion-mnist has them in "
            "/usr/share/datasets/fashion-mnist",
        ) from None
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None

    def read(name: str) -> np.ndarray:
        return _idx_array(os.path.join(place, name), f"{path}/{name}")

    return _joined(parts, read, path, transform)


def npz(arguments: Mapping[str, Any], folder: str, transform: Transform) -> Loaded:
    """A NumPy archive."""
    path = str(arguments["file"])
    place = place_of(folder, path)
    if not os.path.isfile(place):
        raise DataError(f'there is no file "{path}" (looked for {place})', "write it with `numpy.savez`")
    try:
        parts = archives.npz_parts(place, path, arguments.get("image"), arguments.get("label"))
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None
    except OSError as error:
        raise DataError(f'"{path}" cannot be read: {error}', _AGAIN) from error
    with np.load(place, allow_pickle=False) as archive:

        def read(name: str) -> np.ndarray:
            try:
                array: np.ndarray = archive[name]
            except (ValueError, OSError, zlib.error) as error:
                raise DataError(f'`{name}` of "{path}" cannot be read: {error}', "write the archive again") from error
            return array

        return _joined(parts, read, path, transform)


def npy(arguments: Mapping[str, Any], folder: str, transform: Transform, data: Data) -> Loaded:
    """A NumPy array of pictures, and one of classes beside it; not read whole where it does not fit into memory."""
    path, label = str(arguments["file"]), arguments.get("label")
    place = place_of(folder, path)
    for name in (path, label) if label is not None else (path,):
        if not os.path.isfile(place_of(folder, name)):
            raise DataError(
                f'there is no file "{name}" (looked for {place_of(folder, name)})', "write it with `numpy.save`"
            )
    beside = None if label is None else (place_of(folder, label), label)
    try:
        part = archives.npy_parts((place, path), beside).splits[""]
        every = np.load(place, mmap_mode="r", allow_pickle=False)
        classes = None if beside is None else np.load(beside[0], allow_pickle=False)
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None
    except (ValueError, OSError, SyntaxError, TokenError) as error:  # a header is an expression of Python
        raise DataError(f'"{path}" cannot be read: {error}', "write it again with `numpy.save`") from error
    if not len(every):
        raise DataError(f'"{path}" holds no pictures', "check the file")
    store: Store | None = None
    digest = Digest()
    digest.add(f"{part.shape}")
    for start in range(0, len(every), _CHUNK):
        chunk = np.array(every[start : start + _CHUNK])
        digest.add(chunk)
        pictures = transform.of_array(_pictures(chunk, f'"{path}"'))
        store = store or Store(len(every), pictures.shape[1:], pictures.dtype, what=f'"{path}"', cache=data.cache)
        store.add(pictures)
    assert store is not None
    if classes is None:
        return Loaded(pictured(store.column(), None), digest.hex())
    digest.add(classes)
    labels = _classes(classes, f'"{label}"')
    names = tuple(map(str, range(int(labels.max()) + 1)))
    return Loaded(pictured(store.column(), labels), digest.hex(), class_names=names)


def _idx_array(path: str, shown: str) -> np.ndarray:
    shape = archives.idx_shape(path, shown)
    try:
        if path.endswith(".gz"):
            with gzip.open(path) as packed:
                # one byte more than is said, so that a bomb is not unpacked
                data = packed.read(4 + 4 * len(shape) + int(np.prod(shape)) + 1)
        else:
            with open(path, "rb", opener=regular) as plain:
                data = plain.read()
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f'"{shown}" is cut off or damaged: {error}', _AGAIN) from error
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape))
    if body.size != np.prod(shape):
        raise DataError(f'"{shown}" holds {body.size:,} bytes; its header says {int(np.prod(shape)):,}', _AGAIN)
    return body.reshape(shape)


def _joined(parts: archives.Parts, read: Any, shown: str, transform: Transform) -> Loaded:
    images, labels, found, rows, start = [], [], [], {}, 0
    for name, part in parts.splits.items():
        check_memory(part.shape[0], transform.size_of(*part.shape[1:3]), 1, f'"{shown}"')
        pictures = _pictures(read(part.images), f'`{part.images}` of "{shown}"')
        found += [part.images, pictures]
        images.append(transform.of_array(pictures))
        if part.labels is not None:
            classes = read(part.labels)
            found += [part.labels, classes]
            labels.append(_classes(classes, f'`{part.labels}` of "{shown}"'))
        rows[name] = np.arange(start, start + len(pictures))
        start += len(pictures)
    if not start:
        raise DataError(f'"{shown}" holds no pictures', "check the file")
    try:
        every = np.concatenate(images)
    except ValueError:
        sizes = ", ".join("x".join(map(str, image.shape[1:])) for image in images)
        raise DataError(f'the splits of "{shown}" hold pictures of different sizes: {sizes}', "add `resize`") from None
    whole = np.concatenate(labels) if parts.labelled else None
    splits = None if tuple(rows) == ("",) else rows
    names = None if whole is None else tuple(map(str, range(int(whole.max()) + 1)))
    return Loaded(pictured(every, whole), digest_of(found), splits=splits, class_names=names)


def _pictures(array: np.ndarray, shown: str) -> np.ndarray:
    """Pictures (n, h, w, c) as bytes, or as float32 in 0..1."""
    array = array[..., None] if array.ndim == 3 else array
    if array.shape[3] not in (1, 2, 3, 4):
        raise DataError(
            f"{shown} is {'x'.join(map(str, array.shape))}: the last axis of pictures is 1, 2, 3 or 4 channels",
            "save it as (examples, height, width, channels)",
        )
    if array.dtype == np.uint8:
        return array
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    if np.issubdtype(array.dtype, np.integer) and low >= 0 and high <= 255:
        return array.astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating) and low >= 0 and high <= 1:
        return array.astype(np.float32)
    raise DataError(
        f"{shown} holds {array.dtype} from {low} to {high}; pictures are bytes (0..255), or numbers in 0..1",
        "scale them before they are saved",
    )


def _classes(array: np.ndarray, shown: str) -> np.ndarray:
    flat = array.reshape(-1)
    whole = flat.astype(np.int64) if np.issubdtype(flat.dtype, np.number) else np.array([-1])
    if not np.array_equal(whole, flat) or (whole.size and whole.min() < 0):
        raise DataError(f"{shown} are not whole numbers from 0", "save the classes as numbers 0, 1, 2, …")
    if whole.size and whole.max() > MOST_CLASSES:
        raise DataError(f"{shown} hold a class {whole.max()}", "number the classes 0, 1, 2, … without gaps")
    return whole.astype(np.int32)
