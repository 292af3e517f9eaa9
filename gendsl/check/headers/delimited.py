"""A text file of cells and separators in, its records with the lines they begin on out; what is broken is `Refused`."""

import csv
from collections.abc import Iterator
from typing import IO

from gendsl.check.headers.paths import Refused, regular

LONGEST = 1 << 20  # characters of a cell, and bytes of a line
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "gzip", b"PK\x03\x04": "a zip file"}
_SEPARATORS = (";", "\t", "|", ",")

Record = tuple[int, list[str]]


def records(place: str, shown: str, separator: str, *, limit: int | None = None) -> Iterator[Record]:
    """The records of a file, each with the number of its first line from 1: the header line first, then the rows.

    All have as many cells as the header line; lines that hold nothing are passed over, spaces after a separator too,
    quoted cells may hold separators and newlines. `limit` reads about so many bytes and leaves out a record cut there.
    `Refused` names the file as `shown`, with the line.
    """
    _check_separator(separator)
    lines = _Lines(place, shown, limit)
    csv.field_size_limit(LONGEST)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    width, line = 0, 1
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if lines.cut and "unexpected end" in str(error):  # a quoted newline where reading stopped
                return
            raise _broken(shown, line, error) from None
        if not cells or (width != 1 and cells == [""]):
            continue
        if not width:
            width = len(cells)
            cells = _names(cells, shown)
        elif len(cells) != width:
            raise Refused(
                f'"{shown}" line {line:,} has {len(cells)} cells; the header line has {width}',
                "a cell that holds the separator has to stand in quotes; mend the line, or remove it",
            )
        yield line, cells


def misread(names: list[str], separator: str) -> str:
    """What to write where a header line is of one cell because its columns are parted by something else; "" if not."""
    if len(names) > 1:
        return ""
    other = next((one for one in _SEPARATORS if one != separator and one in names[0]), "")
    shown = other.replace("\t", "\\t")
    return f'its columns seem to be parted by another sign: write `separator: "{shown}"`' if other else ""


def _check_separator(separator: str) -> None:
    if len(separator) != 1 or separator in '"\r\n ':
        raise Refused(
            f"a separator of a table is one character, and {separator!r} cannot be it", 'write `separator: ";"`'
        )


def _names(cells: list[str], shown: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    for place, name in enumerate(names):
        if name and name in names[:place]:
            told = f"{names.index(name) + 1} and {place + 1}"
            raise Refused(f'"{shown}" has two columns `{name}`, the columns {told}', "give each a name of its own")
    return names


def _broken(shown: str, line: int, error: csv.Error) -> Refused:
    told = str(error)
    if "unexpected end" in told:
        return Refused(f'"{shown}" line {line:,} opens a quote that is never closed', "close it, or double the quote")
    if "field limit" in told:
        return Refused(f'"{shown}" line {line:,} has a cell of more than a million characters', "is a quote left open?")
    if "new-line" in told:
        return Refused(f'"{shown}" line {line:,} holds a bare carriage return', "save the file with Unix line ends")
    return Refused(f'"{shown}" line {line:,} is no record of cells: {told}', 'a quote in a cell is written twice: `""`')


class _Lines:
    """The decoded lines of a file, up to about `limit` bytes; `cut` says that there is more."""

    def __init__(self, place: str, shown: str, limit: int | None) -> None:
        self._place, self._shown, self._limit = place, shown, limit
        self.cut = False

    def __iter__(self) -> Iterator[str]:
        with open(self._place, "rb", opener=regular) as file:
            yield from self._decoded(file)

    def _decoded(self, file: IO[bytes]) -> Iterator[str]:
        read = number = 0
        while line := file.readline(LONGEST):
            number += 1
            read += len(line)
            if self._limit is not None and number > 1 and read > self._limit:
                self.cut = True
                return
            if len(line) == LONGEST:
                raise Refused(f'"{self._shown}" line {number:,} is longer than 1 MiB', "is it a text file?")
            if number == 1:
                self._refuse_mark(line)
                line = line.removeprefix(b"\xef\xbb\xbf")
            yield self._text(line, number)

    def _refuse_mark(self, line: bytes) -> None:
        for mark, what in _MARKS.items():
            if line.startswith(mark):
                raise Refused(f'"{self._shown}" is {what}, not UTF-8 text', "save or unpack it as UTF-8 text")

    def _text(self, line: bytes, number: int) -> str:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte {error.start + 1} of it, 0x{line[error.start]:02X}"
            raise Refused(
                f'"{self._shown}" line {number:,} is not UTF-8: {byte}, is no part of a text', "save the file as UTF-8"
            ) from None
        if "\0" in text:
            raise Refused(f'"{self._shown}" line {number:,} holds a NUL character', "is it a text file, whole?")
        return text
