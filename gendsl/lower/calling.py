"""A model and its inputs in, its outputs and the new values of its state out: no call of a model changes a variable."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import keras
import tensorflow as tf

from gendsl.lower.beginnings import Beginnings
from gendsl.parts import keys
from gendsl.plan.plan import Network

States = Mapping[int, Any]  # by the variables' ids


class Caller(Protocol):
    """What the operations are given that call a network again and again: see `Evaluation`, which is one."""

    @property
    def models(self) -> Mapping[str, Any]: ...
    @property
    def networks(self) -> Mapping[str, Network]: ...
    @property
    def batch(self) -> Any: ...
    @property
    def weights(self) -> Sequence[tuple[Any, Any]]: ...
    @property
    def beginnings(self) -> Mapping[str, Beginnings]: ...
    def called(self, name: str, inputs: Sequence[Any], key: keys.Key, *, training: bool, advance: bool) -> Any: ...


def called(
    model: Any,
    inputs: Sequence[Any],
    mapping: Sequence[tuple[Any, Any]],
    moving: Sequence[Any],
    training: bool,
    key: keys.Key,
) -> tuple[Any, States]:
    """A model's outputs, and the new values of its moving variables, None for one that stays.

    `mapping` gives variables other values, `key` is where its layers draw from.
    """
    with keras.StatelessScope(state_mapping=list(mapping)) as scope, keys.drawing(key):
        out = model(list(inputs) if len(inputs) > 1 else inputs[0], training=training)
    return out, {id(variable): scope.get_current_value(variable) for variable in moving}


def recomputed(
    model: Any,
    inputs: Sequence[Any],
    mapping: Sequence[tuple[Any, Any]],
    moving: Sequence[Any],
    training: bool,
    key: keys.Key,
) -> tuple[list[Any], States]:
    """As `called`, but what the gradient needs of a stretch of layers is computed again when it comes there.

    The model must have been built for it (`networks.segments_of`). Source: Chen et al. 2016, section 3."""
    segments = model.__dict__["segments"]
    values: dict[int, Any] = dict(enumerate(inputs))
    states: dict[int, Any] = {}
    for segment in segments.stretches:
        held = {id(variable) for variable in segment.model.non_trainable_variables}
        own = [variable for variable in moving if id(variable) in held]
        given = [values[number] for number in segment.takes]
        outputs, new = _kept_by_its_ends(segment.model, given, mapping, own, training, key)
        values.update(zip(segment.gives, outputs, strict=True))
        states.update(new)
    return [values[number] for number in segments.results], states


def _kept_by_its_ends(
    model: Any,
    inputs: Sequence[Any],
    mapping: Sequence[tuple[Any, Any]],
    moving: Sequence[Any],
    training: bool,
    key: keys.Key,
) -> tuple[Sequence[Any], States]:
    replaced = [*model.trainable_variables, *moving]
    smooth = [place for place, value in enumerate(inputs) if value.dtype.is_floating]  # labels have no gradient

    def pure(*tensors: Any) -> Any:
        weights, given = tensors[: len(replaced)], list(inputs)
        for place, value in zip(smooth, tensors[len(replaced) :], strict=True):
            given[place] = value
        out, states = called(model, given, [*mapping, *zip(replaced, weights, strict=True)], moving, training, key)
        before = dict(zip((id(variable) for variable in replaced), weights, strict=True))
        new = [before[number] if value is None else value for number, value in states.items()]
        return list(out) if isinstance(out, list | tuple) else [out], new

    known = {id(variable): value for variable, value in mapping}
    weights = [known.get(id(variable), tf.convert_to_tensor(variable.value)) for variable in replaced]
    outputs, new = tf.recompute_grad(pure)(*weights, *(inputs[place] for place in smooth))
    return outputs, dict(zip((id(variable) for variable in moving), new, strict=True))
