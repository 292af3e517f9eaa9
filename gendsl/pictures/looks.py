"""Samples and the field that they are like in, what a person looks at out: here each kind says what it looks like.

A kind is a kind of field, or what the data makes of one. Who adds a kind writes a function from `Samples` and adds it
to `LOOKS`; all else follows: TensorBoard, the files in `samples/` and the report.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.inputs import output_field
from gendsl.lower.data.music import Remi
from gendsl.lower.data.tokenizers import Tokenizer
from gendsl.lower.data.written import finished, music_of, reader_of, text_of
from gendsl.lower.tables.table import Table
from gendsl.pictures.captions import with_captions
from gendsl.plan.plan import Field, Plan
from gendsl.run.pictures import Pixels, grid, pixels_of, range_of, scatter
from gendsl.run.sounding import piano_rolls
from gendsl.run.tones import wav_of

_ROWS = 20  # of a table
_TEXTS = _PIECES = 8
_HEARD = 2
_WAVES, _WAVE_WIDTH, _WAVE_HEIGHT = 8, 512, 64
_LONGEST_TEXT = 2_000  # tokens
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
RULE = "-" * 40


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it is read, and the same as Markdown for TensorBoard."""

    plain: str
    markdown: str


@dataclass(frozen=True, slots=True)
class Roll:
    """Music as it is written, and WAV files of some of it."""

    pixels: Pixels
    sounds: tuple[bytes, ...]


Shown = Pixels | Text | Roll


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples (n, …) of an output, and what is known of the field that they are like, if of any.

    `columns` are asked for where they mean something; then `names` are theirs. `real` are examples for comparison."""

    values: NDArray[Any]
    field: Field | None
    columns: int | None = None
    names: tuple[str, ...] = ()
    real: NDArray[Any] | None = None
    table: Table | None = None
    reader: Tokenizer | Remi | None = None


Look = Callable[[Samples], Shown | None]


def _images(samples: Samples) -> Shown | None:
    pixels = pixels_of(samples.values, range_of(samples.field))
    sheet = grid(pixels, columns=samples.columns)
    return with_captions(sheet, samples.names) if samples.names else sheet


def _points(samples: Samples) -> Shown | None:
    return scatter(samples.values, real=samples.real) if samples.values.shape[1:] == (2,) else None


def _rows(samples: Samples) -> Shown | None:
    """The first rows, as the table itself writes them; numbers where there is no table."""
    values = samples.values[:_ROWS]
    if samples.table is None:
        header = [f"x{number}" for number in range(values.shape[1])]
        rows = [[f"{value:.4g}" for value in row] for row in values]
    else:
        header = [column.name for column in samples.table.columns]
        rows = samples.table.texts(samples.table.decode(values))
    return table_text(header, rows)


def table_text(header: list[str], rows: list[list[str]]) -> Text:
    """A table in columns of even width, and as a table of Markdown."""
    lines = [header, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    plain = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    marked = [[_unmarked(cell) for cell in line] for line in lines]
    rule = ["---"] * len(header)
    markdown = "\n".join("| " + " | ".join(line) + " |" for line in [marked[0], rule, *marked[1:]])
    return Text("\n".join(line.rstrip() for line in plain.splitlines()) + "\n", markdown)


def _unmarked(cell: str) -> str:
    """A cell that Markdown shows as it is written."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-!|" else sign for sign in cell.replace("\n", " "))


def _texts(samples: Samples) -> Text:
    """The first texts; the numbers of tokens where nobody knows what they stand for."""
    found = []
    for tokens in np.asarray(samples.values[:_TEXTS, :_LONGEST_TEXT]):
        known = samples.reader
        found.append(
            text_of(known, tokens) if isinstance(known, Tokenizer) else " ".join(map(str, finished(tokens).tolist()))
        )
    return joined(found)


def joined(texts: Sequence[str]) -> Text:
    """Texts between lines."""
    plain = f"\n{RULE}\n".join(texts) + "\n"
    return Text(plain, verbatim(plain))


def _pieces(samples: Samples) -> Text | Roll:
    """The piano rolls of the first pieces, one below the other; the sound of the very first."""
    reader = samples.reader
    if not isinstance(reader, Remi):
        return _texts(samples)
    pieces = [music_of(reader, tokens) for tokens in np.asarray(samples.values[:_PIECES])]
    return Roll(piano_rolls(pieces), tuple(map(wav_of, pieces[:_HEARD])))


