"""A network of a sequence in, the layer out that is known to show a place what stands behind it."""

from collections.abc import Iterator, Mapping

from gendsl.plan.onward import along
from gendsl.plan.plan import Network
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import LayerWord

# Layers that gather over all places whatever their arguments are; of others that keep to no order (`reshape`, `pad`)
# nothing is known.
_GATHERING = frozenset(
    ("bidirectional", "group_norm", "instance_norm", "global_average_pool", "global_max_pool", "global_sum_pool")
)
# Layers that in training take their moments over all places of a batch, and later use those that they kept.
_OF_A_BATCH = frozenset(("batch_norm", "conditional_batch_norm"))


def seeing_ahead(network: Network, networks: Mapping[str, Network]) -> int | None:
    """The number of the first such layer; None where there is none, or nothing is known of the layers from some on.

    `networks` are those by name that this one may use as layers."""
    _, obstacle = along(network, networks)
    if obstacle is None:
        return None
    number = next(number for number, layer in enumerate(network.layers) if layer is obstacle)
    if obstacle.word == "network":
        return None if seeing_ahead(networks[obstacle.arguments["network"]], networks) is None else number
    word = WORDS["layer"].get(obstacle.word)
    if not isinstance(word, LayerWord):
        return None
    if word.name in _GATHERING:
        return number
    # A word that says by its arguments what it reads knows; the reach of the others is often only not declared.
    told = tuple(True for _ in obstacle.inputs)
    return number if not isinstance(word.reach, str) and word.reach(obstacle.arguments, told) == "all" else None


def coupling_places(network: Network, networks: Mapping[str, Network]) -> Iterator[tuple[int, str]]:
    """The layers that let a place see all others of its batch, but in training alone: the number of each in this
    network, and its word, which may be that of a layer of a network that stands there.

    `networks` are those by name that this one may use as layers."""
    values, _ = along(network, networks)
    for number, layer in enumerate(network.layers):
        if not any(value in values for value in layer.inputs):
            continue
        if layer.word == "network":
            inner = networks[layer.arguments["network"]]
            found = next((word for _, word in coupling_places(inner, networks)), None)
        else:
            found = layer.word if layer.word in _OF_A_BATCH else None
        if found is not None:
            yield number, found
