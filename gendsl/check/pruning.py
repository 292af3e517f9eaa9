"""Operations and the results that are wanted in, only what they need out; and which networks a loss can train."""

from collections.abc import Mapping, Sequence

from gendsl.plan.memories import word_of
from gendsl.plan.plan import Network, Operation
from gendsl.vocabulary.types import Distribution

# What passes no gradient.
STOPPING = frozenset(["replay", "stop_gradient", "moving_average", "top_k", "draw_codes", "codes", "code_vectors"])


def pruned(wanted: Sequence[int], operations: Sequence[Operation]) -> tuple[dict[int, int], tuple[Operation, ...]]:
    """The operations that the wanted ones need, renumbered, and the new number of each that is kept."""
    needed: set[int] = set()
    stack = list(wanted)
    while stack:
        number = stack.pop()
        if number not in needed:
            needed.add(number)
            stack.extend(operations[number].inputs)
    numbers: dict[int, int] = {}
    kept: list[Operation] = []
    for number in sorted(needed):
        operation = operations[number]
        numbers[number] = len(kept)
        inputs = tuple(numbers[one] for one in operation.inputs)
        kept.append(Operation(operation.name, inputs, operation.attributes, operation.type, operation.site))
    return numbers, tuple(kept)


def trained_by(
    loss: int, operations: Sequence[Operation], networks: Mapping[str, Network | None]
) -> tuple[set[str], set[str]]:
    """The networks whose weights a loss's gradient reaches, and those it would reach but for a discrete draw.

    A network's gradient reaches the networks that it uses as layers, too.
    """
    reached: set[str] = set()
    discrete: set[str] = set()
    stack = [(loss, False)]
    seen: set[tuple[int, bool]] = set()
    while stack:
        number, cut = stack.pop()
        if (number, cut) in seen:
            continue
        seen.add((number, cut))
        operation = operations[number]
        word = operation.attributes.get("word")
        if word_of(operation) in STOPPING or operation.name == "field":
            continue
        if operation.name in ("call", "penalty") or (
            operation.name == "function" and "network" in operation.attributes
        ):
            (discrete if cut else reached).add(operation.attributes["network"])
        if operation.name == "draw" or (operation.name == "function" and word == "mode"):
            of = operations[operation.inputs[0]].type
            cut = cut or (isinstance(of, Distribution) and of.discrete)
        stack.extend((one, cut) for one in operation.inputs)
    reached = _with_layers(reached, networks)
    return reached, _with_layers(discrete, networks) - reached


def _with_layers(names: set[str], networks: Mapping[str, Network | None]) -> set[str]:
    found: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        network = networks.get(name)
        if name not in found and network is not None:
            stack.extend(layer.arguments["network"] for layer in network.layers if layer.word == "network")
        found.add(name)
    return found
