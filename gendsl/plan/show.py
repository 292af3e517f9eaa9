"""A plan in, text for people out: networks layer by layer, updates as equations, the schedule, the memory."""

from collections.abc import Callable, Iterable
from typing import Any

from gendsl.plan.columns import column_text, name_text
from gendsl.plan.cost import cost_of, sampler_calls, work_of
from gendsl.plan.features import extractor_of, scored_fields
from gendsl.plan.fitting import fitting
from gendsl.plan.machine import memory
from gendsl.plan.onward import generation_shown, generations_beside
from gendsl.plan.plan import Call, Data, Evaluation, Group, Network, Operation, Phase, Plan, Quantity
from gendsl.plan.record import hash_of
from gendsl.vocabulary.dimensions import Dimension, shown


def plan_shown(plan: Plan, *, expand: bool = False) -> str:
    """The plan as text; with `expand`, every objective written out in the language first."""
    parts = [f"{plan.experiment}  (plan {hash_of(plan)[:12]})", _data(plan)]
    if expand:
        parts += [f"objective {written} stands for\n{_indented(text)}" for written, text in plan.objectives] or [
            "no objective is used: the updates are written out in the spec"
        ]
    parts += [_network(network) for network in plan.networks]
    parts += [_updates(plan), _schedule(plan)]
    if plan.sample is not None:
        drawn = plan.sample.operations
        rows = [(name, f"{drawn[n].type}{_sampler(drawn[n], plan)}") for name, n in plan.sample.outputs]
        parts.append("sample\n" + _rows(rows + generations_beside(plan)))
    scores = [_evaluation(one, plan) for one in plan.evaluations]
    parts += scores
    parts.append(_memory(plan))
    if plan.not_built:
        words = ", ".join(f"{word} ({category})" for word, category in plan.not_built)
        parts.append(f"planned, but not runnable in this version: {words}")
    return "\n\n".join(parts) + "\n"


def _indented(text: str, by: str = "  ") -> str:
    level, out = 0, []
    for line in text.splitlines():
        level -= line.startswith("}")
        out.append(by * (level + 1) + line)
        level += line.endswith("{")
    return "\n".join(out)


def _data(plan: Plan) -> str:
    data: Data = plan.data
    rows = []
    for source in data.sources:
        rows.append((f"source {source.name}".rstrip(), call_shown(source.call)))
        rows += [("", column_text(column)) for column in source.call.statements if column.word == "column"]
    for field in data.fields:
        classes = (
            f", {field.classes} {'tokens' if field.kind == 'text' else 'classes'}" if field.classes is not None else ""
        )
        low, high = field.arguments.get("range") or (None, None)
        within = f" in {low}..{high}" if low is not None else ""
        size = shown(field.shape) if field.shape else "a whole number"
        of = f", of {', '.join(map(name_text, data.condition))}" if field.kind == "condition" else ""
        rows.append((field.name, f"{size}{within}{classes}{of}"))
    if data.window is not None:
        rows.append(("window", f"{data.window} tokens, one every {data.stride or data.window}"))
    many = (
        f"{data.examples:,} examples"
        if data.examples is not None
        else "examples: not known before the run, or unlimited"
    )
    rows.append(("batch", f"{data.batch}, of {many} to train on"))
    transforms = [call_shown(call) for call in plan.augment.data]
    if transforms:
        rows.append(("augment", "; ".join(transforms)))
    if plan.augment.both:
        rows.append(("both", "; ".join(call_shown(call) for call in plan.augment.both)))
    if plan.augment.ada:
        rows.append(("control", call_shown(plan.augment.ada)))
    return "data\n" + _rows(rows)


def call_shown(call: Call) -> str:
    """A call as it could be written; arguments that are not set are left out."""
    inner = ", ".join(f"{name}: {value_shown(value)}" for name, value in call.arguments.items() if value is not None)
    return f"{call.word}({inner})" if inner else call.word


