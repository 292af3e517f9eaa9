"""Cells that are categories in, their numbers from 0 out; and numbers in, the categories' names out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gendsl.check.headers.columns import is_number, names_of, no_category, no_order, too_many
from gendsl.lower.tables.cells import Reader
from gendsl.lower.tables.encoding import Codes


@dataclass(frozen=True)
class Categories:
    """The names (as the file has them), in the order of their numbers: as declared; else as they come in the file;
    else, of an ordinal column, as numbers grow."""

    names: tuple[str, ...]

    def text(self, code: float) -> str:
        return "" if math.isnan(code) else self.names[int(code)]

    def written(self, codes: Codes) -> Codes:
        return codes


class CategoryReader(Reader):
    """Reads a `categorical` or `ordinal` column."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        declared = self.given["categories"]
        self._closed = isinstance(declared, tuple)
        self._most = declared if isinstance(declared, int) else None
        self._numbers: dict[str, float] = {}
        for name in names_of(declared) if isinstance(declared, tuple) else ():
            self._numbers[name] = float(len(self._numbers))

    def feed(self, cells: Sequence[str], lines: Sequence[int]) -> list[float]:
        numbers, out = self._numbers, []
        for cell, line in zip(cells, lines, strict=True):
            if not cell:
                self.note_missing(cell, line)
                out.append(math.nan)
                continue
            if cell not in numbers:
                if self._closed:
                    raise no_category(self.place(line), self.name, cell)
                if self.given["kind"] == "ordinal" and not is_number(cell):
                    raise no_order(self.place(line), self.name, cell)
                numbers[cell] = float(len(numbers))
            out.append(numbers[cell])
        return out

    def done(self, codes: Codes) -> tuple[Categories, Codes]:
        names = tuple(self._numbers)
        if not names:
            raise self.nothing()
        if self._most is not None and len(names) > self._most:
            raise too_many(self.name, len(names), self._most)
        if self.given["kind"] == "ordinal" and not self._closed:
            order = np.argsort([float(name) for name in names], kind="stable")
            place = np.empty(len(names))
            place[order] = np.arange(len(names))
            here = ~np.isnan(codes)
            codes[here] = place[codes[here].astype(np.int64)]
            names = tuple(names[number] for number in order)
        return Categories(names), codes
