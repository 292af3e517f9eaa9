"""The `data` block in, its plan and the data fields out; sizes are read from the data's headers."""

from typing import Any

from gendsl import rules
from gendsl.check.arguments import WRONG
from gendsl.check.conditions import condition_of
from gendsl.check.context import Context
from gendsl.check.curation import check_curation, check_shares
from gendsl.check.headers import Header, field_of, header_of, split_sizes, with_options
from gendsl.check.headers.header import HeaderField
from gendsl.check.headers.labels import ADD_LABELS, dropped_unlabelled
from gendsl.check.rows import with_layout
from gendsl.check.scope import LOST, FieldMeaning, Missing
from gendsl.check.statements import Statement, statements_of
from gendsl.check.table_rules import constraints_of
from gendsl.diagnostics import Label
from gendsl.plan.plan import Call, Data, Field, Source
from gendsl.source import Span
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS

SPLITS = ("train", "validation", "test")
KINDS = ("image", "label", "text", "row", "point", "condition")
_ONCE = frozenset(["source", *KINDS, "curate", "split", "batch", "shuffle", "cache", "window"])


def data_of(step: tree.Step, context: Context) -> Data | None:
    """The plan of `data { }`; its fields become global names. None after a reported mistake."""
    scope = context.globals
    statements = statements_of(step.block, "data", scope, context, once=_ONCE)
    found = {statement.word.name: statement for statement in statements}
    source = found.get("source")
    if source is None:
        _lose_fields(context)
        if step.block is not None and "source" not in context.skipped and not context.torn:
            context.problems.add(
                rules.missing_block,
                step.head_span,
                "`data` has no `source`",
                help="write `source digits()`, or another",
            )
        return None
    curate = found["curate"].statements if "curate" in found else ()
    sources = _sources(source, curate, context)
    fields = _fields(sources, found, context)
    batch = found.get("batch")
    size = batch.arguments["size"] if batch is not None else LOST
    if batch is None and "batch" not in context.skipped and not context.torn:
        context.problems.add(
            rules.missing_block,
            step.head_span,
            "`data` has no `batch`",
            help="write `batch 64`: the examples of a step",
        )
    split = _split(found.get("split"), context)
    examples = _examples(sources, split)
    window = found.get("window")
    length, stride = (window.arguments["length"], window.arguments["stride"]) if window is not None else (None, None)
    if fields is None or sources is None or size is LOST or LOST in (split, length, stride):
        return None
    if examples and isinstance(size, int) and size > examples and batch is not None:
        context.problems.add(
            rules.out_of_range,
            batch.step.span,
            f"a batch of {size} is more than the {examples} examples of the training split",
            help=f"write at most `batch {examples}`",
        )
    if "curate" in found:
        check_curation(found["curate"], sources, fields, split, context)
    if "split" in found:
        check_shares(found["split"], [header for _, _, header, _ in sources], context)
    text = next((field for field in fields if field.kind == "text"), None)
    if text is not None and "window" not in found and "window" not in context.skipped:
        context.problems.add(
            rules.missing_argument,
            source.step.span,
            f"`data` does not say how long the pieces of `{text.name}` are",
            help="write `window 64`: the tokens of an example",
        )
    longest = max((header.longest for _, _, header, _ in sources if header.longest is not None), default=None)
    if window is not None and longest is not None and isinstance(length, int) and length >= longest:
        context.problems.add(
            rules.out_of_range,
            window.step.span,
            f"a window of {length:,} tokens and the one behind are more than any file has: "
            f"the longest has {longest:,} bytes",
            help=f"write `window {max(1, longest // 2)}`, or less" if longest > 1 else "give it more text",
        )
    shuffle = found.get("shuffle")
    cache = found.get("cache")
    condition = found.get("condition")
    if condition is not None and shuffle is not None and shuffle.arguments["on"] is False:
        context.problems.add(
            rules.bad_data,
            shuffle.step.span,
            "`condition` draws the rows of each step, and they have no order to keep",
            labels=(Label(condition.step.span, "the conditions are declared here"),),
            help="take `shuffle off` out",
        )
    context.rules = constraints_of(statements, sources, context)
    return Data(
        sources=tuple(Source(name, call) for name, call, _, _ in sources),
        fields=tuple(fields),
        curate=tuple(curate),
        split=split,
        batch=size,
        shuffle=shuffle.arguments["on"] is not False if shuffle is not None else True,
        cache=cache.arguments["on"] is not False if cache is not None else None,
        condition=tuple(condition.arguments["columns"]) if condition is not None else (),
        window=length,
        examples=examples if "curate" not in found else None,  # what is left out is known when it is loaded
        pairs=source.arguments["pairs"] if source.arguments.get("pairs") is not LOST else None,
        stride=stride,
        constraints=context.rules,
    )


Sourced = tuple[str, Call, Header, Span]


def _lose_fields(context: Context) -> None:
    for name in KINDS:
        context.globals.names.setdefault(name, Missing())


