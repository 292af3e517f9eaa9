"""A plan in, its cost out: bytes of weights, optimizer slots and activations, FLOPs of a step."""

from collections.abc import Collection, Mapping

from gendsl.frozen import dataclass
from gendsl.plan.plan import Group, Network, Operation, Plan
from gendsl.plan.redrawn import rows_of
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
    its forward pass (Kaplan et al. 2020, section 2.1), a penalty a second gradient. With `accumulate` only a part of a
    batch is held at once; of calls under `recompute`, their results and what the largest of them computes again, which
    costs a forward pass more. Work outside networks is left out.
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
    accumulate = plan.train.settings.get("accumulate")
    parts = 1 if accumulate is None else int(accumulate.arguments["parts"])
    activations: Dimension = 0
    flops: Dimension = 0
    for group in plan.train.groups:
        held, work = _group(group, by_name, plan.data.batch)
        held = width * held // parts if isinstance(held, int) else width * held
        flops = flops + work
        activations = _larger(activations, held)
    return Cost(4 * numbers, 4 * slots, 4 * averages, activations, flops)


def work_of(plan: Plan, groups: Collection[int]) -> Dimension:
    """The FLOPs of the groups of these numbers in a step."""
    by_name = {network.name: network for network in plan.networks}
    total: Dimension = 0
    for number in groups:
        total = total + _group(plan.train.groups[number], by_name, plan.data.batch)[1]
    return total


def sampler_calls(operation: Operation) -> int:
    """How often a sampler of a noising process, or `generate`, calls its network for a sample; 0 for any other."""
    if operation.attributes.get("word") == "generate":
        return int(operation.attributes["arguments"]["length"])
    process = operation.attributes.get("process")
    if process is None or "network" not in operation.attributes:
        return 0
    steps = operation.attributes["arguments"].get("steps") or process.arguments["steps"]
    return int(2 * steps - 1 if operation.attributes["word"] == "heun" else steps)


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


def _group(group: Group, networks: dict[str, Network], batch: int) -> tuple[Dimension, Dimension]:
    """The numbers that a group's gradients need at once, and its FLOPs in a step."""
    held: Dimension = 0
    again: Dimension = 0
    work: Dimension = 0
    trained = {name for update in group.updates for name in update.networks}
    rows = rows_of(group.operations, [update.loss for update in group.updates])
    whole = batch
    for number, operation in enumerate(group.operations):
        if operation.name not in ("call", "penalty"):
            continue
        network = networks[operation.attributes["network"]]
        batch = whole * rows.get(number, 1)
        inside = activations_of(network, networks)
        passes = 3 if network.name in trained else 2  # forward, and back to its inputs; its own weights once more
        if operation.name == "penalty":
            held, passes = held + 2 * batch * inside, 2 * passes
        elif network.recompute:
            again, passes = _larger(again, batch * inside), passes + 1
            held = held + batch * _results(network)
        else:
            held = held + batch * inside
        work = work + passes * group.times * batch * network.flops
    return held + again, work


def _results(network: Network) -> Dimension:
    total: Dimension = 0
    for output in network.outputs:
        place = output.value - len(network.inputs)
        shape = network.layers[place].shape if place >= 0 else None
        total = total + (product(shape) if shape is not None else 0)
    return total
