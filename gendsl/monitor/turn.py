"""The values of a score, one a check, in; whether it has turned for the worse for good out.

What is looked at is how far the score is above its best level (`rise`, in logarithms), for how many checks, and whether
the run has come back from the like before. The higher the rise, the fewer checks it takes; a noisy score needs more of
a rise, and a small rise has to be a trend (Mann 1945, Kendall 1975).
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from gendsl.frozen import dataclass

# The numbers were chosen on drawn curves (tests/monitor/curves.py); docs/monitors.md says how they do.
LEAST_RISE = math.log(1.3)
LARGE_RISE = math.log(2.0)
_SHARE = 0.35  # of the checks so far that a rise of 25 % has to last
_POWER = 1.3  # by which a larger rise needs to last shorter, down to:
_LEAST_SHARE = 0.06
_FEWEST = 5  # checks in any case; of a doubled score:
_FEWEST_LARGE = 4
_FEWEST_EARLY = 4  # the same in the first checks, when scores leap
_EARLY = 12
_CERTAIN = 2.0  # standard deviations: a trend that chance brings 1 time in 20
_WANDERS = 3  # times the usual height above its best that a rise has to be
_FALLEN = 0.5  # the part of a rise whose loss is a recovery
_MOST_POINTS = 40  # of a test for a trend; more are taken together by their medians
_MOST_DIFFERENCES = 40  # of which noise is estimated; few may be large for other reasons:
_MOST_NOISE_EARLY = 0.1


@dataclass(frozen=True, slots=True)
class Turned:
    """That a score has turned: its best level, at which check (from 0), its present one, for how many checks."""

    best: float
    at: int
    now: float
    checks: int


class Turn:
    """Follows one score; `higher` says that its higher values are the better ones."""

    def __init__(self, *, higher: bool = False) -> None:
        self._higher = higher
        self._values: list[float] = []
        self._heights: list[float] = []  # of the values: lower is better
        self._best = math.inf  # least smoothed height
        self._at = 0
        self._excess: list[float] = []  # of each check over the best until then
        self._usual = 0.0  # excess, until the best: nine of ten checks have less
        self._above = 0  # checks in a row above the best level
        self._peak = 0.0  # of these
        self._survived: list[tuple[int, float]] = []  # length and peak of those that it came back from

    def state(self) -> list[float]:
        """All that it remembers: the values."""
        return list(self._values)

    def restore(self, values: Sequence[Any]) -> None:
        """Brings it back to where it was with these values."""
        self.__init__(higher=self._higher)  # type: ignore[misc]
        for value in values:
            self.hear(float(value))

    def hear(self, value: float) -> Turned | None:
        """Takes in the finite value of the next check; says so where, as things stand, the score has turned."""
        if value <= 0 and all(earlier > 0 for earlier in self._values):
            return self._heard_anew(value)
        self._values.append(value)
        self._heights.append(self._height(value))
        return self._judged()

    def _heard_anew(self, value: float) -> Turned | None:
        """With the first value that has no logarithm all are measured on another scale."""
        values = [*self._values, value]
        self.__init__(higher=self._higher)  # type: ignore[misc]
        self._values = values[:1]
        found = None
        scale = max(map(abs, values)) or 1.0
        self._unit = scale
        self._heights = [self._height(values[0])]
        for one in values[1:]:
            self._values.append(one)
            self._heights.append(self._height(one))
            found = self._judged()
        return found

    _unit: float | None = None  # of values that are not all positive

    def _height(self, value: float) -> float:
        if self._unit is not None:
            return (-value if self._higher else value) / self._unit
        return -math.log(value) if self._higher else math.log(value)

    def _judged(self) -> Turned | None:
        heights = self._heights
        count = len(heights)
        smooth = median(heights[-3:])
        if count >= 2:
            self._excess.append(smooth - min(self._best, smooth))
        if count >= 2 and smooth <= self._best:
            self._best, self._at = smooth, count - 1
            self._usual = sorted(self._excess)[int(0.9 * (len(self._excess) - 1))]
        if count < _FEWEST_EARLY:
            return None
        noise = self._noise()
        level = self._best + noise  # the least of many medians lies below what the score is at its best
        least = min(max(LEAST_RISE, 3 * noise, _WANDERS * self._usual), LARGE_RISE)
        edge = level + least / 2
        if heights[-1] <= edge and smooth <= edge:
            if self._above and self._peak >= LEAST_RISE:
                self._survived.append((self._above, self._peak))
            self._above, self._peak = 0, 0.0
            return None
        self._above += 1
        self._peak = max(self._peak, smooth - level)
        recent = sorted(heights[-min(7, max(3, self._above)) :])
        low, middle = recent[len(recent) // 4] - level, recent[len(recent) // 2] - level
        if heights[-1] - level < least / 2 or middle < least or self._recovers(count):
            return None
        leapt = low >= LARGE_RISE and self._above >= self._patience(low, count)
        if leapt or (self._above >= self._patience(middle, count, slow=True) and trend(heights[self._at :]) >= _CERTAIN):
            return Turned(self._values[self._at], self._at, self._values[-1], self._above)
        return None

    def _patience(self, rise: float, count: int, *, slow: bool = False) -> float:
        """How many checks a rise has to last."""
        if slow:
            fewest = _FEWEST
        else:
            fewest = _FEWEST_LARGE if count >= _EARLY else _FEWEST_EARLY
        like = [length for length, peak in self._survived if peak >= rise / 2]
        share = max(_SHARE * (LEAST_RISE / rise) ** _POWER, _LEAST_SHARE)
        return max(fewest, count * share, 1.25 * max(like, default=0))

    def _recovers(self, count: int) -> bool:
        """Whether the score is on its way back, which it may be for half of the run."""
        if self._above >= count / 2 and self._above > 2 * _FEWEST:
            return False
        last = self._heights[-max(3, min(self._above, 12)) :]
        fallen = max(last) - last[-1]
        if fallen > _FALLEN * (max(last) - self._best):
            return True
        return fallen > 0.1 and (all(a > b for a, b in zip(last[-3:], last[-2:], strict=False)) or trend(last) < -_CERTAIN)

    def _noise(self) -> float:
        """The standard deviation of a check from its neighbours, in logarithms; robust."""
        found = 0.0
        for part in (self._heights[: self._at + 1], self._heights[self._at :]):
            part = part[-_MOST_DIFFERENCES:]
            bends = [abs(a - 2 * b + c) for a, b, c in zip(part, part[1:], part[2:], strict=False)]
            if len(bends) >= 3:  # bends, since a steep curve steps far without any noise
                sigma = 1.4826 * median(bends) / math.sqrt(6)
                found = max(found, sigma if len(bends) >= 8 else min(sigma, _MOST_NOISE_EARLY))
        return found


def trend(values: Sequence[float]) -> float:
    """The Mann-Kendall statistic of a series, in standard deviations of what chance brings; 0 for fewer than 3."""
    if len(values) > _MOST_POINTS:
        edges = [round(index * len(values) / _MOST_POINTS) for index in range(_MOST_POINTS + 1)]
        values = [median(values[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    count = len(values)
    if count < 3:
        return 0.0
    total = sum((b > a) - (b < a) for index, a in enumerate(values) for b in values[index + 1 :])
    spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return (total - (total > 0) + (total < 0)) / spread
