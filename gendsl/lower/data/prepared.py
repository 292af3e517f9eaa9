"""The name of a TFDS data set in, loaded examples out where it is prepared on disk; nothing is ever downloaded here."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from gendsl.check.headers.paths import Refused
from gendsl.check.headers.tfds import Prepared, data_directory, prepared_of
from gendsl.lower.data.loaded import Digest, Loaded, pictured
from gendsl.lower.data.resizing import Transform
from gendsl.lower.data.store import Store
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data


def tfds(arguments: Mapping[str, Any], folder: str, transform: Transform, data: Data) -> Loaded:
    """All splits of a data set of TensorFlow Datasets, in its own order."""
    name = str(arguments["name"])
    try:
        found = prepared_of(name, image=arguments.get("image"), label=arguments.get("label"))
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None
    if found is None or found.directory is None:
        place = os.path.join(data_directory(), *name.partition(":")[0].split("/"))
        raise DataError(
            f'TFDS\'s "{name}" is not prepared on this machine (looked in {place})',
            "`gendsl run` with `--download` downloads and prepares it; or set TFDS_DATA_DIR to where it is",
        )
    return _loaded(name, found, transform, data)


def _loaded(name: str, found: Prepared, transform: Transform, data: Data) -> Loaded:
    import tensorflow_datasets

    if None in found.size[:2] and transform.resize is None:
        raise DataError(f'the pictures of TFDS\'s "{name}" differ in size', "add `resize: 64x64` to `image`")
    total = sum(found.splits.values())
    try:
        builder: Any = tensorflow_datasets.builder_from_directory(found.directory)
        store: Store | None = None
        labels, rows, digest, start = [], {}, Digest(), 0
        for split in sorted(found.splits, key=lambda split: (split != "train", split)):
            count = start
            for pictures, classes in _batches(builder, split, found):
                for part in [pictures] if isinstance(pictures, np.ndarray) else pictures:
                    digest.add(part)
                images = _transformed(pictures, transform)
                store = store or Store(
                    total, images.shape[1:], images.dtype, what=f'TFDS\'s "{name}"', cache=data.cache
                )
                store.add(images)
                count += len(images)
                if classes is not None:
                    labels.append(classes)
            rows[split] = np.arange(start, count)
            start = count
    except DataError:
        raise
    except Exception as error:  # whatever TFDS and TensorFlow raise for damaged files
        raise DataError(
            f'TFDS\'s "{name}" in {found.directory} cannot be read: {error}', "prepare it again with `tfds build`"
        ) from error
    for split, count in found.splits.items():
        if len(rows[split]) != count:
            raise DataError(
                f'TFDS\'s "{name}" has {len(rows[split])} of {count} examples of `{split}`', "prepare it again"
            )
    every = np.concatenate(labels).astype(np.int32) if labels else None
    if every is not None:
        digest.add(every)
    if store is None:
        raise DataError(f'TFDS\'s "{name}" holds no pictures', "prepare it again with `tfds build`")
    licence = getattr(builder.info.redistribution_info, "license", None) or None
    names = tuple(builder.info.features[found.label].names) if every is not None and found.label else None
    columns = pictured(store.column(), every)
    return Loaded(columns, digest.hex(), splits=rows, class_names=names, licence=licence)


def _batches(builder: Any, split: str, found: Prepared) -> Any:
    """Pairs of pictures (an array, or a list where their sizes differ) and classes (n,) or None."""
    import tensorflow as tf
    import tensorflow_datasets

    keys = {found.image: True} | ({found.label: True} if found.label else {})
    if builder.info.file_format.value == "array_record":
        for example in builder.as_data_source(split=split):
            label = None if found.label is None else np.array([example[found.label]])
            yield [np.asarray(example[found.image])], label
        return
    config = tensorflow_datasets.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    data = builder.as_dataset(
        split=split, shuffle_files=False, read_config=config, decoders=tensorflow_datasets.decode.PartialDecoding(keys)
    )
    same = None not in found.size
    with tf.device("cpu"):
        for example in (data.batch(1024) if same else data).as_numpy_iterator():
            pictures = example[found.image]
            label = None if found.label is None else np.atleast_1d(example[found.label])
            yield (pictures if same else [pictures]), label


def _transformed(pictures: Any, transform: Transform) -> np.ndarray:
    if isinstance(pictures, np.ndarray):
        return transform.of_array(pictures)
    out = []
    for picture in pictures:
        channels = transform.channels or picture.shape[2]
        decoded = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
        out.append(transform.of_file(decoded, channels))
    return np.stack(out)
