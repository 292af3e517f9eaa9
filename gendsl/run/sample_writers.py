"""Samples of a family, a chunk after the other, in; the files that a person of that field expects out.

Each writer takes values (n, …) by `add`, as often as there are some, and ends by `end`; what it keeps is bounded.
"""

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.inputs import output_field
from gendsl.export.marks import texts
from gendsl.lower.errors import UserError
from gendsl.lower.tables.parquet import ParquetRows
from gendsl.plan.plan import Field, Plan
from gendsl.run.pictures import grid, pixels_of, png, range_of, scatter
from gendsl.run.sample_files import SampleFiles, numbered
from gendsl.run.tables import csv_of_cells, table_of_field, types_of
from gendsl.run.tokens import TokenFiles, reader_of_field

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt

_MOST_IN_GRID = 400
_MOST_PIXELS = 32 * 2**20  # numbers that a grid is made of
_MOST_IN_SCATTER = 65_536

FORMATS: Mapping[str, tuple[str, ...]] = {
    "image": ("png", "npy"),
    "text": ("txt", "jsonl"),
    "music": ("midi", "wav"),
    "sound": ("wav", "npy"),
    "table": ("csv", "parquet"),
    "points": ("csv", "npy"),
    "array": ("npy",),
}  # of each family, what its samples may be written as, the usual first


class Writer(Protocol):
    """What writes the samples of an output."""

    def add(self, values: NDArray[Any]) -> None:
        """Writes further samples (n, …)."""

    def end(self) -> None:
        """Writes what is of all of them."""


class Sheet:
    """The first pictures of those that are drawn, for a grid. With `columns` rows mean something: `begin_row` begins
    each, and there are at most so many."""

    def __init__(self, columns: int | None = None, rows: int = 0) -> None:
        self.columns, self._rows = columns, rows
        self._kept: list[NDArray[np.uint8]] = []
        self._wanted = 0 if columns else _MOST_IN_GRID
        self._room = _MOST_PIXELS

    def begin_row(self, *, whole: bool = False) -> None:
        """What is taken from now on stands in a new row; with `whole` in all rows, one after the other."""
        columns, rows = self.columns or 1, self._rows if whole else min(self._rows, 1)
        self._wanted = columns * rows
        self._rows -= rows

    def take(self, pixels: NDArray[np.uint8]) -> None:
        """Keeps of pictures (n, height, width, channels) what there is room for."""
        kept = pixels[: self._wanted]
        if not len(kept) or (self._kept and self._room < kept.size):
            self._wanted = 0
            return
        self._room -= kept.size
        self._wanted -= len(kept)
        self._kept.append(kept)

    def picture(self) -> bytes | None:
        """The PNG of the grid; None where nothing was taken."""
        return png(grid(np.concatenate(self._kept), columns=self.columns)) if self._kept else None


def family_of(run: "Rebuilt", name: str, values: NDArray[Any]) -> str:
    """What the samples (n, …) of an output are, of `FORMATS`."""
    field = output_field(run.plan, name, values.shape[1:])
    if field is not None and field.kind == "row" and table_of_field(run.folder, field) is not None:
        return "table"
    if field is not None and field.kind == "text":
        return "music" if _source(run.plan, field).word == "midi" else "text"
    if values.ndim == 4 and values.shape[-1] in (1, 3, 4):
        return "image"
    if values.ndim == 2 and field is not None and field.kind == "row" and _source(run.plan, field).word == "audio":
        return "sound"
    return "points" if values.ndim == 2 else "array"


def format_of(family: str, asked: str | None, experiment: str) -> str:
    """The format of samples of a family. Raises UserError where they cannot be written as what is asked for."""
    usual = FORMATS[family]
    if asked is None or asked in usual:
        return asked or usual[0]
    plural = {"table": "rows of a table"}.get(family) or (
        family if family in ("music", "points", "text") else f"{family}s"
    )
    raise UserError(
        f"samples of `{experiment}` are {plural}: they cannot be written as {asked}",
        f"leave --format out, or give it {' or '.join(usual)}",
    )


def writer_of(
    run: "Rebuilt",
    name: str,
    values: NDArray[Any],
    files: SampleFiles,
    place: str,
    count: int,
    format: str | None,
    sheet: Sheet | None = None,
) -> Writer:
    """What writes `count` samples of an output that look like `values` into `place`, "" or a folder ending in `/`.

    A `sheet` takes pictures for a grid that others write. Raises UserError for a format that they cannot have."""
    family = family_of(run, name, values)
    format = format_of(family, format, run.plan.experiment)
    field = output_field(run.plan, name, values.shape[1:])
    if family == "image":
        return Pictures(files, place, count, range_of(field), format, sheet)
    if family in ("text", "music"):
        assert field is not None
        return TokenFiles(files, place, count, reader_of_field(run.folder, field), format)
    if family == "table":
        assert field is not None
        table = table_of_field(run.folder, field)
        assert table is not None
        if format == "parquet":
            types = types_of(run.folder, field)
            mark = {} if files.origin is None else texts(files.origin)
            return Rows(
                ParquetRows(table, types, lambda some: files.append(f"{place}samples.parquet", some), mark), table
            )
        return CsvRows(files, f"{place}samples.csv", table)
    if family == "sound" and format == "wav":
        assert field is not None
        return Sounds(files, place, count, int(_source(run.plan, field).arguments["rate"]))
    if format == "csv":
        return Points(files, place)
    return Arrays(files, f"{place}samples.npy", count)


