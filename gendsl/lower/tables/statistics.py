"""The columns of a table and their codes in, what is in each as plain data out: for reports and manifests."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.sheet import SheetColumn
from gendsl.lower.tables.table import Column
from gendsl.lower.tables.times import Times

MOST_SHOWN = 20  # categories, the most frequent first


def statistics_of(columns: Sequence[Column | SheetColumn], codes: Codes) -> list[dict[str, Any]]:
    """For each column of codes (n, columns): `name`, `kind`, how many cells are `missing` and how many are `different`.

    Of numbers the `mean` and the `std`; of these and times the `least`, the `quartiles` (three) and the `most`, as
    cells; of categories the `counts` by name, the 20 most frequent first.
    """
    return [_statistics(column, codes[:, place]) for place, column in enumerate(columns)]


def _statistics(column: Column | SheetColumn, codes: Codes) -> dict[str, Any]:
    known = codes[~np.isnan(codes)]
    values, counts = np.unique(known, return_counts=True)
    found: dict[str, Any] = {
        "name": column.name,
        "kind": column.kind,
        "missing": len(codes) - len(known),
        "different": len({column.cells.text(float(value)) for value in values}),
    }
    if isinstance(column.cells, Categories):
        order = np.argsort(-counts, kind="stable")[:MOST_SHOWN]
        found["counts"] = {column.cells.text(float(values[place])): int(counts[place]) for place in order}
        return found
    if not len(known):
        return found
    if not isinstance(column.cells, Times):
        found |= {"mean": float(known.mean()), "std": float(known.std())}
    least, *quartiles, most = np.quantile(known, [0, 0.25, 0.5, 0.75, 1], method="inverted_cdf")
    return found | {
        "least": column.cells.text(float(least)),
        "quartiles": [column.cells.text(float(value)) for value in quartiles],
        "most": column.cells.text(float(most)),
    }
