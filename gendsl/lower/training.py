"""A plan in, an `Experiment` out: the Keras model whose train step is the plan's equations.

Everything random is a function of (seed, step, update, repetition, site), so that n steps in one graph call and n calls
of one give the same bits. A replica draws its part of the whole batch's numbers; gradients and losses are averaged.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import keras
import tensorflow as tf

from gendsl.lower.beginnings import Beginnings
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
from gendsl.lower.repetition import Repeating
from gendsl.lower.replicas import ONE, Replicas
from gendsl.lower.sampling import batch_of, fields_of, plain
from gendsl.lower.signals import Signals
from gendsl.lower.timetable import timetable_of
from gendsl.lower.variants import Variant, apart, fades_of, variants_of
from gendsl.lower.watching import Watch
from gendsl.parts.keys import Key
from gendsl.parts.quantize import perplexities
from gendsl.plan.plan import Operation, Plan, Sample
from gendsl.plan.reals import real_scores


def experiment_of(plan: Plan, *, examples: int | None = None, replicas: Replicas = ONE) -> "Experiment":
    """The model of a plan, its weights drawn by the seed; `examples` is the size of the training split, for epochs."""
    refuse_torn_packs(plan, replicas.count)
    with replicas.scope():
        return Experiment(plan, examples=examples, replicas=replicas)


class Experiment(Repeating):
    """The networks of a plan with its train step.

    `networks` are the Keras models by name, `steps` is the run's length, `times` how many batches a step takes.
    `class_counts` (classes), where it is set, gives the frequencies that labels, or conditions, of samples are drawn
    with, and `beginnings` what begins sequences of the fields of tokens.
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
        self.beginnings: Mapping[str, Beginnings] = {}
        self.watch: Watch | None = None  # told of the steps that are taken eagerly
        precision = str(setting(plan, "precision", "float32"))
        self._labels = labels_of(plan)
        self.networks = models_of(plan, self.seed, self._labels, precision)
        own = {name: self._own(name) for name in self.networks}
        self._variants = Untracked(variants_of(plan, own, self.timetable.value, self._labels))
        self._fades = Untracked(fades_of(plan, self.networks))
        self._fade(tf.constant(0, tf.int64))
        self._optimizers = Untracked(
            {
                update.name: Optimizer(
                    update.optimizer,
                    apart(self._trained(update.networks), [one for one in self._variants.value if one.group == index]),
                    scaled=precision == "mixed_float16",
                )
                for index, group in enumerate(plan.train.groups)
                for update in group.updates
            }
        )
        self._signals = Untracked(Signals(plan))
        self._averages = Untracked(averages_of(plan, self.networks, self.timetable.value))
        self._memories = Untracked([memories_of(group) for group in plan.train.groups])
        self._both = Untracked(both_transform_of(plan))
        self._controller = Untracked(controller_of(plan))
        heard = self._controller.value is not None
        self._reals = Untracked([real_scores(group, plan) if heard else () for group in plan.train.groups])
        self.compile_by_xla(compiled_by_xla(plan, replicas.count, self.timetable.value.run.length))
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.built = True
        self.compile(optimizer=None, jit_compile=False)

    def compile_by_xla(self, choice: bool) -> None:
        """Makes the updates anew, compiled by XLA or not; graphs that were traced before keep the old ones."""
        self.by_xla = choice
        self.must_use_xla = choice and setting(self.plan.value, "jit", "auto") is True
        self._repetitions = Untracked({one.number: self._repetition_of(one) for one in self._variants.value})

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

        `groups` are those that run in the step where the caller knows them (see `groups_at`), and hears of alone; else
        the graph finds out, and what does not run has a loss of 0. Gives "NAME/loss" for each update, the mean over its
        repetitions, and "learning_rate/NAME", float32 scalars. With a loss scale, also "loss_scale/NAME" and
        "skipped/NAME", the share of the repetitions that it skipped: in the loss these count 0. With a condition also
        "held/NAME", the share of the repetitions that it held back, and what conditions read. With a controller also
        "ada/p", after the step, and "ada/r_t", the mean sign of the step's real scores."""
        step = tf.cast(step, tf.int64)
        self._fade(step)
        logs: dict[str, Any] = {}
        signs: list[Any] = []
        for index, group in enumerate(self.plan.value.train.groups):
            rates = [self.timetable.value.learning_rate(update.optimizer, step) for update in group.updates]
            told: dict[str, Any] | None = None
            for variant in (one for one in self._variants.value if one.group == index):
                truth = self.timetable.value.runs(variant.phases, step) if groups is None else variant.number in groups
                if truth is False:
                    continue
                run = partial(self._group_at, variant, step, batches, rates)
                if truth is not True:
                    before = self._silent(index) if told is None else told
                    told = tf.cond(truth, run, lambda before=before: before)
                else:
                    told = run()
            if told is None:
                continue
            signs += [told.pop("ada/r_t")] if "ada/r_t" in told else []
            logs |= told
            for update, rate in zip(group.updates, rates, strict=True):
                logs[f"learning_rate/{update.name}"] = rate
                if self._optimizers.value[update.name].scaled:
                    logs[f"loss_scale/{update.name}"] = tf.identity(self._optimizers.value[update.name].scale)
        if signs:
            logs |= {"ada/p": tf.identity(self._controller.value.chance), "ada/r_t": tf.add_n(signs) / len(signs)}
        for average in self._averages.value.values():
            average.follow(step)
        return logs | perplexities(self.networks)

    def _fade(self, step: Any) -> None:
        """Sets the shares of layers that fade to what they are in a step."""
        for layer, share in self._fades.value.values():
            layer.share.assign(self.timetable.value.value(share, step))

    def groups_at(self, step: int) -> frozenset[int]:
        """The numbers of the groups of updates that run in a step; of one that some phases freeze in different ways,
        that of its variant (see `Variant`)."""
        phase = self.timetable.value.phase_at(step)
        return frozenset(variant.number for variant in self._variants.value if phase in variant.phases)

    def updates_at(self, step: int) -> frozenset[str]:
        """The names of the updates that run in a step."""
        groups = self.plan.value.train.groups
        running = self.timetable.value.groups_at(step)
        return frozenset(update.name for index in running for update in groups[index].updates)

    def _group_at(
        self, variant: Variant, step: Any, batches: Mapping[str, Any], rates: Sequence[Any]
    ) -> dict[str, Any]:
        """What a group tells (see `_repetition_of`), averaged over its repetitions."""
        group = self.plan.value.train.groups[variant.group]
        rows = []
        for k in range(group.times):
            fields = {name: value[k] for name, value in batches.items()}
            if self.watch is not None:
                self.watch.repeats(group, k, fields)
            repetition = self._repetitions.value[variant.number]
            rows.append(repetition(step, tf.constant(k, tf.int64), fields, list(rates)))
        return {name: tf.add_n([row[name] for row in rows]) / float(group.times) for name in rows[0]}

    def _silent(self, index: int) -> dict[str, Any]:
        """What a group that does not run tells: the names that it would, and 0."""
        group = self.plan.value.train.groups[index]
        names = [name for name, _ in group.measures]
        for update in group.updates:
            names += [f"{update.name}/loss"]
            names += [f"skipped/{update.name}"] if self._optimizers.value[update.name].scaled else []
            names += [f"held/{update.name}"] if group.when else []
        names += ["ada/r_t"] if self._reals.value[index] else []
        return {name: tf.zeros([]) for name in names}

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
            beginnings=self.beginnings,
            **options,
        )

    # Samples and scores

    @unconverted
    def sample(
        self,
        n: Any,
        key_or_seed: Any,
        fields: Mapping[str, Any] | None = None,
        averaged: bool = True,
        sample: Sample | None = None,
        **walk: Any,
    ) -> dict[str, Any]:
        """The outputs of the spec's `sample`, {name: (n, …)}; `n` and the seed are ints or int tensors.

        `fields` are its inputs; labels and conditions default to the frequencies of `class_counts`. `between` in `walk`
        makes one point of two draws of a prior; `sample` is another than the spec's. ValueError for a missing field."""
        sample = sample or self.plan.value.sample
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
        for name, variable in self._signals.value.state.items():
            keep(f"signals/{name}", variable)
        return found

    def gradient_norm(self, update: str) -> float | None:
        """The norm of an update's late gradients, as its optimizer remembers it; None where it does not."""
        return cast("float | None", self._optimizers.value[update].gradient_norm())

    def averaged_weights(self, name: str) -> dict[str, Any]:
        """The averaged variable of each of a network's weights by path; empty without `ema`."""
        average = self._averages.value.get(name)
        return {} if average is None else {variable.path: mean for variable, mean in average.values}