def value_shown(value: Any) -> str:
    """A value of a plan as it could be written."""
    match value:
        case bool():
            return "on" if value else "off"
        case str():
            return value if value.isidentifier() else f'"{"".join(map(_printable, value))}"'
        case float():
            return f"{value:g}"
        case Quantity():
            return f"{value.value:g} {value.unit}"
        case Call():
            return call_shown(value)
        case tuple():
            return (
                "x".join(map(str, value))
                if all(isinstance(v, int) for v in value)
                else f"[{', '.join(map(value_shown, value))}]"
            )
    return str(value)


def _printable(character: str) -> str:
    """The character, or how it is escaped: a text of a spec must not steer the terminal."""
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _network(network: Network) -> str:
    inputs = ", ".join(
        f"{one.name}: {one.of if isinstance(one.of, str) else one.of.word if isinstance(one.of, Call) else one.kind}"
        f" {shown(one.shape) if one.shape else ''}".rstrip()
        for one in network.inputs
    )
    results = ", ".join(f"{one.name + ': ' if one.name else ''}{one.type}" for one in network.outputs)
    head = f"network {network.name}({inputs}) -> {results}"
    table = [("layer", "output", "parameters", "FLOPs")]
    for layer in network.layers:
        table.append(
            (
                layer.name,
                shown(layer.shape) if layer.shape is not None else "?",
                count(layer.weights),
                short(layer.flops),
            )
        )
    table.append(("in all", "", count(network.weights), short(network.flops)))
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = [
        f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in table
    ]
    extra = [f"  constrained by {call_shown(network.constrain)}"] if network.constrain is not None else []
    extra += [f"  initialised by {call_shown(network.init)}"] if network.init is not None else []
    inner = dict.fromkeys(str(one.arguments["network"]) for one in network.layers if one.word == "network")
    if inner:
        extra.append(f"  beside the weights of {', '.join(f'`{name}`' for name in inner)}, used as a layer")
    if network.state != 0:
        extra.append(f"  and {count(network.state)} numbers that no optimizer trains")
    return "\n".join([head, *lines, *extra])


def _updates(plan: Plan) -> str:
    lines = ["each step"]
    for group in plan.train.groups:
        together = len(group.updates) > 1
        if together:
            lines.append(f"  together{_times(group)}{_when(group)}")
        for update in group.updates:
            indent = "    " if together else "  "
            times = "" if together else _times(group)
            times += "" if together else _when(group)
            lines.append(f"{indent}update {', '.join(update.networks)}{times}, with {call_shown(update.optimizer)}")
            lines.append(f"{indent}  minimize {update.equation}")
            for text in _typed(group.operations, update.loss):
                lines.append(f"{indent}    {text}")
    for call in plan.train.ema:
        lines.append(f"  average of {', '.join(call.arguments['networks'])}, decay {call.arguments['decay']}")
    return "\n".join(lines)


def _times(group: Group) -> str:
    return f", {group.times} times" if group.times > 1 else ""


def _when(group: Group) -> str:
    return f", when {group.condition}" if group.when else ""


def _typed(operations: tuple[Operation, ...], loss: int) -> Iterable[str]:
    """The calls of networks behind a loss, with the types that they give."""
    needed: set[int] = set()
    stack = [loss]
    while stack:
        number = stack.pop()
        if number not in needed:
            needed.add(number)
            stack.extend(operations[number].inputs)
    for number in sorted(needed):
        operation = operations[number]
        if operation.name in ("call", "penalty", "loss"):
            inputs = ", ".join(_operand(operations, one) for one in operation.inputs)
            yield f"{_operand(operations, number)} = {_what(operation)}({inputs}) : {operation.type}"


def _what(operation: Operation) -> str:
    if operation.name == "call":
        return str(operation.attributes["network"])
    if operation.name == "penalty":
        every = operation.attributes["every"]
        lazily = f", every {every} steps" if every else ""
        return f"{operation.attributes['word']}[{operation.attributes['network']}{lazily}]"
    return ".".join(part for part in (operation.attributes["word"], operation.attributes["role"]) if part)


