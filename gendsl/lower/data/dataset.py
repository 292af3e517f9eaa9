"""What training and evaluation read data from: batches as a function of (spec, seed, step), and whole splits."""

import copy
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf

from gendsl.lower.augment import span_of, transformed
from gendsl.lower.data.draws import DATA_SEED, normals, permutation, place_key, stream_key, uniforms
from gendsl.lower.data.findings import Findings
from gendsl.lower.data.points import points_of
from gendsl.lower.data.resizing import cut_middle, random_crop
from gendsl.lower.data.store import scratch_folder
from gendsl.lower.data.stored import Stored
from gendsl.lower.data.tokens import augmented
from gendsl.lower.data.windows import HeldWindows, Windows
from gendsl.lower.errors import DataError
from gendsl.lower.tables.table import Table
from gendsl.parts.keys import WHOLE, Key, Share
from gendsl.plan.following import following
from gendsl.plan.plan import Call, Field, Source
from gendsl.plan.show import size
from gendsl.vocabulary.augmentations import OF_TOKENS

_SAMPLED = 10_000  # of unlimited data, where all of a split is asked for
_AT_ONCE = 4096  # examples of a part
_PLURAL = {"image": "pictures", "row": "rows", "text": "windows"}
_EPOCH_BITS = 20  # of each source's epoch, where several are drawn independently


class Dataset(ABC):
    """The data of a plan.

    `sizes` counts the examples of each split, None where there is no end; `class_counts` (classes,) those of the
    training split by class, or by the places of a condition; `tables` says by field what the numbers of a table's rows
    mean; `manifest` is for data.json, `findings` are what to tell a person beside it, `summary` tells how much there is
    and where it lies. With `on_disk` it lies in a scratch file, and splits are to be asked for in part. An address is
    an example's (epoch, index): what it is, how it is transformed and where it stands are functions of the spec, the
    seed and its position, never of what was read.
    """

    sizes: dict[str, int | None]
    class_names: tuple[str, ...] | None = None
    class_counts: np.ndarray | None = None
    tables: Mapping[str, Table] = MappingProxyType({})
    manifest: dict[str, Any]
    findings: Findings = Findings()
    summary: str = ""
    on_disk: bool = False

    def __init__(self, *, batch: int, times: int, overfit: bool) -> None:
        self._batch, self._times, self._overfit = batch, times, overfit

    def addresses(self, first_step: int, steps: int) -> np.ndarray:
        """int64 (steps, times, batch, 2): the addresses of the batches from a step on; to overfit, one for ever."""
        shape = (steps, self._times, self._batch, 2)
        if self._overfit:
            return np.broadcast_to(self._at(0, self._batch), shape).copy()
        a_step = self._times * self._batch
        return self._at(first_step * a_step, steps * a_step).reshape(shape)

    @abstractmethod
    def _at(self, first: int, count: int) -> np.ndarray:
        """The addresses (count, 2) of positions."""

    @abstractmethod
    def fetch(self, addresses: Any, share: Share = WHOLE) -> dict[str, Any]:
        """In graph: {field: (times, rows, …)} of addresses (times, batch, 2): float32 in the field's range, int32
        labels and tokens; transformed by `augment` but for `both`. A text has its `following` tokens beside it, which
        no transform changes. The rows are the share's of the batch."""

    @abstractmethod
    def split(self, name: str, count: int | None = None) -> dict[str, Any]:
        """{field: (examples, …)} of a whole split, or of `count` examples, the same for every seed; not augmented.

        Arrays, but for text: `Windows`, which are gathered where they are made arrays. Unlimited data needs the count.
        DataError for a split that is not there."""

    def parts(self, name: str) -> Iterator[dict[str, Any]]:
        """A whole split (a sample of unlimited data) as `split` gives it, by parts: each has some of some fields."""
        yield self.split(name, _SAMPLED if self.sizes.get(name) is None else None)

    def plain(self) -> "Dataset":
        """The same data without `augment`: what stands at an address before it is transformed."""
        return self

    def by_class(self, field: Field, count: int) -> Iterator[tuple[str, np.ndarray]]:
        """Each class that has any, in their order, with its first training examples (at most `count`, …) as `split`
        gives them; nothing where there are no classes."""
        yield from ()

    def _missing(self, name: str) -> DataError:
        there = ", ".join(f"`{split}`" for split in self.sizes)
        return DataError(f"there is no split `{name}`; there are {there}", "declare it: `split train: 90%, test: 10%`")


