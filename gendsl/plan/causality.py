"""A network of a sequence in, the layer out that is known to show a place what stands behind it."""

from collections.abc import Mapping

from gendsl.plan.onward import along
from gendsl.plan.plan import Network
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import LayerWord


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
    if word.name == "bidirectional":
        return number
    # A word that says by its arguments what it reads knows; the reach of the others is often only not declared.
    told = tuple(True for _ in obstacle.inputs)
    return number if not isinstance(word.reach, str) and word.reach(obstacle.arguments, told) == "all" else None
