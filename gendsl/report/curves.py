"""Series of numbers in, curves as SVG out, with axes that a person can read; no script and no file beside them."""

import math
from collections.abc import Sequence

from gendsl.frozen import dataclass
from gendsl.report.marking import safe
from gendsl.report.story import Happening, Series

_WIDTH, _HEIGHT = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 22, 10, 26
_MOST_POINTS = 400  # of a line; more would be closer than pixels
_SMOOTHED_FROM = 60  # points: a shorter series is shown as it is
_DOTS_TO = 40  # points: so few are shown as dots too
_QUANTILE = 0.01  # what is beyond on either side may be cut off, if it would flatten the rest
_FLATTENS = 4.0  # times the height of the rest
_DECADES = 2.0  # of values above nothing: from there on the axis counts by powers of ten


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from `low` to `high`, in powers of ten or not, with its marks."""

    low: float
    high: float
    logarithmic: bool
    marks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value stands: 0 is the low end, 1 the high one; what is beyond stands at the end."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log10(max(value, low)), math.log10(low), math.log10(high)
        return min(max((value - low) / (high - low), 0.0), 1.0)


def chart(
    title: str,
    series: Sequence[Series],
    happenings: Sequence[Happening],
    *,
    steps: int,
    note: str = "",
    legend: bool = False,
) -> str:
    """A figure of series over steps 0…`steps`, named where there is a legend. Happenings are upright lines."""
    values = [value for one in series for _, value in one.points if value is not None]
    axis = axis_of(values)
    across = axis_of([0.0, float(max(steps, 1))], whole=True, tight=True)
    series = _merged(series)
    cut = sum(value < axis.low or value > axis.high for value in values)
    notes = [note] if note else []
    if axis.logarithmic:
        notes.append("logarithmic")
    if cut:
        outside = f"from {figure(min(values))} to {figure(max(values))}"
        notes.append(f"{cut:,} {'value lies' if cut == 1 else 'values lie'} outside: all reach {outside}")
    latest = series[0].last if len(series) == 1 else None
    parts = [f'<figure class="chart"><figcaption><b>{safe(title)}</b>']
    if latest is not None:
        parts.append(f'<span class="now">{figure(latest)}</span>')
    if legend:
        names = "".join(f'<span class="key k{n % 6}">{safe(one.name)}</span>' for n, one in enumerate(series))
        parts.append(f'<span class="keys">{names}</span>')
    label = f"{title}: {len(values):,} values over {steps:,} steps"
    parts.append(f'</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{safe(label)}">')
    parts += _frame(axis, across)
    parts += [_upright(one, across) for one in happenings if one.marked and one.step <= steps]
    for number, one in enumerate(series):
        parts += _line(one, axis, across, colour=number % 6)
    parts.append("</svg>")
    parts.append(f"<small>{safe('; '.join(notes))}</small>" if notes else "")
    return "".join(parts) + "</figure>"


def _merged(series: Sequence[Series]) -> list[Series]:
    """Those that are the same all along as one, with all their names: one would hide the other."""
    names: dict[tuple[tuple[int, float | None], ...], list[str]] = {}
    for one in series:
        names.setdefault(one.points, []).append(one.name)
    return [Series(", ".join(several), points) for points, several in names.items()]


def axis_of(values: Sequence[float], *, whole: bool = False, tight: bool = False) -> Axis:
    """An axis on which values can be seen: rare ones that would flatten the rest lie outside; `whole` marks only whole
    numbers, a `tight` one ends with its values."""
    ordered = sorted(values) or [0.0]
    low, high = ordered[0], ordered[-1]
    inner_low = ordered[int(_QUANTILE * (len(ordered) - 1))]
    inner_high = ordered[math.ceil((1 - _QUANTILE) * (len(ordered) - 1))]
    if not tight and inner_low > 0 and math.log10(inner_high / inner_low) >= _DECADES:
        first, last = math.floor(math.log10(inner_low)), math.ceil(math.log10(inner_high))
        every = max(1, (last - first) // 4)
        return Axis(10.0**first, 10.0**last, True, tuple(10.0**power for power in range(first, last + 1, every)))
    if high - low > _FLATTENS * (inner_high - inner_low) > 0:
        low, high = inner_low, inner_high
    if high - low <= abs(high) * 1e-9:
        room = abs(high) * 0.1 or 1.0
        low, high = low - room, high + room
    distance = _round_distance((high - low) / 5)
    distance = max(1.0, distance) if whole else distance
    if not tight:
        margin = 0.04 * (high - low)
        low, high = low - margin, high + margin
    first, last = math.ceil(low / distance - 1e-9), math.floor(high / distance + 1e-9)
    return Axis(low, high, False, tuple(number * distance for number in range(first, last + 1)))


def _round_distance(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below a distance."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(leading * power for leading in (1, 2, 2.5, 5, 10) if leading * power >= rough * (1 - 1e-9))


def figure(value: float) -> str:
    """A number as short as it can be read: `0.0002`, `12.5`, `-1,234`, `1.2e-07`."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e7 or size < 1e-4:
        mantissa, _, exponent = f"{value:.3g}".partition("e")
        return f"{mantissa}e{int(exponent)}" if exponent else mantissa
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _x(step: float, across: Axis) -> float:
    return _LEFT + across.place(step) * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, axis: Axis) -> float:
    return _HEIGHT - _BOTTOM - axis.place(value) * (_HEIGHT - _TOP - _BOTTOM)


