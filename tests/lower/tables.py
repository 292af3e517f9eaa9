"""Tables as text in, sheets, fitted tables and the way back out, for the tests of `gendsl.lower.tables`."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gendsl.check.headers.columns import column
from gendsl.check.headers.delimited import records
from gendsl.check.headers.tables import columns_of, head_of
from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.sheet import Sheet, sheet_of
from gendsl.lower.tables.table import Table, fitted
from gendsl.plan.plan import Call

SEED = 3


def save(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Writes columns of cells as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")


def read(path: Path, *declared: Call) -> tuple[Sheet, Codes]:
    """The sheet and the codes of a file, its other columns inferred."""
    statements = columns_of(head_of(str(path), path.name, ","), declared)
    rows = records(str(path), path.name, ",")
    next(rows)
    return sheet_of(rows, statements, path.name)


def fit(path: Path, *declared: Call, training: Any = slice(None)) -> tuple[Table, Codes]:
    """The table of a file, fitted to some of its rows, and the codes of all."""
    sheet, codes = read(path, *declared)
    return fitted(sheet, codes[training], SEED), codes


def there_and_back(table: Table, codes: Codes) -> dict[str, list[str]]:
    """The cells by column that come of codes which are encoded, and decoded again."""
    uniform = np.random.default_rng(SEED).random(codes.shape)
    rows = table.encode(codes, uniform)
    assert rows.dtype == np.float32 and rows.shape == (len(codes), table.width)
    texts = table.texts(table.decode(rows))
    return {one.name: [row[place] for row in texts] for place, one in enumerate(table.columns)}


def declared(kind: str, **arguments: Any) -> Call:
    """A `column x` statement."""
    return column("x", kind, **arguments)
