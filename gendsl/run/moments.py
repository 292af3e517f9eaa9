"""A plan and the length of a run in, the steps out at which it logs, draws pictures, is evaluated and is saved."""

from collections.abc import Iterable
from dataclasses import dataclass

from gendsl.lower.schedules import steps_of
from gendsl.plan.plan import Plan, Quantity

_MOST_STEPS_BETWEEN_LOGS = 50
_DEFAULT_MINUTES = 5.0


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so many steps, or every so many seconds, or both; 0 for neither."""

    steps: int = 0
    seconds: float = 0.0

    def due(self, step: int) -> bool:
        """Whether it falls on the end of a step by its count."""
        return self.steps > 0 and step > 0 and step % self.steps == 0

    def overdue(self, seconds: float) -> bool:
        """Whether it is time by the clock, so many seconds after the last."""
        return self.seconds > 0 and seconds >= self.seconds


@dataclass(frozen=True, slots=True)
class Moments:
    """When things happen in a run of `last` steps; all of them also happen at its end."""

    last: int
    log: Interval
    picture: Interval
    checkpoint: Interval
    evaluations: tuple[Interval, ...]
    ends: tuple[int, ...]  # of phases
    profiled: range = range(0)  # steps, numbered from 1, that graph calls take one by one

    def logs(self, step: int) -> bool:
        """Whether a window ends with a step: at fixed ones, and with each phase, since the next has other updates."""
        return self.log.due(step) or step in self.ends or step == self.last

    def next_after(self, step: int) -> int:
        """The first step after this one at whose end anything happens: no graph call runs past it."""
        if step + 1 in self.profiled:
            return step + 1
        found = [self.last, *(end for end in self.ends if end > step)]
        for interval in (self.log, self.picture, self.checkpoint, *self.evaluations):
            if interval.steps:
                found.append((step // interval.steps + 1) * interval.steps)
        if self.profiled and step + 1 < self.profiled[0]:
            found.append(self.profiled[0] - 1)
        return min(found)


def moments_of(plan: Plan, *, last: int, length: int, steps_per_epoch: int | None) -> Moments:
    """The moments of a run that ends after `last` steps of the `length` that the plan has."""
    setting = plan.train.settings.get("checkpoint")
    every = setting.arguments.get("every") if setting is not None else None
    checkpoint = (
        Interval(steps=max(1, length // 10), seconds=60 * _DEFAULT_MINUTES)
        if every is None
        else _interval(every, steps_per_epoch)
    )
    log = Interval(steps=min(_MOST_STEPS_BETWEEN_LOGS, _round_number(length / 200)))
    return Moments(
        last=last,
        log=log,
        picture=Interval(steps=_round_number(length / 10)),
        checkpoint=checkpoint,
        evaluations=tuple(_interval(evaluation.every, steps_per_epoch) for evaluation in plan.evaluations),
        ends=tuple(_ends((phase.length for phase in plan.train.phases), steps_per_epoch)),
    )


def kept_checkpoints(plan: Plan) -> int:
    """How many checkpoints stay."""
    setting = plan.train.settings.get("checkpoint")
    return 3 if setting is None else int(setting.arguments.get("keep") or 3)


def steps_in(amount: Quantity, steps_per_epoch: int | None) -> int:
    """A length in steps; at least 1. Raises ValueError for epochs of unlimited data."""
    return max(1, steps_of(amount, steps_per_epoch))


def _interval(every: Quantity | None, steps_per_epoch: int | None) -> Interval:
    if every is None:
        return Interval()
    if every.unit == "minutes":
        return Interval(seconds=60 * float(every.value))
    return Interval(steps=steps_in(every, steps_per_epoch))


def _ends(lengths: Iterable[Quantity], steps_per_epoch: int | None) -> list[int]:
    ends, total = [], 0
    for length in lengths:
        total += steps_in(length, steps_per_epoch)
        ends.append(total)
    return ends


def _round_number(value: float) -> int:
    """The largest of 1, 2, 5, 10, 20, 50, … that is not above a number; at least 1."""
    best = power = 1
    while power <= value:
        for leading in (1, 2, 5):
            if leading * power <= value:
                best = leading * power
        power *= 10
    return best
