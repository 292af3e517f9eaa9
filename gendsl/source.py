"""Source text in; places in it out: a `Span` is two offsets, its line and column are computed only when shown."""

from bisect import bisect_right
from typing import NamedTuple

from gendsl.frozen import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file of the language: its path as the user wrote it, and its text."""

    path: str
    text: str
    _starts: list[int] = field(default_factory=list, repr=False)

    def _line_starts(self) -> list[int]:
        if not self._starts:
            starts = [0]
            position = self.text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = self.text.find("\n", position + 1)
            self._starts.extend(starts)
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """The line and the column of an offset, both from 1."""
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its end."""
        starts = self._line_starts()
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r")


class Span(NamedTuple):
    """A stretch of a source: offsets of its first character and behind its last."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """What stands there."""
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """The stretch from this one's start to the other's end."""
        return Span(self.source, self.start, other.end)
