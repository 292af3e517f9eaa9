"""A network of a sequence in, whether its next place can be computed from what was kept of the earlier ones out.

What each word reads of a sequence is said by its declaration (`LayerWord.reach`); here the layers are followed.
"""

from collections.abc import Mapping

from gendsl.plan.plan import Layer, Network, Operation, Plan
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import LayerWord

_JOINING = ("concat", "add", "multiply", "fade")
_REMADE = ("spectral_norm", "equalized")  # constraints whose kernels are made anew in each call of a layer


def sequence_of(network: Network) -> int | None:
    """The length of the sequence of tokens that a network reads as its first input; None where that is none."""
    first = network.inputs[0]
    length = first.shape[0] if first.integer and len(first.shape) == 1 else None
    return length if isinstance(length, int) else None


def along(
    network: Network, networks: Mapping[str, Network], given: tuple[bool, ...] = ()
) -> tuple[frozenset[int], Layer | None]:
    """The numbers of the values that have a place for each place of the sequence, and the first layer in which a place
    may read later ones, None where there is none.

    `given` says which of the inputs are along the sequence: the first, if unsaid. `networks` are the plan's by name,
    for those that this one uses as layers. The other values stay while a sequence grows."""
    found = {number for number, one in enumerate(given or (True,)) if one}
    for number, layer in enumerate(network.layers):
        told = tuple(value in found for value in layer.inputs)
        if not any(told):
            continue
        if reach_of(layer, network, networks, told) == "all":
            return frozenset(found), layer
        found.add(len(network.inputs) + number)
    return frozenset(found), None


def reach_of(layer: Layer, network: Network, networks: Mapping[str, Network], told: tuple[bool, ...]) -> str:
    """ "own", "earlier" or "all" of a layer (see `Reach`), where `told` says which of its inputs are along."""
    if layer.word == "network":
        inner = networks[layer.arguments["network"]]
        values, obstacle = along(inner, networks, told)
        follows = obstacle is None and len(inner.outputs) == 1 and inner.outputs[0].value in values
        return "earlier" if follows else "all"
    word = WORDS["layer"].get(layer.word)
    if not isinstance(word, LayerWord):
        return "all"  # one of Keras's own: nothing is known of it
    reach = word.reach if isinstance(word.reach, str) else word.reach(layer.arguments, told)
    constrain = layer.arguments.get("constrain") or network.constrain
    if reach == "earlier" and constrain is not None and constrain.word in _REMADE:
        return "all"
    return reach


def whole_layer(network: Network, networks: Mapping[str, Network]) -> str | None:
    """The layer for which a network is computed over its whole context for each token, as a spec writes it; None where
    it goes on from what it keeps."""
    values, obstacle = along(network, networks)
    if obstacle is not None:
        if obstacle.word == "network":
            return f"{obstacle.arguments['network']}"
        return obstacle.word
    return None if network.outputs[0].value in values else network.name


def generation_shown(operation: Operation, plan: Plan) -> str:
    """How a `generate` draws: with what is kept of earlier tokens, or without, and what of its context is left out."""
    network = plan.network(operation.attributes["network"])
    whole = whole_layer(network, {one.name: one for one in plan.networks})
    told = "token by token from what is kept of those before"
    if whole is not None:
        told = f"each token from the whole context: `{whole}` may read any place of it"
    window, length = sequence_of(network), operation.attributes["arguments"]["length"]
    if window is not None and length - 1 > window:
        told += f"; of {window:,} tokens of context the last {window // 2:,} stay when it is full"
    return told


def generations_beside(plan: Plan) -> list[tuple[str, str]]:
    """How each `generate` draws whose sequences are no samples themselves, by its network."""
    outputs = {number for _, number in plan.sample.outputs} if plan.sample is not None else set()
    return [
        (str(one.attributes["network"]), f"{one.type}, {generation_shown(one, plan)}")
        for number, one in enumerate(plan.sample.operations if plan.sample is not None else ())
        if one.name == "function" and one.attributes["word"] == "generate" and number not in outputs
    ]


def is_cut(layer: Layer, shape: tuple[object, ...] | None, length: int) -> bool:
    """Whether a value that stays, of a shape, is laid along the sequence by a layer, place by place."""
    return layer.word in _JOINING and shape is not None and len(shape) > 1 and length > 1 and shape[0] == length
