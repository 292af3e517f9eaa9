"""A plan in, what makes the examples of a batch depend on each other out: there several replicas train otherwise."""

from collections.abc import Sequence

from gendsl.frozen import dataclass
from gendsl.plan.plan import Operation, Plan
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.functions import FunctionWord
from gendsl.vocabulary.types import Scalar
from gendsl.vocabulary.word import LayerWord

# What a value is of a batch: nothing of it, a value for each example, a mean over it, a sum of these, or none of these.
_FREE, _EACH, _MEAN, _MIXED, _COUPLED = range(5)
_LINEAR = frozenset(["add", "subtract", "negate"])
_DRAWN = frozenset(["field", "prior", "normal", "truncated_normal", "uniform", "categorical", "bernoulli"])


@dataclass(frozen=True, slots=True)
class Coupling:
    """Where examples are coupled: a layer of a network, or an operation of an update's equation."""

    network: str | None
    layer: int | None
    what: str


def couplings(plan: Plan) -> tuple[Coupling, ...]:
    """The layers and losses whose value on a part of the batch is not that part of their value on the whole.

    `pack` is not among them: examples stay with their pack. Batch norm is, unless it is `synchronized`.
    """
    found = [
        Coupling(network.name, number, f"`{layer.word}` in `{network.name}`")
        for network in plan.networks
        for number, layer in enumerate(network.layers)
        if _couples(layer.word) and layer.word != "pack" and not layer.arguments.get("synchronized")
    ]
    for group in plan.train.groups:
        kinds = _kinds(group.operations)
        for update in group.updates:
            if kinds[update.loss] == _COUPLED:
                found.append(Coupling(None, None, f"the loss of `{update.name}`"))
    return tuple(found)


def _couples(word: str) -> bool:
    entry = WORDS["layer"].get(word)
    return isinstance(entry, LayerWord) and entry.batch_coupled


def _couples_as_function(word: str) -> bool:
    entry = WORDS["function"].get(word)
    return isinstance(entry, FunctionWord) and entry.coupled


def _kinds(operations: Sequence[Operation]) -> list[int]:
    kinds: list[int] = []
    for operation in operations:
        kinds.append(_kind(operation, [kinds[number] for number in operation.inputs]))
    return kinds


def _kind(operation: Operation, given: Sequence[int]) -> int:
    worst = max(given, default=_FREE)
    if worst == _COUPLED:
        return _COUPLED
    name, word = operation.name, operation.attributes.get("word")
    if word == "moving_average":
        return _FREE  # it takes in the mean over all parts
    if word == "top_k":
        return _COUPLED  # which are the largest of the batch
    if name in ("constant", "scheduled", "scalar"):
        return _FREE
    if name in _DRAWN:
        return _EACH
    if name == "draw":
        return max(worst, _EACH)
    if name in _LINEAR:
        return _MIXED if {_EACH, _MEAN} <= set(given) else worst
    if name in ("multiply", "divide"):
        others = [kind for kind in given if kind != _FREE]
        if len(others) <= 1 and not (name == "divide" and given[1] > _EACH):
            return worst
    if name == "function" and word == "mean":
        return _FREE if worst == _FREE else _MEAN
    if worst in (_MEAN, _MIXED):
        return _COUPLED
    if name == "function" and worst == _EACH and _couples_as_function(operation.attributes["word"]):
        return _COUPLED
    if name == "penalty":
        return _COUPLED if word == "dragan" else _MEAN  # its noise is scaled by the batch
    return _MEAN if isinstance(operation.type, Scalar) and worst == _EACH else worst
