"""Two exact numbers or sizes in, their sum, product, quotient, power or comparison out."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from gendsl.vocabulary.dimensions import Symbolic


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, Symbolic) or isinstance(right, Symbolic):
        from gendsl.vocabulary.dimensions import floor_divide

        if isinstance(right, int) and right > 0:
            return floor_divide(left, right)
        raise TypeError
    if isinstance(left, float) or isinstance(right, float):
        return left / right
    return Fraction(left) / Fraction(right)


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, Symbolic) or isinstance(right, Symbolic):
        raise TypeError
    if abs(right) > 1024 and abs(left) not in (0, 1):
        raise OverflowError
    if isinstance(right, int):
        return Fraction(left) ** right if not isinstance(left, float) else left**right
    result = float(left) ** float(right)
    if isinstance(result, complex):
        raise ValueError
    return result


def _times(left: Any, right: Any) -> Any:
    if (isinstance(left, Symbolic) and isinstance(right, Fraction | float)) or (
        isinstance(right, Symbolic) and isinstance(left, Fraction | float)
    ):
        raise TypeError
    return left * right


def _plus(sign: int) -> Callable[[Any, Any], Any]:
    def add(left: Any, right: Any) -> Any:
        if (isinstance(left, Symbolic) and isinstance(right, Fraction | float)) or (
            isinstance(right, Symbolic) and isinstance(left, Fraction | float)
        ):
            raise TypeError
        return left + sign * right

    return add


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _plus(1),
    "-": _plus(-1),
    "*": _times,
    "/": _divide,
    "^": _power,
}


COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
