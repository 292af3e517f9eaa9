"""A log weight and what it draws in, the log of the mean weight over several draws out: importance-weighted bounds.

All draws of an example are computed at once, beside each other in the batch; what draws nothing is computed once and
repeated, so the encoder of an autoencoder sees its batch once.
"""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.lower.distributions import Distribution
from gendsl.plan.plan import Operation

WORD = "importance_weighted"


@dataclass(frozen=True, slots=True)
class Redrawn:
    """What is computed for each draw (`inside`), and the values outside that it needs (`known`), by number."""

    inside: frozenset[int]
    known: frozenset[int]


def is_bound(operation: Operation) -> bool:
    """Whether an operation redraws what it is given."""
    return operation.name == "function" and operation.attributes["word"] == WORD


def redrawn(operations: Sequence[Operation], bound: int) -> Redrawn:
    """What an importance-weighted bound draws anew: each draw that it rests on, and what is made of them."""
    below = _below(operations, bound)
    inside: set[int] = set()
    for index in sorted(below):
        operation = operations[index]
        if operation.name in ("draw", "prior") or inside & set(operation.inputs):
            inside.add(index)
    known = {number for index in inside for number in operations[index].inputs} - inside
    (weight,) = operations[bound].inputs
    return Redrawn(frozenset(inside), frozenset(known | ({weight} - inside)))


def needed_outside(operations: Sequence[Operation], wanted: Sequence[int], known: Set[int]) -> set[int]:
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


def repeated(values: Mapping[int, Any], times: int) -> dict[int, Any]:
    """Values (batch, …), each example's row as often as it is drawn for, (batch · times, …); scalars as they are."""
    return {number: _repeated(value, times) for number, value in values.items()}


def log_mean(weights: Any, times: int) -> Any:
    """log of the mean of exp(weights) over the draws, (batch) from (batch · times).

    Source: Burda et al. 2016, https://arxiv.org/abs/1509.00519, equation 8; its gradient is that of equation 14."""
    return tf.reduce_logsumexp(tf.reshape(weights, [-1, times]), axis=1) - math.log(times)


def _below(operations: Sequence[Operation], top: int) -> set[int]:
    found: set[int] = set()
    waiting = list(operations[top].inputs)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(operations[index].inputs)
    return found


def _repeated(value: Any, times: int) -> Any:
    if isinstance(value, Distribution):
        held = {name: getattr(value, name) for name in value.__slots__}
        return type(value)(**{name: _repeated(one, times) for name, one in held.items()})
    if isinstance(value, list | tuple):
        return [_repeated(one, times) for one in value]
    if not tf.is_tensor(value) or value.shape.rank == 0:
        return value
    return tf.repeat(value, times, axis=0)
