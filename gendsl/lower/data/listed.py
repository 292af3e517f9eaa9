"""A CSV list of examples in, which of a source's it names out, and a warning where it names others."""

import csv
import os
from collections.abc import Sequence

import numpy as np

from gendsl.check.headers.paths import regular
from gendsl.lower.data.loaded import place_of
from gendsl.lower.errors import DataError

_COLUMNS = ("example", "file")
_MOST_SHOWN = 5


def listed_in(
    path: str, folder: str, names: Sequence[str], *, before: Sequence[str] = (), source: str = ""
) -> tuple[np.ndarray, str]:
    """Whether each of `names` stands in the list at `path`, relative to the spec's folder, and a warning or "".

    Names stand in a column `example` or `file`, or in the first one of a list without a header; in a list with a column
    `source`, as the run's dropped.csv has, only the rows of this source count. `before` are names that are left out
    already. Raises DataError where the list cannot be read, or names nothing that is there.
    """
    wanted = names_in(path, folder, source)
    out = np.array([name in wanted for name in names], bool)
    unknown = sorted(wanted.difference(names, before))
    if not unknown:
        return out, ""
    shown = ", ".join(f'"{name}"' for name in unknown[:_MOST_SHOWN]) + (", …" if len(unknown) > _MOST_SHOWN else "")
    if len(unknown) == len(wanted):
        known = f'"{names[0]}"' if names else "files as the source finds them"
        raise DataError(
            f'"{path}" lists nothing that is in the data: {shown}', f"name the examples as they are here, like {known}"
        )
    return out, f'"{path}" lists {len(unknown):,} of {len(wanted):,} names that are not in the data: {shown}'


def names_in(path: str, folder: str, source: str | None = None) -> set[str]:
    """The names in a list: see `listed_in`. Without a source, those of all."""
    place = place_of(folder, path)
    if not os.path.isfile(place):
        raise DataError(f'there is no file "{path}" (looked for {place})', "write the files' names into it, one a line")
    try:
        with open(place, opener=regular, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except UnicodeDecodeError as error:
        raise DataError(f'"{path}" is not UTF-8 text: {error.reason}', "save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f'"{path}" is no CSV list: {error}', "write the files' names into it, one a line") from error
    except OSError as error:
        raise DataError(f'"{path}" cannot be read: {error.strerror}', "make it readable") from error
    head = [cell.strip() for cell in rows[0]] if rows else []
    column = next((head.index(name) for name in _COLUMNS if name in head), None)
    origin = head.index("source") if column is not None and "source" in head else None
    found = set()
    for row in rows if column is None else rows[1:]:
        name = row[column or 0].strip() if len(row) > (column or 0) else ""
        if name and (origin is None or source is None or len(row) <= origin or row[origin] in ("", source)):
            found.add(name.removeprefix("./"))
    return found
