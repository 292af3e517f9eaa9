"""The values of a score, one a check, in; whether it has turned for the worse for good out.

What is looked at is how far the score is above its best level (`rise`, in logarithms), for how many checks, and whether
the run has come back from the like before. The higher the rise, the fewer checks it takes; a noisy score needs more of
a rise, and a small rise has to be a trend (Mann 1945, Kendall 1975).
"""

import math
from bisect import insort
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from gendsl.frozen import dataclass

# The numbers were chosen on drawn curves (tests/monitor/curves.py); docs/monitors.md says how they do.
LEAST_RISE = math.log(1.3)
LARGE_RISE = math.log(2.0)
_SHARE = 0.35  # of the checks so far that a rise of 30 % has to last
_POWER = 1.3  # by which a larger rise needs to last shorter
_LARGE_SHARE = 0.06  # of the checks so far that a doubled score has to last, a quadrupled one half of it
_FEWEST = 5  # checks in any case; of a doubled score:
_FEWEST_LARGE = 4
_CERTAIN = 2.0  # standard deviations: a trend that chance brings 1 time in 40
_WANDERS = 3  # times the usual height above its best that a rise has to be
_FALLEN = 0.5  # the part of a rise whose loss is a recovery
_MOST_POINTS = 40  # of a test for a trend; more are taken together by their medians
_MOST_DIFFERENCES = 40  # of which noise is estimated; few may be large for other reasons:
_MOST_NOISE_EARLY = 0.1
_LEAST_NOISE = 0.03


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
        self._unit: float | None = None  # of values that are not all positive
        self._forget()

    def _forget(self) -> None:
        self._values: list[float] = []
        self._heights: list[float] = []  # of the values: lower is better
        self._best = math.inf  # least smoothed height
        self._at = 0
        self._excess: list[float] = []  # of each check over the best until then, sorted
        self._usual = 0.0  # excess, until the best: nine of ten checks have less
        self._above = 0  # checks in a row above the best level
        self._peak = 0.0  # of these
        self._turned = False  # and has not come back since
        self._survived: list[tuple[int, float]] = []  # length and peak of those that it came back from

    @property
    def values(self) -> list[float]:
        """Those that it heard; another one that hears them all is where this one is."""
        return list(self._values)

    def hear(self, value: float) -> Turned | None:
        """Takes in the finite value of the next check; says so where, as things stand, the score has turned."""
        values = [*self._values, value]
        count = len(values)
        if self._unit is None and value > 0:
            return self._heard(value)
        if self._unit is not None and (count < 4 or count & (count - 1)):
            return self._heard(value)
        # Without logarithms a rise is measured by what was gained after the first, wild checks; anew as checks double.
        best = max(values) if self._higher else min(values)
        self._forget()
        self._unit = abs(values[min(2, count - 1)] - best) or max(map(abs, values)) or 1.0
        return [self._heard(one) for one in values][-1]

    def _heard(self, value: float) -> Turned | None:
        self._values.append(value)
        self._heights.append(self._height(value))
        return self._judged()

    def _height(self, value: float) -> float:
        height = math.log(value) if self._unit is None else value / self._unit
        return -height if self._higher else height

    def _judged(self) -> Turned | None:
        heights = self._heights
        count = len(heights)
        smooth = median(heights[-3:])
        if count >= 2:
            insort(self._excess, smooth - min(self._best, smooth))
        if count >= 2 and smooth <= self._best:
            self._best, self._at = smooth, count - 1
            self._usual = self._excess[int(0.9 * (len(self._excess) - 1))]
        if count < _FEWEST_LARGE:
            return None
        noise = self._noise()
        level = self._best + noise  # the least of many medians lies below what the score is at its best
        least = min(max(LEAST_RISE, 3 * noise, _WANDERS * self._usual), LARGE_RISE)
        edge = level + least / 2
        if heights[-1] <= edge and smooth <= edge:
            if self._above and self._peak >= LEAST_RISE:
                self._survived.append((self._above, self._peak))
            self._above, self._peak, self._turned = 0, 0.0, False
            return None
        self._above += 1
        self._peak = max(self._peak, smooth - level)
        self._turned = self._turned or self._turns(level, least)
        return Turned(self._values[self._at], self._at, self._values[-1], self._above) if self._turned else None

    def _turns(self, level: float, least: float) -> bool:
        """Whether the rise above a level is high enough, has lasted long enough, and is not on its way back."""
        heights = self._heights
        count = len(heights)
        recent = sorted(heights[-min(7, max(3, self._above)) :])
        low, middle = recent[len(recent) // 4] - level, recent[len(recent) // 2] - level
        if heights[-1] - level < least / 2 or middle < least or self._recovers(count):
            return False
        if low >= LARGE_RISE and self._above >= self._patience(low, count):
            return True
        certain = trend(heights[self._at :])
        since = count - self._at
        swings = since >= max(2 * _FEWEST, _SHARE * count) and certain >= 2 * _CERTAIN
        if swings and median(heights[-(since // 3) :]) - level >= least:  # about a level that rises
            return True
        return self._above >= self._patience(middle, count, slow=True) and certain >= _CERTAIN

    def _patience(self, rise: float, count: int, *, slow: bool = False) -> float:
        """How many checks a rise has to last."""
        fewest = _FEWEST if slow else _FEWEST_LARGE
        like = [length for length, peak in self._survived if peak >= rise / 2]
        share = max(_SHARE * math.pow(LEAST_RISE / rise, _POWER), _LARGE_SHARE * LARGE_RISE / rise)
        return max(fewest, count * share, 1.25 * max(like, default=0))

    def _recovers(self, count: int) -> bool:
        """Whether the score is on its way back, which it may be for half of the run."""
        if self._above >= count / 2 and self._above > 2 * _FEWEST:
            return False
        last = self._heights[-max(3, min(self._above, 12)) :]
        fallen = max(last) - last[-1]
        if fallen > _FALLEN * (max(last) - self._best):
            return True
        falls = all(before > after for before, after in pairwise(last[-3:]))
        return fallen > 0.1 and (falls or trend(last) < -_CERTAIN)

    def _noise(self) -> float:
        """The standard deviation of a check from its neighbours, in logarithms; robust."""
        start = max(0, self._at + 1 - _MOST_DIFFERENCES)
        before = _bending(self._heights[start : self._at + 1])
        # Swings that grow are no noise: it may be twice as much as before.
        since = _bending(self._heights[max(self._at, len(self._heights) - _MOST_DIFFERENCES) :])
        return max(before, min(since, 2 * max(before, _LEAST_NOISE)))


def _bending(heights: Sequence[float]) -> float:
    """The noise of some heights, from how much they bend: a steep curve steps far without any noise."""
    bends = [abs(a - 2 * b + c) for a, b, c in zip(heights, heights[1:], heights[2:], strict=False)]
    if len(bends) < 3:
        return 0.0
    sigma = 1.4826 * median(bends) / math.sqrt(6)
    return sigma if len(bends) >= 8 else min(sigma, _MOST_NOISE_EARLY)


def trend(values: Sequence[float]) -> float:
    """The Mann-Kendall statistic of a series, in standard deviations of what chance brings; 0 for fewer than 3."""
    if len(values) > _MOST_POINTS:
        edges = [round(index * len(values) / _MOST_POINTS) for index in range(_MOST_POINTS + 1)]
        values = [median(values[a:b]) for a, b in pairwise(edges)]
    count = len(values)
    if count < 3:
        return 0.0
    total = sum((b > a) - (b < a) for index, a in enumerate(values) for b in values[index + 1 :])
    spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return (total - (total > 0) + (total < 0)) / spread
