"""Operations in, what an importance-weighted bound computes for each of its draws out, and what is computed once."""

from collections.abc import Sequence, Set

from gendsl.frozen import dataclass
from gendsl.plan.plan import Operation


@dataclass(frozen=True, slots=True)
class Redrawn:
    """What is computed for each draw (`inside`), and the values outside that it needs (`known`), by number."""

    inside: frozenset[int]
    known: frozenset[int]


def is_bound(operation: Operation) -> bool:
    """Whether an operation redraws what it is given."""
    return operation.name == "function" and operation.attributes["word"] == "importance_weighted"


def draws_of(bound: Operation) -> int:
    """How many draws an importance-weighted bound takes."""
    return int(bound.attributes["arguments"]["draws"])


def redrawn(operations: Sequence[Operation], bound: int) -> Redrawn:
    """What an importance-weighted bound draws anew: each draw that it rests on, and what is made of them."""
    inside: set[int] = set()
    for index in sorted(_below(operations, bound)):
        operation = operations[index]
        if operation.name in ("draw", "prior") or inside & set(operation.inputs):
            inside.add(index)
    known = {number for index in inside for number in operations[index].inputs} - inside
    (weight,) = operations[bound].inputs
    return Redrawn(frozenset(inside), frozenset(known | ({weight} - inside)))


def needed_once(operations: Sequence[Operation], wanted: Sequence[int], known: Set[int]) -> set[int]:
    """The numbers of the operations that are computed once for the wanted ones, but those that are known already."""
    found: set[int] = set()
    waiting = [index for index in wanted if index not in known]
    while waiting:
        index = waiting.pop()
        if index in found:
            continue
        found.add(index)
        inputs = redrawn(operations, index).known if is_bound(operations[index]) else operations[index].inputs
        waiting.extend(one for one in inputs if one not in known)
    return found


def rows_of(operations: Sequence[Operation], wanted: Sequence[int]) -> dict[int, int]:
    """How many rows are computed for each example, by the operations that the wanted ones need."""
    found: dict[int, int] = {}

    def count(wanted: Sequence[int], known: Set[int], rows: int) -> None:
        for index in needed_once(operations, wanted, known):
            found[index] = found.get(index, 0) + rows
            if is_bound(operations[index]):
                inner = redrawn(operations, index)
                count(operations[index].inputs, inner.known, rows * draws_of(operations[index]))

    count(wanted, frozenset(), 1)
    return found


def _below(operations: Sequence[Operation], top: int) -> set[int]:
    found: set[int] = set()
    waiting = list(operations[top].inputs)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(operations[index].inputs)
    return found
