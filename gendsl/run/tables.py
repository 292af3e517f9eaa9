"""The folder of a run on a table and rows of samples in, the samples as the table was written out."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.table import Table, table_of
from gendsl.plan.plan import Field
from gendsl.run.folder import RunFolder, read_json
from gendsl.run.where import Given, Wanted

_LEAST_TRIED, _TRIED = 20_000, 200  # samples that are drawn to find rows with `--where`: in all, and for each


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


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that were drawn: what a sampler gave by output, and how many it was asked for until these were found."""

    outputs: dict[str, NDArray[Any]]
    drawn: int


def rows_where(
    sampler: Any, output: str, table: Table, wanted: Sequence[Wanted], given: Given | None, n: int, seed: int
) -> Rows:
    """The first `n` samples of a seed whose row meets what is wanted; those that do not are passed over.

    `given` is the condition that the network is given for all of them. UserError where hardly any sample meets it."""
    limit = max(_LEAST_TRIED, _TRIED * n)
    fields = {} if given is None else {given.field: np.broadcast_to(given.vector, (limit, len(given.vector)))}
    found: dict[str, list[NDArray[Any]]] = {}
    have = drawn = 0
    for chunk in sampler.chunks(limit, seed=seed, fields=fields):
        codes = table.written(table.decode(chunk[output]))
        fits = np.flatnonzero(np.logical_and.reduce([one.met(codes) for one in wanted], axis=0))[: n - have]
        for name, values in chunk.items():
            found.setdefault(name, []).append(values[fits])
        have += len(fits)
        drawn += len(codes) if have < n else int(fits[-1]) + 1
        if have >= n:
            return Rows({name: np.concatenate(values) for name, values in found.items()}, drawn)
    told = " and ".join(f"`{one.text}`" for one in wanted)
    raise UserError(
        f"{have:,} of {limit:,} samples have {told}, and {n:,} are asked for",
        f"ask for fewer with `-n {have}`" if have else "the network makes no such rows: train it longer",
    )


def types_of(folder: RunFolder, field: Field) -> Mapping[str, str]:
    """The types of the columns in a Parquet file that a field was read from, by name; empty for a CSV file."""
    sources = (read_json(folder.data) or {}).get("sources") or ()
    found = next((one.get("types") for one in sources if one.get("name") == field.source), None)
    return {str(name): str(type) for name, type in found.items()} if isinstance(found, dict) else {}


def csv_of(table: Table, rows: NDArray[Any]) -> bytes:
    """Rows (n, width) as CSV in UTF-8: the table's columns but those dropped, in its order, with its separator."""
    return csv_of_cells(table, table.decode(rows))


def csv_of_cells(table: Table, codes: Codes) -> bytes:
    """The same of codes (n, columns)."""
    texts = [[column.name for column in table.columns], *table.texts(codes)]
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
