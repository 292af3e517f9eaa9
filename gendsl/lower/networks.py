"""A `plan.Network` in, a functional `keras.Model` out: one Keras layer for each layer of the spec, named as there."""

import importlib
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from gendsl.lower.errors import UserError
from gendsl.lower.rows import unknown_columns
from gendsl.parts.clipping import clip_layer
from gendsl.parts.equalized import EQUALIZED, first_kernels
from gendsl.parts.spectral_norm import SPECTRAL, SpectralNorm, layers_of, power_iteration
from gendsl.parts.xla_cpu import SAME
from gendsl.plan.blocks import numbers_in
from gendsl.plan.layers import biased_layers, layer_names, weighted_layers
from gendsl.plan.plan import Call, Layer, Network
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import Shape, Symbolic, shown
from gendsl.vocabulary.layers.keras_layers import keras_layer
from gendsl.vocabulary.types import Distribution, Tensor, Type
from gendsl.vocabulary.word import InitializerWord, LayerWord, Mismatch, Reference

# Keras walks a functional model's graph by recursion, a few frames a layer; Python stops at 1,000 frames.
_DEEP = 150
_FRAMES_A_LAYER = 8
# A kernel's largest singular value is known to a few per cent after so many iterations from a random start.
_FIRST_ITERATIONS = 15
_CHANGED = "the plan was changed by hand; train the spec again"


@contextmanager
def _room_for(layers: int) -> Iterator[None]:
    """Lets Python recurse as deeply as Keras needs for so many layers."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 1_000 + _FRAMES_A_LAYER * layers))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@keras.saving.register_keras_serializable(package="gendsl")
class DeepModel(keras.Model):
    """A functional model of more layers than Keras can read back by itself."""

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        with _room_for(len(config.get("layers", ()))):
            return super().from_config(config, custom_objects)


def model_of(
    network: Network,
    *,
    labels: tuple[str, ...] = (),
    precision: str = "float32",
    networks: Mapping[str, Any] | None = None,
) -> Any:
    """The built Keras model of a network: inputs in order, named as there (float32; int32 for labels and tokens).

    Outputs are the network's in order, then the labelled values asked for: one tensor, or a list of several, in the
    compute dtype of `precision` (a name of a Keras dtype policy). `networks` holds the models of the networks that this
    one uses as layers, which share their weights. Raises `UserError` where a `keras.X` layer cannot be built, or makes
    another shape than the declared result.
    """
    values: list[Any] = [
        keras.Input(_sizes(one.shape, network.name), dtype="int32" if one.integer else "float32", name=one.name)
        for one in network.inputs
    ]
    for layer, name in zip(network.layers, layer_names(network), strict=True):
        if layer.word == "network":  # it keeps the name of its own model
            given = [values[number] for number in layer.inputs]
            values.append(_shared(layer, network, networks or {})(_one_or_all(given)))
            continue
        given = [values[number] for number in layer.inputs]
        values.append(_applied(layer, name, network, given, precision))
    for output in network.outputs:
        _prove(network, values[output.value].shape[1:], output.type, output.name)
    results = [values[output.value] for output in network.outputs]
    results += [values[network.labels[label]] for label in labels]
    model_class = DeepModel if len(network.layers) > _DEEP else keras.Model
    with _room_for(len(network.layers)):
        model = model_class(_one_or_all(values[: len(network.inputs)]), _one_or_all(results), name=network.name)
    if network.recompute:
        # Past Keras's tracking: the segments have no layer of their own.
        model.__dict__["segments"] = segments_of(network, values, labels)
    # Past Keras's tracking, too: where `slopes` looks into the network.
    places = {"biased": biased_layers(network), "weighted": weighted_layers(network)}
    model.__dict__["ends"] = {
        kind: [values[len(network.inputs) + number] for number in found] for kind, found in places.items() if found
    }
    if any(isinstance(layer, SpectralNorm) for layer in layers_of(model)):
        for _ in range(_FIRST_ITERATIONS):
            power_iteration(model)
    return model


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a network's layers as a model: the numbers of the values that it takes, and of those that it gives
    for later stretches or as results."""

    model: Any
    takes: tuple[int, ...]
    gives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Segments:
    """A whole network in stretches, and the numbers of the values that are its results, labelled ones last."""

    stretches: tuple[Segment, ...]
    results: tuple[int, ...]


