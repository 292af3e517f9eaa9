"""An alarm of the language in, the rule out that says at each check whether it holds: its condition, or its own."""

from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Any, Protocol

from gendsl.monitor.conditions import Condition, condition_of
from gendsl.monitor.turn import Turn, Turned
from gendsl.plan.plan import Call, Quantity
from gendsl.vocabulary.monitors import HELD_OUT, is_higher_better

_COLLAPSED, _DIVERSE = 0.2, 0.4
_MEMORIZES = "memorized > 5%"
_WON_LOSS, _WON_SHARE = 0.02, 0.98
_IMPROVED = 0.01
_ONE_CHECK = Quantity(1, "checks")
_SPANS = {"collapse": 3, "overfit": 3, "balance": 20, "plateau": 10}  # checks, of own conditions


class Rule(Protocol):
    """Says at each check whether an alarm holds. A check needs all its `names` anew, each a finite number."""

    names: tuple[str, ...]
    repeats: bool  # whether it may fire again while it holds

    def hear(self, step: float, values: Mapping[str, float], best: Mapping[str, float]) -> str | None:
        """What is wrong at this check, in words; None where nothing is."""

    def state(self) -> Any:
        """What it remembers, as JSON has it."""

    def restore(self, state: Any) -> None:
        """Brings it back to where it remembered that."""


class When:
    """A written condition."""

    repeats = False

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self.names: tuple[str, ...] = condition.names

    def hear(self, step: float, values: Mapping[str, float], best: Mapping[str, float]) -> str | None:
        return f"`{self._condition.text}`" if self._condition.holds(values, best) else None

    def state(self) -> Any:
        return None

    def restore(self, state: Any) -> None:
        pass


class Fallen:
    """A share that was high once and is low: samples are alike before training, too, which is no collapse."""

    repeats = False

    def __init__(self, name: str) -> None:
        self.names: tuple[str, ...] = (name,)
        self._was_high = False

    def hear(self, step: float, values: Mapping[str, float], best: Mapping[str, float]) -> str | None:
        value = values[self.names[0]]
        self._was_high = self._was_high or value >= _DIVERSE
        return f"`{self.names[0]}` is below {_COLLAPSED:.0%}" if self._was_high and value < _COLLAPSED else None

    def state(self) -> Any:
        return self._was_high

    def restore(self, state: Any) -> None:
        self._was_high = bool(state)


class Worse:
    """The main score has turned for good; `loss`, where it is named, has to go on falling meanwhile (overfitting)."""

    repeats = False

    def __init__(self, score: str, *, higher: bool, loss: str | None = None) -> None:
        self.names: tuple[str, ...] = (score,) if loss is None else (score, loss)
        self._turn = Turn(higher=higher)
        self._higher = higher
        self._steps: list[float] = []
        self._losses: list[float] = []

    def hear(self, step: float, values: Mapping[str, float], best: Mapping[str, float]) -> str | None:
        self._steps.append(step)
        self._losses += [values[name] for name in self.names[1:]]
        turned = self._turn.hear(values[self.names[0]])
        if turned is None or (self._losses and not self._falls(turned)):
            return None
        what = f"`{self.names[0]}` was {turned.best:.4g} at step {self._steps[turned.at]:,}, and is {turned.now:.4g}"
        return f"{what}: {'lower' if self._higher else 'higher'} for {turned.checks} checks" + (
            f", while `{self.names[1]}` falls" if self._losses else ""
        )

    def _falls(self, turned: Turned) -> bool:
        then = self._losses[max(0, turned.at - 2) : turned.at + 3]
        return median(self._losses[-5:]) < median(then)

    def state(self) -> Any:
        return [self._steps, self._turn.values, self._losses]

    def restore(self, state: Any) -> None:
        steps, values, losses = state or ([], [], [])
        self._steps, self._losses = [step + 0 for step in steps], [float(loss) for loss in losses]
        self._turn = Turn(higher=self._higher)
        for value in values:
            self._turn.hear(float(value))


class Plateau:
    """The main score is not better by 1 % than the best that counted so far."""

    repeats = True  # from then on it counts anew

    def __init__(self, score: str, *, higher: bool) -> None:
        self.names: tuple[str, ...] = (score,)
        self._higher = higher
        self._best: float | None = None

    def hear(self, step: float, values: Mapping[str, float], best: Mapping[str, float]) -> str | None:
        value = values[self.names[0]]
        if self._best is not None:
            gain = value - self._best if self._higher else self._best - value
            if gain <= _IMPROVED * abs(self._best):
                return f"`{self.names[0]}` has not improved by {_IMPROVED:.0%} on {self._best:.4g}"
        self._best = value
        return None

    def state(self) -> Any:
        return self._best

    def restore(self, state: Any) -> None:
        self._best = None if state is None else float(state)


def rule_of(call: Call, known: Collection[str], main: str | None, directions: Mapping[str, bool]) -> Rule | None:
    """The rule of an alarm; None where its own condition reads nothing of what is `known` by name.

    `main` is the score that says best whether a model is good; `directions` says of scores whether higher is better.
    """
    condition = call.arguments.get("when")
    if isinstance(condition, str):
        return When(condition_of(condition))

    def higher(name: str) -> bool:
        return directions.get(name, is_higher_better(name))

    match call.word:
        case "collapse" if "diversity" in known:
            return Fallen("diversity")
        case "overfit" if "memorized" in known:
            return When(condition_of(_MEMORIZES))
        case "overfit":
            score = next((name for name in HELD_OUT if name in known), None)
            loss = next((name for name in known if name.endswith("_loss")), None)
            if score is not None and loss is not None:
                return Worse(score, higher=higher(score), loss=loss)
        case "worse" if main is not None:
            return Worse(main, higher=higher(main))
        case "plateau" if main is not None:
            return Plateau(main, higher=higher(main))
        case "balance":
            won = _won(known)
            return When(condition_of(won)) if won else None
    return None


def _won(known: Collection[str]) -> str | None:
    """The condition that a discriminator has won, by what is known of it."""
    shares = [name for name in known if name == "ada_r_t" or name.endswith("accuracy")]
    losses = [name for name in known if name.endswith("_loss") and ("discriminator" in name or "critic" in name)]
    found = [f"{name} > {_WON_SHARE}" for name in shares[:1]]
    found += [f"({name} >= 0 and {name} < {_WON_LOSS})" for name in losses[:1]]
    return " or ".join(found) or None


def span_of(call: Call) -> Quantity:
    """How long an alarm has to hold."""
    given = call.arguments.get("for")
    if isinstance(given, Quantity):
        return given
    own = not isinstance(call.arguments.get("when"), str)
    return Quantity(_SPANS[call.word], "checks") if own and call.word in _SPANS else _ONE_CHECK


def policy_of(call: Call) -> Call:
    """What an alarm does."""
    given = call.arguments.get("do")
    if isinstance(given, Call):
        return given
    return Call("stop" if call.word in ("worse", "diverged") else "warn", {})


def alarms_of(calls: Sequence[Call]) -> tuple[Call, ...]:
    """The alarms of a `monitor` block, with those that `default` stands for and that are not written beside it."""
    written = [call for call in calls if call.word != "default"]
    if len(written) == len(calls):
        return tuple(written)
    words = {call.word for call in written}
    default = [Call(word, {"do": Call("stop", {})}) for word in ("diverged", "worse", "collapse") if word not in words]
    return (*default, *written)
