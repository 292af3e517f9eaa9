"""The conditions `when:` of updates in, their operations out, and in each group what they need to have measured.

A signal is what an update binds or minimises: `accuracy` in the condition of the update that binds it, and anywhere
`critic_accuracy` and `critic_loss`, as in `monitor`. A tensor of numbers stands for its mean.
"""

from collections.abc import Collection, Mapping, Sequence

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.equations import Equations
from gendsl.check.operations import Sites, kind_shown
from gendsl.check.pruning import pruned
from gendsl.check.scope import Missing, Operand, Scope
from gendsl.frozen import dataclass, replace
from gendsl.plan.plan import Group, Operation, Update
from gendsl.spelling import suggestion
from gendsl.syntax import tree
from gendsl.syntax.write import value as written
from gendsl.vocabulary.types import Scalar, Tensor, Truth, Unknown

_OF_NUMBERS = {"constant", "scalar", "scheduled", "signal", "function", "negate", "and", "or", "not"} | {
    *("add", "subtract", "multiply", "divide", "power"),
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
}


@dataclass(frozen=True, slots=True)
class Measurable:
    """What a group could measure: the number of each scalar or tensor in `operations`, by the name it is logged under
    (`critic/accuracy`)."""

    numbers: Mapping[str, int]
    operations: tuple[Operation, ...]
    broken: frozenset[str] = frozenset()  # names in it that a reported mistake has left without a meaning


def measurable_in(
    updates: Sequence[Update], scopes: Mapping[str, Scope], operations: Sequence[Operation]
) -> Measurable:
    """What the updates of a group bind, and their losses; bindings of a `together` belong to each of its updates."""
    numbers: dict[str, int] = {}
    broken: set[str] = set()
    for update in updates:
        scope: Scope | None = scopes[update.name]
        while scope is not None:
            for name, meaning in scope.names.items():
                if isinstance(meaning, Operand) and _is_number(meaning):
                    numbers.setdefault(f"{update.name}/{name}", meaning.number)
                elif isinstance(meaning, Missing):
                    broken |= {name, f"{update.name}_{name}"}
            scope = scope.parent
        numbers[f"{update.name}/loss"] = update.loss
    return Measurable(numbers, tuple(operations), frozenset(broken))


def _is_number(operand: Operand) -> bool:
    kind = operand.type
    return operand.number >= 0 and (isinstance(kind, Scalar | Truth) or (isinstance(kind, Tensor) and not kind.integer))


def with_signals(
    groups: list[Group],
    measurable: Sequence[Measurable],
    conditions: Mapping[int, tree.Value],
    outer: Scope,
    context: Context,
) -> None:
    """Gives the groups their conditions, and what any condition reads to measure, in place."""
    if not conditions:
        return
    logged = {name.replace("/", "_", 1): name for one in measurable for name in one.numbers}
    broken = frozenset[str]().union(*(one.broken for one in measurable))
    read: set[str] = set()
    for number, condition in conditions.items():
        own = {name.partition("/")[2]: name for name in measurable[number].numbers}
        found = _condition(condition, logged | own, broken, outer, context)
        if found is not None:
            read |= {one.attributes["name"] for one in found if one.name == "signal"}
            groups[number] = replace(groups[number], when=found, condition=written(condition))
    for number, one in enumerate(measurable):
        names = [name for name in one.numbers if name in read]
        if not names:
            continue
        group = groups[number]
        losses = [one.numbers[f"{update.name}/loss"] for update in group.updates]
        places, operations = pruned([*losses, *(one.numbers[name] for name in names)], one.operations)
        updates = tuple(replace(u, loss=places[loss]) for u, loss in zip(group.updates, losses, strict=True))
        measures = tuple((name, places[one.numbers[name]]) for name in names)
        groups[number] = replace(group, updates=updates, operations=operations, measures=measures)


def _condition(
    condition: tree.Value, signals: Mapping[str, str], broken: Collection[str], outer: Scope, context: Context
) -> tuple[Operation, ...] | None:
    """The operations of a condition, the last its truth; None after a reported mistake."""
    equations = Equations(context, {}, Sites())
    scope = Scope(outer, {name: Missing() for name in broken})
    for name, logged in signals.items():
        if scope.find(name) is None:
            scope.define(name, equations.add("signal", (), {"name": logged}, Scalar()))
    if (unknown := _unknown(condition, scope)) is not None:
        close = suggestion(unknown.text, signals)
        known = ", ".join(f"`{name}`" for name in sorted(signals))
        context.problems.add(
            rules.unknown_name,
            unknown.span,
            f"no update measures `{unknown.text}`",
            help=(f"did you mean `{close}`? " if close else "") + f"conditions read what updates bind or lose: {known}",
        )
        return None
    found = equations.value(condition, scope)
    if isinstance(found.type, Unknown):
        return None
    kept = () if found.number < 0 else pruned([found.number], equations.operations)[1]
    if any(operation.name not in _OF_NUMBERS for operation in kept):
        problem = "a condition reads numbers that updates have measured, and this computes anew"
        help = "bind it in an update, `accuracy = mean(…)`, and compare that"
    elif not isinstance(found.type, Truth):
        problem, help = f"a condition compares, and this is a {kind_shown(found.type)}", "write `accuracy < 80%`"
    elif not any(operation.name == "signal" for operation in kept):
        problem, help = "this condition reads nothing that an update measures", "a `phase` runs updates at some steps"
    else:
        return kept
    context.problems.add(rules.type_mismatch, condition.span, problem, help=help)
    return None


def _unknown(value: tree.Value, scope: Scope) -> tree.Name | None:
    """The first name in a condition that means nothing."""
    match value:
        case tree.Name():
            return value if scope.find(value.text) is None else None
        case tree.Binary():
            return _unknown(value.left, scope) or _unknown(value.right, scope)
        case tree.Unary():
            return _unknown(value.operand, scope)
        case tree.Parenthesised():
            return _unknown(value.value, scope)
    return None