class Drawn(Dataset):
    """Points without end. A step's are drawn at once, keyed by the seed and its first position."""

    def __init__(
        self,
        sources: tuple[Source, ...],
        fields: tuple[Field, ...],
        *,
        seed: int,
        batch: int,
        times: int,
        overfit: bool,
    ) -> None:
        super().__init__(batch=batch, times=times, overfit=overfit)
        self._seed = seed
        self._fields = fields
        self._points = {source.name: points_of(source.call) for source in sources}
        self.sizes = {"train": None, "test": None}
        self.manifest = {
            "sources": [
                {
                    "name": source.name,
                    "word": source.call.word,
                    "from": dict(source.call.arguments),
                    "examples": None,
                    "splits": dict(self.sizes),
                    "sha256": None,
                    "licence": None,
                }
                for source in sources
            ]
        }

    def _at(self, first: int, count: int) -> np.ndarray:
        positions = np.arange(first, first + count, dtype=np.int64)
        return np.stack([np.zeros_like(positions), positions], axis=-1)

    def fetch(self, addresses: Any, share: Share = WHOLE) -> dict[str, Any]:
        moment = tf.reshape(addresses, (-1, 2))[0, 1]
        drawn = self._drawn("train", moment, tf.shape(addresses)[:-1], tuple(addresses.shape[:-1]))
        return {field: share.of_rows(points, axis=1) for field, points in drawn.items()}

    def split(self, name: str, count: int | None = None) -> dict[str, np.ndarray]:
        if name not in self.sizes:
            raise self._missing(name)
        if count is None:
            raise ValueError("unlimited data has no whole split: say a count")
        drawn = self._drawn(f"split/{name}", tf.constant(0, tf.int64), tf.constant([count]), (count,))
        return {field: points.numpy() for field, points in drawn.items()}

    def _drawn(self, place: str, moment: Any, shape: Any, known: tuple[int | None, ...]) -> dict[str, Any]:
        out = {}
        for field in self._fields:
            seed = Key(self._seed, f"data/{place}/{field.source}", moment).pair()
            points = self._points[field.source](seed, shape) * float(field.arguments.get("scale") or 1.0)
            out[field.name] = tf.ensure_shape(points, (*known, 2))
        return out


