"""What loading a source yields: its examples, its own splits, and what the manifest tells of it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from gendsl.check.headers.paths import Refused, inside
from gendsl.lower.data.fingerprints import Fingerprints
from gendsl.lower.data.store import SHARE_ASKED, taken
from gendsl.lower.errors import DataError
from gendsl.lower.tables.sheet import Sheet
from gendsl.plan import machine
from gendsl.plan.show import size

MOST_CLASSES = 1 << 20  # a greater number is no class, but the identity of something


class LeftOut(NamedTuple):
    """An example that is left out: its name, why, and the one it repeats, if that is why."""

    example: str
    reason: str
    repeats: str = ""


@dataclass(frozen=True)
class Loaded:
    """A source, decoded: `columns` are its fields by kind, each (n, …), in memory or (`np.memmap`) in a scratch file.

    Pictures (n, h, w, c) are uint8, or float32 in 0..1, resized and cut but for random crops; labels (n,) are int32
    from 0; the rows of a table are the codes (n, columns) of its `sheet` until they are encoded; text is `Windows` of
    tokens, among `vocabulary`. `splits` are indexes by name, None without splits of its own, and those of the spec's
    shares if `divided`: of what is split by file. `names` are the files, `places` (n,) says the how-manieth of all that
    was found each is (of its split, where there are splits), None for all in their order.

    `left_out` tells what is not here and why, `warnings` are to be passed on; `digest` is the SHA-256 of the content as
    it was found; `prints` are there once examples were compared; `details` are what else the manifest tells.
    """

    columns: Mapping[str, Any]
    digest: str
    splits: Mapping[str, np.ndarray] | None = None
    class_names: tuple[str, ...] | None = None
    licence: str | None = None
    names: tuple[str, ...] | None = None
    places: np.ndarray | None = None
    left_out: tuple[LeftOut, ...] = ()
    prints: Fingerprints | None = None
    warnings: tuple[str, ...] = ()
    sheet: Sheet | None = None
    divided: bool = False
    vocabulary: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values())))

    @property
    def images(self) -> np.ndarray:
        """The pictures (n, h, w, c). Raises KeyError where there are none."""
        images: np.ndarray = self.columns["image"]
        return images

    @property
    def labels(self) -> np.ndarray | None:
        """The classes (n,), None where there are none."""
        return self.columns.get("label")

    @property
    def content(self) -> tuple[str, np.ndarray]:
        """The field by which examples are told apart, and its values (n, …): the pictures, say, not their classes."""
        return next((kind, values) for kind, values in self.columns.items() if kind not in ("label", "condition"))

    @property
    def dropped(self) -> dict[str, int]:
        """How many are left out, by reason."""
        return dict(Counter(one.reason for one in self.left_out))

    def found_places(self) -> np.ndarray:
        """The how-manieth (n,) of all that was found each example is, of its split where there are splits."""
        if self.places is not None:
            return self.places
        places = np.arange(self.examples)
        for rows in (self.splits or {}).values():
            places[rows] = np.arange(len(rows))
        return places

    def names_of(self, rows: np.ndarray) -> list[str]:
        """The names of examples (m,): their files, else their places from 0, as `17` or `train/17`."""
        if self.names is not None:
            return [self.names[row] for row in rows]
        before = np.zeros(self.examples, np.int64)
        splits = ["", *(f"{split}/" for split in self.splits or {})]
        for number, own in enumerate((self.splits or {}).values(), 1):
            before[own] = number
        places = self.found_places()
        return [f"{splits[before[row]]}{places[row]}" for row in rows]

    def kept(self, keep: np.ndarray, left_out: Iterable[LeftOut] = ()) -> "Loaded":
        """Only the examples at the indexes `keep` (m,), in their order; the classes keep their numbers."""
        splits = None
        if self.splits is not None:
            where = np.full(self.examples, -1)
            where[keep] = np.arange(len(keep))
            splits = {name: where[rows][where[rows] >= 0] for name, rows in self.splits.items()}
        return replace(
            self,
            columns={kind: taken(values, keep) for kind, values in self.columns.items()},
            splits=splits,
            names=None if self.names is None else tuple(self.names[row] for row in keep),
            places=self.found_places()[keep],
            prints=None if self.prints is None else self.prints.of(keep),
            left_out=(*self.left_out, *left_out),
        )


def pictured(images: np.ndarray, labels: np.ndarray | None) -> dict[str, np.ndarray]:
    """The columns of pictures (n, h, w, c) and their classes (n,), if they have any."""
    return {"image": images} if labels is None else {"image": images, "label": labels}


class Digest:
    """The SHA-256 of texts, bytes and arrays in their order, each with its length, type and shape."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, part: Any) -> None:
        """Takes the next part."""
        data = part.encode() if isinstance(part, str) else part
        if isinstance(data, np.ndarray):
            self._sha256.update(f"{data.dtype.str}{data.shape}".encode())
            data = np.ascontiguousarray(data).reshape(-1).view(np.uint8).data
        self._sha256.update(len(data).to_bytes(8, "little"))
        self._sha256.update(data)

    def hex(self) -> str:
        """The digest of all parts so far."""
        return self._sha256.hexdigest()


def digest_of(parts: Iterable[Any]) -> str:
    """The SHA-256 of parts that are at hand."""
    digest = Digest()
    for part in parts:
        digest.add(part)
    return digest.hex()


def place_of(folder: str, path: str) -> str:
    """The absolute place of a path of the spec; DataError if it leaves the spec's folder."""
    try:
        return inside(folder, path)
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None


def check_memory(examples: int, shape: tuple[int, ...], itemsize: int, what: str) -> None:
    """DataError where so many examples would fill more than half of this machine's memory."""
    needed = examples * int(np.prod(shape)) * itemsize
    there = machine.memory()
    if there is not None and needed > there * SHARE_ASKED:
        raise DataError(
            f"{what}: {examples:,} pictures of {'x'.join(map(str, shape))} take {size(needed)} of memory; this machine "
            f"has {size(there)}",
            "`resize` to less, narrow the glob, or `limit` the examples",
        )
