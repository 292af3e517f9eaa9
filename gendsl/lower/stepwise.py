"""A network of tokens in, the same place by place out: what a layer needs of earlier places is kept, not computed anew.

Most layers compute each place by itself and are called as they are, on the places at hand. Those that read earlier
places (`plan/onward.py`) have a form here of their own, with a state: attention keeps keys and values in buffers of the
window's size, a recurrent layer its state, a causal convolution its last inputs; positions count from the place at
hand. Places and lengths may be tensors, so one graph serves a prompt, a step, and a context that is encoded anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras.src import backend

from gendsl.parts.attention import Attention
from gendsl.parts.position_embed import PositionEmbed
from gendsl.plan.layers import layer_names
from gendsl.plan.onward import along, is_cut, reach_of
from gendsl.plan.plan import Layer, Network
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import Reference

State = tuple[Any, ...]
States = dict[str, State]  # by the layer's path


@dataclass(frozen=True, slots=True)
class Form:
    """The stepwise form of a layer: its empty state for a batch, of `length` places at most; and the values of the
    places from `first` on, with the state behind them, from those of its inputs and the state before them."""

    start: Callable[[Any, Any, int], State]
    follow: Callable[[Any, Any, Any, State], tuple[Any, State]]


def _attention_start(layer: Any, batch: Any, length: int) -> State:
    width = layer.key_kernel.shape[-1] // layer.groups
    return tuple(tf.zeros([batch, length, layer.groups, width], layer.compute_dtype) for _ in range(2))


def _attention_follow(layer: Any, inputs: Any, first: Any, state: State) -> tuple[Any, State]:
    fresh = layer.keys_and_values(inputs, first)
    kept = tuple(_written(buffer, new, first) for buffer, new in zip(state, fresh, strict=True))
    return layer.attend(inputs, *kept, first), kept


def _written(buffer: Any, new: Any, first: Any) -> Any:
    """A buffer (batch, length, …) with new values (batch, places, …) from the place `first` on."""
    length, places = buffer.shape[1], tf.shape(new)[1]
    if new.shape[1] == 1:  # the step of a decoder
        here = tf.reshape(tf.range(length) == first, [1, length, *(1 for _ in buffer.shape[2:])])
        return tf.where(here, new, buffer)
    behind = buffer[:, first + places :]
    return tf.ensure_shape(tf.concat([buffer[:, :first], new, behind], 1), buffer.shape)


def _no_start(layer: Any, batch: Any, length: int) -> State:
    return ()


def _position_follow(layer: Any, inputs: Any, first: Any, state: State) -> tuple[Any, State]:
    return layer.placed(inputs, first), state


def _recurrent_start(layer: Any, batch: Any, length: int) -> State:
    return tuple(tf.zeros([batch, size], layer.compute_dtype) for size in _listed(layer.cell.state_size))


def _recurrent_follow(layer: Any, inputs: Any, first: Any, state: State) -> tuple[Any, State]:
    along_all = keras.layers.RNN(layer.cell, return_sequences=True, return_state=True, dtype=layer.dtype_policy)
    values, *after = along_all(inputs, initial_state=list(state), training=False)
    return values, tuple(after)


def _convolution_start(layer: Any, batch: Any, length: int) -> State:
    reach = (layer.kernel_size[0] - 1) * layer.dilation_rate[0]
    return (tf.zeros([batch, reach, layer.kernel.shape[1] * layer.groups], layer.compute_dtype),)


def _convolution_follow(layer: Any, inputs: Any, first: Any, state: State) -> tuple[Any, State]:
    (before,) = state
    whole = tf.concat([before, inputs], 1)
    values = keras.ops.conv(whole, layer.kernel, padding="valid", dilation_rate=layer.dilation_rate)
    values = values if layer.bias is None else values + layer.bias
    return values, (tf.ensure_shape(whole[:, tf.shape(whole)[1] - before.shape[1] :], before.shape),)


def _listed(sizes: Any) -> Sequence[int]:
    return [sizes] if isinstance(sizes, int) else list(sizes)


_RECURRENT = Form(_recurrent_start, _recurrent_follow)
FORMS: tuple[tuple[Any, Form], ...] = (
    (Attention, Form(_attention_start, _attention_follow)),
    (PositionEmbed, Form(_no_start, _position_follow)),
    (keras.layers.LSTM, _RECURRENT),
    (keras.layers.GRU, _RECURRENT),
    (keras.layers.Conv1D, Form(_convolution_start, _convolution_follow)),
)


class Stepwise:
    """A network of tokens, place by place.

    `others` are the values (batch, …) of its inputs behind the first; what rests on them alone is computed here, once.
    To be made and used where its weights are what they are to be (a Keras `StatelessScope`)."""

    def __init__(
        self, network: Network, networks: Mapping[str, Network], models: Mapping[str, Any], others: Sequence[Any]
    ) -> None:
        self._network, self._networks, self._models = network, networks, models
        self._length = int(models[network.name].inputs[0].shape[1])
        self._whole: dict[str, dict[int, Any]] = {}
        self._stay("", network, {1 + number: value for number, value in enumerate(others)}, (True,))

    def start(self, batch: Any) -> States:
        """The states of its layers before the first place."""
        found: States = {}
        self._begin("", self._network, (True,), batch, found)
        return found

    def follow(self, tokens: Any, first: Any, states: States) -> tuple[Any, States]:
        """The result (batch, places, …) for tokens (batch, places) that stand from the place `first` on, and the states
        behind them. `states` are those after the places before."""
        after: States = {}
        values = self._followed("", self._network, {0: tokens}, (True,), first, states, after)
        return values[self._network.outputs[0].value], after

    def _stay(self, path: str, network: Network, values: dict[int, Any], told: tuple[bool, ...]) -> None:
        """Computes what does not grow with the sequence, in a network and in those that it uses as layers."""
        growing, _ = along(network, self._networks, told)
        for number, layer, name in _numbered(network):
            if number in growing:
                if layer.word == "network":
                    inner = self._networks[layer.arguments["network"]]
                    given = {place: values[one] for place, one in enumerate(layer.inputs) if one not in growing}
                    self._stay(f"{path}{number}/", inner, given, tuple(one in growing for one in layer.inputs))
                continue
            values[number] = self._called(network, layer, name, [values[one] for one in layer.inputs])
        self._whole[path] = values

    def _begin(self, path: str, network: Network, told: tuple[bool, ...], batch: Any, found: States) -> None:
        growing, _ = along(network, self._networks, told)
        for number, layer, name in _numbered(network):
            if number not in growing:
                continue
            here = tuple(one in growing for one in layer.inputs)
            if layer.word == "network":
                self._begin(f"{path}{number}/", self._networks[layer.arguments["network"]], here, batch, found)
            elif reach_of(layer, network, self._networks, here) == "earlier":
                built = self._models[network.name].get_layer(name)
                found[f"{path}{number}"] = form_of(built).start(built, batch, self._length)

    def _followed(
        self,
        path: str,
        network: Network,
        given: Mapping[int, Any],
        told: tuple[bool, ...],
        first: Any,
        states: States,
        after: States,
    ) -> Mapping[int, Any]:
        growing, _ = along(network, self._networks, told)
        values = {**self._whole[path], **given}
        for number, layer, name in _numbered(network):
            if number not in growing:
                continue
            here = tuple(one in growing for one in layer.inputs)
            inputs = [values[one] for one in layer.inputs]
            if layer.word == "network":
                inner = self._networks[layer.arguments["network"]]
                own = {place: value for place, value in enumerate(inputs) if here[place]}
                found = self._followed(f"{path}{number}/", inner, own, here, first, states, after)
                values[number] = found[inner.outputs[0].value]
            elif reach_of(layer, network, self._networks, here) == "earlier":
                built, key = self._models[network.name].get_layer(name), f"{path}{number}"
                with _autocast(built):
                    value = tf.cast(inputs[0], built.compute_dtype)
                    values[number], after[key] = form_of(built).follow(built, value, first, states[key])
            else:
                places = tf.shape(next(value for value, one in zip(inputs, here, strict=True) if one))[1]
                cut = [
                    value[:, first : first + places]
                    if not one and is_cut(layer, tuple(value.shape[1:]), self._length)
                    else value
                    for value, one in zip(inputs, here, strict=True)
                ]
                values[number] = self._called(network, layer, name, cut)
        return values

    def _called(self, network: Network, layer: Layer, name: str, inputs: Sequence[Any]) -> Any:
        if layer.word == "network":
            return self._models[layer.arguments["network"]](inputs[0] if len(inputs) == 1 else list(inputs))
        built = self._models[network.name].get_layer(name)
        word = WORDS["layer"].get(layer.word)
        many = word is not None and any(one.many and isinstance(one.kind, Reference) for one in word.parameters)
        return built(list(inputs)) if many else built(*inputs)


def form_of(layer: Any) -> Form:
    """The stepwise form of a Keras layer."""
    return next(form for kind, form in FORMS if isinstance(layer, kind))


def _numbered(network: Network) -> list[tuple[int, Layer, str]]:
    """The layers with the numbers of their values and their names in Keras."""
    first = len(network.inputs)
    return [
        (first + number, layer, name)
        for number, (layer, name) in enumerate(zip(network.layers, layer_names(network), strict=True))
    ]


def _autocast(layer: Any) -> Any:
    """Where a layer's variables read as its compute dtype, as in a call of it."""
    return backend.AutocastScope(layer.compute_dtype if layer.compute_dtype != layer.variable_dtype else None)