class Finite(Dataset):
    """Examples in memory or a scratch file. Several sources are drawn independently, unless they are pairs."""

    def __init__(
        self,
        sources: tuple[Stored, ...],
        fields: tuple[Field, ...],
        augment: tuple[Call, ...],
        *,
        paired: bool,
        seed: int,
        batch: int,
        times: int,
        overfit: bool,
        manifest: dict[str, Any],
    ) -> None:
        super().__init__(batch=batch, times=times, overfit=overfit)
        self._sources = {source.name: source for source in sources}
        self._fields, self._seed, self._paired = fields, seed, paired
        self._of_tokens = tuple(call for call in augment if call.word in OF_TOKENS)
        self._augment = tuple(call for call in augment if call.word not in OF_TOKENS)
        self._alone = sources[0] if paired or len(sources) == 1 else None
        names = [name for name in sources[0].rows if all(name in source.rows for source in sources)]
        # an epoch ends when the smallest source has been gone through
        self.sizes = {name: min(len(source.rows[name]) for source in sources) for name in names}
        self.manifest = manifest
        tables = {field.name: self._sources[field.source].table for field in fields if field.kind == "row"}
        self.tables = {name: table for name, table in tables.items() if table is not None}
        labelled = next((f for f in fields if f.kind == "label"), None)
        if labelled is not None:
            self._count_classes(labelled)
        self._conditions = sources[0].conditions
        if self._conditions is not None:
            self.class_counts = self._conditions.counts(sources[0].rows["train"])
            self.class_names = self._conditions.titles
        self.on_disk = any(
            values.on_disk if isinstance(values, Windows) else isinstance(values, np.memmap)
            for values in self._everything()
        )
        self.summary = self._summary()
        self._gather, self._windows = {}, {}
        for field in fields:
            source = self._sources[field.source]
            if field.kind == "text":
                with tf.init_scope(), tf.device("cpu"):
                    self._windows[field.name] = HeldWindows(self._of(field, "train"))
            else:
                self._gather[field.name] = source.gatherer(field.kind)

    def _everything(self) -> Iterator[Any]:
        for source in self._sources.values():
            yield from source.loaded.columns.values()

    def _summary(self) -> str:
        what = _PLURAL.get(self._fields[0].kind, "examples")
        many = sum(source.loaded.examples for source in self._sources.values())
        where = f"a scratch file in {scratch_folder()}" if self.on_disk else "memory"
        held = f"{many:,} {what}, {size(sum(values.nbytes for values in self._everything()))}, in {where}"
        left_out = sum((Counter(source.loaded.dropped) for source in self._sources.values()), Counter[str]())
        told = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        return f"{held}; left out: {told}" if told else held

    def _count_classes(self, field: Field) -> None:
        source = self._sources[field.source]
        labels = source.loaded.labels
        assert labels is not None
        classes = max(field.classes if isinstance(field.classes, int) else 0, int(labels.max()) + 1)
        self.class_counts = np.bincount(labels[source.rows["train"]], minlength=classes)
        names = source.loaded.class_names or ()
        self.class_names = (*names, *map(str, range(len(names), classes)))

    def _of(self, field: Field, split: str, choice: np.ndarray | None = None) -> Any:
        source = self._sources[field.source]
        rows = source.rows[split] if choice is None else source.rows[split][choice]
        return source.values(field.kind, rows)

    def _at(self, first: int, count: int) -> np.ndarray:
        if self._alone is not None:
            return np.stack(self._alone.order.at(first, count), axis=-1)
        epoch = index = np.zeros(count, np.int64)
        for source in self._sources.values():
            epochs, indexes = source.order.at(first, count)
            epoch, index = (epoch << _EPOCH_BITS) + epochs, index * source.order.count + indexes
        return np.stack([epoch, index], axis=-1)

    def _address_in(self, addresses: Any) -> dict[str, tuple[Any, Any]]:
        """Each source's epochs and indexes (n,) of addresses (n, 2)."""
        epoch, index = addresses[:, 0], addresses[:, 1]
        if self._alone is not None:
            row = index if self._conditions is None else index % self._alone.order.count
            return {name: (epoch, row) for name in self._sources}
        out = {}
        for name, source in reversed(self._sources.items()):
            out[name] = (epoch % (1 << _EPOCH_BITS), index % source.order.count)
            epoch, index = epoch // (1 << _EPOCH_BITS), index // source.order.count
        return out

    def fetch(self, addresses: Any, share: Share = WHOLE) -> dict[str, Any]:
        addresses = share.of_rows(addresses, axis=1)
        lead = tf.shape(addresses)[:-1]
        flat = tf.reshape(addresses, (-1, 2))
        places = self._address_in(flat)
        out = {}
        for field in self._fields:
            # the index of a condition says its column, too
            place = (flat[:, 0], flat[:, 1]) if field.kind == "condition" else places[field.source]
            for name, values in self._values(field, *place).items():
                whole = tf.reshape(values, tf.concat([lead, tf.shape(values)[1:]], 0))
                out[name] = tf.ensure_shape(whole, (*addresses.shape[:-1], *values.shape[1:]))
        return out

    def _values(self, field: Field, epoch: Any, index: Any) -> dict[str, Any]:
        """A field's values (n, …) at examples' epochs and indexes (n,), by the name of their entry."""
        with tf.device("cpu"):
            if field.kind == "text":
                key = place_key(self._seed, f"augment/{field.name}")
                given, said = augmented(self._windows[field.name], field, self._of_tokens, key, epoch, index)
                return {field.name: given, following(field.name): said}
        values = self._gather[field.name](index)
        return {field.name: self._image(field, values, epoch, index) if field.kind == "image" else values}

    def _image(self, field: Field, pixels: Any, epoch: Any, index: Any) -> Any:
        """Pictures (n, h, w, c) float32 in the field's range, cut and augmented by draws of their own addresses."""
        place = "augment" if self._paired else f"augment/{field.name}"
        return self._augmented(field, pixels, epoch, index, self._augment, place)

    def _augmented(self, field: Field, pixels: Any, epoch: Any, index: Any, calls: tuple[Call, ...], place: str) -> Any:
        crop, span = random_crop(field.arguments), span_of(field)
        key = place_key(self._seed, place)
        uniform = None
        if crop is not None or calls:
            with tf.device("cpu"):
                uniform = uniforms(key, epoch, index, 1 + len(calls))
        if crop is not None and uniform is not None:
            pixels = _cut(pixels, crop, uniform[:, 0])
        images = _in_range(pixels, *span)
        if uniform is None:
            return images

        def noise(number: int, images: Any) -> Any:
            numbers = int(np.prod(images.shape[1:]))
            drawn = normals((key[0] ^ 0x6E6F6973, key[1] ^ number), epoch, index, numbers)
            return tf.reshape(drawn, tf.shape(images))

        def partners(number: int) -> Any:
            """The pictures that `mixup`, the statement of a number, mixes in: after the statements before it, too."""
            many = len(self._sources[field.source].rows["train"])
            chosen = tf.minimum(tf.cast(uniform[:, 1 + number, 1] * many, tf.int64), many - 1)
            others = self._gather[field.name](chosen)
            return self._augmented(field, others, epoch, index, calls[:number], f"{place}/mixup_{number}")

        return transformed(calls, images, uniform[:, 1:], noise, span=span, partners=partners)

    def split(self, name: str, count: int | None = None) -> dict[str, Any]:
        if name not in self.sizes:
            raise self._missing(name)
        out: dict[str, Any] = {}
        for field in self._fields:
            source = self._sources[field.source]
            choice = None
            have = len(source.rows[name])
            if count is not None and count < have:
                place = "" if self._paired else field.source
                choice = permutation(stream_key(DATA_SEED, f"some/{name}/{place}"), 0, have)[:count]
            values = self._as_given(field, name, choice)
            if isinstance(values, Windows):
                out[following(field.name)] = values.followed()
            out[field.name] = values
        return out

    def parts(self, name: str) -> Iterator[dict[str, Any]]:
        for field in self._fields:
            have = len(self._sources[field.source].rows[name])
            for start in range(0, have, _AT_ONCE):
                yield {field.name: self._as_given(field, name, np.arange(start, min(start + _AT_ONCE, have)))}

    def plain(self) -> "Finite":
        found = copy.copy(self)
        found._augment = found._of_tokens = ()
        found._windows = {name: windows.as_written() for name, windows in self._windows.items()}
        return found

    def by_class(self, field: Field, count: int) -> Iterator[tuple[str, np.ndarray]]:
        source = self._sources[field.source]
        labels = source.loaded.labels
        if labels is None:
            return
        own = labels[source.rows["train"]]
        names = source.loaded.class_names or ()
        for number in np.unique(own):
            chosen = np.flatnonzero(own == number)[:count]
            yield names[number] if number < len(names) else str(number), self._as_given(field, "train", chosen)

    def _as_given(self, field: Field, split: str, choice: np.ndarray | None) -> Any:
        values = self._of(field, split, choice)
        if field.kind == "image":
            crop = random_crop(field.arguments)
            values = values if crop is None else cut_middle(values, crop)
            low, high = span_of(field)
            values = _ranged(values.astype(np.float32), values.dtype == np.uint8, low, high)
        return values