def segments_of(network: Network, values: Sequence[Any], labels: Sequence[str]) -> Segments:
    """A network in about as many stretches as each has layers, so that their ends and one stretch are all that is held.

    Source: Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost, section 3.
    """
    first, count = len(network.inputs), len(network.layers)
    length = max(1, math.isqrt(count))
    results = (*(output.value for output in network.outputs), *(network.labels[label] for label in labels))
    found = []
    for start in range(0, count, length):
        inside = range(first + start, first + min(start + length, count))
        taken = {number for at in inside for number in network.layers[at - first].inputs if number < inside.start}
        later = {number for layer in network.layers[inside.stop - first :] for number in layer.inputs} | set(results)
        takes, gives = tuple(sorted(taken)), tuple(number for number in inside if number in later)
        if gives:
            model = keras.Model([values[number] for number in takes], [values[number] for number in gives])
            found.append(Segment(model, takes, gives))
    return Segments(tuple(found), results)


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _sizes(shape: Shape, name: str) -> tuple[int, ...]:
    return tuple(_known(size, name) for size in shape)


def _known(value: Any, name: str) -> Any:
    """The value, its sizes all known."""
    if isinstance(value, Symbolic):
        raise UserError(f"`{name}` needs `{value}`, which only the data tells", "fetch the data first")
    if isinstance(value, tuple | list):
        return tuple(_known(item, name) for item in value)
    return value


def _shared(layer: Layer, network: Network, networks: Mapping[str, Any]) -> Any:
    name = layer.arguments["network"]
    if name not in networks:
        raise KeyError(f"`{network.name}` uses `{name}` as a layer: build that first, and pass it in `networks`")
    return networks[name]


def _applied(layer: Layer, name: str, network: Network, given: Sequence[Any], precision: str) -> Any:
    """The value of a layer, newly built, for its input values."""
    if layer.word.startswith("keras."):
        return _applied_keras(layer, name, network, given, precision)
    word = WORDS["layer"].get(layer.word)
    assert isinstance(word, LayerWord), layer.word
    arguments = {key: _known(value, layer.name) for key, value in layer.arguments.items()}
    if arguments.get("layout") == ():
        raise unknown_columns(layer.word)
    shapes = tuple(tuple(one.shape[1:]) for one in given)
    if layer.shape is None:  # behind a `keras.X` the checker does not know the shapes
        inferred = word.infer(arguments, shapes)
        if isinstance(inferred, Mismatch):
            raise UserError(f"`{layer.word}` in `{network.name}` {inferred.message}", inferred.help)
    constrain = _constraint(arguments) or network.constrain
    built = _layer_of(word, arguments, shapes, network.init, constrain, name=name, dtype=precision)
    many = any(parameter.many and isinstance(parameter.kind, Reference) for parameter in word.parameters)
    value = built(list(given)) if many else built(*given)
    if constrain is not None and constrain.word == "clip":
        clip_layer(built, float(constrain.arguments["limit"]))
    return value


def _constraint(arguments: Mapping[str, Any]) -> Call | None:
    """A layer's own constraint: that of a layer inside it (`bidirectional lstm(…)`) comes first."""
    inner = (value.arguments.get("constrain") for value in arguments.values() if isinstance(value, Call))
    return next((found for found in inner if found is not None), None) or arguments.get("constrain")


def _applied_keras(layer: Layer, name: str, network: Network, given: Sequence[Any], precision: str) -> Any:
    known = keras_layer(layer.word.removeprefix("keras."))
    if known is None or not set(layer.arguments) <= set(known["arguments"]):
        raise UserError(f"`{layer.word}` in `{network.name}` is no layer of Keras's that a spec can use", _CHANGED)
    try:
        cls = getattr(keras.layers, layer.word.removeprefix("keras."))
        options = {key: _known(value, layer.name) for key, value in layer.arguments.items()}
        built = cls(**options, name=name, dtype=precision)
        value = built(_one_or_all(list(given)))
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise UserError(
            f"`{layer.word}` in `{network.name}` cannot be built for {shown(tuple(given[0].shape[1:]))}: {reason}",
            "its arguments are Keras's own; see the documentation of this layer",
        ) from error
    if _draws(built):
        raise UserError(
            f"`{layer.word}` in `{network.name}` draws random numbers from a state that no checkpoint keeps",
            "`dropout` and `gaussian_noise` draw by the seed and the step",
        )
    if not isinstance(value, keras.KerasTensor) or any(size is None for size in value.shape[1:]):
        raise UserError(
            f"`{layer.word}` in `{network.name}` does not give one tensor of a known shape",
            "choose arguments that give one, such as `return_state: off`",
        )
    return value


