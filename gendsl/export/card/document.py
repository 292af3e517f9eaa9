"""What a model card tells, as plain data: sections of facts, tables, texts and pictures."""

from collections.abc import Mapping
from typing import Any

from gendsl.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A text that stands for itself letter by letter: a hash, a command, a condition."""

    text: str


Cell = str | Code


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what is said to each."""

    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, as many as the head has titles."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines that are shown as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its content as a data URI, its path from the card's folder (empty where it is not near), and what it
    shows."""

    data: str
    path: str
    shows: str


Part = Facts | Table | Said | Listing | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A title and what stands below it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A model card. `metadata` is what programs read of it: the names are those of the Hugging Face Hub."""

    name: str
    summary: str
    metadata: Mapping[str, Any]
    sections: tuple[Section, ...]
