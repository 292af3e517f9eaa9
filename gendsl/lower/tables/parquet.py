"""A Parquet file in, its records as a CSV would hold them out: texts, empty where a value is null. And back."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from gendsl.check.headers.delimited import Record
from gendsl.check.headers.paths import Refused
from gendsl.lower.errors import DataError, UserError
from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.numbers import Numbers
from gendsl.lower.tables.table import Column, Table
from gendsl.lower.tables.times import Times

_DICTIONARY = re.compile(r"dictionary<values=(\w+),")
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


def types_in(place: str) -> dict[str, str]:
    """The types of a file's columns by name, as arrow writes them."""
    from pyarrow import parquet

    return {field.name: str(field.type) for field in parquet.read_schema(place)}


class ParquetRows:
    """Cells (n, columns), as they come, as a Parquet file whose bytes are handed to `sink`.

    Its columns have the `types` that their file had, by name; where it had none, whole numbers are int64, others
    float64, times dates or timestamps, categories dictionaries of strings. `metadata` is told beside its schema. Needs
    pyarrow: UserError without it."""

    def __init__(
        self,
        table: Table,
        types: Mapping[str, str],
        sink: Callable[[bytes], None],
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        try:
            import pyarrow as arrow
            from pyarrow import parquet
        except ImportError:
            raise UserError("a Parquet file needs pyarrow", "`pip install gendsl[parquet]`, or write CSV") from None
        self._arrow, self._parquet, self._table, self._types = arrow, parquet, table, types
        self._sink = _Sink(sink)
        self._metadata = dict(metadata or {})
        self._writer: Any = None
        self._waiting: list[Codes] = []

    def add(self, codes: Codes) -> None:
        """Takes further cells; they are written by groups of many rows."""
        self._waiting.append(codes)
        if sum(map(len, self._waiting)) >= _BATCH:
            self._group()

    def end(self) -> None:
        """Writes what waits, and the file's end."""
        if self._waiting or self._writer is None:
            self._group()
        self._writer.close()

    def _group(self) -> None:
        codes = np.concatenate(self._waiting or [np.zeros((0, len(self._table.columns)))])
        self._waiting = []
        found = {}
        texts = list(zip(*self._table.texts(codes), strict=True)) or [()] * len(self._table.columns)
        for place, column in enumerate(self._table.columns):
            missing = np.isnan(codes[:, place])
            values = [None if gone else text for gone, text in zip(missing, texts[place], strict=True)]
            found[column.name] = _typed(self._arrow, column, values, self._types.get(column.name, ""))
        group = self._arrow.table(found).replace_schema_metadata(self._metadata or None)
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._sink, group.schema)
        self._writer.write_table(group)


class _Sink(io.RawIOBase):
    """A file that hands on what is written into it."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self._sink, self._at = sink, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, some: Any) -> int:
        content = bytes(some)
        self._sink(content)
        self._at += len(content)
        return len(content)


def _typed(arrow: Any, column: Column, values: list[str | None], type: str) -> Any:
    """The texts of a column as values of a type, or of what fits its kind."""
    cells = column.cells
    if isinstance(cells, Categories):
        dictionary = _DICTIONARY.match(type)
        inner = arrow.type_for_alias(dictionary.group(1)) if dictionary else _alias(arrow, type) or arrow.string()
        plain = arrow.array(values, arrow.string()).cast(inner)
        return plain.dictionary_encode() if dictionary or not type else plain
    if isinstance(cells, Times):
        times = [None if text is None else datetime.strptime(text, cells.format) for text in values]
        fallback = arrow.timestamp("us") if "%H" in cells.format else arrow.date32()
        return arrow.array(times, arrow.timestamp("us")).cast(_alias(arrow, type) or fallback, safe=False)
    whole = isinstance(cells, Numbers) and cells.whole
    numbers = [None if text is None else float(text) for text in values]
    plain = arrow.array(numbers, arrow.float64())
    return plain.cast(_alias(arrow, type) or (arrow.int64() if whole else arrow.float64()), safe=False)


def _alias(arrow: Any, type: str) -> Any:
    """The type that arrow writes so; None for one that has parameters of its own, such as a decimal."""
    try:
        return arrow.type_for_alias(type)
    except ValueError:
        return None


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
