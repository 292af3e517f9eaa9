"""A field of the data in, what samples of it are compared with out: examples, and their features, computed once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.cache import digest_of, keep_arrays, read_arrays
from gendsl.evaluate.extractor import Extractor
from gendsl.evaluate.gaussian import Gaussian, Moments, gaussian_of
from gendsl.evaluate.values import taken
from gendsl.plan.plan import Field

if TYPE_CHECKING:
    from gendsl.evaluate.tables.cells import Cells

MOST_EXAMPLES = 50_000  # of a split, drawn evenly where there are more
MOST_NUMBERS = 1 << 28  # of features that are kept of a side: 1 GB
_AT_ONCE = 4096
_Made = TypeVar("_Made")
_SILENCE = 5  # seconds between two lines of how far the work is


def most_rows(width: int) -> int:
    """How many rows of features of a width are kept in memory."""
    return max(2, MOST_NUMBERS // width)


@dataclass(slots=True)
class Real:
    """The examples of one field, as scores take them; `label` is the field of their classes, if there is one."""

    dataset: Any
    of: Field
    label: Field | None
    tell: Callable[[str], None]
    _digests: dict[str, str] = field(default_factory=dict)
    _gaussians: dict[tuple[str, str], Gaussian] = field(default_factory=dict)
    _rows: dict[tuple[str, str], NDArray[np.float32]] = field(default_factory=dict)
    _told_at: float = 0.0
    _some: dict[tuple[str, int], NDArray[Any]] = field(default_factory=dict)
    _once: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def once(self, key: tuple[Any, ...], make: Callable[[], _Made]) -> _Made:
        """What scores make of the examples, which is made once and kept; the first of the key says whose it is."""
        if key not in self._once:
            self._once[key] = make()
        made: _Made = self._once[key]
        return made

    _cells: "dict[str, Cells]" = field(default_factory=dict)

    def count(self, split: str) -> int:
        """How many examples of a split are compared with: all, but at most 50,000."""
        size = self.dataset.sizes.get(split)
        return MOST_EXAMPLES if size is None else min(size, MOST_EXAMPLES)

    def blocks(self, split: str) -> Iterator[NDArray[Any]]:
        """Those examples, block by block, in the data's order."""
        for values in self._read(split, self.of):
            yield taken(values, self.of)

    def _read(self, split: str, of: Field) -> Iterator[NDArray[Any]]:
        size = self.dataset.sizes.get(split)
        if size is None or split not in self.dataset.sizes:
            values = self.dataset.split(split, MOST_EXAMPLES)[of.name]  # says what is wrong with the split
            yield from (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
            return
        chosen = _chosen(size)
        start = 0
        for part in self.dataset.parts(split):
            if of.name not in part:
                continue
            values = np.asarray(part[of.name])[: size - start]  # of several sources, one may have more
            kept = values if chosen is None else values[chosen[start : start + len(values)]]
            start += len(values)
            if len(kept):
                yield kept

    def some(self, split: str, count: int) -> NDArray[Any]:
        """At most so many of them, drawn by the data's seed."""
        count = min(count, self.count(split))
        if (split, count) not in self._some:
            self._some[split, count] = taken(np.asarray(self.dataset.split(split, count)[self.of.name]), self.of)
        return self._some[split, count]

    def labelled(self, split: str) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """All of them with their classes."""
        assert self.label is not None
        labels = np.concatenate(list(self._read(split, self.label)))
        return np.concatenate(list(self.blocks(split))), np.asarray(labels, np.int32)

    def cells(self, split: str) -> "Cells":
        """The cells of a table's rows."""
        from gendsl.evaluate.tables.cells import cells_of

        if split not in self._cells:
            self._cells[split] = cells_of(self.dataset.tables[self.of.name], self.blocks(split))
        return self._cells[split]

    def digest(self, split: str) -> str:
        """The digest of the examples' content."""
        if split not in self._digests:
            self._digests[split] = digest_of(self.count(split), *(block for block in self.blocks(split)))
        return self._digests[split]

    def gaussian(self, extractor: Extractor, split: str) -> Gaussian:
        """The mean and covariance of their features."""
        key = (extractor.key, split)
        if key not in self._gaussians:
            kept = self._kept("moments", extractor, split)
            if kept is None:
                found = self._gaussian(extractor, split)
                kept = {"mean": found.mean, "covariance": found.covariance, "count": np.array(found.count)}
                self._keep("moments", extractor, split, kept)
            self._gaussians[key] = Gaussian(kept["mean"], kept["covariance"], int(kept["count"]))
        return self._gaussians[key]

    def _gaussian(self, extractor: Extractor, split: str) -> Gaussian:
        rows = self._rows.get((extractor.key, split))
        if rows is not None and len(rows) == self.count(split):
            return gaussian_of(rows)
        moments = Moments(extractor.width)
        for part in self._extracted(extractor, split):
            moments.add(part)
        return moments.gaussian()

    def rows(self, extractor: Extractor, split: str) -> NDArray[np.float32]:
        """Their features (n, width), as many as are kept in memory."""
        key = (extractor.key, split)
        if key not in self._rows:
            kept = self._kept("features", extractor, split) if extractor.costly else None
            if kept is None:
                most = min(self.count(split), most_rows(extractor.width))
                found = np.concatenate(list(self._extracted(extractor, split, most=most)))
                kept = {"rows": found}
                if extractor.costly:
                    self._keep("features", extractor, split, kept)
            self._rows[key] = kept["rows"]
        return self._rows[key]

    def _extracted(self, extractor: Extractor, split: str, most: int | None = None) -> Iterator[NDArray[np.float32]]:
        total = self.count(split)
        chosen = _evenly(total, most) if most is not None and most < total else None
        done = 0
        for block in self.blocks(split):
            kept = block if chosen is None else block[chosen[done : done + len(block)]]
            if extractor.costly and total > _AT_ONCE and time.monotonic() - self._told_at > _SILENCE:
                self._told_at = time.monotonic()
                self.tell(f"{extractor.name} looks at `{self.of.name}` of `{split}`… {done:,} of {total:,}")
            done += len(block)
            yield extractor.features(kept)[0]

    def _kept(self, kind: str, extractor: Extractor, split: str) -> dict[str, NDArray[Any]] | None:
        return read_arrays(kind, self._key(extractor, split)) if extractor.costly else None

    def _keep(self, kind: str, extractor: Extractor, split: str, arrays: dict[str, NDArray[Any]]) -> None:
        if extractor.costly:
            keep_arrays(kind, self._key(extractor, split), arrays)

    def _key(self, extractor: Extractor, split: str) -> str:
        return digest_of(self.digest(split), extractor.key, extractor.range)


def _chosen(size: int) -> NDArray[np.bool_] | None:
    """Which of so many examples are compared with; None for all."""
    return None if size <= MOST_EXAMPLES else _evenly(size, MOST_EXAMPLES)


def _evenly(size: int, count: int) -> NDArray[np.bool_]:
    """A mask (size) of as many as `count`, drawn by a fixed seed: files often lie sorted by class."""
    mask = np.zeros(size, bool)
    mask[np.random.Generator(np.random.Philox(key=0)).permutation(size)[:count]] = True
    return mask