def _operand(operations: tuple[Operation, ...], number: int) -> str:
    operation = operations[number]
    match operation.name:
        case "field":
            return str(operation.attributes["name"])
        case "prior":
            return call_shown(operation.attributes["call"])
        case "constant":
            return value_shown(operation.attributes["value"])
        case "distribution":
            return _operand(operations, operation.inputs[0])
    return f"%{number}"


def _schedule(plan: Plan) -> str:
    rows = []
    start: int | None = 0
    for phase in plan.train.phases:
        length = _steps(plan, phase.length)
        when = _length(plan, phase)
        if len(plan.train.phases) > 1 and start is not None and length is not None:
            when += f", from step {start:,} to {start + length:,}"
        rows.append((phase.name if len(plan.train.phases) > 1 else "length", when))
        rows += [(f"  {name}", text) for name, value in phase.settings.items() for text in _each(value)]
        start = None if start is None or length is None else start + length
    for group in plan.train.groups:
        for update in group.updates:
            rows.append((f"rate of {update.name}", _over(plan, update.optimizer.arguments["learning_rate"])))
    rows += [(name, _over(plan, value)) for name, value in plan.train.scalars.items()]
    for call in plan.train.ema:
        begins = call.arguments["from"]
        when = "the first step" if begins is None else value_shown(begins)
        rows.append((f"average of {', '.join(call.arguments['networks'])}", f"from {when}"))
    rows += [(name, text) for name, call in plan.train.settings.items() for text in _each(call, _setting)]
    if plan.train.times > 1:
        rows.append(("batches a step", str(plan.train.times)))
    return "schedule\n" + _rows(rows)


def _each(value: Any, shown: Callable[[Any], str] = value_shown) -> list[str]:
    """A setting as a text; one of several statements, such as `freeze`, as several."""
    if not isinstance(value, Call) or not value.statements:
        return [shown(value)]
    return [statement_shown(call) for call in value.statements]


def statement_shown(call: Call) -> str:
    """`encoder, decoder, layers: ["conv*"]`: a statement without its word, and what is left at its default."""
    names = ", ".join(call.arguments["networks"])
    given = [
        f"{name}: " + (str(list(value)).replace("'", '"') if isinstance(value, tuple) else value_shown(value))
        for name, value in call.arguments.items()
        if name != "networks" and value not in ((), None, True)
    ]
    return ", ".join([names, *given] if names else given)


def _over(plan: Plan, value: Any) -> str:
    """A number, or a schedule with the steps that it stretches over."""
    if not isinstance(value, Call):
        return f"{value_shown(value)} throughout"
    stretch = value.arguments.get("over")
    parts = [value_shown(value.arguments[name]) for name in ("start", "end") if name in value.arguments]
    run = sum((_steps(plan, phase.length) or 0) for phase in plan.train.phases)
    if stretch is None:
        where = f"over all {run:,} steps" if run else "over the whole run"
    else:
        where = f"over the first {value_shown(stretch)}"
    warmup = value.arguments.get("warmup")
    rises = f", after a rise of {value_shown(warmup)}" if warmup is not None else ""
    return f"{value.word} from {' to '.join(parts)} {where}{rises}" if parts else call_shown(value)


