"""Pictures, bytes or tokens in, some after others, a column of them out: in memory if they fit, else a scratch file.

A source is decoded once, when it is loaded. So a step costs no decoding, and nothing that happens to a picture's file
later can end a run or change its numbers. A scratch file has no name: it is gone with the process, however that ends.
"""

import mmap
import os
import tempfile
from typing import Any

import numpy as np

from gendsl.lower.errors import DataError
from gendsl.plan import machine
from gendsl.plan.show import size

SHARE_UNASKED = 0.25  # of the memory; training gathers from a second copy, in TensorFlow
SHARE_ASKED = 0.5
_ROWS = 1024  # that are copied at once


class Store:
    """Takes about so many pictures of one shape and type, or with the shape () numbers; `cache` is that of `data`.

    Raises DataError where there is no room for them; `what` names the source, `unit` what is counted of it.
    """

    def __init__(
        self,
        about: int,
        shape: tuple[int, ...],
        kind: Any,
        *,
        what: str,
        cache: bool | None,
        unit: str = "pictures",
    ) -> None:
        self._shape, self._kind, self._what, self._count = shape, np.dtype(kind), what, 0
        needed = about * int(np.prod(shape)) * self._kind.itemsize
        there = machine.memory()
        many = f"{about:,} {unit}" + (f" of {'x'.join(map(str, shape))}" if shape else "")
        told = f"{what}: {many} take {size(needed)}"
        self._file: Any = None
        if cache is False or (cache is None and there is not None and needed > there * SHARE_UNASKED):
            self._file = _scratch(needed, told)
        elif there is not None and needed > there * SHARE_ASKED:
            raise DataError(
                f"{told} of memory; this machine has {size(there)}",
                "leave `cache` out, and they lie in a scratch file; or `resize` pictures to less",
            )
        else:
            self._rows = np.empty((about, *shape), self._kind)

    def add(self, pictures: np.ndarray) -> None:
        """Appends pictures (n, h, w, c) of the store's shape and type. Raises DataError where the disk is full."""
        assert pictures.shape[1:] == self._shape and pictures.dtype == self._kind
        start, self._count = self._count, self._count + len(pictures)
        if self._file is None:
            if self._count > len(self._rows):
                more = np.empty((max(self._count, 2 * len(self._rows)), *self._shape), self._kind)
                more[:start] = self._rows[:start]
                self._rows = more
            self._rows[start : self._count] = pictures
            return
        try:
            self._file.write(np.ascontiguousarray(pictures).data)
        except OSError as error:
            told = f"the scratch file of {self._what} in {scratch_folder()} cannot be written: {error.strerror}"
            raise DataError(told, "make room there, or set TMPDIR to a folder with more") from error

    def cut(self, count: int) -> None:
        """Forgets all behind the first so many."""
        self._count = count
        if self._file is not None:
            self._file.seek(count * int(np.prod(self._shape)) * self._kind.itemsize)
            self._file.truncate()

    def column(self) -> np.ndarray:
        """All that was added (n, h, w, c); a `np.memmap` where it lies in a file."""
        if self._file is None or not self._count:
            return self._rows[: self._count] if self._file is None else np.empty((0, *self._shape), self._kind)
        self._file.flush()
        with self._file:  # what is mapped outlives it
            mapped: np.ndarray = np.memmap(self._file, self._kind, "r", shape=(self._count, *self._shape))
            return mapped


def taken(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The values at some rows, where the others lie: those of a scratch file in another one."""
    if not isinstance(values, np.memmap):
        chosen: np.ndarray = values[rows]
        return chosen
    store = Store(len(rows), values.shape[1:], values.dtype, what="what `curate` keeps", cache=False)
    for start in range(0, len(rows), _ROWS):
        store.add(read(values, rows[start : start + _ROWS]))
    return store.column()


def read(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The values at some rows, in memory; of a scratch file nothing else stays there."""
    found: np.ndarray = np.asarray(values[rows])
    let_go(values)
    return found


def let_go(values: np.ndarray) -> None:
    """Takes what was read of a scratch file out of this process's memory; the system may keep it, but not as ours."""
    pages: Any = values
    while isinstance(pages, np.ndarray):
        pages = pages.base
    if isinstance(pages, mmap.mmap):
        pages.madvise(mmap.MADV_DONTNEED)


def scratch_folder() -> str:
    """Where scratch files lie. Often /tmp is memory, and then no place for what does not fit there; /var/tmp is not."""
    beside = "/var/tmp" if os.access("/var/tmp", os.W_OK) else tempfile.gettempdir()
    return os.environ.get("TMPDIR") or beside


def _scratch(needed: int, told: str) -> Any:
    import shutil

    folder = scratch_folder()
    try:
        free = shutil.disk_usage(folder).free
        if needed <= free:
            return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        raise DataError(
            f"no scratch file can be made in {folder}: {error.strerror}", "set TMPDIR to a folder that can be written"
        ) from error
    raise DataError(
        f"{told}, decoded; the disk of {folder} has {size(free)} free",
        "set TMPDIR to a folder with more room, narrow the glob, or `resize` pictures to less",
    )
