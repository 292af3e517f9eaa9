"""A seed in, the drawn FID curve of a run out, healthy or collapsed: what the default monitor is measured on.

Healthy ones fall by a power law to a floor, with noise that a score of few samples has, leaps in the first checks,
spikes that recover, plateaus, drops of the learning rate, cycles. Those that go wrong do so from such a curve: by a
jump, a slow turn, growing swings, not-a-numbers, or the early turn of a model that learns little data by heart.
"""

import math
import random
from collections.abc import Callable

Curve = list[float]


def healthy(draw: random.Random, count: int) -> Curve:
    """What a run that goes well may look like, without noise."""
    start, floor = draw.uniform(150, 450), draw.uniform(2, 40)
    power = draw.uniform(0.5, 1.6)
    pace = count * draw.uniform(0.01, 0.15)
    return [floor + (start - floor) * (1 + index / pace) ** -power for index in range(count)]


def noisy(draw: random.Random, curve: Curve) -> Curve:
    """Noise of the evaluation, 1 to 10 %, up to three times as much in the first tenth of a run."""
    sigma, early = draw.uniform(0.01, 0.10), draw.uniform(1, 3)
    out = []
    for index, value in enumerate(curve):
        scale = sigma * (1 + (early - 1) * math.exp(-10 * index / len(curve)))
        out.append(value * math.exp(draw.gauss(0, scale)))
    return out


def plain(draw: random.Random, count: int) -> Curve:
    return noisy(draw, healthy(draw, count))


def spiky(draw: random.Random, count: int) -> Curve:
    """Spikes of 1.5 to 10 times the score that are gone within a few checks."""
    curve = plain(draw, count)
    for _ in range(draw.randint(1, max(1, count // 25))):
        at, height, decay = draw.randrange(count), draw.uniform(1.5, 10), draw.uniform(0.3, 1.5)
        for index in range(at, count):
            curve[index] *= 1 + (height - 1) * math.exp(-(index - at) / decay)
    return curve


def stepped(draw: random.Random, count: int) -> Curve:
    """Plateaus that end where the learning rate drops."""
    curve = healthy(draw, count)
    at, factor = draw.uniform(0.3, 0.8) * count, draw.uniform(0.5, 0.9)
    return noisy(draw, [value * (factor if index > at else 1) for index, value in enumerate(curve)])


def cyclic(draw: random.Random, count: int) -> Curve:
    """Cycles of up to 15 % to each side, as of a cyclic learning rate."""
    period, size, phase = count * draw.uniform(0.05, 0.25), draw.uniform(0.03, 0.15), draw.uniform(0, 2 * math.pi)
    curve = healthy(draw, count)
    return noisy(draw, [v * (1 + size * math.sin(2 * math.pi * i / period + phase)) for i, v in enumerate(curve)])


def drifting(draw: random.Random, count: int) -> Curve:
    """A plateau that wanders by a few per cent."""
    curve, level = healthy(draw, count), 0.0
    out = []
    for value in curve:
        level = 0.95 * level + draw.gauss(0, 0.01)
        out.append(value * math.exp(level))
    return noisy(draw, out)


def jumped(draw: random.Random, count: int) -> tuple[Curve, int]:
    """A collapse: the score leaps to 2.5 to 40 times within a few checks and stays."""
    curve, at = plain(draw, count), _turn(draw, count)
    height, pace = draw.uniform(2.5, 40), draw.uniform(0.2, 3)
    for index in range(at, count):
        curve[index] *= 1 + (height - 1) * (1 - math.exp(-(index - at + 1) / pace))
    return curve, at


def turned(draw: random.Random, count: int) -> tuple[Curve, int]:
    """A slow turn: the score grows to 1.8 to 5 times its best until the end."""
    curve, at = plain(draw, count), _turn(draw, count)
    end = math.log(draw.uniform(1.8, 5))
    for index in range(at, count):
        curve[index] *= math.exp(end * (index - at + 1) / (count - at))
    return curve, at


def swinging(draw: random.Random, count: int) -> tuple[Curve, int]:
    """Swings that grow, about a mean that does."""
    curve, at = plain(draw, count), _turn(draw, count)
    period, end = max(3.0, (count - at) * draw.uniform(0.1, 0.3)), math.log(draw.uniform(2.5, 10))
    for index in range(at, count):
        share = (index - at + 1) / (count - at)
        curve[index] *= math.exp(end * share * (1 + 0.5 * math.sin(2 * math.pi * (index - at) / period)))
    return curve, at


def early(draw: random.Random, count: int) -> tuple[Curve, int]:
    """Little data learnt by heart: best in the first third, then worse by a power of the time."""
    curve, at = plain(draw, count), max(3, int(count * draw.uniform(0.12, 0.33)))
    power = draw.uniform(0.5, 1.2)
    for index in range(at, count):
        curve[index] *= (index / at) ** power * (curve[at] / curve[index] if curve[index] < curve[at] else 1)
    return curve, at


def not_numbers(draw: random.Random, count: int) -> tuple[Curve, int]:
    """Weights that are no longer numbers."""
    curve, at = plain(draw, count), _turn(draw, count)
    return curve[:at] + [math.nan] * (count - at), at


def _turn(draw: random.Random, count: int) -> int:
    return max(4, int(count * draw.uniform(0.3, 0.7)))


HEALTHY: dict[str, Callable[[random.Random, int], Curve]] = {
    "plain": plain,
    "spiky": spiky,
    "stepped": stepped,
    "cyclic": cyclic,
    "drifting": drifting,
}
WRONG: dict[str, Callable[[random.Random, int], tuple[Curve, int]]] = {
    "jumped": jumped,
    "turned": turned,
    "swinging": swinging,
    "early": early,
}


def checks(draw: random.Random) -> int:
    """The number of checks of a run: 12 to 500."""
    return round(math.exp(draw.uniform(math.log(12), math.log(500))))
