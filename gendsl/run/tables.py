"""The folder of a run on a table and rows of samples in, the samples as the table was written out."""

import csv
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.lower.tables.table import Table, table_of
from gendsl.plan.plan import Field
from gendsl.run.folder import RunFolder, read_json


def table_of_field(folder: RunFolder, field: Field) -> Table | None:
    """The table that a run's field has its rows from; None where its source is no table. Raises UserError."""
    sources = (read_json(folder.data) or {}).get("sources")
    try:
        record = next((one.get("table") for one in sources or () if one.get("name") == field.source), None)
        table = None if record is None else table_of(record)
        if table is not None:
            if field.shape != (table.width,):
                raise ValueError(f"its rows have {table.width} numbers, `{field.name}` has others")
            table.texts(table.decode(np.zeros((1, table.width))))  # what stands in it may be anything
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise UserError(
            f"the table in {folder.shown}/data.json cannot be read: {error}",
            "it was written by another version of gendsl, or changed by hand; train the spec again",
        ) from None
    return table


def csv_of(table: Table, rows: NDArray[Any]) -> bytes:
    """Rows (n, width) as CSV in UTF-8: the table's columns but those dropped, in its order, with its separator."""
    texts = [[column.name for column in table.columns], *table.texts(table.decode(rows))]
    # what a reader that skips spaces, or splits at returns, would not read back
    bare = all(not text.startswith(" ") and "\r" not in text for row in texts for text in row)
    stream = io.StringIO()
    csv.writer(
        stream,
        delimiter=table.separator,
        lineterminator="\n",
        quoting=csv.QUOTE_MINIMAL if bare else csv.QUOTE_ALL,
    ).writerows(texts)
    return stream.getvalue().encode()
