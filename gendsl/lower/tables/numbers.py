"""Cells that are numbers in, the numbers out; and numbers in, cells written as those of the file out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gendsl.check.headers.columns import MISSING, is_number, is_whole, no_number
from gendsl.lower.tables.cells import Reader
from gendsl.lower.tables.encoding import Codes


@dataclass(frozen=True)
class Numbers:
    """A number is kept within the file's `low` and `high`, and written with `least` to `most` decimals, zeros beyond
    `least` left out; to `digits` significant ones where the file has exponents; `whole` ones are rounded."""

    low: float
    high: float
    least: int
    most: int
    digits: int
    whole: bool
    missing: str

    def text(self, code: float) -> str:
        if math.isnan(code):
            return self.missing
        value = min(max(code, self.low), self.high)
        if self.digits:
            return f"{value:.{self.digits}g}"
        text = f"{round(value) if self.whole else value:.{self.most}f}"
        if float(text) == 0:
            text = text.removeprefix("-")
        before, _, after = text.partition(".")
        after = after.rstrip("0").ljust(self.least, "0")
        return f"{before}.{after}" if after else before

    def written(self, codes: Codes) -> Codes:
        values = np.clip(codes, self.low, self.high)
        if self.digits:
            unique, places = np.unique(values, return_inverse=True)
            return np.array([float(f"{value:.{self.digits}g}") for value in unique])[places]
        return np.round(values, 0 if self.whole else self.most)


class NumberReader(Reader):
    """Reads a column of `continuous` or `integer` numbers."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._least, self._most, self._digits, self._exponents = 400, 0, 0, False

    def feed(self, cells: Sequence[str], lines: Sequence[int]) -> list[float]:
        found: dict[str, float] = {}
        for cell, line in zip(cells, lines, strict=True):
            if cell not in found:
                found[cell] = self._read(cell.rstrip(" "), line)
        return [found[cell] for cell in cells]

    def _read(self, cell: str, line: int) -> float:
        if cell in MISSING:
            self.note_missing(cell, line)
            return math.nan
        kind = str(self.given["kind"])
        if not (is_whole if kind == "integer" else is_number)(cell):
            raise no_number(self.place(line), self.name, cell, kind)
        mantissa, exponent, _ = cell.lower().partition("e")
        before, _, after = mantissa.partition(".")
        self._exponents = self._exponents or bool(exponent)
        self._digits = max(self._digits, len((before + after).lstrip("+-0")))
        self._least, self._most = min(self._least, len(after)), max(self._most, len(after))
        return float(cell)

    def done(self, codes: Codes) -> tuple[Numbers, Codes]:
        known = codes[~np.isnan(codes)]
        if not len(known):
            raise self.nothing()
        return (
            Numbers(
                low=float(known.min()),
                high=float(known.max()),
                least=self._least,
                most=self._most,
                digits=min(17, max(1, self._digits)) if self._exponents else 0,
                whole=self.given["kind"] == "integer",
                missing=self.missing,
            ),
            codes,
        )
