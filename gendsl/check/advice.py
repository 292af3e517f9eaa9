"""A plan in, advice out: what is legal and yet known to go wrong, each with its rule and its source."""

from collections.abc import Iterator
from typing import Any

from gendsl import rules
from gendsl.check.context import Context
from gendsl.plan.coupling import couplings
from gendsl.plan.freezing import statements
from gendsl.plan.memories import remembers, word_of
from gendsl.plan.plan import Group, Layer, Network, Operation, Plan
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary.types import Distribution, Tensor

_VIEWS = frozenset(["reshape", "flatten", "identity", "permute"])
_CANCELLING = frozenset(["batch_norm", "conditional_batch_norm", "instance_norm"])
_COUPLED = frozenset(["batch_norm", "conditional_batch_norm"])
_LIPSCHITZ = frozenset(["spectral_norm", "clip"])
_RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "relu": (0.0, None), "softplus": (0.0, None)}


def advise(plan: Plan, train: tree.Step, context: Context) -> None:
    """Adds warnings and hints, and the errors of a batch that cannot be parted as the spec says."""
    for network in plan.networks:
        places = context.layer_spans[network.name]
        _packs(plan, network, places, context)
        _checkerboard(network, places, context)
        _idle_bias(network, places, context)
        _output_range(plan, network, places, context)
        _double_sigmoid(network, places, context)
    _untrained(plan, context)
    _never_dropped(plan, context)
    for group in plan.train.groups:
        _penalised_batch_norm(group, plan, context)
        _lipschitz(group, plan, context)
    _shared(plan, train, context)


def _layers(network: Network, places: list[Span]) -> Iterator[tuple[int, Layer, Span]]:
    first = len(network.inputs)
    for number, layer in enumerate(network.layers):
        yield first + number, layer, places[first + number]


def _checkerboard(network: Network, places: list[Span], context: Context) -> None:
    for _, layer, place in _layers(network, places):
        if layer.word != "up_conv":
            continue
        kernel, stride = _pair(layer.arguments["kernel"]), _pair(layer.arguments["stride"])
        if any(s > 1 and k % s for k, s in zip(kernel, stride, strict=False)):
            context.problems.add(
                rules.checkerboard,
                place,
                f"a kernel of {kernel[0]} is not divisible by the stride of {stride[0]}, which shows as a checkerboard",
                help=f"write `kernel: {2 * stride[0]}`, or `upsample {stride[0]} | conv …`",
            )


def _packs(plan: Plan, network: Network, places: list[Span], context: Context) -> None:
    for _, layer, place in _layers(network, places):
        size = next(iter(layer.arguments.values()), 1) if layer.word == "pack" else 1
        if isinstance(size, int) and plan.data.batch % size:
            context.problems.add(
                rules.out_of_range,
                place,
                f"a batch of {plan.data.batch} cannot be parted into packs of {size}",
                help=f"write `batch {-(-plan.data.batch // size) * size}`, or another pack",
            )


def _pair(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value, value)


def _idle_bias(network: Network, places: list[Span], context: Context) -> None:
    takers: dict[int, list[Layer]] = {}
    for layer in network.layers:
        for one in layer.inputs:
            takers.setdefault(one, []).append(layer)
    for number, layer, place in _layers(network, places):
        if layer.arguments.get("bias") is not True:
            continue
        behind = takers.get(number, [])
        if len(behind) == 1 and behind[0].word in _CANCELLING:
            context.problems.add(
                rules.idle_bias,
                place,
                f"the `{behind[0].word}` behind this `{layer.word}` cancels its bias",
                help="write `bias: off`",
            )


def final_activation(network: Network, value: int) -> int | None:
    """The number of the last layer that changes numbers, behind which there are only other views of them."""
    while value >= len(network.inputs):
        layer = network.layers[value - len(network.inputs)]
        if layer.word not in _VIEWS:
            return value
        value = layer.inputs[0]
    return None


