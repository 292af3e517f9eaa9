"""The operations of an update in, their values out: each computed once, and only those that the wanted ones need.

An `Evaluation` is one repetition: its batch, its key, its step. Networks are called under a Keras `StatelessScope`, so
that no call changes a variable: the state of the networks that are trained is threaded from call to call in `state`,
the others' is dropped. Outputs are cast to float32 before anything is made of them.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import tensorflow as tf

from gendsl.lower import importance
from gendsl.lower.augment import both_of
from gendsl.lower.beginnings import Beginnings
from gendsl.lower.calling import called, recomputed
from gendsl.lower.distributions import distribution_of, standard_of
from gendsl.lower.functions import ARITHMETIC, function_of, number
from gendsl.lower.generate import sequences_of
from gendsl.lower.losses import loss_of
from gendsl.lower.memories import Memory
from gendsl.lower.noising import is_of_process, of_process
from gendsl.lower.penalties import gradients_of, path_lengths, penalty_of, squared_lengths, summed_scores
from gendsl.lower.slopes import Probed, by_slopes, for_several, probed
from gendsl.lower.truncation import truncated
from gendsl.lower.watching import Watch
from gendsl.parts import keys
from gendsl.parts.kernels import orthogonality
from gendsl.plan.draws import draws
from gendsl.plan.layers import pack_of, quantizer_of
from gendsl.plan.memories import remembers
from gendsl.plan.plan import Call, Network, Operation, Quantity
from gendsl.plan.redrawn import draws_of, is_bound, needed_once, redrawn
from gendsl.vocabulary import types

Transform = Callable[[Any, keys.Key], Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a call of a network gave: its outputs in order, the labelled values by name, and its ends where probed."""

    outputs: tuple[Any, ...]
    names: tuple[str, ...]
    labels: Mapping[str, Any]
    ends: tuple[Any, ...] = ()

    @property
    def value(self) -> Any:
        """The only output, or all of them."""
        return self.outputs[0] if len(self.outputs) == 1 else list(self.outputs)


