"""The alarms of a plan and the values of a run, check by check, in; what fires out: when, on what, and what it does.

Pure and small: the same values give the same firings, in a run, in one that was resumed, and in a recorded series.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError
from gendsl.monitor.alarms import Rule, alarms_of, policy_of, rule_of, span_of
from gendsl.plan.plan import Call, Plan, Quantity
from gendsl.vocabulary.monitors import is_higher_better, main_score, values_of


@dataclass(frozen=True, slots=True)
class Firing:
    """An alarm that fires: its name, after which step, the values that it read, why in words, and what it does."""

    name: str
    step: float
    values: Mapping[str, float]
    why: str
    policy: Call


@dataclass(slots=True)
class Watched:
    """An alarm of a plan with how it stands."""

    name: str  # unique: a second `worse` is `worse_2`
    rule: Rule
    span: Quantity
    policy: Call
    told: set[str]  # of the rule's names, those that were told since its last check
    held: int = 0  # checks in a row that it holds
    since: float = 0  # the step of the first of these
    fired: bool = False  # in this stretch


class Monitors:
    """The alarms of a plan that can be checked, by what is known by name; `unread` names the others and what they miss.

    `steps_per_epoch` is how far steps count in an epoch. Raises UserError where an alarm counts epochs and it is None.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        known: Collection[str],
        *,
        best: str | None = None,
        directions: Mapping[str, bool] | None = None,
        steps_per_epoch: float | None = None,
    ) -> None:
        self._directions = dict(directions or {})
        self._last: dict[str, float] = {}
        self._best: dict[str, float] = {}
        self._epoch = steps_per_epoch
        self.watched: list[Watched] = []
        self._checked: list[Watched] = []  # by the last values
        self.unread: list[tuple[str, tuple[str, ...]]] = []
        self.diverged: Call | None = None  # the policy of that alarm, which its user looks after
        main = main_score(known, best)
        names: set[str] = set()
        for call in alarms_of(calls):
            if call.word == "diverged":
                self.diverged = policy_of(call)
                continue
            name = _unique(str(call.arguments["name"]) if call.word == "alarm" else call.word, names)
            rule = rule_of(call, known, main, self._directions)
            missing = () if rule is None else tuple(one for one in rule.names if one not in known)
            if rule is None or missing:
                self.unread.append((name, missing or (_WANTS.get(call.word, "a score"),)))
                continue
            span = span_of(call)
            if span.unit.startswith("epoch") and steps_per_epoch is None:
                raise UserError(
                    f"`{name}` counts epochs, and it is not known how many steps one has", "count `checks` or `steps`"
                )
            self.watched.append(Watched(name, rule, span, policy_of(call), set()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all values that some alarm reads."""
        return tuple(dict.fromkeys(name for watched in self.watched for name in watched.rule.names))

    def check(self, step: float, values: Mapping[str, float]) -> list[Firing]:
        """What fires on what is told after a step; a value that is no finite number counts as not told."""
        fired = []
        for name, value in values.items():
            if not math.isfinite(value):
                continue
            self._last[name] = value
            best, higher = self._best.get(name), self._directions.get(name, is_higher_better(name))
            if best is None or (value > best if higher else value < best):
                self._best[name] = value
            for watched in self.watched:
                if name in watched.rule.names:
                    watched.told.add(name)
        self._checked = [one for one in self.watched if one.told and one.told.issuperset(one.rule.names)]
        for watched in self._checked:
            watched.told.clear()
            why = watched.rule.hear(step, self._last, self._best)
            if self._fires(watched, step, why):
                read = {name: self._last[name] for name in watched.rule.names}
                fired.append(Firing(watched.name, step, read, _why(watched, str(why)), watched.policy))
        return fired

    def holds(self, policy: str) -> bool:
        """Whether, at its last check, any alarm with a policy held, be it not long enough to fire."""
        return any(watched.held for watched in self.watched if watched.policy.word == policy)

    def can(self, policy: str) -> bool:
        """Whether any alarm has a policy."""
        return any(watched.policy.word == policy for watched in self.watched)

    def checked(self, policy: str) -> bool:
        """Whether the last values made a check of any alarm with a policy."""
        return any(watched.policy.word == policy for watched in self._checked)

    def _fires(self, watched: Watched, step: float, why: str | None) -> bool:
        if why is None:
            watched.held, watched.fired = 0, False
            return False
        if not watched.held:
            watched.since = step
        watched.held += 1
        if watched.fired or not self._long_enough(watched, step):
            return False
        if watched.rule.repeats:
            watched.held = 0
        else:
            watched.fired = True
        return True

    def _long_enough(self, watched: Watched, step: float) -> bool:
        span = watched.span
        if span.unit.startswith("check"):
            return watched.held >= span.value
        long = float(span.value) * (self._epoch or 1 if span.unit.startswith("epoch") else 1)
        return step - watched.since >= long

    def state(self) -> dict[str, Any]:
        """All that they remember, as JSON has it."""
        return {
            "last": dict(self._last),
            "best": dict(self._best),
            "alarms": {
                watched.name: {
                    "told": sorted(watched.told),
                    "held": watched.held,
                    "since": watched.since,
                    "fired": watched.fired,
                    "rule": watched.rule.state(),
                }
                for watched in self.watched
            },
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Brings them back to where they remembered that; an alarm that is new since begins with nothing.

        A state that is none raises one of the errors that reading it wrongly does."""
        self._last, self._best = _numbers(state.get("last", {})), _numbers(state.get("best", {}))
        for watched in self.watched:
            known = state.get("alarms", {}).get(watched.name)
            if known is None:
                continue
            watched.told = set(known["told"]) & set(watched.rule.names)
            watched.held, watched.since, watched.fired = int(known["held"]), known["since"] + 0, bool(known["fired"])
            watched.rule.restore(known["rule"])


_WANTS = {"collapse": "diversity", "overfit": "memorized", "worse": "fid", "balance": "discriminator_loss"}


def known_of(plan: Plan) -> tuple[str, ...]:
    """The names of all values that a run of a plan tells: of its scores, and of its log."""
    names = [value for evaluation in plan.evaluations for value in _scored(evaluation)]
    updates = [update for group in plan.train.groups for update in group.updates]
    names += [f"{update.name}_{what}" for what in ("loss", "learning_rate", "loss_scale") for update in updates]
    return tuple(dict.fromkeys([*names, "ada_p", "ada_r_t"]))


def _scored(evaluation: Any) -> list[str]:
    names = [value for call in evaluation.scores if call.word != "keep" for value in values_of(call.word)]
    return names + [name for name, _ in evaluation.equations]


def monitors_of(plan: Plan, known: Collection[str] | None = None, *, steps_per_epoch: float | None) -> Monitors:
    """The alarms of a plan, on what its runs tell, or on what else is known. Raises UserError."""
    best, directions = None, {}
    for evaluation in plan.evaluations:
        for call in evaluation.scores:
            if call.word == "keep" and isinstance(call.arguments.get("best"), str):
                best = call.arguments["best"]
                better = call.arguments.get("better")
                directions[best] = better == "higher" if better else is_higher_better(best)
    return Monitors(
        plan.monitors,
        known_of(plan) if known is None else known,
        best=best,
        directions=directions,
        steps_per_epoch=steps_per_epoch,
    )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in values.items()}


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 2, name
    while unique in taken:
        number, unique = number + 1, f"{name}_{number}"
    taken.add(unique)
    return unique


def _why(watched: Watched, why: str) -> str:
    span = watched.span
    if span.value == 1 and span.unit.startswith("check"):
        return why
    return f"{why}, for {span.value:,} {span.unit if span.value != 1 else span.unit.removesuffix('s')}"
