"""The blocks `sweep` and `variant` in, their plans out; and what a variant of a parsed spec sets, as `--set` does."""

from typing import Any

from gendsl import rules
from gendsl.check.constants import constant, kind_of, plain
from gendsl.check.context import Context
from gendsl.check.scope import LOST, Deferred
from gendsl.check.statements import calls_of, statement_of
from gendsl.diagnostics import Label
from gendsl.frozen import replace
from gendsl.plan.plan import Call, Quantity
from gendsl.source import Span
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.syntax.write import value as written_value
from gendsl.vocabulary import WORDS


def sweep_of(step: tree.Step, context: Context) -> Call:
    """The plan of `sweep { }`; what it varies are params."""
    calls = calls_of(step.block, "sweep", context.globals, context)
    written = {
        argument.name.text: argument
        for statement in (step.block.statements if step.block is not None else ())
        if isinstance(statement, tree.Chain) and statement.steps[0].word == "vary"
        for argument in statement.steps[0].arguments
        if argument.name is not None
    }
    for argument in written.values():
        assert argument.name is not None
        _param(argument.name, context)

    def with_ranges(call: Call) -> Call:
        varied = {name: _varied(written[name], value, context) for name, value in call.arguments.items()}
        return replace(call, arguments=varied)

    calls = tuple(with_ranges(call) if call.word == "vary" else call for call in calls)
    if not any(call.word in ("minimize", "maximize") for call in calls):
        context.problems.add(
            rules.missing_argument,
            step.head_span,
            "`sweep` does not say which score it is for",
            help="write `minimize fid` or `maximize …` in it",
        )
    known = context.scores
    for call in calls:
        if call.word in ("minimize", "maximize") and known:
            score = call.arguments.get("score")
            if score not in known:
                context.problems.add(
                    rules.unknown_score,
                    step.head_span,
                    f"`{score}` is not scored in this spec",
                    help=did_you_mean(str(score), known) or f"add `{score}` to `evaluate`",
                )
    return Call("sweep", {}, calls)


def _varied(argument: tree.Argument, value: Any, context: Context) -> Any:
    """What a param is varied over: its values, or a `Call` of a range, which a bare one is evenly."""
    assert argument.name is not None
    if isinstance(argument.value, tree.ListOf):
        for written, one in zip(argument.value.items, value, strict=True):
            _alike(argument.name, written.span, one, context)
        return value
    found = Call("even", {"range": value}) if isinstance(argument.value, tree.Range) else value
    if isinstance(found, Call) and _alike(argument.name, argument.value.span, found.arguments["range"][0], context):
        low, high = found.arguments["range"]
        wrong = (
            "begins at 0 or below, where there is no logarithm"
            if found.word == "log" and low <= 0
            else "does not begin and end at whole numbers"
            if found.word == "whole" and (low != int(low) or high != int(high))
            else ""
        )
        if wrong:
            help = "write it as in `log(1e-5..1e-3)`, `even(0..0.9)` or `whole(2..8)`"
            context.problems.add(rules.out_of_range, argument.value.span, f"the range {wrong}", help=help)
    return found


def _param(name: tree.Name, context: Context) -> None:
    meaning = context.globals.find(name.text)
    if isinstance(meaning, Deferred) and meaning.param:
        context.used.add(name.text)
        return
    params = [n for n, m in context.globals.names.items() if isinstance(m, Deferred) and m.param]
    if name.text in context.skipped:
        return
    context.problems.add(
        rules.not_a_param,
        name.span,
        f"`{name.text}` is no param of this spec",
        help=did_you_mean(name.text, params)
        or (f"its params are {', '.join(params)}" if params else "write `param name = value`"),
    )


def _alike(name: tree.Name, span: Span, value: Any, context: Context) -> bool:
    """Whether a value that replaces a param's, written at a span, is of its kind."""
    meaning = context.globals.find(name.text)
    before = meaning.result.value if isinstance(meaning, Deferred) and meaning.result is not None else value
    if isinstance(before, Quantity) and isinstance(value, Quantity) and before.unit == value.unit:
        return True
    if before is LOST or (type(before) is type(value) and not isinstance(value, Quantity)):
        return True
    if not isinstance(before, Quantity | str | bool | tuple) and not isinstance(value, Quantity | str | bool | tuple):
        return True
    context.problems.add(
        rules.wrong_type,
        span,
        f"`{name.text}` is {kind_of(before)} in the spec, and this is {kind_of(value)}",
        labels=(Label(context.globals.spans[name.text], "the param is here"),),
        help="give it a value of the same kind and unit",
    )
    return False


def variant_of(step: tree.Step, context: Context) -> tuple[str, dict[str, Any]] | None:
    """The name and the changed params of a `variant`."""
    statement = statement_of(
        tree.Step(step.head, step.arguments, None, None, None, step.span),
        WORDS["top"]["variant"],
        context.globals,
        context,
    )
    out: dict[str, Any] = {}
    for one in step.block.statements if step.block is not None else ():
        if isinstance(one, tree.Binding):
            _param(one.name, context)
            value = constant(one.value, context.globals, context)
            if value is not LOST and _alike(one.name, one.value.span, value, context):
                out[one.name.text] = plain(value)
        elif not isinstance(one, tree.Lost):
            context.problems.add(
                rules.misplaced, one.span, "a variant changes params by `name = value`", help="write `width = 16`"
            )
    name = statement.arguments["name"]
    return (name, out) if isinstance(name, str) else None


def variants_in(spec: tree.Spec) -> dict[str, dict[str, str]]:
    """The variants of a spec by name: each param's value, as it is written. That they fit the checker sees to."""
    found: dict[str, dict[str, str]] = {}
    for statement in spec.statements:
        if not isinstance(statement, tree.Chain) or statement.steps[0].word != "variant":
            continue
        step = statement.steps[0]
        name = step.arguments[0].value if step.arguments else None
        if isinstance(name, tree.Name) and step.block is not None:
            changes = (one for one in step.block.statements if isinstance(one, tree.Binding))
            found[name.text] = {one.name.text: written_value(one.value) for one in changes}
    return found
