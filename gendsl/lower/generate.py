"""An operation `generate` and its inputs in, sequences of tokens out."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from gendsl.lower.beginnings import Beginnings
from gendsl.lower.calling import Caller
from gendsl.lower.choosing import Choice
from gendsl.lower.generation import Cached, Context, Recomputed, Stop, generated
from gendsl.lower.sampling import by_frequency
from gendsl.lower.stepwise import Stepwise
from gendsl.parts.keys import Key, drawing
from gendsl.plan.onward import whole_layer
from gendsl.plan.plan import Network, Operation


def sequences_of(caller: Caller, operation: Operation, inputs: Sequence[Any], key: Key) -> Any:
    """Sequences (batch, length) int32, -1 behind their ends.

    The inputs are the network's behind the tokens; then what `given` in the attributes names: `prompt`, tokens
    (batch, n) with -1 behind them, of which the first `known` are there in all; `temperature`, a scalar."""
    attributes, options = operation.attributes, operation.attributes["arguments"]
    network = caller.networks[attributes["network"]]
    others = list(inputs[: len(network.inputs) - 1])
    given = dict(zip(attributes.get("given", ()), inputs[len(others) :], strict=True))
    model = caller.models[network.name]
    field = caller.beginnings.get(str(network.inputs[0].of))
    vocabulary = int(model.outputs[0].shape[-1])

    begins = network.inputs[0].kind == "prior"  # a token more than the network says, which begins its sequences
    counts = None if field is None else field.first
    first = by_frequency(counts, vocabulary, caller.batch, key.at("first"))
    first = tf.fill(tf.shape(first), vocabulary) if begins else first
    free: Any = True
    if "prompt" in given:
        begin, known = tf.cast(given["prompt"], tf.int32), max(1, int(attributes.get("known", 0)))
        begin = tf.pad(begin, [[0, 0], [0, 1]], constant_values=-1)  # so that there is one where it is empty
        free = begin[:, 0] < 0
        begin = tf.concat([tf.where(free, first, begin[:, 0])[:, None], begin[:, 1:]], 1)
    elif options["prompt"]:
        tokens = _known(field, network).tokens(options["prompt"])
        begin, known, free = tf.tile(tf.constant(tokens)[None], [caller.batch, 1]), len(tokens), False
    else:
        begin, known = first[:, None], 1

    stop = None
    if options["stop"]:
        stop = Stop(_known(field, network).ends(options["stop"]))
    choice = Choice(
        repetition_penalty=_number(options["repetition_penalty"]),
        temperature=given.get("temperature", float(options["temperature"])),
        top_k=options["top_k"],
        top_p=_number(options["top_p"]),
        min_p=_number(options["min_p"]),
    )
    with keras.StatelessScope(state_mapping=list(caller.weights)), drawing(key.at("call")):
        context = _context(caller, network, others, key)
        found = generated(
            context,
            begin,
            known,
            length=int(options["length"]) + begins,
            vocabulary=vocabulary,
            choice=choice,
            key=key,
            stop=stop,
            begun_freely=free,
        )
    return found[:, 1:] if begins else found


def _known(field: Beginnings | None, network: Network) -> Beginnings:
    if field is None:
        raise ValueError(f"`beginnings` does not say how the tokens of `{network.name}` are written")
    return field


def _context(caller: Caller, network: Network, others: Sequence[Any], key: Key) -> Context:
    model = caller.models[network.name]
    window = int(model.inputs[0].shape[1])
    if whole_layer(network, caller.networks) is None:
        kept = [
            tf.cast(value, tf.int32 if one.integer else tf.float32)
            for value, one in zip(others, network.inputs[1:], strict=True)
        ]
        return Cached(Stepwise(network, caller.networks, caller.models, kept), window)

    def call(tokens: Any) -> Any:
        given = [tokens, *others]
        return caller.called(network.name, given, key.at("call"), training=False, advance=False).outputs[0]

    return Recomputed(call, window)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
