"""Examples in, what they are known by out: a digest of each, and of pictures a difference hash and a thumbnail."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gendsl.lower.data.resizing import grey_of, resized
from gendsl.lower.data.store import read

SIZE = (8, 9)  # of a thumbnail: 8 rows of 9 pixels have 64 differences
_AT_ONCE = 1024
_DIGEST = 16  # bytes

Tell = Callable[[str], None]


def silent(told: str) -> None:
    """Tells nobody how far the work is."""


@dataclass(frozen=True)
class Fingerprints:
    """What n examples are known by.

    `digests` (n,) of 16 bytes are equal where the content is; of pictures, `hashes` (n,) uint64 are difference hashes
    (Krawetz 2013, Kind of Like That), and `thumbnails` (n, 8, 9, c) uint8 the pictures at that size; None for others.
    """

    digests: np.ndarray
    hashes: np.ndarray | None = None
    thumbnails: np.ndarray | None = None

    def of(self, rows: np.ndarray) -> "Fingerprints":
        """Those of some examples (m,), in their order."""
        return Fingerprints(
            self.digests[rows],
            None if self.hashes is None else self.hashes[rows],
            None if self.thumbnails is None else self.thumbnails[rows],
        )


def fingerprints_of(values: np.ndarray, *, pictures: bool, tell: Tell = silent) -> Fingerprints:
    """Those of examples (n, …); pictures are (n, h, w, c), uint8 or float32 in 0..1. They are read once, by parts."""
    digests = bytearray()
    hashes = np.empty(len(values), np.uint64) if pictures else None
    thumbnails = np.empty((len(values), *SIZE, values.shape[3]), np.uint8) if pictures else None
    for start in range(0, len(values), _AT_ONCE):
        part = read(values, np.arange(start, min(start + _AT_ONCE, len(values))))
        for one in part:
            digests += hashlib.blake2b(one.tobytes(), digest_size=_DIGEST).digest()
        if hashes is not None and thumbnails is not None:
            small = resized(part, *SIZE)
            hashes[start : start + len(part)] = difference_hashes(small)
            thumbnails[start : start + len(part)] = np.rint(small.clip(0, 1) * 255)
        tell(f"comparing the examples… {start + len(part):,} of {len(values):,}")
    return Fingerprints(np.frombuffer(digests, f"V{_DIGEST}"), hashes, thumbnails)


def difference_hashes(small: np.ndarray) -> np.ndarray:
    """Hashes (n,) uint64 of pictures (n, 8, 9, c): a bit says whether a grey pixel is darker than the next."""
    grey = grey_of(small)
    bits = (grey[:, :, 1:] > grey[:, :, :-1] + 1e-4).reshape(len(grey), 64)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)
