"""The processes of a run in, what they have in common out: what to do next, and the chief's state and records.

A run has one process, or one on each of several machines. All call the same methods in the same order.
"""

from collections.abc import Mapping
from typing import Any

from gendsl.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Cluster:
    """The processes of a run by address, `host:port`; the first is the chief, which alone writes."""

    addresses: tuple[str, ...]
    index: int  # of this process


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes next: so many steps (0 at the end), a signal that ends the run (0: none), whether to save first."""

    count: int
    stop: int
    save: bool


class Crew:
    """The only process of a run: it agrees with itself, and shares with nobody."""

    index = 0
    size = 1

    @property
    def chief(self) -> bool:
        """Whether this process decides and writes."""
        return self.index == 0

    def agree(self, decision: Decision) -> Decision:
        """One decision for all: count and save are the chief's, stop is the first signal that any process got."""
        return decision

    def share(self, state: Mapping[str, Any]) -> None:
        """Gives every process the values of the chief's variables, bit for bit."""

    def share_record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The chief's record, as it is read back from JSON."""
        return dict(record)


ALONE = Crew()
