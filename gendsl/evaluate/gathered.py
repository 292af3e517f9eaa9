"""Samples in, chunk by chunk, what scores need of them out: features, their moments, and some of the samples."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.extractor import Extractor
from gendsl.evaluate.gaussian import Gaussian, Moments
from gendsl.evaluate.real import most_rows
from gendsl.evaluate.values import taken, unfinite
from gendsl.plan.plan import Field

_MOST_BYTES = 1 << 29  # of samples that are kept
_AT_ONCE = 256


@dataclass(slots=True)
class Extracted:
    """The features of samples: their moments, the rows and the probabilities, as far as they are asked for."""

    extractor: Extractor
    moments: Moments | None
    keeps_rows: bool
    keeps_chances: bool
    most: int
    _rows: list[NDArray[np.float32]] = field(default_factory=list)
    _chances: list[NDArray[np.float32]] = field(default_factory=list)
    _kept: int = 0

    def add(self, values: NDArray[Any]) -> None:
        """Takes samples in."""
        rows, chances = self.extractor.features(values)
        if self.moments is not None:
            self.moments.add(rows)
        if self.keeps_rows and self._kept < self.most:
            self._rows.append(rows[: self.most - self._kept])
            self._kept += len(self._rows[-1])
        if self.keeps_chances and chances is not None:
            self._chances.append(chances)

    @property
    def rows(self) -> NDArray[np.float32]:
        """The features (n, width), as many as are kept."""
        if len(self._rows) > 1:
            self._rows = [np.concatenate(self._rows)]
        return self._rows[0]

    @property
    def chances(self) -> NDArray[np.float32]:
        """The probabilities (n, classes)."""
        return np.concatenate(self._chances)

    @property
    def gaussian(self) -> Gaussian:
        """The mean and covariance of all."""
        assert self.moments is not None
        return self.moments.gaussian()


@dataclass(slots=True)
class Gathered:
    """One output's samples: how many there are, `kept` the first `most` of them, and what was extracted of all."""

    of: Field
    count: int
    most: int
    extracted: dict[str, Extracted]  # by the extractor's key
    broken: int = 0  # samples that hold no finite numbers
    alike: bool = True  # whether all are one and the same
    _first: NDArray[Any] | None = None
    _kept: list[NDArray[Any]] = field(default_factory=list)
    _pending: list[NDArray[Any]] = field(default_factory=list)
    _bytes: int = 0
    _held: int = 0

    def add(self, values: NDArray[Any]) -> None:
        """Takes samples (n, …) in."""
        self.broken += unfinite(values)
        form = taken(values, self.of)
        self._first = form[:1] if self._first is None else self._first
        self.alike = self.alike and bool((form == self._first).all())
        if self._held < self.most and self._bytes < _MOST_BYTES:
            self._kept.append(form[: self.most - self._held].copy())
            self._held += len(self._kept[-1])
            self._bytes += self._kept[-1].nbytes
        self._pending.append(form)
        if sum(map(len, self._pending)) >= _AT_ONCE:
            self.close()

    def close(self) -> None:
        """Extracts what is left."""
        if self._pending:
            block = np.concatenate(self._pending)
            self._pending = []
            for one in self.extracted.values():
                one.add(block)

    @property
    def kept(self) -> NDArray[Any]:
        """Samples as `values.taken` gives them: `most`, but at most 512 MB."""
        if len(self._kept) > 1:
            self._kept = [np.concatenate(self._kept)]
        return self._kept[0]


def extracted(extractor: Extractor, wanted: Sequence[str], *, intervals: bool, count: int) -> Extracted:
    """A place for what scores of some words need of an extractor's features."""
    few = count <= extractor.width
    rows = bool({"kid", "precision_recall", "density_coverage", "memorized"} & set(wanted)) or (
        "fid" in wanted and (intervals or few)
    )
    return Extracted(
        extractor,
        Moments(extractor.width) if "fid" in wanted else None,
        rows,
        bool({"inception_score", "gan_test", "class_balance"} & set(wanted)),
        most_rows(extractor.width),
    )