def _frame(axis: Axis, across: Axis) -> list[str]:
    """Level lines with their values, and steps below."""
    found, floor = [], _HEIGHT - _BOTTOM
    for value in axis.marks:
        y = _y(value, axis)
        found.append(f'<path class="level" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        found.append(f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{figure(value)}</text>')
    found.append(f'<path class="floor" d="M{_LEFT} {floor}H{_WIDTH - _RIGHT}"/>')
    for step in across.marks:
        x = _x(step, across)
        found.append(f'<path class="floor" d="M{x:.1f} {floor}v4"/>')
        found.append(f'<text x="{x:.1f}" y="{floor + 17}" text-anchor="middle">{step:,.0f}</text>')
    return found


def _upright(one: Happening, across: Axis) -> str:
    x = _x(one.step, across)
    alarm = " alarm" if one.what in ("monitor", "rollback", "diverged") else ""
    return (
        f'<path class="mark{alarm}" d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}">'
        f"<title>step {one.step:,}: {safe(one.what)}</title></path>"
    )


def _line(series: Series, axis: Axis, across: Axis, *, colour: int) -> list[str]:
    """A series as a line with gaps where there is no number; a long one pale, with its running mean on it."""
    known = [(step, value) for step, value in series.points if value is not None]
    if len(series.points) < _SMOOTHED_FROM:
        found = [_path(series.points, axis, across, f"line k{colour}")]
        if len(known) <= _DOTS_TO:
            found += [
                f'<circle class="dot k{colour}" cx="{_x(step, across):.1f}" cy="{_y(value, axis):.1f}" r="2.6">'
                f"<title>step {step:,}: {figure(value)}</title></circle>"
                for step, value in known
            ]
        return found
    pale = _path(thinned(series.points), axis, across, f"line pale k{colour}")
    return [pale, _path(thinned(running_mean(series.points)), axis, across, f"line k{colour}")]


def _path(points: Sequence[tuple[int, float | None]], axis: Axis, across: Axis, kind: str) -> str:
    out, drawing = [], False
    for step, value in points:
        if value is not None:
            out.append(f"{'L' if drawing else 'M'}{_x(step, across):.1f} {_y(value, axis):.1f}")
        drawing = value is not None
    return f'<path class="{kind}" d="{"".join(out)}"/>'


def thinned(points: Sequence[tuple[int, float | None]]) -> list[tuple[int, float | None]]:
    """At most some hundred points: of each stretch of a series the lowest, the highest and any gap stay."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    found: list[tuple[int, float | None]] = []
    length = -(-len(points) // (_MOST_POINTS // 2))
    for first in range(0, len(points), length):
        stretch = points[first : first + length]
        known = [(step, value) for step, value in stretch if value is not None]
        if known:
            ends = {min(known, key=lambda point: point[1]), max(known, key=lambda point: point[1])}
            found += sorted(ends)
        if len(known) < len(stretch):
            found.append((stretch[-1][0], None))
    return found


def running_mean(points: Sequence[tuple[int, float | None]]) -> list[tuple[int, float | None]]:
    """The mean of each value and those around it, a fortieth of the series in all; no value stays none.

    It is centred: a mean of what came before alone would show each turn too late."""
    half = max(1, len(points) // 80)
    values, known = [value or 0.0 for _, value in points], [value is not None for _, value in points]
    found: list[tuple[int, float | None]] = []
    for number, (step, value) in enumerate(points):
        # As far to one side as to the other, also at the ends.
        reach = min(half, number, len(points) - 1 - number)
        first, last = number - reach, number + reach + 1
        found.append((step, None if value is None else sum(values[first:last]) / sum(known[first:last])))
    return found
