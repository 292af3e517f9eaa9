"""Sizes that may wait for the data: a `Dimension` is an integer, or a polynomial in names that only the data knows."""

from gendsl.frozen import dataclass

Monomial = tuple[str, ...]  # a product of names, sorted; () is the constant


@dataclass(frozen=True, slots=True)
class Symbolic:
    """A sum of products of unknown sizes, `2*row.width + 128`; equal when equal as polynomials."""

    terms: tuple[tuple[Monomial, int], ...]

    def __str__(self) -> str:
        parts = []
        for names, factor in self.terms:
            product = "*".join(names)
            parts.append(str(factor) if not names else product if factor == 1 else f"{factor}*{product}")
        return " + ".join(parts).replace("+ -", "- ")

    def __add__(self, other: "Dimension") -> "Dimension":
        return _of(_sum(_terms(self), _terms(other)))

    def __radd__(self, other: "Dimension") -> "Dimension":
        return _of(_sum(_terms(other), _terms(self)))

    def __sub__(self, other: "Dimension") -> "Dimension":
        return self + -1 * other

    def __rsub__(self, other: "Dimension") -> "Dimension":
        return other + -1 * self

    def __mul__(self, other: "Dimension") -> "Dimension":
        out: dict[Monomial, int] = {}
        for names, factor in _terms(self).items():
            for others, times in _terms(other).items():
                product = tuple(sorted(names + others))
                out[product] = out.get(product, 0) + factor * times
        return _of(out)

    __rmul__ = __mul__


Dimension = int | Symbolic
Shape = tuple[Dimension, ...]


def symbol(name: str) -> Symbolic:
    """A size known only by its name, such as `row.width`."""
    return Symbolic((((name,), 1),))


def _terms(value: Dimension) -> dict[Monomial, int]:
    return dict(value.terms) if isinstance(value, Symbolic) else {(): value}


def _sum(left: dict[Monomial, int], right: dict[Monomial, int]) -> dict[Monomial, int]:
    out = dict(left)
    for names, factor in right.items():
        out[names] = out.get(names, 0) + factor
    return out


def _of(terms: dict[Monomial, int]) -> Dimension:
    kept = sorted(((names, factor) for names, factor in terms.items() if factor), key=lambda t: (-len(t[0]), t[0]))
    if not kept:
        return 0
    if len(kept) == 1 and kept[0][0] == ():
        return kept[0][1]
    return Symbolic(tuple(kept))


def known(*dimensions: Dimension) -> bool:
    """Whether all are integers."""
    return all(isinstance(dimension, int) for dimension in dimensions)


def product(shape: Shape) -> Dimension:
    """The number of elements of a shape; 1 for a scalar."""
    total: Dimension = 1
    for dimension in shape:
        total = total * dimension
    return total


def ceil_divide(value: Dimension, divisor: int) -> Dimension:
    """Division rounded up; of an unknown size, a new unknown."""
    if isinstance(value, int):
        return -(-value // divisor)
    return _divided(value, divisor, "ceil")


def floor_divide(value: Dimension, divisor: int) -> Dimension:
    """Division rounded down; of an unknown size, a new unknown."""
    if isinstance(value, int):
        return value // divisor
    return _divided(value, divisor, "floor")


def _divided(value: Symbolic, divisor: int, rounding: str) -> Dimension:
    if divisor == 1:
        return value
    if all(factor % divisor == 0 for _, factor in value.terms):
        return _of({names: factor // divisor for names, factor in value.terms})
    return symbol(f"{rounding}(({value})/{divisor})")


def same(left: Dimension, right: Dimension) -> bool:
    """Whether two sizes can be equal: known ones are compared, an unknown one may be anything."""
    return left == right or not known(left, right)


def same_shape(left: Shape, right: Shape) -> bool:
    """Whether two shapes can be equal, size by size."""
    return len(left) == len(right) and all(map(same, left, right))


def shown(shape: Shape) -> str:
    """`28x28x1`; `(row.width + 128)` for what is not known; `1` for a single number."""
    return (
        "x".join(
            str(d) if isinstance(d, int) or (d.terms[0][1] == 1 and len(d.terms) == 1) else f"({d})" for d in shape
        )
        or "()"
    )
