"""A group of updates as it is trained in some phases in, the function that trains it once out.

A replica, and a part of a batch that is gone through in parts, draws its part of the whole batch's numbers; gradients,
losses, measured values and moving statistics are averaged before anything is changed.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import keras
import tensorflow as tf

from gendsl.lower.augment.controller import mean_sign
from gendsl.lower.operations import Evaluation
from gendsl.lower.replicas import Replicas
from gendsl.lower.sampling import batch_of
from gendsl.lower.variants import Variant, knowing
from gendsl.lower.watching import Watch
from gendsl.parts.clipping import clip_weights
from gendsl.parts.collectives import averaged_parts, this_share
from gendsl.parts.keys import Key, Share
from gendsl.parts.spectral_norm import power_iteration, vectors_of
from gendsl.parts.xla_cpu import compiled_for_processors


class Repeating(keras.Model):
    """The part of an `Experiment` that trains a group once; what it reads is made there."""

    networks: dict[str, Any]
    _replicas: Any
    watch: Watch | None
    by_xla: bool
    seed: int
    parts: int
    plan: Any
    timetable: Any
    _optimizers: Any
    _controller: Any
    _signals: Any
    _fades: Any
    _reals: Any
    _memories: Any
    _both: Any
    _place: str
    _evaluation: Callable[..., Evaluation]

    @property
    def replicas(self) -> Replicas:
        """The replicas that its variables were made for."""
        return cast(Replicas, self._replicas.value)

    def _repetition_of(self, variant: Variant) -> Any:
        """The function of (step, repetition, fields, learning rates) that trains a group once.

        It gives what it tells by name, the same names always: "NAME/loss" and what conditions read, "skipped/NAME" with
        a loss scale, "held/NAME" with a condition, "ada/r_t" where a controller hears real scores."""
        group = self.plan.value.train.groups[variant.group]
        named = dict.fromkeys(name for update in group.updates for name in update.networks)
        trained = tuple(name for name in named if any(id(v) not in variant.frozen for v in self._own(name)))
        moving = [v for name in trained for v in self._own(name) if not v.trainable and id(v) not in variant.frozen]
        scaled = any(self._optimizers.value[update.name].scaled for update in group.updates)
        reals = self._reals.value[variant.group]
        differentiate = self._differentiation_of(variant, trained, moving)
        if self.parts > 1:
            differentiate = self._once_traced(differentiate)

        def repetition(step: Any, k: Any, fields: dict[str, Any], rates: Sequence[Any]) -> dict[str, Any]:
            vectors = [v for name in trained for v in vectors_of(self.networks[name])] if group.when else []
            before = [tf.identity(vector.value) for vector in vectors]
            for name in trained:
                power_iteration(self.networks[name], frozen=variant.frozen)
            share = this_share()
            found: list[Any] = []
            for part in range(self.parts):
                own = Share(part, self.parts)
                rows = {name: own.of_rows(value) for name, value in fields.items()}
                # One part after the other: that is what saves the memory.
                with tf.control_dependencies(tf.nest.flatten(found[-1:])):
                    index_of_part = tf.cast(share.part(part, self.parts).index, tf.int32)
                    found.append(differentiate(step, k, rows, index_of_part))
            losses, gradients, states, signs, measured = averaged_parts(found)
            for (name, _), value in zip(group.measures, measured, strict=True):
                self._signals.value.measure(name, value)
            goes = self._goes(group, fields, step) if group.when else None
            clip = self.timetable.value.clip_norm(step)
            skipped = [
                self._optimizers.value[update.name].apply(
                    gradient, self._trained(update.networks, variant), rate, clip, goes=goes
                )
                for update, gradient, rate in zip(group.updates, gradients, rates, strict=True)
            ]
            for vector, old in zip(vectors, before, strict=True):
                vector.assign(tf.where(goes, vector.value, old))
            for name in trained:
                clip_weights(self.networks[name], frozen=variant.frozen)
            for place, value in states.items():
                variable = moving[int(place)]
                if scaled:
                    # A forward pass beyond float16 skips the step; statistics of infinities would outlast it.
                    value = tf.where(tf.reduce_all(tf.math.is_finite(value)), value, variable.value)
                if goes is not None:
                    value = tf.where(goes, value, variable.value)
                variable.assign(value)
            told = dict(zip((name for name, _ in group.measures), measured, strict=True))
            for update, loss, skip in zip(group.updates, losses, skipped, strict=True):
                # What a skipped repetition lost may be infinite, and says nothing: no mean may hold it.
                told[f"{update.name}/loss"] = tf.where(skip > 0, 0.0, loss)
                if self._optimizers.value[update.name].scaled:
                    told[f"skipped/{update.name}"] = skip
                if goes is not None:
                    told[f"held/{update.name}"] = 1.0 - tf.cast(goes, tf.float32)
            if signs:
                told["ada/r_t"] = self._controller.value.hear(signs[0], len(reals))
            return told

        return self._once_traced(repetition) if self.by_xla or group.times > 1 else repetition

    def _goes(self, group: Any, fields: Mapping[str, Any], step: Any) -> Any:
        """Whether the condition of a group holds of what was measured last, bool ()."""
        rows = batch_of(fields, self.plan.value.data.batch)
        key = Key(self.seed, "when", step)  # nothing is drawn by it
        evaluation = self._evaluation(fields, rows, key, step, signal=self._signals.value.value)
        last = len(group.when) - 1
        return evaluation.values(group.when, [last])[last] | self._signals.value.unknown(group)

    def _differentiation_of(self, variant: Variant, trained: Sequence[str], moving: Sequence[Any]) -> Any:
        """The function of (step, repetition, fields, which part of the batch they are) that gives a group's losses, the
        scaled gradients of each by its weights, the new moving values by their place, the mean sign of the real scores
        where a controller hears it, and what conditions read."""
        index = variant.group
        group = self.plan.value.train.groups[index]
        path = f"{self._place}/{index}_" + "+".join(update.name for update in group.updates)
        wanted = [update.loss for update in group.updates]
        places = {id(variable): str(place) for place, variable in enumerate(moving)}
        many = self.replicas.count * self.parts
        controller, reals = self._controller.value, self._reals.value[index]

        def differentiate(step: Any, k: Any, fields: dict[str, Any], part: Any) -> tuple[list[Any], Any, Any, Any, Any]:
            key = Key(self.seed, path, step * group.times + k, Share(part, many))
            rows = batch_of(fields, self.plan.value.data.batch // many)
            evaluation = self._evaluation(fields, rows, key, step, advancing=frozenset(places))
            if controller is not None:
                evaluation.both = partial(self._both.value, chance=tf.identity(controller.chance))
            else:
                evaluation.both = self._both.value
            evaluation.memories = self._memories.value[index]
            evaluation.watch = self.watch
            evaluation.scale = self._optimizers.value[group.updates[0].name].inner_scale()
            with tf.GradientTape(persistent=len(wanted) > 1, watch_accessed_variables=False) as tape:
                for variable in self._trained(trained, variant):
                    tape.watch(variable.value)
                with knowing(self._fades.value, variant.shares):
                    values = evaluation.values(group.operations, [*wanted, *(number for _, number in group.measures)])
                losses = [tf.reduce_mean(values[loss]) for loss in wanted]
                scaled = [
                    self._optimizers.value[update.name].scaled_loss(loss)
                    for update, loss in zip(group.updates, losses, strict=True)
                ]
            gradients = [
                tape.gradient(
                    loss,
                    [variable.value for variable in self._trained(update.networks, variant)],
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
                for update, loss in zip(group.updates, scaled, strict=True)
            ]
            dense = [[tf.convert_to_tensor(gradient) for gradient in found] for found in gradients]
            if self.watch is not None:
                for update, found in zip(group.updates, dense, strict=True):
                    for variable, gradient in zip(self._trained(update.networks, variant), found, strict=True):
                        self.watch.differentiates(update, variable, gradient)
            states = {places[number]: value for number, value in evaluation.state.items()}
            measured = [tf.reduce_mean(tf.cast(values[number], tf.float32)) for _, number in group.measures]
            return losses, dense, states, [mean_sign(values, reals)] if reals else [], measured

        return differentiate

    def _once_traced(self, function: Any) -> Any:
        """A function as a graph of its own, used again for each repetition and part.

        What is done once is better written out: the end of one update and the beginning of the next then overlap. And
        replicas that tell each other something can do so only outside such a graph."""
        if self.replicas.count > 1:
            return function
        if self.by_xla and all(device.device_type == "CPU" for device in tf.config.list_logical_devices()):
            function = compiled_for_processors()(function)
        return tf.function(function, autograph=False, jit_compile=self.by_xla or None)

    def _trained(self, names: Sequence[str], variant: Variant | None = None) -> list[Any]:
        """The weights of networks that an update trains: all, or those that are not frozen in a variant."""
        frozen = frozenset() if variant is None else variant.frozen
        return [v for name in names for v in self._own(name) if v.trainable and id(v) not in frozen]

    def _own(self, name: str) -> list[Any]:
        """A network's variables but those of the networks that it uses as layers."""
        network = self.plan.value.network(name)
        inner = [layer.arguments["network"] for layer in network.layers if layer.word == "network"]
        others = {id(variable) for one in inner for variable in self.networks[one].variables}
        return [variable for variable in self.networks[name].variables if id(variable) not in others]
