"""A plan in, an `Experiment` out: the Keras model whose train step is the plan's equations.

Everything random is a function of (seed, step, update, repetition, site), so that n steps in one graph call and n calls
of one give the same bits. A replica draws its part of the whole batch's numbers; gradients and losses are averaged.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import keras
import tensorflow as tf

from gendsl.lower.augment.controller import mean_sign
from gendsl.lower.ingredients import (
    Untracked,
    averages_of,
    both_transform_of,
    compiled_by_xla,
    controller_of,
    labels_of,
    memories_of,
    models_of,
    refuse_torn_packs,
    setting,
    span_of_pictures,
    unconverted,
)
from gendsl.lower.memories import states_of
from gendsl.lower.operations import Evaluation, needed
from gendsl.lower.optimizers import Optimizer
from gendsl.lower.replicas import ONE, Replicas
from gendsl.lower.sampling import batch_of, fields_of, plain
from gendsl.lower.timetable import timetable_of
from gendsl.lower.watching import Watch
from gendsl.parts.clipping import clip_weights
from gendsl.parts.collectives import averaged_parts, this_share
from gendsl.parts.keys import Key, Share
from gendsl.parts.spectral_norm import power_iteration
from gendsl.plan.plan import Operation, Plan
from gendsl.plan.reals import real_scores


def experiment_of(plan: Plan, *, examples: int | None = None, replicas: Replicas = ONE) -> "Experiment":
    """The model of a plan, its weights drawn by the seed; `examples` is the size of the training split, for epochs."""
    refuse_torn_packs(plan, replicas.count)
    with replicas.scope():
        return Experiment(plan, examples=examples, replicas=replicas)


class Experiment(keras.Model):
    """The networks of a plan with its train step.

    `networks` are the Keras models by name, `steps` is the run's length, `times` how many batches a step takes.
    `class_counts` (classes), where it is set, gives the frequencies that labels, or conditions, of samples are drawn
    with.
    """

    def __init__(self, plan: Plan, *, examples: int | None = None, replicas: Replicas = ONE) -> None:
        super().__init__(name=plan.experiment)
        self.plan = Untracked(plan)
        self.timetable = Untracked(timetable_of(plan, examples=examples))
        self.steps = self.timetable.value.run.length
        self.times = plan.train.times
        self._replicas = Untracked(replicas)
        self.parts = int(setting(plan, "accumulate", 1))
        self.seed = int(setting(plan, "seed", 0))
        self._place = "train"  # of the draws of training
        self.class_counts: Any = None
        self.watch: Watch | None = None  # told of the steps that are taken eagerly
        precision = str(setting(plan, "precision", "float32"))
        self._labels = labels_of(plan)
        self.networks = models_of(plan, self.seed, self._labels, precision)
        self._optimizers = Untracked(
            {
                update.name: Optimizer(
                    update.optimizer, self._trained(update.networks), scaled=precision == "mixed_float16"
                )
                for group in plan.train.groups
                for update in group.updates
            }
        )
        self._averages = Untracked(averages_of(plan, self.networks, self.timetable.value))
        self._memories = Untracked([memories_of(group) for group in plan.train.groups])
        self._both = Untracked(both_transform_of(plan))
        self._controller = Untracked(controller_of(plan))
        heard = self._controller.value is not None
        self._reals = Untracked([real_scores(group, plan) if heard else () for group in plan.train.groups])
        self.compile_by_xla(compiled_by_xla(plan, replicas.count))
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.built = True
        self.compile(optimizer=None, jit_compile=False)

    def compile_by_xla(self, choice: bool) -> None:
        """Makes the updates anew, compiled by XLA or not; graphs that were traced before keep the old ones."""
        self.by_xla = choice
        self.must_use_xla = choice and setting(self.plan.value, "jit", "auto") is True
        groups = range(len(self.plan.value.train.groups))
        self._repetitions = Untracked([self._repetition_of(index) for index in groups])

    def follow(self, *, attempt: int, scale: float, values: Mapping[str, float]) -> None:
        """Goes on with the draws of an attempt, learning rates scaled, and other numbers for bindings of `train`."""
        self._place = f"attempt-{attempt}/train" if attempt else "train"
        self.timetable = Untracked(self.timetable.value.led(self.plan.value, scale=scale, values=values))
        self.compile_by_xla(self.by_xla)

    # Training

    @unconverted
    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of `fit`: every repetition uses the batch given, {field: (batch, …)}; advances its own step."""
        fields, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        batches = {name: tf.stack([value] * self.times) for name, value in fields.items()}
        logs: dict[str, Any] = self.step_at(self._step, batches)
        self._step.assign_add(1)
        return logs

    @unconverted
    def step_at(self, step: Any, batches: Mapping[str, Any], groups: frozenset[int] | None = None) -> dict[str, Any]:
        """Trains once. `step` is an int64 scalar, `batches` {field: (times, rows, …)}, a replica's part of the batch.

        `groups` are those that run in the step where the caller knows them (see `Timetable.groups_at`), and hears of
        alone; else the graph finds out, and what does not run has a loss of 0. Gives "NAME/loss" for each update, the
        mean over its repetitions, and "learning_rate/NAME", float32 scalars. With a loss scale, also "loss_scale/NAME"
        and "skipped/NAME", the share of the repetitions that it skipped: in the loss these count 0. With a controller
        also "ada/p", after the step, and "ada/r_t", the mean sign of the step's real scores."""
        step = tf.cast(step, tf.int64)
        logs: dict[str, Any] = {}
        signs: list[Any] = []
        for index, group in enumerate(self.plan.value.train.groups):
            many = len(group.updates)
            rates = [self.timetable.value.learning_rate(update.optimizer, step) for update in group.updates]
            truth = self.timetable.value.runs(index, step) if groups is None else index in groups
            if truth is False:
                continue
            if truth is True:
                told = self._group_at(index, step, batches, rates)
            else:
                told = tf.cond(
                    truth,
                    lambda index=index, rates=rates: self._group_at(index, step, batches, rates),
                    lambda length=2 * many + bool(self._reals.value[index]): [tf.zeros([])] * length,
                )
            signs += told[2 * many :]
            for update, loss, skipped, rate in zip(group.updates, told[:many], told[many:][:many], rates, strict=True):
                logs[f"{update.name}/loss"] = loss
                logs[f"learning_rate/{update.name}"] = rate
                if self._optimizers.value[update.name].scaled:
                    logs[f"loss_scale/{update.name}"] = tf.identity(self._optimizers.value[update.name].scale)
                    logs[f"skipped/{update.name}"] = skipped
        if signs:
            logs |= {"ada/p": tf.identity(self._controller.value.chance), "ada/r_t": tf.add_n(signs) / len(signs)}
        for average in self._averages.value.values():
            average.follow(step)
        return logs

    @property
    def replicas(self) -> Replicas:
        """The replicas that its variables were made for."""
        return cast(Replicas, self._replicas.value)

    def groups_at(self, step: int) -> frozenset[int]:
        """The numbers of the groups of updates that run in a step."""
        groups: frozenset[int] = self.timetable.value.groups_at(step)
        return groups

    def updates_at(self, step: int) -> frozenset[str]:
        """The names of the updates that run in a step."""
        groups = self.plan.value.train.groups
        running = self.timetable.value.groups_at(step)
        return frozenset(update.name for index in running for update in groups[index].updates)

    def _group_at(self, index: int, step: Any, batches: Mapping[str, Any], rates: Sequence[Any]) -> list[Any]:
        """The losses of a group's updates, then of each the share that was skipped, then the mean sign of its real
        scores where a controller hears it; averaged over its repetitions."""
        group = self.plan.value.train.groups[index]
        rows = []
        for k in range(group.times):
            fields = {name: value[k] for name, value in batches.items()}
            if self.watch is not None:
                self.watch.repeats(group, k, fields)
            rows.append(self._repetitions.value[index](step, tf.constant(k, tf.int64), fields, list(rates)))
        return [tf.add_n(list(values)) / float(group.times) for values in zip(*rows, strict=True)]

    def _repetition_of(self, index: int) -> Any:
        """The function of (step, repetition, fields, learning rates) that trains a group once; see `_group_at`."""
        group = self.plan.value.train.groups[index]
        trained = tuple(dict.fromkeys(name for update in group.updates for name in update.networks))
        moving = [v for name in trained for v in self._own(name) if not v.trainable]
        scaled = any(self._optimizers.value[update.name].scaled for update in group.updates)
        reals = self._reals.value[index]
        differentiate = self._differentiation_of(index, trained, moving)
        if self.parts > 1:
            differentiate = self._once_traced(differentiate)

        def repetition(step: Any, k: Any, fields: dict[str, Any], rates: Sequence[Any]) -> list[Any]:
            for name in trained:
                power_iteration(self.networks[name])
            share = this_share()
            found: list[Any] = []
            for part in range(self.parts):
                own = Share(part, self.parts)
                rows = {name: own.of_rows(value) for name, value in fields.items()}
                # One part after the other: that is what saves the memory.
                with tf.control_dependencies(tf.nest.flatten(found[-1:])):
                    index_of_part = tf.cast(share.part(part, self.parts).index, tf.int32)
                    found.append(differentiate(step, k, rows, index_of_part))
            losses, gradients, states, signs = averaged_parts(found)
            clip = self.timetable.value.clip_norm(step)
            skipped = [
                self._optimizers.value[update.name].apply(gradient, rate, clip)
                for update, gradient, rate in zip(group.updates, gradients, rates, strict=True)
            ]
            for name in trained:
                clip_weights(self.networks[name])
            for place, value in states.items():
                variable = moving[int(place)]
                if scaled:
                    # A forward pass beyond float16 skips the step; statistics of infinities would outlast it.
                    value = tf.where(tf.reduce_all(tf.math.is_finite(value)), value, variable.value)
                variable.assign(value)
            # What a skipped repetition lost may be infinite, and says nothing: no mean may hold it.
            losses = [tf.where(skip > 0, 0.0, loss) for loss, skip in zip(losses, skipped, strict=True)]
            return [*losses, *skipped, *(self._controller.value.hear(sign, len(reals)) for sign in signs)]

        return self._once_traced(repetition) if self.by_xla or group.times > 1 else repetition

    def _differentiation_of(self, index: int, trained: Sequence[str], moving: Sequence[Any]) -> Any:
        """The function of (step, repetition, fields, which part of the batch they are) that gives a group's losses, the
        scaled gradients of each by its weights, the new moving values by their place, and the mean sign of the real
        scores where a controller hears it."""
        group = self.plan.value.train.groups[index]
        path = f"{self._place}/{index}_" + "+".join(update.name for update in group.updates)
        wanted = [update.loss for update in group.updates]
        places = {id(variable): str(place) for place, variable in enumerate(moving)}
        many = self.replicas.count * self.parts
        controller, reals = self._controller.value, self._reals.value[index]

        def differentiate(step: Any, k: Any, fields: dict[str, Any], part: Any) -> tuple[list[Any], Any, Any, Any]:
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
                for variable in self._trained(trained):
                    tape.watch(variable.value)
                values = evaluation.values(group.operations, wanted)
                losses = [tf.reduce_mean(values[loss]) for loss in wanted]
                scaled = [
                    self._optimizers.value[update.name].scaled_loss(loss)
                    for update, loss in zip(group.updates, losses, strict=True)
                ]
            gradients = [
                tape.gradient(
                    loss,
                    [variable.value for variable in self._trained(update.networks)],
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
                for update, loss in zip(group.updates, scaled, strict=True)
            ]
            dense = [[tf.convert_to_tensor(gradient) for gradient in found] for found in gradients]
            if self.watch is not None:
                for update, found in zip(group.updates, dense, strict=True):
                    for variable, gradient in zip(self._trained(update.networks), found, strict=True):
                        self.watch.differentiates(update, variable, gradient)
            states = {places[number]: value for number, value in evaluation.state.items()}
            return losses, dense, states, [mean_sign(values, reals)] if reals else []

        return differentiate

    def _once_traced(self, function: Any) -> Any:
        """A function as a graph of its own, used again for each repetition and part.

        What is done once is better written out: the end of one update and the beginning of the next then overlap. And
        replicas that tell each other something can do so only outside such a graph."""
        if self.replicas.count > 1:
            return function
        return tf.function(function, autograph=False, jit_compile=self.by_xla or None)

    def _evaluation(self, fields: Mapping[str, Any], batch: Any, key: Key, step: Any, **options: Any) -> Evaluation:
        plan = self.plan.value
        return Evaluation(
            models=self.networks,
            networks={network.name: network for network in plan.networks},
            labels=self._labels,
            fields=fields,
            batch=batch,
            key=key,
            step=step,
            scalar=lambda value: self.timetable.value.value(value, step),
            span=span_of_pictures(plan),
            **options,
        )

    def _trained(self, names: Sequence[str]) -> list[Any]:
        return [variable for name in names for variable in self._own(name) if variable.trainable]

    def _own(self, name: str) -> list[Any]:
        """A network's variables but those of the networks that it uses as layers."""
        network = self.plan.value.network(name)
        inner = [layer.arguments["network"] for layer in network.layers if layer.word == "network"]
        others = {id(variable) for one in inner for variable in self.networks[one].variables}
        return [variable for variable in self.networks[name].variables if id(variable) not in others]

    # Samples and scores

    @unconverted
    def sample(
        self, n: Any, key_or_seed: Any, fields: Mapping[str, Any] | None = None, averaged: bool = True, **walk: Any
    ) -> dict[str, Any]:
        """The outputs of the spec's `sample`, {name: (n, …)}; `n` and the seed are ints or int tensors.

        `fields` are its inputs; labels and conditions default to the frequencies of `class_counts`. `between` in `walk`
        makes one point of two draws of a prior. Raises ValueError for a missing field."""
        sample = self.plan.value.sample
        if sample is None:
            raise ValueError("the spec says not what a sample is: add a `sample` block")
        key = key_or_seed if isinstance(key_or_seed, Key) else Key(self.seed, "sample", key_or_seed)
        wanted = [number for _, number in sample.outputs]
        values = self._measured(sample.operations, wanted, n, key, fields or {}, averaged, **walk)
        return {name: plain(values[number]) for name, number in sample.outputs}

    @unconverted
    def measure(
        self,
        equations: Sequence[tuple[str, int]],
        operations: Sequence[Operation],
        fields: Mapping[str, Any],
        key: Key,
        averaged: bool = True,
    ) -> dict[str, Any]:
        """The values of an `evaluate` block's own equations on a batch, inference mode: (batch) or scalars, by name."""
        batch = batch_of(fields, self.plan.value.data.batch)
        values = self._measured(operations, [number for _, number in equations], batch, key, fields, averaged)
        return {name: plain(values[number]) for name, number in equations}

    def _measured(
        self,
        operations: Sequence[Operation],
        wanted: Sequence[int],
        n: Any,
        key: Key,
        given: Mapping[str, Any],
        averaged: bool,
        **walk: Any,
    ) -> dict[int, Any]:
        plan = self.plan.value
        read = {
            operations[index].attributes["name"]: None
            for index in sorted(needed(operations, wanted))
            if operations[index].name == "field"
        }
        fields = fields_of(list(read), given, plan.data.fields, n, key, self.class_counts)
        step = tf.constant(max(self.steps - 1, 0), tf.int64)
        evaluation = self._evaluation(fields, n, key, step, training=False, **walk)
        if averaged:
            evaluation.weights = [pair for average in self._averages.value.values() for pair in average.values]
        return evaluation.values(operations, wanted)

    # State

    def state(self) -> dict[str, Any]:
        """Every variable that a checkpoint holds, by a name that stays: weights, slots, averages, memories, ADA's."""
        found: dict[str, Any] = {}

        def keep(name: str, variable: Any) -> None:
            while name in found:
                name += "_"
            found[name] = getattr(variable, "value", variable) if isinstance(variable, keras.Variable) else variable

        for name, network in self.networks.items():
            for variable in network.variables:
                keep(f"networks/{name}/{variable.path}", variable)
        for name, optimizer in self._optimizers.value.items():
            for number, variable in enumerate(optimizer.variables):
                keep(f"optimizers/{name}/{number}", variable)
        for name, average in self._averages.value.items():
            for variable, mean in average.values:
                keep(f"averages/{name}/{variable.path}", mean)
        for name, variable in states_of(self._memories.value):
            keep(f"memories/{name}", variable)
        if self._controller.value is not None:
            for name, variable in self._controller.value.state.items():
                keep(f"ada/{name}", variable)
        return found

    def gradient_norm(self, update: str) -> float | None:
        """The norm of an update's late gradients, as its optimizer remembers it; None where it does not."""
        return cast("float | None", self._optimizers.value[update].gradient_norm())

    def averaged_weights(self, name: str) -> dict[str, Any]:
        """The averaged variable of each of a network's weights by path; empty without `ema`."""
        average = self._averages.value.get(name)
        return {} if average is None else {variable.path: mean for variable, mean in average.values}