def _output_range(plan: Plan, network: Network, places: list[Span], context: Context) -> None:
    fields = {field.name: field for field in plan.data.fields if field.kind == "image"}
    for output in network.outputs:
        if not isinstance(output.type, Tensor) or output.type.meaning not in fields:
            continue
        number = final_activation(network, output.value)
        if number is None:
            continue
        word = network.layers[number - len(network.inputs)].word
        bounds = fields[output.type.meaning].arguments.get("range")
        if word not in _RANGES or bounds is None:
            continue
        low, high = (float(end) for end in bounds)
        reach = _RANGES[word]
        if reach[0] > low or (reach[1] is not None and reach[1] < high):
            wrong = "cannot reach all of it"
        elif reach[0] < low or (reach[1] is not None and reach[1] > high):
            wrong = "goes beyond it"
        else:
            continue
        right = {(-1.0, 1.0): "tanh", (0.0, 1.0): "sigmoid"}.get((low, high))
        context.problems.add(
            rules.output_range,
            places[number],
            f"the data's `{output.type.meaning}` lies in {low:g}..{high:g}, and `{word}` {wrong}",
            help=(f"end with `{right}`" if right else "end without an activation")
            + (f", or write `image range: {reach[0]:g}..{reach[1]:g}` in `data`" if reach[1] is not None else ""),
        )


def _double_sigmoid(network: Network, places: list[Span], context: Context) -> None:
    for output in network.outputs:
        logits = isinstance(output.type, Tensor) and output.type.meaning == "logits"
        family = output.type.family if isinstance(output.type, Distribution) else ""
        number = final_activation(network, output.value)
        if number is None or not (logits or family in ("bernoulli", "categorical")):
            continue
        word = network.layers[number - len(network.inputs)].word
        if word in ("sigmoid", "softmax", "log_softmax", "hard_sigmoid"):
            what = "logits" if logits else f"a {family}, whose layers give logits"
            context.problems.add(
                rules.double_sigmoid,
                places[number],
                f"`{network.name}` gives {what}, and this `{word}` is applied before the loss applies its own",
                help=f"remove the `{word}`",
            )


def _never_dropped(plan: Plan, context: Context) -> None:
    """Inputs such as `label or none` of networks that are trained, and always on a condition."""
    calls = [
        (call.attributes["network"], place)
        for group in plan.train.groups
        for call in group.operations
        if call.name == "call"
        for place, number in enumerate(call.inputs)
        if group.operations[number].attributes.get("word") == "dropped"
    ]
    for network in plan.networks:
        for place, one in enumerate(network.inputs):
            if one.optional and (network.name, place) not in calls:
                context.problems.add(
                    rules.never_dropped,
                    context.globals.spans[network.name],
                    f"`{one.name}` of `{network.name}` may be none, and in training it never is",
                    help=f"train on `dropped({one.of}, 10%)`, as the objective `classifier_free` does; or write "
                    f"`{one.name}: {one.of}`",
                )


def _untrained(plan: Plan, context: Context) -> None:
    trained = {name for group in plan.train.groups for update in group.updates for name in update.networks}
    for call in statements(plan.train.settings.get("freeze")):
        trained |= set(call.arguments["networks"])  # said to be meant
    for network in plan.networks:
        if network.name not in trained and network.weights != 0:
            context.problems.add(
                rules.untrained_network,
                context.globals.spans[network.name],
                f"no update trains `{network.name}`",
                help=f"name it in an update, `update {network.name} {{ … }}`",
            )


def _penalised_batch_norm(group: Group, plan: Plan, context: Context) -> None:
    for operation in group.operations:
        if operation.name != "penalty" or operation.attributes["word"] == "orthogonality":
            continue  # of weights alone, whatever the examples are
        network = plan.network(operation.attributes["network"])
        for _, layer, place in _layers(network, context.layer_spans[network.name]):
            if layer.word in _COUPLED:
                word = operation.attributes["word"]
                context.problems.add(
                    rules.batch_norm_penalty,
                    place,
                    f"`{network.name}` is under `{word}`, and `{layer.word}` couples the examples of a batch",
                    help="use `layer_norm`, `instance_norm` or no norm here",
                )
                break


def _lipschitz(group: Group, plan: Plan, context: Context) -> None:
    penalised = {
        operation.attributes["network"]
        for one in plan.train.groups
        for operation in one.operations
        if operation.name == "penalty"
    }
    for update in group.updates:
        for name in _critics(group.operations):
            if name not in update.networks or name in penalised or _constrained(plan.network(name)):
                continue
            context.problems.add(
                rules.no_lipschitz,
                context.globals.spans[name],
                f"`{name}` is trained by a Wasserstein loss, and nothing keeps it Lipschitz",
                help="add `10 * gradient_penalty(…)` to its loss, or `constrain: spectral_norm` to its declaration",
            )


