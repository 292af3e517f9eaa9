"""What the numbers of an encoded row mean: stretches of it, each of one column."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["scalar", "one_hot", "indicator"]


@dataclass(frozen=True)
class Block:
    """A stretch of a row, from `start` on.

    A `scalar` is one number, within -1..1 (about) where it is `bounded`; a `one_hot` has one 1 among zeros; an
    `indicator` is one number, 1 where the cell is missing and else 0. `part` says which one of its column's it is:
    `value`, `mode`, `category` or `missing`.
    """

    column: str
    part: str
    kind: Kind
    start: int
    width: int
    bounded: bool = True