@dataclass(slots=True)
class Evaluation:
    """One repetition of a group, or one drawing of samples.

    `models` and `networks` are the networks in Keras and in the plan, `labels` what is read inside each; `scalar` gives
    the value of a number or schedule in this step; `advancing` holds the variables, by id, whose state goes on, and
    `state` their newest values; `scale` is the loss scale, where there is one, for gradients inside the loss.
    """

    models: Mapping[str, Any]
    networks: Mapping[str, Network]
    labels: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, Any]
    batch: Any
    key: keys.Key
    step: Any
    scalar: Callable[[Any], Any]
    training: bool = True
    advancing: frozenset[int] = frozenset()
    both: Transform | None = None
    memories: Mapping[int, Memory] = field(default_factory=dict)
    weights: Sequence[tuple[Any, Any]] = ()
    state: dict[int, Any] = field(default_factory=dict)
    watch: Watch | None = None
    scale: Any = None
    signal: Callable[[str], Any] | None = None  # the newest value of what conditions of updates read, by name
    span: tuple[float, float] = (-1.0, 1.0)  # black and white in pictures
    between: Callable[[Any, Any, str], Any] | None = None  # of two draws of a prior, and its word: a walk, for scores
    beginnings: Mapping[str, Beginnings] = field(default_factory=dict)  # the fields of tokens, by name

    def values(
        self, operations: Sequence[Operation], wanted: Sequence[int], known: Mapping[int, Any] | None = None
    ) -> dict[int, Any]:
        """The values of the wanted operations and of all that they need, by number; `known` are there already."""
        found: dict[int, Any] = dict(known or {})
        calls: dict[int, Judged] = {}
        chosen = sorted(needed_once(operations, wanted, found.keys()))
        shared = self._penalised_calls(operations, chosen)
        several = self._shared_calls(operations, wanted)
        slopes: dict[int, Any] = {}
        for index in chosen:
            operation = operations[index]
            if is_bound(operation):
                found[index] = self._importance_weighted(operations, index, found)
                continue
            inputs = [found[at] for at in operation.inputs]
            match operation.name:
                case "call" if index in shared.values():
                    calls[index], slopes[index] = self._called_with_slope(operation, inputs)
                    found[index] = calls[index].value
                case "penalty" if index in shared:
                    pack = pack_of(self.networks[operation.attributes["network"]])
                    found[index] = tf.reduce_mean(squared_lengths(slopes[shared[index]], pack=pack))
                case "call" if index in several:
                    calls[index] = self._called_for_several(operation, inputs, several[index])
                    found[index] = calls[index].value
                case "call":
                    calls[index] = self._called(operation, inputs)
                    found[index] = calls[index].value
                case "output":
                    judged = calls[operation.inputs[0]]
                    found[index] = judged.outputs[judged.names.index(operation.attributes["name"])]
                case "label":
                    found[index] = calls[operation.inputs[0]].labels[operation.attributes["name"]]
                case _:
                    found[index] = self._value(index, operation, inputs)
            if self.watch is not None:
                self.watch.computes(operation, found[index])
        return found

    def _importance_weighted(self, operations: Sequence[Operation], bound: int, found: Mapping[int, Any]) -> Any:
        """log of the mean over draws of exp(weight), (batch), all draws beside each other in the batch."""
        operation, given = operations[bound], redrawn(operations, bound)
        times = draws_of(operation)
        known = importance.repeated({number: found[number] for number in given.known}, times)
        own = replace(self, batch=self.batch * times, key=self._key(operation))
        (weight,) = operation.inputs
        return importance.log_mean(own.values(operations, [weight], known)[weight], times)

    def _penalised_calls(self, operations: Sequence[Operation], chosen: Sequence[int]) -> dict[int, int]:
        """The penalties that differentiate by a point at which their network is called anyway, each with that call.

        Where nothing is drawn both would compute the same, so one forward pass serves them."""
        found: dict[int, int] = {}
        for index in chosen:
            penalty = operations[index]
            if penalty.name != "penalty" or penalty.attributes["word"] not in ("r1", "r2") or _interval(penalty) > 1:
                continue
            network = self.networks[penalty.attributes["network"]]
            if self.both is not None or network.recompute or draws(network, self.networks):
                continue
            for at in (at for at in chosen if at < index and operations[at].name == "call"):
                call = operations[at]
                same = call.inputs == penalty.inputs and call.attributes["network"] == network.name
                if same and call.attributes.get("training", True):
                    found[index] = at
        return found

    def _shared_calls(self, operations: Sequence[Operation], wanted: Sequence[int]) -> dict[int, Probed]:
        """The calls whose scores several of the wanted losses are of, where one pass back serves all of them."""
        found: dict[int, Probed] = {}
        uses = Counter(index for one in wanted for index in needed(operations, [one]))
        for index, count in uses.items():
            call = operations[index]
            if count < 2 or call.name != "call" or not self.training:
                continue
            name = call.attributes["network"]
            network, read = self.networks[name], self.labels.get(name)
            if len(network.inputs) > 1 or len(network.outputs) > 1 or network.recompute or read or self.watch:
                continue
            if (probe := probed(self.models[name], "weighted")) is not None:
                found[index] = probe
        return found

    def _value(self, index: int, operation: Operation, inputs: list[Any]) -> Any:
        attributes = operation.attributes
        match operation.name:
            case "constant":
                return tf.constant(float(attributes["value"]), tf.float32)
            case "field":
                return self.fields[attributes["name"]]
            case "scheduled":
                return self.scalar(attributes["value"])
            case "scalar":
                return self.scalar(attributes["name"])
            case "prior":
                return self._prior(operation, *inputs)
            case "signal":
                assert self.signal is not None
                return self.signal(attributes["name"])
            case "distribution":
                levels = {name: attributes[name] for name in ("classes", "bounds") if attributes.get("bounds")}
                return distribution_of(attributes["family"], inputs[0], layout=attributes.get("layout", ()), **levels)
            case "normal" | "truncated_normal" | "uniform" | "categorical" | "bernoulli":
                return standard_of(operation.type, operation.name, attributes, self.batch)
            case "draw":
                key, (drawn, *limit) = self._key(operation), inputs
                return truncated(drawn.draw(key), limit[0], key) if limit else drawn.draw(key)
            case "loss":
                return loss_of(attributes["word"], attributes["role"], _floats(inputs), attributes["arguments"])
            case "function" | "replay" if remembers(operation):
                return self.memories[operation.site or 0](number(inputs[0]), self._key(operation))
            case "function" if attributes["word"] == "augmented":
                augment = both_of(attributes["arguments"]["transforms"], span=self.span)
                return augment(number(inputs[0]), self._key(operation))
            case "function" if is_of_process(operation):
                return of_process(self, operation, inputs, self._key(operation))
            case "function" if attributes["word"] == "draw_codes":
                return self._drawn_codes(operation)
            case "function" if attributes["word"] in ("codes", "code_vectors"):
                return self._coded(operation, inputs[0])
            case "function" if attributes["word"] == "generate":
                return sequences_of(self, operation, inputs, self._key(operation))
            case "function":
                return function_of(attributes["word"], inputs, attributes["arguments"])
            case "penalty":
                return self._penalty(operation, inputs)
            case name:
                return ARITHMETIC[name](*inputs)

    def _key(self, operation: Operation) -> keys.Key:
        return self.key.at(f"{operation.name}_{operation.site}")

    def _prior(self, operation: Operation, limit: Any = None) -> Any:
        call: Call = operation.attributes["call"]
        prior = standard_of(operation.type, call.word, call.arguments, self.batch)
        drawn = prior.draw(self._key(operation))
        if limit is not None:
            drawn = truncated(drawn, limit, self._key(operation))
        if self.between is None:
            return drawn
        return self.between(drawn, prior.draw(self._key(operation).at("end")), call.word)

    def _quantizer(self, operation: Operation) -> Any:
        name = operation.attributes["network"]
        return self.models[name].get_layer(str(quantizer_of(self.networks[name])).replace("/", "_"))

    def _coded(self, operation: Operation, given: Any) -> Any:
        """The numbers (batch, places) of the codes that vectors (batch, …, d) are, or the vectors of such numbers."""
        layer = self._quantizer(operation)
        assert isinstance(operation.type, types.Tensor)
        shape = [-1, *operation.type.shape]
        with keras.StatelessScope(state_mapping=list(self.weights)):
            if operation.attributes["word"] == "codes":
                vectors = tf.reshape(number(given), [-1, given.shape[-1]])
                return tf.reshape(tf.stop_gradient(layer.nearest(vectors)), shape)
            return tf.reshape(tf.stop_gradient(tf.gather(layer.codebook, tf.maximum(given, 0))), shape)

    def _drawn_codes(self, operation: Operation) -> Any:
        """Codes of the `quantize` that a network ends with, each by how often training uses it."""
        layer = self._quantizer(operation)
        assert isinstance(operation.type, types.Tensor)
        shape = [self.batch, *operation.type.shape[:-1]]
        with keras.StatelessScope(state_mapping=list(self.weights)):
            return tf.stop_gradient(layer.drawn(self._key(operation).uniform(shape)))

    def _called(self, operation: Operation, inputs: Sequence[Any], probe: Probed | None = None) -> Judged:
        name = operation.attributes["network"]
        key = self._key(operation)
        given = self._transformed(operation.attributes.get("both") or (), inputs, key)
        training = self.training and bool(operation.attributes.get("training", True))
        return self.called(name, given, key, training=training, advance=training, probe=probe)

    def _called_with_slope(self, operation: Operation, inputs: Sequence[Any]) -> tuple[Judged, Any]:
        """What a call gives, and the gradient of its summed scores by its first input."""
        probe = probed(self.models[operation.attributes["network"]], "biased")
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            point = number(inputs[0])
            tape.watch(point)
            judged = self._called(operation, [point, *inputs[1:]], probe)
            total = summed_scores(judged.outputs[0], self.scale)
        slope, *at_ends = gradients_of(tape, total, [point, *judged.ends], scale=self.scale)
        if probe is not None:
            scores = by_slopes(judged.outputs[0], point, slope, at_ends, probe.biases())
            judged = replace(judged, outputs=(scores, *judged.outputs[1:]))
        return judged, slope

    def _called_for_several(self, operation: Operation, inputs: Sequence[Any], probe: Probed) -> Judged:
        """What a call gives that several losses are of."""
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            point = number(inputs[0])
            tape.watch(point)
            for layer in probe.layers:
                for variable in layer.trainable_variables:
                    tape.watch(variable.value)
            judged = self._called(operation, [point, *inputs[1:]], probe)
            total = tf.reduce_sum(judged.outputs[0])
        scores = for_several(judged.outputs[0], tape, point, judged.ends, probe.layers, total)
        return replace(judged, outputs=(scores,))

    def _transformed(self, places: Sequence[int], inputs: Sequence[Any], key: keys.Key) -> list[Any]:
        """The inputs, those at the places of `both` augmented, each with a draw of its own."""
        given = list(inputs)
        if self.both is not None and self.training:
            for place in places:
                if given[place].shape.rank != 4:
                    continue  # the transforms are of pictures
                given[place] = self.both(given[place], key.at(f"both_{place}"))
        return given

    def called(
        self,
        name: str,
        inputs: Sequence[Any],
        key: keys.Key,
        *,
        training: bool,
        advance: bool,
        probe: Probed | None = None,
    ) -> Judged:
        """A network's outputs and labelled values, float32, for inputs in its order; with a `probe` its ends."""
        model, network = self.models[name], self.networks[name]
        given = [
            tf.cast(value, tf.int32) if declared.integer else number(value)
            for value, declared in zip(inputs, network.inputs, strict=True)
        ]
        moving = [v for v in model.non_trainable_variables if advance and id(v) in self.advancing]
        known = [(variable, self.state[id(variable)]) for variable in moving if id(variable) in self.state]
        call = recomputed if advance and network.recompute else called
        out, states = call(
            model if probe is None else probe.model, given, [*self.weights, *known], moving, training, key
        )
        self.state |= {number: new for number, new in states.items() if new is not None}
        values = [_float(value) for value in (out if isinstance(out, list | tuple) else [out])]
        many, named = len(network.outputs), self.labels.get(name, ())
        labels = dict(zip(named, values[many:], strict=probe is None))
        ends = tuple(values[many + len(named) :])
        return Judged(tuple(values[:many]), tuple(output.name for output in network.outputs), labels, ends)

    def _penalty(self, operation: Operation, inputs: Sequence[Any]) -> Any:
        """A penalty; the inputs are its tensors, then the network's further inputs in their order."""
        attributes = operation.attributes
        name, word, options = attributes["network"], attributes["word"], dict(attributes["arguments"])
        if word == "orthogonality":
            return orthogonality(self.models[name])
        network = self.networks[name]
        rest = len(network.inputs) - 1
        tensors = [number(value) for value in inputs[: len(inputs) - rest]]
        others = list(inputs[len(inputs) - rest :])
        key = self._key(operation)
        places = augmented_inputs(network)

        def scores(point: Any) -> Any:
            given = self._transformed(places, [point, *others], key)
            return self.called(name, given, key, training=True, advance=False).outputs[0]

        interval = _interval(operation)
        due = tf.equal(self.step % interval, 0)

        def lazily(value: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
            return value() if interval <= 1 else tf.cond(due, value, otherwise)

        if word == "path_length":
            (point,) = tensors
            lengths = lazily(
                lambda: path_lengths(scores, point, key=key, scale=self.scale),
                lambda: tf.zeros(tf.shape(point)[:1]),
            )
            # Out of the condition: replicas cannot tell each other anything within one. What is not due is no number.
            told = tf.where(due, tf.reduce_mean(lengths), float("nan"))
            distance = tf.reduce_mean(tf.square(lengths - self.memories[operation.site or 0](told, key)))
            return tf.where(due, distance * float(interval), 0.0)

        def value() -> Any:
            found = penalty_of(word, tensors, options, scores=scores, key=key, pack=pack_of(network), scale=self.scale)
            return found * float(interval)

        return lazily(value, lambda: tf.zeros((), tf.float32))


def _interval(penalty: Operation) -> int:
    """In every how many steps a penalty is computed."""
    every = penalty.attributes.get("every") or penalty.attributes["arguments"].get("every")
    return 1 if every is None else int(every.value if isinstance(every, Quantity) else every)


def needed(operations: Sequence[Operation], wanted: Sequence[int]) -> set[int]:
    """The numbers of the operations that the wanted ones rest on, themselves included."""
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(operations[index].inputs)
    return found


def augmented_inputs(network: Network) -> tuple[int, ...]:
    """The inputs that `both` transforms: those shaped as data fields, of a network that gives logits."""
    judges = any(isinstance(one.type, types.Tensor) and one.type.meaning == "logits" for one in network.outputs)
    fields = [place for place, one in enumerate(network.inputs) if one.kind == "field" and not one.integer]
    return tuple(fields) if judges else ()


def _float(value: Any) -> Any:
    return tf.cast(value, tf.float32) if value.dtype.is_floating else value


def _floats(values: Sequence[Any]) -> list[Any]:
    return [_float(value) if tf.is_tensor(value) else value for value in values]
