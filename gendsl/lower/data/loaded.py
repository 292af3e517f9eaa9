"""What loading a source yields: its examples in memory, its own splits, and what the manifest tells of it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gendsl.check.headers.paths import Refused, inside
from gendsl.lower.errors import DataError


@dataclass(frozen=True)
class Loaded:
    """A source in memory: `columns` are its fields by kind, each (n, …).

    Pictures (n, h, w, c) are uint8, or float32 in 0..1, resized and cut but for random crops; labels (n,) are int32
    from 0; text is `Windows` of tokens, among `vocabulary`. `splits` are indexes by name, None without splits of its
    own, and those of the spec's shares if `divided`: of what is split by file. `names` are the files.

    `dropped` counts what is left out, by reason, `damaged` names files that do not decode; `digest` is the SHA-256 of
    the content as it was found; `details` are what else the manifest tells.
    """

    columns: Mapping[str, Any]
    digest: str
    splits: Mapping[str, np.ndarray] | None = None
    class_names: tuple[str, ...] | None = None
    licence: str | None = None
    names: tuple[str, ...] | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()
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

    def kept(self, keep: np.ndarray, dropped: Mapping[str, int]) -> "Loaded":
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
            dropped={**self.dropped, **dropped},
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
