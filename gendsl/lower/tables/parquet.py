"""A Parquet file in, its records as a CSV would hold them out: texts, empty where a value is null."""

from collections.abc import Callable, Iterator
from typing import Any

from gendsl.check.headers.delimited import Record
from gendsl.check.headers.paths import Refused
from gendsl.lower.errors import DataError

_BATCH = 65_536


def parquet_records(place: str, shown: str) -> Iterator[Record]:
    """The columns' names, then the rows, numbered from 1. `Refused` where a file or a column is no table's.

    Needs pyarrow: DataError without it."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            f'"{shown}" needs pyarrow to be read', "`pip install gendsl[parquet]`, or write the table as CSV"
        ) from None
    try:
        with parquet.ParquetFile(place) as file:
            schema = file.schema_arrow
            names = [str(name) for name in schema.names]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise Refused(f'"{shown}" has two columns `{twice}`', "give each a name of its own")
            writers = [_writer(arrow, field.type, field.name, shown) for field in schema]
            yield 0, names
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                columns = [list(map(write, batch.column(i).to_pylist())) for i, write in enumerate(writers)]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, list(cells)
    except (arrow.ArrowException, ValueError) as error:
        raise Refused(f'"{shown}" is no Parquet file, or is damaged: {error}', "write it again") from None


def _writer(arrow: Any, kind: Any, name: str, shown: str) -> Callable[[Any], str]:
    """How the values of a type are written."""
    types = arrow.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_boolean(kind):
        return lambda value: "" if value is None else "true" if value else "false"
    if types.is_float32(kind) or types.is_float16(kind):
        return lambda value: "" if value is None or value != value else _decimal(f"{value:.7g}")
    if types.is_floating(kind):
        return lambda value: "" if value is None or value != value else _decimal(repr(value))
    if types.is_timestamp(kind) and kind.tz is None:
        return lambda value: "" if value is None else value.replace(microsecond=0).isoformat(sep=" ")
    if types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind) or types.is_decimal(kind):
        return lambda value: "" if value is None else str(value)
    if types.is_date(kind):
        return lambda value: "" if value is None else str(value.isoformat())
    raise Refused(f'column `{name}` of "{shown}" is {kind}, which no column of a table is', "leave it out of the file")


def _decimal(text: str) -> str:
    return text if "." in text or "e" in text or "n" in text else f"{text}.0"
