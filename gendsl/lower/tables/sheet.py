"""The records of a table and the statements of its columns in, a sheet and its codes (rows, columns) out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from gendsl.check.headers.delimited import Record
from gendsl.lower.tables.categories import CategoryReader
from gendsl.lower.tables.cells import Cells, Reader
from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.numbers import NumberReader
from gendsl.lower.tables.times import TimeReader
from gendsl.plan.plan import Call

_CHUNK = 65_536  # records whose texts are held at once
_READERS: dict[str, type[Reader]] = {
    "continuous": NumberReader,
    "integer": NumberReader,
    "datetime": TimeReader,
    "categorical": CategoryReader,
    "ordinal": CategoryReader,
}


@dataclass(frozen=True)
class SheetColumn:
    """A column that is kept: its `column` statement, and how its cells are written."""

    declared: Call
    cells: Cells

    @property
    def name(self) -> str:
        """As the header line names it."""
        return str(self.declared.arguments["name"])

    @property
    def kind(self) -> str:
        """continuous, integer, datetime, categorical or ordinal."""
        return str(self.declared.arguments["kind"])


@dataclass(frozen=True)
class Sheet:
    """A table as it is read, not yet encoded: its columns in the order of the file, those that are dropped left out.

    `checked` says that all of its rows were read when the spec was checked."""

    columns: tuple[SheetColumn, ...]
    separator: str = ","
    checked: bool = False


def sheet_of(
    rows: Iterator[Record], columns: Sequence[Call], shown: str, *, separator: str = ",", unit: str = "line"
) -> tuple[Sheet, Codes]:
    """Reads all rows; `columns` are the statements of all columns, dropped ones too, in the order of the file.

    Codes are numbers themselves, seconds of times, numbers of categories from 0, NaN where missing. `Refused` names
    the place of a cell that is not what its column is.
    """
    kept = [(place, one) for place, one in enumerate(columns) if one.arguments["kind"] != "drop"]
    readers: list[Reader] = [_READERS[one.arguments["kind"]](one, shown, unit) for _, one in kept]
    chunks = []
    while some := list(islice(rows, _CHUNK)):
        lines = [line for line, _ in some]
        texts = list(zip(*(cells for _, cells in some), strict=True))
        read = [reader.feed(texts[place], lines) for reader, (place, _) in zip(readers, kept, strict=True)]
        chunks.append(np.array(read, np.float64).T)
    codes = np.concatenate(chunks) if chunks else np.zeros((0, len(kept)))
    found = []
    for number, (reader, (_, statement)) in enumerate(zip(readers, kept, strict=True)):
        cells, codes[:, number] = reader.done(codes[:, number])
        found.append(SheetColumn(statement, cells))
    return Sheet(tuple(found), separator), codes
