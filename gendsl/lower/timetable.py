"""The phases of a plan in, the steps of a run out: how long it is, what runs when, which learning rate holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from gendsl.lower.schedules import Stretch, steps_of, value_at
from gendsl.plan.plan import Call, Phase, Plan

_UNCLIPPED = 1e30  # a norm that no finite gradient of float32 weights has in practice; infinity would give NaN


@dataclass(frozen=True, slots=True)
class Timetable:
    """The run as a stretch of steps, and each phase with its own."""

    run: Stretch
    phases: tuple[tuple[Phase, Stretch], ...]
    scalars: dict[str, Any]
    clip: Call | None = None
    scale: float = 1.0  # of all learning rates
    rate: float | None = None  # in place of all learning rates

    def led(self, plan: Plan, *, scale: float, values: Mapping[str, float]) -> "Timetable":
        """The same with learning rates scaled, and other numbers for `learning_rate` and bindings of `train`."""
        others = {name: value for name, value in values.items() if name in plan.train.scalars}
        scalars = {**plan.train.scalars, **others}
        return replace(self, scale=scale, rate=values.get("learning_rate"), scalars=scalars)

    def value(self, value: Any, step: Any) -> Any:
        """The value, float32 (), of a number, a schedule or a binding of `train`, measured against the run."""
        return value_at(self._looked_up(value), step, self.run)

    def _looked_up(self, value: Any) -> Any:
        return self.scalars[value] if isinstance(value, str) else value

    def learning_rate(self, optimizer: Call, step: Any) -> Any:
        """An optimizer's learning rate, float32 (), or what the phase sets in its place."""
        rate = self.value(optimizer.arguments["learning_rate"], step)
        now = self._now(step)
        for phase, stretch in self.phases:
            setting = phase.settings.get("learning_rate")
            if isinstance(setting, Call) and "rate" in setting.arguments:  # the statement with its argument
                setting = setting.arguments["rate"]
            if setting is not None:
                here = value_at(self._looked_up(setting), step, stretch)
                rate = tf.where(_within(now, stretch), here, rate)
        if self.rate is not None:
            rate = tf.constant(self.rate, tf.float32)
        return rate if self.scale == 1.0 else rate * self.scale

    def clip_norm(self, step: Any) -> Any:
        """The largest global norm of an update's gradients, float32 (); None where nothing is ever clipped."""
        if self.clip is None and not any("clip" in phase.settings for phase, _ in self.phases):
            return None
        norm = tf.constant(_UNCLIPPED if self.clip is None else _only(self.clip), tf.float32)
        for phase, stretch in self.phases:
            if "clip" in phase.settings:
                norm = tf.where(
                    _within(self._now(step), stretch), float(phase.settings["clip"].arguments["norm"]), norm
                )
        return norm

    def runs(self, phases: Collection[int], step: Any) -> Any:
        """Whether a step is of some phases, by their numbers: True where each is, else a bool tensor ()."""
        parts = [stretch for number, (_, stretch) in enumerate(self.phases) if number in phases]
        if len(parts) == len(self.phases):
            return True
        now, truth = self._now(step), tf.constant(False)
        for stretch in parts:
            truth = truth | _within(now, stretch)
        return truth

    def _now(self, step: Any) -> Any:
        return tf.minimum(step, self.run.length - 1)  # behind the end of the run the last phase goes on

    def phase_at(self, step: int) -> int:
        """The number of the phase that a step is of; behind the end of the run the last one goes on."""
        for number, (_, stretch) in enumerate(self.phases):
            if step < stretch.start + stretch.length:
                return number
        return len(self.phases) - 1

    def groups_at(self, step: int) -> frozenset[int]:
        """The groups that run in a step."""
        return frozenset(self.phases[self.phase_at(step)][0].groups)


def _only(call: Call) -> float:
    """The only argument of a setting."""
    return float(next(iter(call.arguments.values())))


def _within(step: Any, stretch: Stretch) -> Any:
    return (step >= stretch.start) & (step < stretch.start + stretch.length)


def timetable_of(plan: Plan, *, examples: int | None = None) -> Timetable:
    """The timetable of a plan; an epoch is examples / (batch * times) steps, rounded up.

    Raises ValueError for a length in epochs where the number of examples is not known."""
    known = plan.data.examples if examples is None else examples
    taken = plan.data.batch * plan.train.times
    epoch = None if known is None else -(-known // taken)
    phases: list[tuple[Phase, Stretch]] = []
    start = 0
    for phase in plan.train.phases:
        length = steps_of(phase.length, epoch)
        phases.append((phase, Stretch(start, length, epoch)))
        start += length
    return Timetable(Stretch(0, start, epoch), tuple(phases), dict(plan.train.scalars), plan.train.settings.get("clip"))