def _source(plan: Plan, field: Field) -> Any:
    return next(source.call for source in plan.data.sources if source.name == field.source)


class Pictures:
    """Each picture a PNG, and a grid of the first; or all in one array of bytes (count, height, width, channels)."""

    def __init__(
        self,
        files: SampleFiles,
        place: str,
        count: int,
        value_range: tuple[float, float],
        format: str,
        sheet: Sheet | None,
    ) -> None:
        self._files, self._place, self._count, self._range = files, place, count, value_range
        self._all = Arrays(files, f"{place}samples.npy", count) if format == "npy" else None
        self._sheet, self._own = sheet or Sheet(), sheet is None
        self._number = 0

    def add(self, values: NDArray[Any]) -> None:
        pixels = pixels_of(values, self._range)
        self._sheet.take(pixels)
        if self._all is not None:
            self._all.add(pixels)
            return
        for image in pixels:
            self._files.write(self._place + numbered(self._number, self._count, "png"), png(image))
            self._number += 1

    def end(self) -> None:
        picture = self._sheet.picture() if self._own else None
        if picture is not None:
            self._files.write(f"{self._place}grid.png", picture)


class Arrays:
    """All samples in one NumPy file, (count, …), row by row as they come."""

    def __init__(self, files: SampleFiles, name: str, count: int) -> None:
        self._files, self._name, self._count = files, name, count
        self._begun = False

    def add(self, values: NDArray[Any]) -> None:
        if not self._begun:
            head = io.BytesIO()
            shape = (self._count, *values.shape[1:])
            described = {"descr": np.lib.format.dtype_to_descr(values.dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(head, described)
            self._files.append(self._name, head.getvalue())
            self._begun = True
        self._files.append(self._name, np.ascontiguousarray(values).tobytes())

    def end(self) -> None:
        pass


class Points:
    """Points as CSV, nine digits of each number, which give a float32 back exactly; and a picture of those of a
    plane."""

    def __init__(self, files: SampleFiles, place: str) -> None:
        self._files, self._place = files, place
        self._kept: list[NDArray[Any]] = []
        self._count = 0

    def add(self, values: NDArray[Any]) -> None:
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        width = values.shape[1]
        if not self._count:
            writer.writerow(["x", "y"] if width == 2 else [f"x{number}" for number in range(width)])
        writer.writerows([[format(float(value), ".9g") for value in row] for row in values])
        self._files.append(f"{self._place}points.csv", stream.getvalue().encode())
        if width == 2 and self._count < _MOST_IN_SCATTER:
            self._kept.append(values)
        self._count += len(values)

    def end(self) -> None:
        if self._kept:
            points = np.concatenate(self._kept)[:_MOST_IN_SCATTER]
            self._files.write(f"{self._place}grid.png", png(scatter(points)))


class Sounds:
    """Each sound a WAV file, mono in 16 bits, of values in -1..1; and a picture of the first waves."""

    def __init__(self, files: SampleFiles, place: str, count: int, rate: int) -> None:
        self._files, self._place, self._count, self._rate = files, place, count, rate
        self._number = 0

    def add(self, values: NDArray[Any]) -> None:
        from gendsl.run.tones import wav

        for samples in np.clip(np.nan_to_num(np.asarray(values, np.float64)), -1, 1):
            self._files.write(self._place + numbered(self._number, self._count, "wav"), wav(samples, self._rate))
            self._number += 1

    def end(self) -> None:
        pass


class CsvRows:
    """Rows of a table as the table itself is written."""

    def __init__(self, files: SampleFiles, name: str, table: Any) -> None:
        self._files, self._name, self._table = files, name, table
        self._begun = False

    def add(self, values: NDArray[Any]) -> None:
        text = csv_of_cells(self._table, self._table.decode(values), header=not self._begun)
        self._files.append(self._name, text)
        self._begun = True

    def end(self) -> None:
        pass


class Rows:
    """Rows of a table as a Parquet file."""

    def __init__(self, rows: ParquetRows, table: Any) -> None:
        self._rows, self._table = rows, table

    def add(self, values: NDArray[Any]) -> None:
        self._rows.add(self._table.decode(values))

    def end(self) -> None:
        self._rows.end()