def _critics(operations: tuple[Operation, ...]) -> list[str]:
    """The networks whose mean scores are subtracted from one another, or that stand in `wasserstein.discriminator`."""
    out: list[str] = []
    for operation in operations:
        if operation.name == "loss" and operation.attributes["word"] == "wasserstein":
            if operation.attributes["role"] == "discriminator":
                out += _called(operations, operation.inputs)
        elif operation.name == "subtract":
            sides = [_mean_of(operations, one) for one in operation.inputs]
            if sides[0] is not None and sides[0] == sides[1]:
                out.append(sides[0])
    return list(dict.fromkeys(out))


def _called(operations: tuple[Operation, ...], numbers: tuple[int, ...]) -> list[str]:
    return [operations[n].attributes["network"] for n in numbers if operations[n].name == "call"]


def _mean_of(operations: tuple[Operation, ...], number: int) -> str | None:
    operation = operations[number]
    if operation.name == "function" and operation.attributes["word"] == "mean":
        inner = operations[operation.inputs[0]]
        if inner.name == "call":
            return str(inner.attributes["network"])
    return None


def _constrained(network: Network) -> bool:
    if network.constrain is not None and network.constrain.word in _LIPSCHITZ:
        return True
    weighted = [layer for layer in network.layers if "constrain" in layer.arguments]
    own = [layer.arguments["constrain"] for layer in weighted]
    return bool(own) and all(one is not None and one.word in _LIPSCHITZ for one in own)


def _shared(plan: Plan, train: tree.Step, context: Context) -> None:
    """What speaks against sharing a batch among replicas or going through it in parts."""
    strategy, accumulate = plan.train.settings.get("strategy"), plan.train.settings.get("accumulate")
    kind = strategy.arguments["kind"] if strategy is not None else None
    replicas = kind.arguments.get("replicas") if kind is not None else None
    parts = accumulate.arguments["parts"] if accumulate is not None else 1
    many = parts * (replicas if isinstance(replicas, int) else 1)
    place = _statement(train, "strategy" if parts == 1 else "accumulate")
    if plan.data.batch % many:
        among = f"{replicas} replicas" if parts == 1 else f"{parts} parts"
        among += f" on each of {replicas} replicas" if parts > 1 and replicas else ""
        context.problems.add(
            rules.uneven_batch,
            place,
            f"a batch of {plan.data.batch} cannot be shared equally by {among}",
            help=f"write `batch {-(-plan.data.batch // many) * many}`",
        )
    words = {word_of(one) for group in plan.train.groups for one in group.operations if remembers(one)}
    for word in sorted(words) if parts > 1 else ():
        kept = "a pool of whole batches" if word == "replay" else "an average over whole batches"
        context.problems.add(
            rules.needs_whole_batch,
            place,
            f"`{word}` keeps {kept}, and here a batch is gone through in parts",
            help=f"take out `accumulate`, or `{word}`",
        )
    if many > 1:
        _coupled(plan, train, parts > 1, context)


def _coupled(plan: Plan, train: tree.Step, in_parts: bool, context: Context) -> None:
    where = "each part of a batch" if in_parts else "each replica"
    for coupling in couplings(plan):
        if coupling.network is None or coupling.layer is None:
            place = train.head_span
        else:
            first = len(plan.network(coupling.network).inputs)
            place = context.layer_spans[coupling.network][first + coupling.layer]
        norm = "batch_norm" in coupling.what and not in_parts
        context.problems.add(
            rules.batch_coupled,
            place,
            f"{coupling.what} couples the examples of a batch, and sees those of {where} only",
            help="`synchronized: on` takes the moments of the whole batch"
            if norm
            else "the training differs from that on the whole batch",
        )


def _statement(train: tree.Step, word: str) -> Span:
    """Where a setting of `train` stands."""
    statements = train.block.statements if train.block is not None else ()
    steps = [statement.steps[0] for statement in statements if isinstance(statement, tree.Chain)]
    return next((step.span for step in steps if step.word == word), train.head_span)
