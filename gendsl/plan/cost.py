"""A plan in, its cost out: bytes of weights, optimizer slots and activations, FLOPs of a step."""

import os
from collections.abc import Mapping

from gendsl.frozen import dataclass
from gendsl.plan.plan import Group, Network, Plan
from gendsl.vocabulary.dimensions import Dimension, product

SLOTS = {"adam": 2, "adamw": 2, "adamax": 2, "nadam": 2, "sgd": 0, "rmsprop": 1, "adagrad": 1, "adadelta": 2, "lion": 1}
_VIEWS = frozenset(["reshape", "flatten", "identity", "permute"])  # layers that make no copy


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes and FLOPs of a training step.

    `activations` are those that the gradient of the largest update needs at once.
    """

    weights: Dimension
    optimizer: Dimension
    averages: Dimension
    activations: Dimension
    flops: Dimension

    @property
    def total(self) -> Dimension:
        """All bytes together."""
        return self.weights + self.optimizer + self.averages + self.activations


def cost_of(plan: Plan) -> Cost:
    """The estimated cost of a step of a plan at its batch.

    Weights, slots and averages count 4 bytes a number; activations 4, or 2 in a mixed precision. A gradient costs twice
    its forward pass (Kaplan et al. 2020, section 2.1), a penalty a second gradient. Work outside networks is left out.
    """
    by_name = {network.name: network for network in plan.networks}
    numbers: Dimension = 0
    for network in plan.networks:
        numbers = numbers + network.weights + network.state
    slots: Dimension = 0
    for group in plan.train.groups:
        for update in group.updates:
            each = SLOTS.get(update.optimizer.word, 2)
            if update.optimizer.word == "sgd" and update.optimizer.arguments.get("momentum"):
                each = 1
            for name in update.networks:
                slots = slots + each * by_name[name].weights
    averages: Dimension = 0
    for call in plan.train.ema:
        for name in call.arguments["networks"]:
            averages = averages + by_name[name].weights + by_name[name].state
    precision = plan.train.settings.get("precision")
    width = 4 if precision is None or precision.arguments["policy"] == "float32" else 2
    activations: Dimension = 0
    flops: Dimension = 0
    for group in plan.train.groups:
        held, work = _group(group, by_name, plan.data.batch, width)
        flops = flops + work
        activations = _larger(activations, held)
    return Cost(4 * numbers, 4 * slots, 4 * averages, activations, flops)


def _larger(left: Dimension, right: Dimension) -> Dimension:
    return max(left, right) if isinstance(left, int) and isinstance(right, int) else right


def activations_of(network: Network, networks: Mapping[str, Network] = {}) -> Dimension:
    """The numbers that one forward pass of one example leaves for the gradient.

    `networks` are the plan's by name: those that this one uses as layers count, too.
    """
    total: Dimension = 0
    for layer in network.layers:
        if layer.word == "network":
            total = total + activations_of(networks[layer.arguments["network"]], networks)
        elif layer.word not in _VIEWS and layer.shape is not None:
            total = total + product(layer.shape)
    return total


def _group(group: Group, networks: dict[str, Network], batch: int, width: int) -> tuple[Dimension, Dimension]:
    held: Dimension = 0
    work: Dimension = 0
    trained = {name for update in group.updates for name in update.networks}
    for operation in group.operations:
        if operation.name not in ("call", "penalty"):
            continue
        network = networks[operation.attributes["network"]]
        times = 1 if operation.name == "call" else 2
        held = held + times * batch * width * activations_of(network, networks)
        passes = 3 if network.name in trained else 2  # forward, and back to its inputs; its own weights once more
        work = work + times * passes * group.times * batch * network.flops
    return held, work


def device_memory() -> int | None:
    """Bytes of this machine's memory, None where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
