"""A run that told a NaN or an infinity in, the step, the update and the first guilty layer out.

Nothing is watched while all is well. Since a run is a function of (spec, data, seed, step), the steps since the last
checkpoint are taken again, in ever fewer at once, until the first is found after which something is not finite; that
one is computed eagerly, and each value looked at in the order of its computation.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gendsl.lower.errors import UserError
from gendsl.lower.operations import needed
from gendsl.lower.training import experiment_of
from gendsl.lower.watching import Watch
from gendsl.plan.plan import Group, Operation, Plan, Update
from gendsl.run import checkpoints
from gendsl.run.course import course_of
from gendsl.run.loop import EMPTY, Pace, Stepper, Window
from gendsl.run.moments import Moments

# Where even gradients scaled down so far overflow float16, they are above 1e9, or not finite at any scale.
_LEAST_LOSS_SCALE = 2.0**-14
_NO_VALUE_AT_ZERO = ("log", "sqrt", "divide", "power")


class Diverged(UserError):
    """Training went beyond finite numbers: what was seen after `step` steps, by name: `NaN`, `infinite`…"""

    def __init__(self, step: int, values: Mapping[str, str]) -> None:
        name, value = next(iter(values.items()))
        self.seen = f"`{name}` is {value}"
        super().__init__(f"{self.seen} at step {step:,} or shortly before", "lower the learning rate")
        self.step = step
        self.values = values


def gone(window: Window) -> dict[str, str]:
    """What is no longer finite of what the steps told, by name.

    A step that the loss scale skips is none of that, until the scale has become so small that it cannot help.
    """
    found = {}
    for name, total, last in zip(window.names, window.sums, window.last, strict=True):
        if not np.isfinite(total):
            found[name] = "NaN" if np.isnan(total) else "infinite"
        elif name.startswith("loss_scale/") and last < _LEAST_LOSS_SCALE:
            found[name] = "nearly 0"
    return found


@dataclass(frozen=True, slots=True)
class Finding:
    """Where it began: the number of the step, from 1, the update, its repetition, from 1, and what in it."""

    step: int
    update: str
    repetition: int
    repetitions: int
    what: str
    help: str
    network: str = ""
    layer: str = ""

    @property
    def text(self) -> str:
        """`step 412, in update `critic`, repetition 3 of 5: …`"""
        of = f", repetition {self.repetition} of {self.repetitions}" if self.repetitions > 1 else ""
        return f"step {self.step:,}, in update `{self.update}`{of}: {self.what}"

    @property
    def record(self) -> dict[str, Any]:
        """For events.jsonl."""
        told = {"update": self.update, "repetition": self.repetition, "network": self.network, "layer": self.layer}
        return {"began": self.step} | {name: value for name, value in told.items() if value} | {"what": self.what}


@dataclass(frozen=True, slots=True)
class Search:
    """Takes the steps of a run again, on one replica, from its last whole checkpoint or its first weights."""

    plan: Plan
    dataset: Any
    moments: Moments
    folder: Path  # of the checkpoints
    plans: Collection[str]  # hashes of the trainings that the run has been of

    def finding(self, until: int) -> Finding | None:
        """Where a run that is not finite after `until` steps began not to be; None if it is finite this time."""
        experiment = experiment_of(self.plan, examples=self.dataset.sizes.get("train"))
        state = experiment.state()
        restored = checkpoints.restore(self.folder, state, plans=self.plans)
        if restored is not None:
            course_of((restored.record.get("alarms") or {}).get("course")).lead(experiment)
        step = self._last_whole(experiment, restored.step if restored else 0, until)
        return None if step is None else _looked_through(experiment, self.dataset, step)

    def _last_whole(self, experiment: Any, first: int, until: int) -> int | None:
        """The last number of steps after which all is finite, which the experiment is then left at."""
        stepper, pace, state = Stepper(experiment, self.dataset), Pace(), experiment.state()
        before = checkpoints.snapshot(state)
        step, high = first, until
        known = False  # whether all is known not to be finite after `high` steps
        while step < high:
            if known and high - step == 1:
                return step
            room = min(high, self.moments.next_after(step)) - step
            count = max(1, room // 2) if known else pace.count(room)
            began = time.perf_counter()
            window = stepper.run(step, count, EMPTY)
            pace.took(count, time.perf_counter() - began)
            after = checkpoints.snapshot(state)
            if gone(window) or checkpoints.unfinite(after):
                known, high = True, step + count
                _assign(state, before)
            else:
                step, before = step + count, after
        return None


def explained(told: Diverged, search: Search) -> tuple[UserError, dict[str, Any]]:
    """What a person is told of a divergence, and its record for events.jsonl."""
    there = [step for step in map(_step_of, checkpoints.paths(search.folder)) if step <= told.step]
    kept = f"the last checkpoint, of step {there[0]:,}, is whole" if there else "no checkpoint had been written yet"
    record = {"values": list(told.values), "checkpoint": there[0] if there else None}
    try:
        finding = search.finding(told.step)
    except (tf.errors.OpError, MemoryError, UserError) as error:
        reason = str(error).splitlines()[0]
        return UserError(f"{told.message} (where it began was not found: {reason}); {kept}", told.help), record
    if finding is None:
        again = "when the steps before were taken again, nothing of it came back"
        return UserError(f"{told.message}; {again}; {kept}", "switch `deterministic on`, or try it once more"), record
    message = f"training diverged at {finding.text}; {told.seen} at step {told.step:,}; {kept}"
    return UserError(message, finding.help), record | finding.record


def _looked_through(experiment: Any, dataset: Any, step: int) -> Finding | None:
    """The first value that is not finite in a step that is computed eagerly."""
    finder = _Finder(experiment, step)
    experiment.watch = finder
    tf.config.run_functions_eagerly(True)
    try:
        batches = dataset.fetch(tf.constant(dataset.addresses(step, 1)[0], tf.int64))
        experiment.step_at(tf.constant(step, tf.int64), batches, experiment.groups_at(step))
    finally:
        tf.config.run_functions_eagerly(False)
        experiment.watch = None
    finder.settle()
    return finder.found


class _Finder(Watch):
    """Keeps the first value that is not finite; `found` says what it is."""

    def __init__(self, experiment: Any, step: int) -> None:
        self.found: Finding | None = None
        self._experiment = experiment
        self._plan: Plan = experiment.plan.value
        self._step = step
        self._group: Group | None = None
        self._k = 0
        self._left: tuple[str, str, dict[str, float]] | None = None  # network, layer, its largest numbers
        self._gradient: tuple[Update, Any] | None = None
        self._owners: dict[int, tuple[str, str]] = {}  # network and layer, by the variable's id
        for network in self._plan.networks:
            names = {layer.name.replace("/", "_"): layer.name for layer in network.layers}
            for layer in experiment.networks[network.name].layers:
                if not isinstance(layer, keras.Model | keras.layers.InputLayer):
                    name = names.get(layer.name, layer.name)
                    self._owners |= {id(variable): (network.name, name) for variable in layer.variables}
                    layer.call = self._watched(layer, network.name, name)

    def repeats(self, group: Group, k: int, fields: Mapping[str, Any]) -> None:
        self.settle()
        self._group, self._k = group, k
        for name, value in fields.items():
            if self.found is None and not _finite(value):
                self._note(
                    group.updates[0],
                    f"the field `{name}` of the data is not finite",
                    "take out the examples that hold NaN or infinite numbers",
                )

    def computes(self, operation: Operation, value: Any) -> None:
        assert self._group is not None
        if self.found is not None or (self._left is None and _finite(value)):
            return
        place = next(number for number, one in enumerate(self._group.operations) if one is operation)
        update = next(one for one in self._group.updates if place in needed(self._group.operations, [one.loss]))
        if self._left is None:
            self._note(update, f"the first value that is not finite is {_what(operation, update)}", _cure(operation))
            return
        network, layer, reach = self._left
        what = f"the first value that is not finite leaves layer `{layer}` of `{network}`"
        if large := [f"whose {name} reach {value:.1e}" for name, value in reach.items() if value >= 1e4]:
            what += ", " + " and ".join(large)
        self._note(update, what, "", network, layer)

    def differentiates(self, update: Update, variable: Any, gradient: Any) -> None:
        # The variables come in the order of the layers, the gradient goes the other way: the last is the first.
        if self._gradient is not None and self._gradient[0] is not update:
            return
        if self.found is None and not _finite(gradient):
            self._gradient = (update, variable)

    def settle(self) -> None:
        """A repetition is over: looks at its gradients and at what it made of the state."""
        if self.found is not None or self._group is None:
            return
        if self._gradient is not None:
            update, variable = self._gradient
            network, layer = self._owners[id(variable)]
            self._note(
                update,
                f"its loss is finite, but the gradient by the {variable.name} of layer `{layer}` of `{network}` is not",
                "",
                network,
                layer,
            )
            return
        state = self._experiment.state()
        for name in checkpoints.unfinite(checkpoints.snapshot(state)):
            update = self._owner(name)
            self._note(
                update, f"the values and gradients are finite, but what it makes of `{name}` is not: it is too large"
            )
            return

    def _owner(self, name: str) -> Update:
        """The update of the group at hand that changes a variable of the state."""
        assert self._group is not None
        kind, which = name.split("/")[:2]
        for update in self._group.updates:
            if which == update.name if kind == "optimizers" else which in update.networks:
                return update
        return self._group.updates[0]

    def _watched(self, layer: Any, network: str, name: str) -> Any:
        call = layer.call

        def watched(*args: Any, **options: Any) -> Any:
            value = call(*args, **options)
            if self.found is None and self._left is None and not _finite(value):
                self._left = (network, name, {"inputs": _reach(args), "weights": _reach(layer.trainable_variables)})
            return value

        return watched

    def _note(self, update: Update, what: str, help: str = "", network: str = "", layer: str = "") -> None:
        assert self._group is not None
        self.found = Finding(
            self._step + 1,
            update.name,
            self._k + 1,
            self._group.times,
            what,
            help or self._slower(update),
            network,
            layer,
        )

    def _slower(self, update: Update) -> str:
        """What to do where numbers have grown too large."""
        settings = self._plan.train.settings
        rate = float(
            self._experiment.timetable.value.learning_rate(update.optimizer, tf.constant(self._step, tf.int64))
        )
        help = f"lower the learning rate of `{update.name}`, {rate:.2g} at this step"
        clip = settings.get("clip")
        help += ", or add `clip norm: 1.0` to `train`" if clip is None else ", or the norm that `clip` allows"
        if settings.get("precision") is not None and settings["precision"].arguments["policy"] == "mixed_float16":
            help += "; `precision mixed_bfloat16` has the range of float32"
        return help


def _what(operation: Operation, update: Update) -> str:
    """An operation of an update in words."""
    attributes = operation.attributes
    match operation.name:
        case "call":
            return f"what `{attributes['network']}` gives"
        case "penalty":
            return f"`{attributes['word']}` of `{attributes['network']}`"
        case "loss":
            return f"`{'.'.join(part for part in (attributes['word'], attributes['role']) if part)}`"
        case "function":
            return f"`{attributes['word']}` in `minimize {update.equation}`"
        case "scalar":
            return f"`{attributes['name']}`"
        case "divide":
            return f"a quotient in `minimize {update.equation}`"
        case "power":
            return f"a power in `minimize {update.equation}`"
    return f"the result of `{operation.name}` in `minimize {update.equation}`"


def _cure(operation: Operation) -> str:
    word = operation.attributes.get("word", operation.name)
    if word in _NO_VALUE_AT_ZERO:
        return (
            "it has no finite value, or no finite gradient, at 0: add a small constant, such as 1e-6, to what may be 0"
        )
    return ""


def _tensors(value: Any) -> list[Any]:
    flat = [one for one in tf.nest.flatten(value) if tf.is_tensor(one) or isinstance(one, keras.Variable)]
    return [tensor for tensor in map(tf.convert_to_tensor, flat) if tensor.dtype.is_floating]


def _finite(value: Any) -> bool:
    return all(bool(tf.reduce_all(tf.math.is_finite(tensor))) for tensor in _tensors(value))


def _reach(value: Any) -> float:
    """The largest absolute number; 0 without any."""
    return max((float(tf.reduce_max(tf.abs(tensor))) for tensor in _tensors(value) if tf.size(tensor) > 0), default=0.0)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def _assign(state: Mapping[str, Any], values: checkpoints.Snapshot) -> None:
    for name, value in values.items():
        state[name].assign(value)