def _steps(plan: Plan, length: Quantity) -> int | None:
    """A length in steps, where that can be known."""
    if length.unit == "steps":
        return int(length.value)
    if length.unit == "epochs" and plan.data.examples is not None:
        return int(length.value * -(-plan.data.examples // (plan.data.batch * plan.train.times)))
    return None


def _setting(call: Call) -> str:
    return ", ".join(
        (f"{name}: " if len(call.arguments) > 1 else "") + value_shown(value)
        for name, value in call.arguments.items()
        if value is not None
    )


def _length(plan: Plan, phase: Phase) -> str:
    length, examples = phase.length, plan.data.examples
    taken = plan.data.batch * plan.train.times
    if length.unit == "epochs" and examples is not None:
        each = -(-examples // taken)
        return f"{length.value:g} epochs of {each:,} steps: {int(length.value * each):,} steps"
    if length.unit == "steps" and examples is not None:
        return f"{length.value:,} steps, {length.value * taken / examples:.1f} epochs"
    return f"{length.value:,} {length.unit}"


def _sampler(operation: Operation, plan: Plan) -> str:
    """How a sampler draws, and how often it calls its network for that."""
    if operation.attributes.get("word") == "generate":
        return f", {generation_shown(operation, plan)}"
    calls = sampler_calls(operation)
    if not calls:
        return ""
    process = operation.attributes["process"]
    word, options = operation.attributes["word"], operation.attributes["arguments"]
    guided = f", guidance {options['guidance']:g}" if options["guidance"] != 1 else ""
    return f", by {word} from {call_shown(process)}: {calls:,} calls of {operation.attributes['network']}{guided}"


def _evaluation(one: Evaluation, plan: Plan) -> str:
    when = f"every {one.every.value:g} {one.every.unit}" if one.every is not None else "at the end"
    on = f", on {one.samples:,} samples" if one.samples is not None else ""
    words = {call.word for call in one.scores}
    names = [call_shown(call) + _features(call, one, plan) for call in one.scores]
    names += [f"{name} (an equation of this spec)" for name, _ in one.equations if name not in words]
    return f"evaluate {when}{on}\n" + "\n".join(f"  {name}" for name in names)


def _features(call: Call, evaluation: Evaluation, plan: Plan) -> str:
    """`, on the features of lite0`: what `auto` stands for is to be seen."""
    if "features" not in call.arguments:
        return ""
    fields = plan.data.fields
    meant = [extractor_of(call, evaluation.arguments, field, fields) for field in scored_fields(plan)]
    named = dict.fromkeys(one if isinstance(one, str) else one.word for one in meant)
    return f", on the features of {' and '.join(named)}" if named else ""


def _memory(plan: Plan) -> str:
    cost = cost_of(plan)
    rows = [
        ("weights", size(cost.weights)),
        ("optimizer", size(cost.optimizer)),
        ("averages", size(cost.averages)),
        ("activations", f"{size(cost.activations)}, at batch {plan.data.batch}"),
    ]
    have = memory()
    of = f", of {size(have)} on this machine" if have is not None else ""
    rows.append(("in all", f"{size(cost.total)}{of}"))
    if isinstance(cost.total, int) and have is not None and cost.total > have:
        rows.append(("", f"this does not fit: {fitting(plan, have)}"))
    rows.append(("work", _work(plan, cost.flops)))
    return "estimated memory and work\n" + _rows(row for row in rows if row[1] != "0 B")


def _work(plan: Plan, flops: Dimension) -> str:
    """The FLOPs of a step, and the part of each group of updates where there are several."""
    parts = [
        f"{' with '.join(update.name for update in group.updates)} {short(work_of(plan, [number]))}"
        for number, group in enumerate(plan.train.groups)
    ]
    several = " + ".join(parts) if len(parts) > 1 and isinstance(flops, int) else ""
    return f"{short(flops)} FLOPs a step" + (f": {several}" if several else "")


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    table = list(rows)
    width = max((len(name) for name, _ in table), default=0)
    return "\n".join(f"  {name:<{width}}  {text}".rstrip() for name, text in table)


def count(value: Dimension) -> str:
    """`1,234`, or the formula of a size that waits for the data."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def short(value: Dimension) -> str:
    """`1.2 M`."""
    if not isinstance(value, int):
        return "?"
    number = float(value)
    units = ("", " k", " M", " G", " T", " P")
    for unit in units:
        if abs(number) < 1000 or unit == units[-1]:
            return f"{number:.0f}{unit}" if not unit or number >= 100 else f"{number:.1f}{unit}"
        number /= 1000
    return str(value)


def size(value: Dimension) -> str:
    """`1.2 MiB`."""
    if not isinstance(value, int):
        return "not known before the data is there"
    number = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
