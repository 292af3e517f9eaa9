"""Cells that are dates and times in, seconds since 1970 out; and seconds in, cells in the format of the file out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from gendsl.check.headers.columns import MISSING, is_time, no_time
from gendsl.lower.tables.cells import Reader
from gendsl.lower.tables.encoding import Codes

_START = datetime(1970, 1, 1)
_UNITS = (("%f", 1e-6), ("%S", 1), ("%M", 60), ("%H", 3_600))


@dataclass(frozen=True)
class Times:
    """A time is kept within the file's `low` and `high`, rounded to the last unit that the `format` shows."""

    format: str
    low: float
    high: float
    missing: str

    def text(self, code: float) -> str:
        if math.isnan(code):
            return self.missing
        (value,) = self.written(np.array([code]))
        return (_START + timedelta(seconds=float(value))).strftime(self.format)

    def written(self, codes: Codes) -> Codes:
        unit = next((seconds for sign, seconds in _UNITS if sign in self.format), 86_400)
        return np.rint(np.clip(codes, self.low, self.high) / unit) * unit


def seconds_of(cell: str, format: str) -> float:
    """The seconds since 1970 of a time that is written so."""
    return (datetime.strptime(cell, format) - _START).total_seconds()


class TimeReader(Reader):
    """Reads a `datetime` column."""

    def feed(self, cells: Sequence[str], lines: Sequence[int]) -> list[float]:
        found: dict[str, float] = {}
        for cell, line in zip(cells, lines, strict=True):
            if cell not in found:
                found[cell] = self._read(cell, line)
        return [found[cell] for cell in cells]

    def _read(self, cell: str, line: int) -> float:
        if cell in MISSING:
            self.note_missing(cell, line)
            return math.nan
        format = str(self.given["format"])
        if not is_time(cell, format):
            raise no_time(self.place(line), self.name, cell, format)
        return seconds_of(cell, format)

    def done(self, codes: Codes) -> tuple[Times, Codes]:
        known = codes[~np.isnan(codes)]
        if not len(known):
            raise self.nothing()
        return Times(str(self.given["format"]), float(known.min()), float(known.max()), self.missing), codes
