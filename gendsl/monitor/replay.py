"""Alarms and a recorded series in, what fires out: as a run that told those values would have fired."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError
from gendsl.monitor.monitors import Firing, Monitors
from gendsl.monitor.names import column_of, words_in
from gendsl.monitor.recorded import Recorded

_SCORES = ("fid", "kid", "inception_score")
_CHECKS_NOT_FINITE = 2  # in a row: a single one is a step that mixed precision skips


@dataclass(frozen=True, slots=True)
class Replayed:
    """What fired, in order; where the run would have ended, if anywhere; which column each name was read from."""

    firings: tuple[Firing, ...]
    stopped: float | None
    read: Mapping[str, str]
    unread: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]


def replayed(monitors: Monitors, series: Recorded) -> Replayed:
    """Checks a series row by row. Raises UserError where no alarm reads anything that is in it."""
    read = {name: column for name in monitors.names if (column := column_of(name, series.columns)) is not None}
    watch = _NotFinite(series, set(read.values())) if monitors.diverged is not None else None
    if not read and watch is None:
        wanted = dict.fromkeys(name for _, names in monitors.unread for name in names)
        raise UserError(
            f"no alarm can be checked: {', '.join(f'`{name}`' for name in wanted)} is not in the file",
            f"its columns are {', '.join(series.columns[:12])}{', …' if len(series.columns) > 12 else ''}",
        )
    told, notes = _told(read, series)
    firings: list[Firing] = []
    rolled: dict[str, int] = {}
    stopped: float | None = None
    for (step, row), values in zip(series.rows, told, strict=True):
        found = monitors.check(step, values)
        if watch is not None and monitors.diverged is not None and (why := watch.hear(row)):
            found.insert(0, Firing("diverged", step, why, f"`{next(iter(why))}` is no number", monitors.diverged))
        firings += found
        for firing in found:
            rolled[firing.name] = rolled.get(firing.name, 0) + 1
            if stopped is None and _ends(firing, rolled[firing.name]):
                stopped = step
    return Replayed(tuple(firings), stopped, read, tuple(monitors.unread), (*series.notes, *notes))


def _told(read: Mapping[str, str], series: Recorded) -> tuple[list[dict[str, float]], list[str]]:
    """The values of each row by the names of conditions, and notes on those that stand for none.

    Some programs write 0 or -1 where a score was not computed, or repeat the last until there is a new one."""
    rows: list[dict[str, float]] = [{} for _ in series.rows]
    notes = []
    for name, column in read.items():
        found = [(index, row[column]) for index, (_, row) in enumerate(series.rows) if column in row]
        if name in _SCORES:
            real = [(index, value) for index, value in found if not value <= 0 or name == "kid"]
            if len(real) < len(found):
                notes.append(
                    f"`{column}` is 0 or less in {len(found) - len(real):,} rows, and counts as not told there"
                )
            changes = [one for before, one in zip([(0, None), *real], real, strict=False) if one[1] != before[1]]
            if len(changes) < len(real) / 2:
                notes.append(f"`{column}` is repeated from row to row: its {len(changes):,} changes count")
                real = changes
            found = real
        for index, value in found:
            rows[index][name] = value
    return rows, notes


def _ends(firing: Firing, time: int) -> bool:
    policy = firing.policy
    if policy.word == "rollback":
        return time > int(policy.arguments["at_most"])
    return policy.word == "stop" or (firing.name == "diverged" and policy.word == "warn")


class _NotFinite:
    """Hears rows, and says which values have stopped being numbers: losses, and what the alarms read.

    A table may hold NaN where nothing was measured. So one that has been a number has to be none at least twice in a
    row, and longer than wherever in the file it is one again.
    """

    def __init__(self, series: Recorded, read: set[str]) -> None:
        self._limits: dict[str, int] = {}
        for name in series.columns:
            if name in read or _is_loss(name):
                told = [math.isfinite(row[name]) for _, row in series.rows if name in row]
                self._limits[name] = max(_CHECKS_NOT_FINITE, _longest_gap(told) + 1)
        self._run = dict.fromkeys(self._limits, 0)
        self._seen: set[str] = set()
        self._told = False

    def hear(self, row: Mapping[str, float]) -> dict[str, float]:
        gone = {}
        for name, limit in self._limits.items():
            value = row.get(name)
            if value is None:
                continue
            if math.isfinite(value):
                self._run[name] = 0
                self._seen.add(name)
                continue
            self._run[name] += 1
            if name in self._seen and self._run[name] >= limit:
                gone[name] = value
        told, self._told = self._told, bool(gone)
        return {} if told else gone


def _longest_gap(told: Sequence[bool]) -> int:
    """The most in a row that are none, with one after them."""
    longest = run = 0
    for one in told:
        longest, run = (max(longest, run), 0) if one else (longest, run + 1)
    return longest


def _is_loss(name: str) -> bool:
    return any("loss" in word for word in words_in(name))


def record_of(found: Replayed, series: Recorded) -> dict[str, Any]:
    """What was found, as JSON has it."""
    return {
        "rows": len(series.rows),
        "first": series.rows[0][0] if series.rows else None,
        "last": series.rows[-1][0] if series.rows else None,
        "step": series.step,
        "columns": dict(found.read),
        "firings": [
            {
                "monitor": firing.name,
                "step": firing.step,
                "values": {name: value if math.isfinite(value) else None for name, value in firing.values.items()},
                "why": firing.why,
                "do": firing.policy.word,
                "arguments": dict(firing.policy.arguments),
                "after_stop": found.stopped is not None and firing.step > found.stopped,
            }
            for firing in found.firings
        ],
        "stopped_at": found.stopped,
        "unread": {name: list(missing) for name, missing in found.unread},
        "notes": list(found.notes),
    }
