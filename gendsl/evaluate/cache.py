"""A key of what went in, arrays that took long to compute out: kept in the user's cache folder, by content.

Each file is written whole or not at all; one that is damaged is computed anew, and where nothing can be written nothing
is kept. Of several processes that compute the same the first one's arrays stay, and all go on with them. The least
recently used files go when there are more than 4 GB.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_BYTES = 4 << 30


def cache_folder() -> Path:
    """`$GENDSL_CACHE`, else `gendsl` in the user's cache folder."""
    own = os.environ.get("GENDSL_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gendsl"


def digest_of(*parts: Any) -> str:
    """The SHA-256, in hexadecimal, of texts, numbers and arrays: of what they are, type and shape among it."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f"{part.dtype.str}{part.shape}".encode())
            found.update(np.ascontiguousarray(part).data)
        else:
            found.update(f"|{part!r}|".encode())
    return found.hexdigest()


def read_arrays(kind: str, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays that are kept under a key; None where there are none that can be read."""
    path = _path(kind, key)
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        os.utime(path)
    except Exception:  # a damaged archive fails in many ways, and each means the same
        return None
    return found


def keep_arrays(kind: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Keeps arrays under a key, where that can be done, and gives those to go on with: what is kept there already."""
    path, temporary = _path(kind, key), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except OSError:  # it is there, or the file system knows no links
            kept = read_arrays(kind, key)
            if kept is not None and _shapes(kept) == _shapes(arrays):
                return kept
            os.replace(temporary, path)
        _make_room(path.parent.glob("*.npz"))
    except OSError:
        pass
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
    return arrays


def _shapes(arrays: Mapping[str, NDArray[Any]]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays.items()}


def _path(kind: str, key: str) -> Path:
    return cache_folder() / "scores" / f"{kind}-{key[:32]}.npz"


def _make_room(files: Iterable[Path]) -> None:
    known = sorted(((path, path.stat()) for path in files), key=lambda pair: pair[1].st_mtime)
    total = sum(stat.st_size for _, stat in known)
    for path, stat in known[:-1]:
        if total <= _MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size
