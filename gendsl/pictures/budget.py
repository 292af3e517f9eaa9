"""What drawing took so far in, whether there is time for more out: a run is not slowed by looking at it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SHARE = 0.01  # of the time since the beginning; checkpoints and logs take about as much
_NEVER_BEFORE = 20.0  # seconds: in a short run the beginning and the end are enough
_SAMPLES_SHARE = 0.03  # of the time, for samples that take long: a diffusion calls its network some thousand times
_NOTHING = 0.3  # seconds: samples that take no longer are drawn whenever they are due
_FIRST_GUESS = 1.0  # seconds that something takes that was never drawn


@dataclass(slots=True)
class Budget:
    """Counts the seconds that were spent drawing since it was made."""

    spent: float = 0.0
    _by_name: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _last: dict[str, float] = field(default_factory=dict)

    def allows(self, name: str) -> bool:
        """Whether what took so long the last time may be drawn again."""
        since = time.monotonic() - self._began
        return since >= _NEVER_BEFORE and self.spent + self._last.get(name, _FIRST_GUESS) <= _SHARE * since

    def affords(self, name: str) -> bool:
        """Whether samples, which are shown whenever they are due, may be drawn again, or take too much of the time."""
        took = self._last.get(name, 0.0)
        since = time.monotonic() - self._began
        return took <= _NOTHING or self._by_name.get(name, 0.0) + took <= _SAMPLES_SHARE * since

    @contextmanager
    def spending(self, name: str, *, counted: bool = True) -> Iterator[None]:
        """Times what is drawn within; what is not `counted` (the beginning and the end) tells how long it takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - began
            # The first drawing of a thing traces its graph: the next will be shorter.
            self._last[name] = min(took, self._last.get(name, took))
            self.spent += took if counted else 0.0
            self._by_name[name] = self._by_name.get(name, 0.0) + (took if counted else 0.0)
