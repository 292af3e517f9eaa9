"""Sources that are tables (CSV, Parquet) in, their rows out: codes as they are read, and encoded by what is trained."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gendsl.check.headers.delimited import Record, records
from gendsl.check.headers.paths import Refused, regular
from gendsl.check.headers.tables import Head, checked_head, columns_of, head_of
from gendsl.lower.data.draws import DATA_SEED, stream_key
from gendsl.lower.data.loaded import Loaded, place_of
from gendsl.lower.errors import DataError
from gendsl.lower.tables.constraints import constraints_of, kept_by_all, told_of
from gendsl.lower.tables.parquet import parquet_records, types_in
from gendsl.lower.tables.sheet import sheet_of
from gendsl.lower.tables.table import Table, fitted
from gendsl.plan.columns import name_text
from gendsl.plan.machine import memory
from gendsl.plan.plan import Call

TABLES = ("csv", "parquet")
_HEAD_ROWS = 20_000  # of a Parquet file, which say what its columns are


def table(call: Call, folder: str) -> Loaded:
    """A table's codes (n, columns) float64 as its `row`, and its sheet. DataError names file and line."""
    path = str(call.arguments["file"])
    place = place_of(folder, path)
    if not os.path.isfile(place):
        raise DataError(f'there is no file "{path}" (looked for {place})', "put the table there, beside the spec")
    _check_memory(os.path.getsize(place), f'"{path}" has')  # a number takes about as much as its digits
    try:
        return _csv(call, place, path) if call.word == "csv" else _parquet(call, place, path)
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None
    except OSError as error:
        raise DataError(f'"{path}" cannot be read: {error.strerror or error}', "make it readable") from None


def encoded(loaded: Loaded, training: np.ndarray, constraints: Sequence[Call] = ()) -> tuple[Loaded, Table | None]:
    """A source with its codes as rows (n, width) float32, and the table that made them; any other source as it is.

    The encodings are fitted to the rows at the indexes `training`; the mode of each cell is drawn by its row. Rows that
    break `constraints` are warned of."""
    if loaded.sheet is None:
        return loaded, None
    codes = loaded.columns["row"]
    made = fitted(loaded.sheet, codes[training], stream_key(DATA_SEED, "modes"))
    _check_memory(4 * len(codes) * made.width, f"{len(codes):,} rows of {made.width:,} numbers take")
    uniform = np.random.Generator(np.random.Philox(key=stream_key(DATA_SEED, "modes"))).random(codes.shape)
    held = constraints_of(constraints, made)
    kept_by_all(held, codes)
    told = [f"{one}: samples that do are passed over" for one in told_of(held, len(codes), "rows of the file")]
    if not loaded.sheet.checked:
        told += [_constant(one.name) for one, cells in zip(made.columns, codes.T, strict=True) if _is_constant(cells)]
    columns = {**loaded.columns, "row": made.encode(codes, uniform)}
    return replace(loaded, columns=columns, warnings=(*loaded.warnings, *told)), made


def _is_constant(cells: np.ndarray) -> bool:
    """Whether all cells are the same, missing ones being one of a kind, of several."""
    missing = np.isnan(cells)
    return len(cells) > 1 and bool(missing.all() or (not missing.any() and (cells == cells[0]).all()))


def _constant(name: str) -> str:
    return f"column `{name}` is the same in all rows, and teaches nothing: `column {name_text(name)}, drop`"


def _check_memory(needed: int, what: str) -> None:
    there = memory()
    if there is not None and needed > there // 2:
        raise DataError(
            f"{what} {needed / 2**30:.1f} GiB; this machine has {there / 2**30:.1f} of memory",
            "`drop` columns of many categories, or write fewer rows into the file",
        )


def _csv(call: Call, place: str, path: str) -> Loaded:
    separator = str(call.arguments["separator"])
    head = head_of(place, path, separator)
    rows = records(place, path, separator)
    next(rows)
    loaded = _read(rows, columns_of(head, call.statements), place, path, separator=separator)
    assert loaded.sheet is not None
    return replace(loaded, sheet=replace(loaded.sheet, checked=head.whole))


def _parquet(call: Call, place: str, path: str) -> Loaded:
    def start() -> Iterator[Record]:
        return parquet_records(place, path)

    columns = columns_of(_parquet_head(start, path), call.statements)
    _check_order(call.statements, columns, path)
    rows = start()
    next(rows)
    loaded = _read(rows, columns, place, path, unit="row")
    return replace(loaded, details={**loaded.details, "types": types_in(place)})


def _check_order(declared: Sequence[Call], columns: Sequence[Call], path: str) -> None:
    """Refused where the plan, which was made without the file, has the columns in another order than the file."""
    said = [str(one.arguments["name"]) for one in declared]
    there = [name for one in columns if (name := str(one.arguments["name"])) in said]
    if said != there:
        listed = ", ".join(f"`{name}`" for name in there)
        raise Refused(
            f'the columns of "{path}" stand there in another order', f"declare them as the file has them: {listed}"
        )


def _parquet_head(start: Callable[[], Iterator[Record]], path: str) -> Head:
    found = start()
    names = tuple(next(found)[1])
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, cells in found:
        if len(rows) == _HEAD_ROWS:
            return checked_head(Head(names, rows, lines, False, path, "row"))
        rows.append(cells)
        lines.append(line)
    return checked_head(Head(names, rows, lines, True, path, "row"))


def _read(rows: Iterator[Record], columns: tuple[Call, ...], place: str, path: str, **how: Any) -> Loaded:
    sheet, codes = sheet_of(rows, columns, path, **how)
    return Loaded({"row": codes}, _digest(place), sheet=sheet)


def _digest(place: str) -> str:
    import hashlib

    with open(place, "rb", opener=regular) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