def _ranged(values: Any, bytes: bool, low: float, high: float) -> Any:
    """Float32 values of 0..255 or 0..1 brought to low..high; NumPy and TensorFlow alike."""
    top = 255.0 if bytes else 1.0
    return values * np.float32((high - low) / top) + np.float32(low)


def _in_range(pixels: Any, low: float, high: float) -> Any:
    """Pictures of bytes, or of 0..1, as float32 ones of low..high: `_ranged` to the bit."""
    if pixels.dtype == tf.uint8 and all(device.device_type == "CPU" for device in tf.config.list_logical_devices()):
        # one pass over them in place of three, in a kernel that only processors have
        return tf.quantization.dequantize(tf.bitcast(pixels, tf.quint8), low, high, mode="MIN_COMBINED")
    return _ranged(tf.cast(pixels, tf.float32), pixels.dtype == tf.uint8, low, high)


def _cut(pixels: Any, size: tuple[int, int], uniform: Any) -> Any:
    """Cuts (n, *size, c) from anywhere in pictures (n, h, w, c), by uniform numbers (n, 4)."""
    places = []
    for axis in (0, 1):
        free = pixels.shape[1 + axis] - size[axis] + 1
        start = tf.minimum(tf.cast(uniform[:, axis] * free, tf.int32), free - 1)
        places.append(start[:, None] + tf.range(size[axis])[None, :])
    with tf.device("cpu"):
        rows = tf.gather(pixels, places[0], batch_dims=1, axis=1)
        return tf.gather(rows, places[1], batch_dims=1, axis=2)
