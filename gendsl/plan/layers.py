"""A network in, what its layers say of it out: which tell a score's gradient, its codebook, how much it packs."""

from gendsl.plan.plan import Layer, Network
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import LayerWord


def biased_layers(network: Network) -> tuple[int, ...] | None:
    """The numbers of the layers whose bias acts on what comes of the first input, where without their biases the first
    result would be homogeneous in that input: with another layer, or where anything that does not come of the input
    meets what does, it is not, and this is None."""
    follows, found = {0}, []
    for number, layer in enumerate(network.layers):
        coming = [value in follows for value in layer.inputs]
        if not any(coming):
            continue
        word = _word(layer)
        if word is None or not word.homogeneous or not all(coming) or _rescaled(layer, network):
            return None
        follows.add(len(network.inputs) + number)
        if layer.arguments.get("bias"):
            found.append(number)
    return tuple(found) if network.outputs[0].value in follows else None


def weighted_layers(network: Network) -> tuple[int, ...] | None:
    """The numbers of the layers with weights to train; None where examples meet in a layer, or where a layer's weights
    may be another's as well."""
    found = []
    for number, layer in enumerate(network.layers):
        word = _word(layer)
        if word is None or word.batch_coupled or layer.word == "unembed":
            return None
        if layer.weights:
            found.append(number)
    return tuple(found)


def quantizer_of(network: Network) -> str | None:
    """The name of the `quantize` that a network's only result comes from; None where it ends with another layer."""
    place = network.outputs[0].value - len(network.inputs)
    ends = len(network.outputs) == 1 and place >= 0 and network.layers[place].word == "quantize"
    return network.layers[place].name if ends else None


def _rescaled(layer: Layer, network: Network) -> bool:
    """Whether its bias is not what acts on its results, but something made of it."""
    constrain = layer.arguments.get("constrain") or network.constrain
    return constrain is not None and constrain.word == "equalized"


def _word(layer: Layer) -> LayerWord | None:
    """The vocabulary's word of a layer; None for a network and for one of Keras's own."""
    word = WORDS["layer"].get(layer.word)
    return word if isinstance(word, LayerWord) else None


def layer_names(network: Network) -> tuple[str, ...]:
    """What each layer is called in Keras, the first part of its weights' paths: its own name, kept apart from those of
    inputs; that of the network where one is used as a layer."""
    taken = {one.name for one in network.inputs}
    taken |= {str(layer.arguments["network"]) for layer in network.layers if layer.word == "network"}
    found = []
    for layer in network.layers:
        if layer.word == "network":
            found.append(str(layer.arguments["network"]))
            continue
        name = layer.name.replace("/", "_")
        while name in taken:
            name += "_"
        taken.add(name)
        found.append(name)
    return tuple(found)


def pack_of(network: Network) -> int:
    """How many examples a network judges at once: the product of its `pack` layers' counts."""
    total = 1
    for layer in network.layers:
        if layer.word == "pack":
            total *= int(next(iter(layer.arguments.values())))
    return total
