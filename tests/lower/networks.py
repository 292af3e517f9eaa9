"""Layers as a few words in, plans of networks out: what the checker does, for tests that need no spec."""

from collections.abc import Mapping, Sequence
from typing import Any

from gendsl.plan.plan import Call, Input, Layer, Network, Output
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import Shape, product
from gendsl.vocabulary.types import Tensor, Type
from gendsl.vocabulary.word import Inferred, LayerWord, Reference


def arguments_of(word: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of a word but references, with the default where nothing is given."""
    return {
        parameter.name: given.get(parameter.name, parameter.default)
        for parameter in word.parameters
        if not isinstance(parameter.kind, Reference)
    }


def call(word: str, category: str, **given: Any) -> Call:
    """A checked call, such as `normal(0, 0.02)`."""
    return Call(word, arguments_of(WORDS[category][word], given))


def layer_of(word: str, given: Mapping[str, Any], shapes: Sequence[Shape], inputs: Sequence[int], name: str) -> Layer:
    """A layer as the checker would plan it; fails where `infer` finds a mismatch."""
    entry = WORDS["layer"][word]
    assert isinstance(entry, LayerWord)
    arguments = arguments_of(entry, given)
    inferred = entry.infer(arguments, tuple(shapes))
    assert isinstance(inferred, Inferred), inferred
    weights = sum(product(weight.shape) for weight in inferred.weights if weight.trainable)
    state = sum(product(weight.shape) for weight in inferred.weights if not weight.trainable)
    return Layer(name, word, arguments, tuple(inputs), inferred.shape, weights, state, inferred.flops)


def network_of(
    inputs: Sequence[Input],
    layers: Sequence[tuple[Any, ...]],
    *,
    name: str = "network",
    result: Type | None = None,
    labels: Mapping[str, int] | None = None,
    init: Call | None = None,
    constrain: Call | None = None,
) -> Network:
    """A network of layers `(word, {arguments}, [numbers of its inputs])`; without numbers, of the last value."""
    shapes: list[Shape] = [one.shape for one in inputs]
    planned: list[Layer] = []
    for number, (word, given, *at) in enumerate(layers):
        places = at[0] if at else [len(shapes) - 1]
        options = dict(given)
        if constrain is not None and WORDS["layer"][word].parameter("constrain"):
            options.setdefault("constrain", constrain)
        layer = layer_of(word, options, [shapes[place] for place in places], places, f"{word}_{number}")
        planned.append(layer)
        assert layer.shape is not None
        shapes.append(layer.shape)
    output = Output("", len(shapes) - 1, result or Tensor(shapes[-1]))
    return Network(name, tuple(inputs), tuple(planned), (output,), labels or {}, init, constrain)


def features(name: str, *shape: int) -> Input:
    """A float input of a shape."""
    return Input(name, "features", None, tuple(shape))


def label(name: str = "y") -> Input:
    """A label input."""
    return Input(name, "field", "label", (), integer=True)
