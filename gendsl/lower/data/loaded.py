"""What loading a source yields: its examples in memory, its own splits, and what the manifest tells of it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gendsl.check.headers.paths import Refused, inside
from gendsl.lower.errors import DataError


@dataclass(frozen=True)
class Loaded:
    """A source in memory. Pictures (n, h, w, c) are uint8, or float32 in 0..1, resized and cut but for random crops;
    labels (n,) are int32 from 0. `splits` are indexes by name, None without splits of its own; `names` are the files.

    `dropped` counts what is left out, by reason, `damaged` names files that do not decode; `digest` is the SHA-256 of
    the content as it was found.
    """

    images: np.ndarray
    labels: np.ndarray | None
    splits: Mapping[str, np.ndarray] | None
    class_names: tuple[str, ...] | None
    digest: str
    licence: str | None = None
    names: tuple[str, ...] | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()

    @property
    def examples(self) -> int:
        return len(self.images)

    def kept(self, keep: np.ndarray, dropped: Mapping[str, int]) -> "Loaded":
        """Only the examples at the indexes `keep` (m,), in their order; the classes keep their numbers."""
        splits = None
        if self.splits is not None:
            where = np.full(self.examples, -1)
            where[keep] = np.arange(len(keep))
            splits = {name: where[rows][where[rows] >= 0] for name, rows in self.splits.items()}
        return Loaded(
            self.images[keep],
            None if self.labels is None else self.labels[keep],
            splits,
            self.class_names,
            self.digest,
            self.licence,
            None if self.names is None else tuple(self.names[row] for row in keep),
            {**self.dropped, **dropped},
            self.damaged,
        )


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
