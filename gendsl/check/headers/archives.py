"""A folder of IDX files or a NumPy archive in, what their first bytes say out: shapes, number types, classes."""

import os
import re
from typing import IO, Any, Literal

from gendsl.check.headers.paths import Refused, regular
from gendsl.frozen import dataclass

_CHECK = "check that it is what its name says, or fetch it again"
_SMALL = 1 << 20  # label arrays up to this size are read to count their classes
_IDX_NAME = r"^(.*?)(train|t10k|test)-(images|labels)[-.]idx(\d)-ubyte(\.gz)?$"
_NAME = "name an array that is there"
_TRAIN = ("x_train", "train_images", "train_x", "X_train")
_TEST = ("x_test", "test_images", "test_x", "X_test")
_VALIDATION = ("x_val", "val_images", "val_x", "X_val", "x_validation")
_ALL = ("images", "image", "x", "X", "data", "arr_0")
_LABELS = {
    "train": ("y_train", "train_labels", "train_y", "Y_train"),
    "test": ("y_test", "test_labels", "test_y", "Y_test"),
    "validation": ("y_val", "val_labels", "val_y", "Y_val", "y_validation"),
    "": ("labels", "label", "y", "Y", "targets", "target", "arr_1"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One split of pictures in a folder or archive: names of the files or arrays, and the pictures' shape."""

    images: str
    labels: str | None
    shape: tuple[int, ...]  # (examples, height, width[, channels])


@dataclass(frozen=True, slots=True)
class Parts:
    """The splits by name ("" for all in one), and how many classes the labels are, None if there are none or unread."""

    splits: dict[str, Part]
    classes: int | None

    @property
    def labelled(self) -> bool:
        return all(part.labels is not None for part in self.splits.values())


def idx_parts(place: str, shown: str) -> Parts:
    """The splits of a folder of the MNIST family; `Refused` names it as `shown`. FileNotFoundError if it has none."""
    found: dict[str, dict[str, str]] = {}
    for name in sorted(os.listdir(place)):
        match = re.match(_IDX_NAME, name)
        if match is None:
            continue
        split = "train" if match[2] == "train" else "test"
        other = found.setdefault(split, {}).setdefault(match[3], name)
        if other != name and other.removesuffix(".gz") != name.removesuffix(".gz"):
            raise Refused(f'"{shown}" holds several data sets: {other} and {name}', "put each into a folder of its own")
    if "images" not in found.get("train", {}):
        raise FileNotFoundError(place)
    splits, classes = {}, 0
    for split in ("train", "test"):
        if "images" not in found.get(split, {}):
            continue
        images, labels = found[split]["images"], found[split].get("labels")
        shape = idx_shape(os.path.join(place, images), f"{shown}/{images}")
        if len(shape) not in (3, 4):
            raise Refused(f'"{shown}/{images}" has {len(shape)} axes; pictures have 3 or 4', _CHECK)
        if labels is not None:
            count = idx_shape(os.path.join(place, labels), f"{shown}/{labels}")
            if count != shape[:1]:
                raise Refused(
                    f'"{shown}/{labels}" holds {count[0]} labels for {shape[0]} pictures', "fetch the files again"
                )
            classes = max(classes, _idx_classes(os.path.join(place, labels)))
        splits[split] = Part(images, labels, shape)
    return Parts(splits, classes or None)


def idx_shape(path: str, shown: str) -> tuple[int, ...]:
    """The shape of an array of bytes in an IDX file, gzipped or not; `Refused` where it is none."""
    head = _start(path, 4 + 4 * 4)
    if len(head) < 8 or head[:2] != b"\0\0" or not 1 <= head[3] <= 4 or len(head) < 4 + 4 * head[3]:
        raise Refused(
            f'"{shown}" is not an IDX file: it begins with {head[:4].hex(" ") or "nothing"}, not 00 00 08 …',
            "fetch the file again; a web page saved in its place begins with 3c",
        )
    if head[2] != 8:
        raise Refused(f'"{shown}" holds numbers of type 0x{head[2]:02x}; pictures and labels are bytes (0x08)', _CHECK)
    return tuple(int.from_bytes(head[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(head[3]))


def _start(path: str, length: int) -> bytes:
    with open(path, "rb", opener=regular) as file:
        head = file.read(min(length, 1 << 16) + 1024 if length < _SMALL else -1)
    if not path.endswith(".gz"):
        return head[:length]
    import zlib

    try:
        return zlib.decompressobj(31).decompress(head, length)
    except zlib.error:
        return b""


def _idx_classes(path: str) -> int:
    if os.path.getsize(path) > _SMALL:
        return 0
    labels = _start(path, _SMALL)[8:]
    return next((value + 1 for value in range(255, -1, -1) if value in labels), 0)


@dataclass(frozen=True, slots=True)
class Array:
    """An array in a NumPy archive: its shape, and its number type as NumPy writes it (`|u1`, `<f4`)."""

    shape: tuple[int, ...]
    type: str


def npz_parts(path: str, shown: str, image: str | None, label: str | None) -> Parts:
    """The splits of a NumPy archive, from the arrays named or found; `Refused` names the file as `shown`."""
    import struct
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {
                name.removesuffix(".npy"): _array(archive, name) for name in archive.namelist() if name.endswith(".npy")
            }
            splits = _npz_splits(arrays, shown, image, label)
            classes = [
                _npz_classes(archive, part.labels, arrays[part.labels]) for part in splits.values() if part.labels
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, RuntimeError, struct.error) as error:
        raise Refused(f'"{shown}" is not a NumPy archive, or is damaged', "write it with `numpy.savez`") from error
    counted = [count for count in classes if count is not None]
    return Parts(splits, max(counted) if counted and len(counted) == len(classes) else None)


def npy_parts(images: tuple[str, str], labels: tuple[str, str] | None) -> Parts:
    """An array of pictures and one of classes, each a file (its place, and the name by which `Refused` speaks of it).

    The names of the part are those."""
    array = _of_file(*images)
    if len(array.shape) not in (3, 4) or array.type[1:2] not in "uif":
        raise Refused(
            f'"{images[1]}" is {"x".join(map(str, array.shape))} of `{array.type}`, not pictures',
            "save the pictures as one array of bytes (examples, height, width, channels)",
        )
    if labels is None:
        return Parts({"": Part(images[1], None, array.shape)}, None)
    classes = _of_file(*labels)
    if classes.shape not in ((array.shape[0],), (array.shape[0], 1)):
        told = "x".join(map(str, classes.shape))
        raise Refused(f'"{labels[1]}" is {told}; {array.shape[0]} pictures have as many whole numbers', _CHECK)
    with open(labels[0], "rb", opener=regular) as file:
        counted = _classes_in(file, classes)
    return Parts({"": Part(images[1], labels[1], array.shape)}, counted)


def _of_file(place: str, shown: str) -> Array:
    try:
        with open(place, "rb", opener=regular) as file:
            return _npy_header(file)
    except ValueError as error:
        raise Refused(f'"{shown}" is not a NumPy array', "write it with `numpy.save`") from error


def _array(archive: Any, name: str) -> Array:
    with archive.open(name) as file:
        return _npy_header(file)


def _npy_header(file: IO[bytes]) -> Array:
    """The header of the NPY format (NumPy enhancement proposal 1): a Python dictionary as text behind its length."""
    start = file.read(12)
    if start[:6] != b"\x93NUMPY" or len(start) < 12:
        raise ValueError("not NPY")
    wide = start[6] >= 2
    length = int.from_bytes(start[8:12] if wide else start[8:10], "little")
    text = (start[10 if not wide else 12 :] + file.read(min(length, 1 << 16))).decode("latin1")
    shape = re.search(r"'shape':\s*\(([^)]*)\)", text)
    kind = re.search(r"'descr':\s*'([^']+)'", text)
    if shape is None:
        raise ValueError("no shape")
    return Array(
        tuple(int(part) for part in shape[1].replace("L", "").split(",") if part.strip()), kind[1] if kind else "|O"
    )


def _npz_splits(arrays: dict[str, Array], shown: str, image: str | None, label: str | None) -> dict[str, Part]:
    holds = (
        ", ".join(f"{name} {'x'.join(map(str, array.shape))}" for name, array in sorted(arrays.items())) or "nothing"
    )
    pictures = {name for name, array in arrays.items() if len(array.shape) in (3, 4) and array.type[1:2] in "uif"}
    if image is not None:
        if image not in arrays:
            raise Refused(f'"{shown}" has no array `{image}`; it holds {holds}', _NAME)
        if image not in pictures:
            raise Refused(f'`{image}` of "{shown}" is not an array of pictures; it holds {holds}', _NAME)
        chosen = {"": image}
    else:
        chosen = {
            split: next(name for name in names if name in pictures)
            for split, names in (("train", _TRAIN), ("test", _TEST), ("validation", _VALIDATION))
            if pictures.intersection(names)
        }
        if "train" not in chosen:
            every = [name for name in _ALL if name in pictures] or (sorted(pictures) if len(pictures) == 1 else [])
            chosen = {"": every[0]} if every else {}
    if not chosen:
        raise Refused(
            f'"{shown}" has no array of pictures (examples, height, width[, channels]); it holds {holds}',
            'name it: npz(…, image: "array")' if pictures else "save the pictures as one array of bytes",
        )
    if label is not None and label not in arrays:
        raise Refused(f'"{shown}" has no array `{label}`; it holds {holds}', _NAME)
    splits = {}
    for split, name in chosen.items():
        labels = label or next((key for key in _LABELS[split] if key in arrays and key != name), None)
        shape = arrays[name].shape
        if labels is not None and arrays[labels].shape not in ((shape[0],), (shape[0], 1)):
            if label is None:
                labels = None  # found by its name only: it is something else
            else:
                size = "x".join(map(str, arrays[labels].shape))
                raise Refused(
                    f'`{label}` of "{shown}" is {size}; {shape[0]} pictures have as many whole numbers', _NAME
                )
        splits[split] = Part(name, labels, shape)
    return splits


def _npz_classes(archive: Any, name: str, array: Array) -> int | None:
    with archive.open(f"{name}.npy") as file:
        return _classes_in(file, array)


def _classes_in(file: IO[bytes], array: Array) -> int | None:
    """One more than the largest label; None where there are too many to read, or they are no whole numbers."""
    whole = array.type[1:] in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
    if not whole or array.shape[0] == 0 or array.shape[0] * int(array.type[2:]) > _SMALL:
        return None
    data = file.read()
    order: Literal["little", "big"] = "big" if array.type[0] == ">" else "little"
    width = int(array.type[2:])
    start = len(data) - array.shape[0] * width
    if width == 1:
        return max(data[start:]) + 1
    different = {data[place : place + width] for place in range(start, len(data), width)}
    return max(int.from_bytes(value, order, signed=array.type[1] == "i") for value in different) + 1
