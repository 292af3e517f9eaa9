"""A condition as it is written in, whether it holds of the values of a run out.

A value that was not told, or is no finite number, leaves open whether it holds; `and` and `or` then look at the rest.
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from gendsl.diagnostics import Problems
from gendsl.frozen import dataclass
from gendsl.source import Source
from gendsl.syntax import tree
from gendsl.syntax.parse import parse

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """`fid > 1.5 * best(fid)`; `names` are the values that it reads, in their order."""

    text: str
    value: Any  # of the syntax tree
    names: tuple[str, ...]

    def holds(self, values: Mapping[str, float], best: Mapping[str, float]) -> bool | None:
        """Whether it holds of these values and the best ones so far; None where that is open."""
        found = _value(self.value, values, best)
        return found if isinstance(found, bool) else None


def condition_of(text: str) -> Condition:
    """The condition of a text. Raises ValueError where it is none."""
    problems = Problems()
    spec = parse(Source("condition", f"condition = {text}\n"), problems)
    if problems.failed or len(spec.statements) != 1 or not isinstance(spec.statements[0], tree.Binding):
        raise ValueError(f"`{text}` is no condition")
    value = spec.statements[0].value
    names: dict[str, None] = {}
    _gather(value, names)
    return Condition(text, value, tuple(names))


def _gather(value: Any, names: dict[str, None]) -> None:
    match value:
        case tree.Name():
            names[value.text] = None
        case tree.Binary():
            _gather(value.left, names)
            _gather(value.right, names)
        case tree.Unary():
            _gather(value.operand, names)
        case tree.Parenthesised():
            _gather(value.value, names)
        case tree.Call():
            for argument in value.arguments:
                _gather(argument.value, names)
        case tree.Number():
            pass
        case _:
            raise ValueError(f"{type(value).__name__} stands in no condition")


def _value(value: Any, values: Mapping[str, float], best: Mapping[str, float]) -> bool | float | None:
    match value:
        case tree.Number():
            return float(value.value)
        case tree.Name():
            return _finite(values.get(value.text))
        case tree.Call():
            argument = value.arguments[0].value
            return _finite(best.get(argument.text)) if isinstance(argument, tree.Name) else None
        case tree.Parenthesised():
            return _value(value.value, values, best)
        case tree.Unary():
            operand = _value(value.operand, values, best)
            if operand is None:
                return None
            return (not operand) if value.operator == "not" else -operand
        case tree.Binary() if value.operator in ("and", "or"):
            decides = value.operator == "or"  # what one side has to be for the other not to matter
            sides = [_value(value.left, values, best), _value(value.right, values, best)]
            if decides in [side for side in sides if isinstance(side, bool)]:
                return decides
            return None if None in sides else not decides
        case tree.Binary():
            left, right = _value(value.left, values, best), _value(value.right, values, best)
            if left is None or right is None:
                return None
            if value.operator in _COMPARE:
                return _COMPARE[value.operator](left, right)
            try:
                return _finite(_ARITHMETIC[value.operator](left, right))
            except (ZeroDivisionError, OverflowError):
                return None
    return None


def _finite(value: Any) -> float | None:
    # A root of a negative number is complex.
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None
