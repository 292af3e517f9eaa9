"""What loading a source yields: its examples in memory, its own splits, and what the manifest tells of it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gendsl.check.headers.paths import Refused, inside
from gendsl.lower.data.fingerprints import Fingerprints
from gendsl.lower.errors import DataError


class LeftOut(NamedTuple):
    """An example that is left out: its name, why, and the one it repeats, if that is why."""

    example: str
    reason: str
    repeats: str = ""


@dataclass(frozen=True)
class Loaded:
    """A source in memory: `columns` are its fields by kind, each (n, …).

    Pictures (n, h, w, c) are uint8, or float32 in 0..1, resized and cut but for random crops; labels (n,) are int32
    from 0. `splits` are indexes by name, None without splits of its own; `names` are the files, `places` (n,) says the
    how-manieth of all that was found each is (of its split, where there are splits), None for all in their order.

    `left_out` tells what is not here and why, `warnings` are to be passed on; `digest` is the SHA-256 of the content as
    it was found; `prints` are there once examples were compared.
    """

    columns: Mapping[str, np.ndarray]
    digest: str
    splits: Mapping[str, np.ndarray] | None = None
    class_names: tuple[str, ...] | None = None
    licence: str | None = None
    names: tuple[str, ...] | None = None
    places: np.ndarray | None = None
    left_out: tuple[LeftOut, ...] = ()
    prints: Fingerprints | None = None
    warnings: tuple[str, ...] = ()

    @property
    def examples(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values())))

    @property
    def images(self) -> np.ndarray:
        """The pictures (n, h, w, c). Raises KeyError where there are none."""
        return self.columns["image"]

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
            columns={kind: values[keep] for kind, values in self.columns.items()},
            splits=splits,
            names=None if self.names is None else tuple(self.names[row] for row in keep),
            places=self.found_places()[keep],
            prints=None if self.prints is None else self.prints.of(keep),
            left_out=(*self.left_out, *left_out),
        )


def pictured(images: np.ndarray, labels: np.ndarray | None) -> dict[str, np.ndarray]:
    """The columns of pictures (n, h, w, c) and their classes (n,), if they have any."""
    return {"image": images} if labels is None else {"image": images, "label": labels}


def digest_of(parts: Iterable[Any]) -> str:
    """The SHA-256 of texts, bytes and arrays in their order, each with its length, type and shape."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        if isinstance(data, np.ndarray):
            digest.update(f"{data.dtype.str}{data.shape}".encode())
            data = np.ascontiguousarray(data).reshape(-1).view(np.uint8).data
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def place_of(folder: str, path: str) -> str:
    """The absolute place of a path of the spec; DataError if it leaves the spec's folder."""
    try:
        return inside(folder, path)
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None


def check_memory(examples: int, shape: tuple[int, ...], itemsize: int, what: str) -> None:
    """DataError where so many examples would fill more than half of this machine's memory."""
    import os

    needed = examples * int(np.prod(shape)) * itemsize
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there // 2:
        raise DataError(
            f"{what}: {examples:,} pictures of {'x'.join(map(str, shape))} take {needed / 2**30:.1f} GiB of memory; "
            f"this machine has {there / 2**30:.1f}",
            "`resize` to less, narrow the glob, or `limit` the examples",
        )
