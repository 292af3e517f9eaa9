"""The folder of a run on a table and rows of samples in, the samples as the table was written out."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.constraints import Constraint, kept_by_all, told_of
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
class Asked:
    """What rows are asked for: of which output, of which table, what is wanted of them, what they have to keep to."""

    output: str
    table: Table
    wanted: tuple[Wanted, ...] = ()
    constraints: tuple[Constraint, ...] = ()


def rows_asked(
    sampler: Any,
    asked: Asked,
    given: Given | None,
    n: int,
    seed: int,
    told: Callable[[str], None],
    *,
    beside: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> Iterator[dict[str, NDArray[Any]]]:
    """The first `n` samples of a seed, by output, a chunk at a time, whose rows are as they are asked for; others are
    passed over.

    `given` is the condition that the network is given for all of them, `beside` are the other fields; `told` hears how
    many were passed over.
    UserError where hardly any sample is as asked."""
    limit = max(_LEAST_TRIED, _TRIED * n)
    fields = dict(beside)
    if given is not None:
        fields[given.field] = given.vector[None]
    have = drawn = meant = 0
    for chunk in sampler.chunks(limit, seed=seed, fields=fields):
        codes = asked.table.written(asked.table.decode(chunk[asked.output]))
        fits = np.ones(len(codes), bool)
        for one in asked.wanted:
            fits &= one.met(codes)
        drawn, meant = drawn + len(codes), meant + int(fits.sum())
        fits[fits] = kept_by_all(asked.constraints, codes[fits])
        chosen = np.flatnonzero(fits)[: n - have]
        if len(chosen):
            yield {name: values[chosen] for name, values in chunk.items()}
        have += len(chosen)
        if have >= n:
            break
    wanted = " and ".join(f"`{one.text}`" for one in asked.wanted)
    if have < n:
        kept = [f"`{one.text}`" for one in asked.constraints if one.broken]
        raise UserError(
            f"{have:,} of {drawn:,} samples keep to {' and '.join([*filter(None, [wanted]), *kept])}, and {n:,} are "
            "asked for",
            f"ask for fewer with `-n {have}`" if have else "the network makes no such rows: train it longer",
        )
    if wanted:
        by = f", given `{given.wanted.text}`," if given is not None else ""
        told(f"{meant:,} of {drawn:,} samples{by} have {wanted}")
    for broken in told_of(asked.constraints, meant, "samples"):
        told(f"{broken}; others took their place")


def types_of(folder: RunFolder, field: Field) -> Mapping[str, str]:
    """The types of the columns in a Parquet file that a field was read from, by name; empty for a CSV file."""
    sources = (read_json(folder.data) or {}).get("sources") or ()
    found = next((one.get("types") for one in sources if one.get("name") == field.source), None)
    return {str(name): str(type) for name, type in found.items()} if isinstance(found, dict) else {}


def csv_of(table: Table, rows: NDArray[Any]) -> bytes:
    """Rows (n, width) as CSV in UTF-8: the table's columns but those dropped, in its order, with its separator."""
    return csv_of_cells(table, table.decode(rows))


def csv_of_cells(table: Table, codes: Codes, *, header: bool = True) -> bytes:
    """The same of codes (n, columns); the rows alone without the `header`."""
    names = [column.name for column in table.columns]
    known = (name for column in table.columns if isinstance(column.cells, Categories) for name in column.cells.names)
    # what a reader that skips spaces, or splits at returns, would not read back
    bare = all(not text.startswith(" ") and "\r" not in text for text in (*names, *known))
    stream = io.StringIO()
    csv.writer(
        stream,
        delimiter=table.separator,
        lineterminator="\n",
        quoting=csv.QUOTE_MINIMAL if bare else csv.QUOTE_ALL,
    ).writerows([*([names] if header else []), *table.texts(codes)])
    return stream.getvalue().encode()
