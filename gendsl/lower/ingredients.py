"""A plan in, what an experiment is made of out: its models with their first weights, its pools, its settings."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import keras
import tensorflow as tf

from gendsl.lower.augment import both_of, span_of
from gendsl.lower.augment.controller import Controller
from gendsl.lower.averages import Average
from gendsl.lower.errors import UserError
from gendsl.lower.memories import Memory, memory_of
from gendsl.lower.networks import model_of
from gendsl.lower.operations import needed
from gendsl.lower.timetable import Timetable
from gendsl.plan.layers import pack_of
from gendsl.plan.plan import Group, Operation, Plan
from gendsl.vocabulary.layers import convolution

_REPAID = 1_000  # in so many steps XLA has won back the seconds that its compilation takes
_SLOWER_BY_XLA = {word.name for word in convolution.WORDS} | {"modulated_conv", "lstm", "gru", "bidirectional"}

_Method = TypeVar("_Method", bound=Callable[..., Any])


def unconverted(method: _Method) -> _Method:
    """A method that AutoGraph leaves alone: it is graph code already, and converting it would slow its tracing."""
    return cast(_Method, tf.autograph.experimental.do_not_convert(method))


def compiled_by_xla(plan: Plan, replicas: int, steps: int) -> bool:
    """Whether XLA compiles the step of a run of so many steps: as `jit` says; `auto`, the default, compiles on one
    device where that is faster: for a TPU, and in a long run for a GPU, and for transformers on processors.

    On processors XLA fuses what stands between the products of matrices, but its convolutions and its recurrent loops
    are slower than TensorFlow's own kernels. Raises UserError for `jit on` on several replicas: XLA compiles no step in
    which they meet."""
    choice = setting(plan, "jit", "auto")
    if choice == "auto":
        if replicas > 1:
            return False
        faster = bool(tf.config.list_logical_devices("GPU")) or _transforms(plan)
        return bool(tf.config.list_logical_devices("TPU")) or (faster and steps >= _REPAID)
    if choice and replicas > 1:
        raise UserError(
            f"`jit on` compiles a step on one replica, and there are {replicas}",
            "say `jit auto`, or run on one device: `--strategy one`",
        )
    return bool(choice)


def _transforms(plan: Plan) -> bool:
    """Whether the networks attend, and no layer of theirs is one that XLA slows down."""
    words = {layer.word for network in plan.networks for layer in network.layers}
    return "attention" in words and words.isdisjoint(_SLOWER_BY_XLA)


def refuse_torn_packs(plan: Plan, replicas: int) -> None:
    """Raises UserError where a replica's part of a batch, or a part of that, is not of whole packs, or not whole."""
    many = replicas * int(setting(plan, "accumulate", 1))
    among = f"{many} parts (of replicas and `accumulate`)"
    pack = max((pack_of(network) for network in plan.networks), default=1)
    if plan.data.batch % (many * pack):
        fits = -(-plan.data.batch // (many * pack)) * many * pack
        what = f"a batch of {plan.data.batch}" + (f" in packs of {pack}" if pack > 1 else "")
        raise UserError(
            f"{what} cannot be shared equally by {among}",
            f"write `batch {fits}`, or run on one device: `--strategy one`",
        )


def setting(plan: Plan, name: str, default: Any) -> Any:
    """The only argument of a setting of `train`."""
    call = plan.train.settings.get(name)
    return default if call is None else next(iter(call.arguments.values()), default)


def labels_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The labels that equations read inside each network, in the order of the network's own."""
    stretches: list[Sequence[Operation]] = [group.operations for group in plan.train.groups]
    stretches += [plan.sample.operations] if plan.sample else []
    stretches += [evaluation.operations for evaluation in plan.evaluations]
    read: dict[str, set[str]] = {network.name: set() for network in plan.networks}
    for operations in stretches:
        for operation in operations:
            if operation.name == "label":
                call = operations[operation.inputs[0]]
                read[call.attributes["network"]].add(operation.attributes["name"])
    return {
        network.name: tuple(label for label in network.labels if label in read[network.name])
        for network in plan.networks
    }


def models_of(plan: Plan, seed: int, labels: Mapping[str, tuple[str, ...]], precision: str) -> dict[str, Any]:
    """The networks by name, those used as layers of others first; first weights are functions of seed and name."""
    found: dict[str, Any] = {}

    def build(name: str) -> None:
        network = plan.network(name)
        inner = [layer.arguments["network"] for layer in network.layers if layer.word == "network"]
        for one in inner:
            if one not in found:
                build(one)
        digest = hashlib.blake2b(f"{seed}:weights/{name}".encode(), digest_size=4).digest()
        keras.utils.set_random_seed(int.from_bytes(digest, "little"))
        shared = {"networks": {one: found[one] for one in inner}} if inner else {}
        found[name] = model_of(network, labels=labels[name], precision=precision, **shared)

    for network in plan.networks:
        if network.name not in found:
            build(network.name)
    return {network.name: found[network.name] for network in plan.networks}


def memories_of(group: Group) -> dict[int, Memory]:
    """What the operations of a group keep between steps, by their sites."""
    found: dict[int, Memory] = {}
    for index in needed(group.operations, [update.loss for update in group.updates]):
        operation = group.operations[index]
        if (memory := memory_of(operation)) is not None:
            found[operation.site or 0] = memory
    return found


def both_transform_of(plan: Plan) -> Callable[..., Any] | None:
    """The transform of `augment { both { … } }`, see `both_of`; None where there is none."""
    return both_of(plan.augment.both, span=span_of_pictures(plan)) if plan.augment.both else None


def span_of_pictures(plan: Plan) -> tuple[float, float]:
    """What black and white become in the pictures of a plan; -1 and 1 where it has none."""
    image = next((field for field in plan.data.fields if field.kind == "image"), None)
    return (-1.0, 1.0) if image is None else span_of(image)


def controller_of(plan: Plan) -> Controller | None:
    """The controller of `both ada(…)`, as it begins; None where there is none."""
    ada = plan.augment.ada
    return None if ada is None else Controller(ada, batch=plan.data.batch)


def averages_of(plan: Plan, networks: Mapping[str, Any], timetable: Timetable) -> dict[str, Average]:
    """The averaged weights of each network that `ema` names."""
    found: dict[str, Average] = {}
    for call in plan.train.ema:
        given = call.arguments["networks"]
        start = call.arguments.get("from")
        steps = 0 if start is None else timetable.run.steps(start)
        for name in (given,) if isinstance(given, str) else given:
            found[name] = Average(networks[name], decay=float(call.arguments["decay"]), start=steps)
    return found


class Untracked:
    """A value that Keras is not to look into: its layers and variables are reached by other ways."""

    def __init__(self, value: Any) -> None:
        self.value = value