def _draws(layer: Any) -> bool:
    """Whether a layer of Keras's holds a random state that it would use in training."""
    for one in layer._flatten_layers():
        held = any(isinstance(value, keras.random.SeedGenerator) for value in vars(one).values())
        rates = [vars(one)[key] for key in ("rate", "dropout", "recurrent_dropout") if key in vars(one)]
        if held and (not rates or any(rates)):
            return True
    return False


def _layer_of(
    word: LayerWord,
    arguments: Mapping[str, Any],
    shapes: tuple[Shape, ...],
    init: Call | None,
    constrain: Call | None,
    **options: Any,
) -> Any:
    """A Keras layer of a word; `init` and `constrain` are those of the network, where the layer has none of its own."""
    for parameter in word.parameters:
        if isinstance(parameter.kind, Reference) or parameter.name == "constrain":
            continue
        value = arguments.get(parameter.name, parameter.default)
        if parameter.name == "init" and value is None:
            value = init
        if value is None:
            continue  # Keras's own default
        for target in word.renames.get(parameter.name, parameter.name).split():
            options[target] = _argument(value, shapes, init, constrain, options["dtype"])
    if word.configure is not None:
        options.update(word.configure(arguments, shapes))
    module, _, name = word.keras.partition(":")
    cls = getattr(importlib.import_module(module), name.format(rank=len(shapes[0]) - 1))
    if constrain is not None and constrain.word == "spectral_norm":
        cls = _reshaped(word, cls, SPECTRAL, "spectral norm")
    if constrain is not None and constrain.word == "equalized":
        cls = _reshaped(word, cls, EQUALIZED, "equalised learning rate")
        if cls in EQUALIZED.values():
            options["rate"] = float(constrain.arguments["rate"])
            for target in word.renames["init"].split():
                options.setdefault(target, first_kernels(options["rate"]))
    built = SAME.get(cls, cls)(**options)
    # Keras's recurrent cells hold a random state even without dropout; it would be a variable that nothing uses.
    for one in built._flatten_layers():
        one._seed_generators.clear()
    return built


def _reshaped(word: LayerWord, cls: Any, classes: Mapping[Any, Any], what: str) -> Any:
    """The class that makes its kernels anew in each call; the class itself where it has none to be made."""
    if (
        cls not in classes
        and word.parameter("constrain") is not None
        and "embeddings_initializer" not in (word.renames.get("init", ""))
    ):
        raise UserError(
            f"`{word.name}` has no {what}: its kernel is applied again and again",
            "`constrain: clip(0.01)` on this layer bounds its weights",
        )
    return classes.get(cls, cls)


def _argument(value: Any, shapes: tuple[Shape, ...], init: Call | None, constrain: Call | None, dtype: str) -> Any:
    """What Keras takes for a checked argument: an initializer or a layer for a call, else the value."""
    if not isinstance(value, Call):
        return value
    initializer = WORDS["initializer"].get(value.word)
    if isinstance(initializer, InitializerWord):
        module, _, name = initializer.keras.partition(":")
        options = {initializer.renames.get(key, key): item for key, item in value.arguments.items()}
        return getattr(importlib.import_module(module), name)(**options)
    layer = WORDS["layer"].get(value.word)
    assert isinstance(layer, LayerWord), value.word
    # Keras's own name would count the layers of the process, and a checkpoint knows weights by their path.
    return _layer_of(layer, value.arguments, shapes, init, constrain, name=layer.name, dtype=dtype)


def declared_shape(type: Type) -> Shape | None:
    """The shape of the numbers that a declared result stands for; None where it has none."""
    match type:
        case Tensor(shape=shape):
            return shape
        case Distribution(family="normal" | "discretized_logistic", event=event):
            return (*event[:-1], 2 * event[-1])
        case Distribution(family="categorical", event=event, classes=classes):
            return event if classes is None else (*event, classes)
        case Distribution(family="mixed", event=(width,), layout=layout):
            return (width + numbers_in(layout),)
        case Distribution(event=event):
            return event
    return None


def _made(shape: tuple[int | None, ...]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def _prove(network: Network, made: tuple[int | None, ...], type: Type, name: str) -> None:
    declared = declared_shape(type)
    if isinstance(type, Distribution) and type.family == "categorical" and not type.event and declared is not None:
        # Behind a `keras.X` the checker does not know how many places there are.
        declared = (*(size for size in made[:-1] if size is not None), *declared)
    if declared is None or tuple(_known(declared, network.name)) == tuple(made):
        return
    result = f"result `{name}` of `{network.name}`" if name else f"`{network.name}`"
    raise UserError(
        f"{result} is declared to give {shown(declared)}, but its layers give {_made(made)}",
        "change the last layers, or the declared result",
    )