def _sources(statement: Statement, curate: tuple[Call, ...], context: Context) -> list[Sourced] | None:
    arguments = statement.arguments
    own = {parameter.name for parameter in statement.word.parameters}
    named = {name: value for name, value in arguments.items() if name not in own and name != WRONG}
    only = arguments.get("source")
    if only is LOST or LOST in named.values():
        _lose_fields(context)
        for name in named:
            context.globals.define(name, Missing())
        return None
    if only is None and not named:
        context.problems.add(
            rules.missing_argument,
            statement.step.span,
            "`source` names no source",
            help="write `source digits()`, or another",
        )
        _lose_fields(context)
        return None
    if only is not None and named:
        context.problems.add(
            rules.duplicate_argument,
            statement.step.span,
            "`source` has one source by place and others by name",
            help="name all of them, as in `source a: images(…), b: images(…)`",
        )
    options = {name: value for name, value in arguments.items() if name in own and name not in ("source", "pairs")}
    if options.get("label") is LOST:
        context.globals.names.setdefault("label", Missing())
    options = {name: value for name, value in options.items() if value is not LOST}
    out: list[Sourced] = []
    place = statement.step.head_span.to(statement.step.arguments[-1].span)
    for name, call in [("", only)] if only is not None else named.items():
        assert isinstance(call, Call)
        full, left = with_options(Call(call.word, call.arguments, statement.statements), options)
        for option in left:
            context.problems.add(
                rules.unknown_argument,
                statement.step.span,
                f"`{call.word}` takes no `{option}:`",
                help=f"`gendsl explain {call.word}` lists what it takes",
            )
        header = header_of(full, context.folder)
        if header.unlimited:
            context.endless = call.word
        if header.problem:
            context.problems.add(rules.bad_data, place, header.problem, help=header.help)
        elif header.warning:
            context.problems.add(rules.missing_data, place, header.warning, help=header.help)
        elif header.unlabelled and not dropped_unlabelled(curate):
            context.problems.add(rules.bad_data, place, header.unlabelled, help=ADD_LABELS)
        if header.idle is not None:
            context.problems.add(rules.idle_column, place, header.idle[0], help=header.idle[1])
        if header.columns:  # the plan says all of a table's columns, those inferred too
            full = Call(full.word, full.arguments, header.columns)
        out.append((name, full, header, place))
    return out


def _fields(sources: list[Sourced] | None, found: dict[str, Statement], context: Context) -> list[Field] | None:
    if sources is None:
        return None
    out: list[Field] = []
    used: set[str] = set()
    fine = True
    for name, call, header, _ in sources:
        for place, given in enumerate(header.fields):
            field_name = (name if place == 0 else f"{name}_{given.name}") if name else given.name
            statement = found.get(given.kind)
            used.add(given.kind)
            fine = _field(out, given, statement, field_name, name, found, context) and fine
            if given.kind == "row" and out:
                out[-1] = with_layout(out[-1], call.statements)
    if "condition" in found:
        used.add("condition")
        condition = condition_of(found["condition"], sources, context)
        fine = fine and condition is not None
        out += [condition] if condition is not None else []
    for kind in KINDS:
        if kind in found and kind not in used:
            header = sources[0][2]
            has = ", ".join(f"`{field.name}`" for field in header.fields)
            context.problems.add(
                rules.unknown_name,
                found[kind].step.head_span,
                f"the source `{sources[0][1].word}` gives no `{kind}`",
                help=f"it gives {has}",
            )
            context.globals.define(kind, Missing())
            fine = False
    for field in out:
        before = context.globals.names.get(field.name)
        if before is not None and not isinstance(before, Missing):
            span = context.globals.spans.get(field.name)
            context.problems.add(
                rules.duplicate_name,
                span or sources[0][3],
                f"`{field.name}` is a data field already",
                labels=(Label(sources[0][3], "the field comes from here"),),
                help="choose another name",
            )
            fine = False
        else:
            context.globals.define(field.name, FieldMeaning(field))
    return out if fine else None


def _field(
    out: list[Field],
    given: HeaderField,
    statement: Statement | None,
    name: str,
    source: str,
    found: dict[str, Statement],
    context: Context,
) -> bool:
    call = statement.call if statement is not None else None
    if statement is not None and call is None:
        context.globals.define(name, Missing())
        return False
    if call is None:
        word = WORDS["data"][given.kind]
        arguments = {parameter.name: parameter.default for parameter in word.parameters}
        call = Call(given.kind, arguments if not any(p.many for p in word.parameters) else {})
    window = found["window"].arguments["length"] if "window" in found else None
    field, problems = field_of(given, call, name=name, source=source, window=None if window is LOST else window)
    for problem in problems:
        assert statement is not None
        context.problems.add(rules.bad_data, statement.span_of(problem.argument), problem.message, help=problem.help)
    out.append(field)
    return not problems


def _split(statement: Statement | None, context: Context) -> Any:
    if statement is None:
        return None
    shares = {name: share for name, share in statement.arguments.items() if name != WRONG}
    if any(value is LOST for value in shares.values()):
        return LOST
    if not shares:
        context.problems.add(
            rules.missing_argument,
            statement.step.span,
            "`split` names no shares",
            help="write `split train: 90%, test: 10%`",
        )
        return LOST
    for argument in statement.step.arguments:
        if argument.name is not None and argument.name.text not in SPLITS:
            context.problems.add(
                rules.unknown_argument,
                argument.name.span,
                f"`{argument.name.text}` is no split",
                help=did_you_mean(argument.name.text, SPLITS) or "the splits are train, validation and test",
            )
            return LOST
    total = sum(shares.values())
    if total > 1 + 1e-9:
        context.problems.add(
            rules.out_of_range,
            statement.step.span,
            f"the shares add up to {total:.4g}, which is more than all of the data",
            help="let them add up to 100% at most",
        )
        return LOST
    if "train" not in shares:
        context.problems.add(
            rules.missing_argument,
            statement.step.span,
            "no share is named `train`",
            help="write `split train: 90%, test: 10%`",
        )
        return LOST
    return shares


def _examples(sources: list[Sourced] | None, split: Any) -> int | None:
    """The size of the training split, where the headers say it."""
    if sources is None or split is LOST:
        return None
    sizes: list[int] = []
    for _, _, header, _ in sources:
        count = header.examples if header.splits is None else header.splits.get("train")
        if count is None:
            return None
        sizes.append(split_sizes(count, split)["train"] if split is not None else count)
    return min(sizes, default=None)
