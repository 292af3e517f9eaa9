"""The folder of an export and the record of an output in, what reads its numbers for people out: a tokenizer, a table.

A record names a file beside the SavedModel; no other place is ever opened.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.run.folder import read_json

_MOST_BYTES = 64 * 1024**2  # of a tokenizer's or a table's file


def record_of(folder: Path, told: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """What stands under `name` in the record of an output: itself, or in the file that it names; None where there is
    nothing, or nothing that can be read."""
    value = told.get(name)
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or Path(value).name != value or value in ("", ".", ".."):
        return None
    path = folder / value
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_BYTES:
            return None
    except (OSError, ValueError):
        return None
    return read_json(path)


def reader_in(record: Mapping[str, Any] | None) -> tuple[Any, str]:
    """The tokenizer, or the reader of music, of a record; None and what is wrong where there is none."""
    if record is None:
        return None, ""
    from gendsl.lower.data.written import reader_of

    try:
        return reader_of(record), ""
    except UserError as error:  # a library is missing
        return None, f"{error.message}: {error.help}"
    except Exception as error:  # the libraries raise what they like of a record that was changed by hand
        return None, f"the tokenizer cannot be read: {str(error) or type(error).__name__}"


def table_in(record: Mapping[str, Any] | None, width: int | None) -> tuple[Any, str]:
    """The table of a record, whose rows have `width` numbers; None and what is wrong where there is none."""
    if record is None:
        return None, ""
    import numpy as np

    from gendsl.lower.tables.table import table_of

    try:
        table = table_of(record)
        if table.width != width:
            raise ValueError(f"its rows have {table.width} numbers")
        table.texts(table.decode(np.zeros((1, table.width))))  # what stands in it may be anything
    except Exception as error:
        return None, f"the table cannot be read: {str(error) or type(error).__name__}"
    return table, ""
