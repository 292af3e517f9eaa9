"""A `network` statement in, a `plan.Network` out: shapes are followed from the inputs to the declared result."""

from collections.abc import Mapping, Sequence

from gendsl import rules
from gendsl.check.arguments import bind
from gendsl.check.context import Context
from gendsl.check.network_structure import NetworkBuilder
from gendsl.check.network_values import BROKEN, Flow, Value
from gendsl.check.results import Declared, input_of, results_of
from gendsl.check.scope import (
    LOST,
    FieldMeaning,
    Missing,
    Node,
    Scope,
)
from gendsl.check.shapes import report_result
from gendsl.diagnostics import Label
from gendsl.plan.plan import Input, Network, Output
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS

# ---- references


# ---- layers


def network_of(step: tree.Step, networks: Mapping[str, Network], context: Context) -> Network | None:
    """The plan of a `network` statement, or None after a reported mistake."""
    scope = Scope(context.globals)
    word = WORDS["top"]["network"]
    bound = bind(word, step.arguments, step.head_span, scope, context)
    arrow = bound["signature"]
    if not isinstance(arrow, tree.Arrow) or not isinstance(arrow.left, tree.Call):
        return None  # the signature was reported when the names were gathered
    builder = NetworkBuilder(context, networks)
    builder.constrain = None if bound["constrain"] is LOST else bound["constrain"]
    declared = results_of(arrow.right, scope, context)
    inputs = _inputs(arrow.left, builder, scope)
    if step.block is None:
        context.problems.add(
            rules.needs_block, step.span, "a network needs its layers", help="write them in `{ … }` behind the result"
        )
        return None
    assert isinstance(arrow.left.function, tree.Name)
    builder.later = _labels_in(step.block.statements)
    builder.input_names = [one.name for one in inputs]
    start: Flow = (0 if len(inputs) == 1 else None) if not builder.broken else (BROKEN if len(inputs) <= 1 else None)
    if inputs and len(arrow.left.arguments) == 1:
        start = 0
    elif len(arrow.left.arguments) == 1:
        start = BROKEN
    flow = builder.body(step.block.statements, start, scope, top=True)
    outputs = _outputs(builder, flow, declared, step, arrow, scope)
    for _, span in builder.stack:
        context.problems.add(
            rules.push_pop,
            span,
            "what is pushed here is never popped",
            help="write `concat pop` where it is needed, or remove `push`",
        )
    if builder.broken or outputs is None or LOST in bound.values():
        return None
    name = arrow.left.function.text
    network = Network(
        name,
        tuple(inputs),
        tuple(builder.layers),
        outputs,
        dict(builder.labels),
        bound["init"],
        bound["constrain"],
        bound["recompute"],
    )
    _unreachable(builder, network, context)
    context.layer_spans[name] = [value.span for value in builder.values]
    return network


def _inputs(call: tree.Call, builder: NetworkBuilder, scope: Scope) -> list[Input]:
    inputs: list[Input] = []
    for argument in call.arguments:
        found = input_of(argument, scope, builder.context)
        if found is None:
            builder.broken = True
            if argument.name is not None:
                scope.define(argument.name.text, Missing(), argument.name.span)
            continue
        _hidden_field(found.input, argument, builder)
        if found.input.name in scope.names:
            builder.broken = True
            builder.context.problems.add(
                rules.duplicate_name, argument.span, f"two inputs are named `{found.input.name}`", help="rename one"
            )
            continue
        assert argument.name is not None
        scope.define(found.input.name, Node(len(builder.values)), argument.name.span)
        inputs.append(found.input)
        builder.values.append(
            Value(found.input.shape, argument.span, argument.span, found.classes, found.input.integer, "input")
        )
    builder.inputs = len(builder.values)
    if len(inputs) == 1:
        scope.read.add(inputs[0].name)  # it flows without being named
    if not call.arguments:
        builder.broken = True
        builder.context.problems.add(
            rules.bad_input, call.span, "a network needs an input", help="write `(z: normal(64))` or `(x: image)`"
        )
    return inputs


def _hidden_field(found: Input, argument: tree.Argument, builder: NetworkBuilder) -> None:
    """An input named as a data field is that field, or its name hides it."""
    meaning = builder.context.globals.find(found.name)
    if isinstance(meaning, FieldMeaning) and found.of != found.name:
        builder.broken = True
        builder.context.problems.add(
            rules.duplicate_name,
            argument.span,
            f"`{found.name}` is a data field, which this input would hide",
            help=f"rename the input, or write `{found.name}: {found.name}` for the field",
        )


def _labels_in(statements: Sequence[tree.Statement]) -> dict[str, Span]:
    """Where labels are made further down, so that their early use can be told from a misspelling."""
    out: dict[str, Span] = {}
    for statement in statements:
        if isinstance(statement, tree.Chain):
            for step in statement.steps:
                if step.label is not None:
                    out.setdefault(step.label.text, step.label.span)
    return out


def _outputs(
    builder: NetworkBuilder,
    flow: Flow,
    declared: tuple[Declared, ...] | None,
    step: tree.Step,
    arrow: tree.Arrow,
    scope: Scope,
) -> tuple[Output, ...] | None:
    context = builder.context
    if declared is None:
        return None
    found: list[tuple[str, Flow, Span]] = []
    if builder.outputs is None:
        if len(declared) > 1:
            context.problems.add(
                rules.bad_result,
                arrow.right.span,
                f"{len(declared)} results are declared, and no `output` names them",
                help="label them with `as`, and end with `output a, b`",
            )
            return None
        if flow is None:
            if not builder.broken:
                context.problems.add(
                    rules.no_flow, step.head_span, "the network ends where no value flows", help="begin with `from`"
                )
            return None
        found.append(("", flow, builder.values[flow].span if flow >= 0 else step.span))
    else:
        assert builder.output_span is not None
        if len(builder.outputs) != len(declared):
            context.problems.add(
                rules.bad_result,
                builder.output_span,
                f"`output` names {len(builder.outputs)} values, and {len(declared)} are declared",
                labels=(Label(arrow.right.span, "declared here"),),
                help="name one label for each declared result, in order",
            )
            return None
        for name in builder.outputs:
            meaning = scope.find(name.text)
            if isinstance(meaning, Node):
                found.append((name.text, meaning.value, builder.values[meaning.value].span))
            elif isinstance(meaning, Missing):
                return None
            else:
                context.unknown_name(name, scope)
                return None
        if len(found) == 1:
            found[0] = ("", found[0][1], found[0][2])
    out: list[Output] = []
    for (label, value, _), result in zip(found, declared, strict=True):
        if value == BROKEN or value is None:
            return None
        type = report_result(builder.values, value, result, arrow, context)
        if type is None:
            builder.broken = True
            continue
        out.append(Output(label, value, type))
    return tuple(out) if len(out) == len(declared) else None


def _unreachable(builder: NetworkBuilder, network: Network, context: Context) -> None:
    """Reports layers whose value nothing takes: neither a result, nor another layer, nor a label."""
    taken = {output.value for output in network.outputs} | set(network.labels.values())
    for layer in network.layers:
        taken.update(layer.inputs)
    taken.update(builder.read)
    for number, value in enumerate(builder.values):
        if number in taken or not value.word:
            continue
        if number < builder.inputs:
            context.problems.add(
                rules.unreachable,
                value.span,
                f"the input `{network.inputs[number].name}` is never used",
                help="use it, or remove it from the network's inputs",
            )
        else:
            context.problems.add(
                rules.unreachable,
                value.span,
                f"the value of this `{value.word}` is dropped",
                help="label it with `as` and use it, or remove it",
            )
