"""What every kind of column does with its cells: texts to codes, float64 with NaN for missing ones, and back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from gendsl.check.headers.paths import Refused
from gendsl.lower.tables.encoding import Codes
from gendsl.plan.columns import name_text
from gendsl.plan.plan import Call


class Cells(Protocol):
    """How the cells of a column are written: a frozen dataclass of plain values."""

    def text(self, code: float) -> str:
        """The cell of a code, whatever a network gave for one."""

    def written(self, codes: Codes) -> Codes:
        """The codes (n,) that the cells of codes have, once they are written and read again."""


class Reader(ABC):
    """Reads the cells of a column, chunk by chunk. `Refused` names the first one that is not what the plan says."""

    def __init__(self, declared: Call, shown: str, unit: str) -> None:
        self.given: Any = declared.arguments
        self.name = str(self.given["name"])
        self.missing = ""  # how the first missing cell is written
        self._missing_seen = False
        self._shown, self._unit = shown, unit

    @abstractmethod
    def feed(self, cells: Sequence[str], lines: Sequence[int]) -> list[float]:
        """The codes of cells, each of the record that begins on a line."""

    @abstractmethod
    def done(self, codes: Codes) -> tuple[Cells, Codes]:
        """How the cells are written, and the final codes (n,) of all that was fed."""

    def place(self, line: int) -> str:
        """Where a record stands."""
        return f'"{self._shown}" {self._unit} {line:,}'

    def note_missing(self, cell: str, line: int) -> None:
        """Takes note of a missing cell; `Refused` where the plan has none."""
        if not self.given["missing"]:
            raise Refused(
                f"{self.place(line)}: column `{self.name}` has no value here, and had one in all rows that said what "
                "the column is",
                f"write `column {name_text(self.name)}, {self.given['kind']}, missing: on`",
            )
        if not self._missing_seen:
            self.missing, self._missing_seen = cell, True

    def nothing(self) -> Refused:
        """That no cell holds anything."""
        return Refused(
            f'column `{self.name}` of "{self._shown}" holds nothing', f"write `column {name_text(self.name)}, drop`"
        )