def verbatim(text: str) -> str:
    """A text as Markdown that shows it as it is written, but for signs that end lines unseen, turn the direction of
    writing or mean something to Markdown's own machinery: those are U+FFFD."""
    return "\n".join(f"    {line}" for line in _STEERING.sub("\ufffd", text).split("\n"))


def _waves(samples: Samples) -> Shown | None:
    """The first sounds one below the other: from the lowest to the highest value at each place."""
    values = np.nan_to_num(np.asarray(samples.values[:_WAVES], np.float64))
    values = values.reshape(len(values), -1)
    low, high = range_of(samples.field) if samples.field is not None else (-1.0, 1.0)
    sheet = np.full((len(values) * _WAVE_HEIGHT, _WAVE_WIDTH, 3), 255, np.uint8)
    for number, wave in enumerate(values):
        scaled = np.clip((wave - low) / (high - low), 0, 1)
        top = number * _WAVE_HEIGHT
        for x, part in enumerate(np.array_split(scaled, _WAVE_WIDTH)):
            if len(part):
                first, last = (round((1 - float(value)) * (_WAVE_HEIGHT - 5)) + 2 for value in (part.max(), part.min()))
                sheet[top + first : top + last + 1, x] = (31, 90, 200)
    return sheet


LOOKS: Mapping[str, Look] = {
    "image": _images,
    "point": _points,
    "row": _rows,
    "text": _texts,
    "audio": _waves,
    "midi": _pieces,
}


@dataclass(frozen=True, slots=True)
class Looks:
    """A plan and what its data says of itself in, what its samples look like out."""

    plan: Plan
    columns: int | None = None
    names: tuple[str, ...] = ()
    real: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    readers: Mapping[str, Tokenizer | Remi] = field(default_factory=dict)

    def shown(self, samples: Mapping[str, NDArray[Any]]) -> dict[str, Shown]:
        """What each output of a sample looks like; without those that nothing can be shown of."""
        found: dict[str, Shown] = {}
        for name, values in samples.items():
            of = self.field_of(name, values)
            look = LOOKS.get(self._kind(of, values))
            own = "" if of is None else of.name
            given = Samples(
                values,
                of,
                self.columns,
                self.names,
                self.real.get(own),
                self.tables.get(own),
                self.readers.get(own),
            )
            shown = None if look is None else look(given)
            if shown is not None:
                found[name] = shown
        return found

    def compared(self, of: Field, real: NDArray[Any], values: NDArray[Any]) -> Shown:
        """Examples (n, length) of a text or of music above samples of it, half as many each as are shown alone."""
        reader, sides = self.readers.get(of.name), {"real": real[: _TEXTS // 2], "generated": values[: _TEXTS // 2]}
        if isinstance(reader, Remi):
            pieces = {head: [music_of(reader, tokens) for tokens in np.asarray(own)] for head, own in sides.items()}
            every = [piece for own in pieces.values() for piece in own]
            sheets = [with_captions(piano_rolls(own, beside=every), (head,)) for head, own in pieces.items()]
            return np.concatenate(sheets)
        texts = {head: _texts(Samples(own, of, reader=reader)).plain for head, own in sides.items()}
        plain = "\n\n".join(f"{head}\n{RULE}\n{text}" for head, text in texts.items())
        return Text(plain, verbatim(plain))

    def field_of(self, name: str, values: NDArray[Any]) -> Field | None:
        """The field that an output is like."""
        return output_field(self.plan, name, values.shape[1:])

    def _kind(self, of: Field | None, values: NDArray[Any]) -> str:
        if values.ndim == 4:
            return "image" if values.shape[-1] in (1, 3, 4) else ""
        source = "" if of is None else next(s.call.word for s in self.plan.data.sources if s.name == of.source)
        if of is not None:
            return source if source in ("audio", "midi") else of.kind
        return "point" if values.shape[1:] == (2,) else ""


def readers_of(plan: Plan, manifest: Mapping[str, Any]) -> dict[str, Tokenizer | Remi]:
    """What reads the tokens of each field of text or music, from what the data says of itself."""
    sources = {source.get("name"): source for source in manifest.get("sources", ())}
    return {
        one.name: reader_of(sources[one.source]["tokenizer"])
        for one in plan.data.fields
        if one.kind == "text" and "tokenizer" in sources.get(one.source, {})
    }
