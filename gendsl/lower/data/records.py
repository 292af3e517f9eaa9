"""TFRecord files that match a glob in, loaded examples out: read and checked by tf.data, decoded once."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gendsl.check.headers import records
from gendsl.check.headers.labels import some
from gendsl.check.headers.paths import Refused, files
from gendsl.check.headers.pictures import size_in
from gendsl.lower.data.decoding import DAMAGED_SHARE, decoded, in_threads
from gendsl.lower.data.loaded import MOST_CLASSES, Digest, LeftOut, Loaded, pictured
from gendsl.lower.data.resizing import Transform
from gendsl.lower.data.store import Store
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data

Label = int | str


def tfrecord(arguments: Mapping[str, Any], folder: str, transform: Transform, data: Data) -> Loaded:
    """The examples in the order of the files' paths and of the records; a name is `path:number`, from 0."""
    pattern, root = str(arguments["glob"]), os.path.realpath(folder or ".")
    image, label = str(arguments["image"]), arguments.get("label")
    try:
        paths = list(files(folder, pattern))
        if not paths:
            raise DataError(f'no file matches "{pattern}" (looked in {os.path.join(root, pattern)})', "check the glob")
        height, width, channels = records.size_of(os.path.join(root, paths[0]), paths[0], image, label)
    except Refused as error:
        raise DataError(error.message, error.help) from None
    channels = transform.channels or channels
    shape = (*transform.size_of(height, width), channels)
    total = sum(records.count_of(os.path.join(root, path)) for path in paths)
    store = Store(total, shape, np.uint8, what=f'"{pattern}"', cache=data.cache)

    def decode(example: tuple[str, bytes, Label | None]) -> tuple[str, bytes, Label | None, np.ndarray | None]:
        return *example, decoded(example[1], transform, channels)

    digest, names, labels, damaged = Digest(), [], [], []
    for name, encoded, kind, pixels in in_threads(decode, _examples(root, paths, image, label)):
        digest.add(encoded)
        digest.add(str(kind))
        if pixels is None:
            damaged.append(name)
            continue
        if pixels.shape != shape:
            told = "x".join(map(str, size_in(encoded) or pixels.shape))
            raise DataError(
                f'the pictures differ in size: the first of "{paths[0]}" is {height}x{width}, "{name}" is {told}',
                "add `resize: 64x64` (or another size) to `image`",
            )
        store.add(pixels[None])
        names.append(name)
        labels.append(kind)
    if len(names) < total * DAMAGED_SHARE:
        raise DataError(f'most pictures in "{pattern}" are damaged: {some(damaged)}', "fetch the files again")
    numbers, classes = (None, None) if label is None else _classes(labels, names, label)
    return Loaded(
        pictured(store.column(), numbers),
        digest.hex(),
        class_names=classes,
        names=tuple(names),
        left_out=tuple(LeftOut(name, "damaged") for name in damaged),
    )


def _examples(root: str, paths: list[str], image: str, label: str | None) -> Iterator[tuple[str, bytes, Label | None]]:
    """Names, encoded pictures and classes. DataError for a file that is damaged, or an example without them."""
    import tensorflow as tf

    for path in paths:
        place = os.path.join(root, path)
        number = 0
        try:
            for record in tf.data.TFRecordDataset(
                place, "GZIP" if records.is_packed(place) else ""
            ).as_numpy_iterator():
                features = tf.train.Example.FromString(record).features.feature
                pictures, kinds = features[image].bytes_list.value, _values(features, label)
                if len(pictures) != 1 or (label is not None and len(kinds) != 1):
                    lacks = f"`{label}`" if len(pictures) == 1 else f"`{image}`"
                    raise DataError(f'record {number} of "{path}" has not one {lacks}', "write the file again")
                kind = kinds[0] if kinds else None
                yield f"{path}:{number}", pictures[0], kind.decode() if isinstance(kind, bytes) else kind
                number += 1
        except (tf.errors.OpError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f'"{path}" is damaged from record {number} on: {reason}', "fetch it again") from error
        except Exception as error:
            if type(error).__name__ != "DecodeError":  # protobuf's, whose module differs between its versions
                raise
            raise DataError(f'record {number} of "{path}" is no `tf.train.Example`', "write the file again") from error


def _values(features: Any, label: str | None) -> Sequence[int | bytes]:
    if label is None:
        return ()
    values: Sequence[int | bytes] = features[label].int64_list.value or features[label].bytes_list.value
    return values


def _classes(labels: list[Any], names: list[str], label: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Whole numbers as they are, texts by letter."""
    if all(isinstance(kind, str) for kind in labels):
        classes = tuple(sorted(set(labels)))
        number = {kind: index for index, kind in enumerate(classes)}
        return np.array([number[kind] for kind in labels], np.int32), classes
    for kind, name in zip(labels, names, strict=True):
        if not isinstance(kind, int) or not 0 <= kind <= MOST_CLASSES:
            raise DataError(f"`{label}` of {name} is {kind!r}, not the number of a class", "number them 0, 1, 2, …")
    return np.array(labels, np.int32), tuple(map(str, range(max(labels) + 1)))
