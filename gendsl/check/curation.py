"""The statements of `curate` and `split` in, what the data's headers show to be wrong in them out."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.headers import Header, split_sizes
from gendsl.check.headers.paths import Refused, inside
from gendsl.check.statements import Statement, statements_of
from gendsl.plan.plan import Call, Field

_SIZES = ("smaller", "larger", "aspect")

Source = tuple[str, Call, Header, Any]


def check_curation(
    statement: Statement, sources: Iterable[Source], fields: Iterable[Field], split: Any, context: Context
) -> None:
    """Reports statements of `curate` that cannot do what they say to these sources."""
    there, given = list(sources), list(fields)
    for _, call, header, _ in there:
        if header.unlimited:
            told = f"`{call.word}` has no end: nothing can be left out of it"
            context.problems.add(rules.bad_data, statement.step.head_span, told, help="take `curate` out")
            return
    inner = statements_of(statement.step.block, "curate", context.globals, context.on_trial())
    for one in inner:
        if one.call is None:
            continue
        _check_classes(one, given, context)
        if one.word.name == "drop":
            _check_drop(one, there, given, context)
            _check_leaks(one, [header for _, _, header, _ in there], split, context)


def _check_drop(one: Statement, sources: list[Source], fields: list[Field], context: Context) -> None:
    given, add = one.arguments, context.problems.add
    rest = ("label", "listed", *_SIZES)
    if not given["what"] and all(given[name] is None for name in rest):
        help = f"write `{one.word.example}`; `gendsl explain drop` lists the reasons"
        add(rules.missing_argument, one.step.span, "`drop` does not say what to leave out", help=help)
        return
    for name, needed in (("within", "duplicates"), ("contrast", "blank")):
        if given[name] and needed not in given["what"]:
            told = f"`{name}:` speaks of `{needed}`, and this `drop` leaves none out"
            add(rules.missing_argument, one.span_of(name), told, help=f"write `drop {needed}, {name}: …`")
    for name in _SIZES:
        other = next((call.word for _, call, _, _ in sources if call.word != "images"), None)
        if given[name] is not None and other is not None:
            told = f"`{name}:` speaks of picture files, and `{other}` has none"
            add(rules.bad_data, one.span_of(name), told, help="take it out; `resize` in `image` changes sizes")
    if given["aspect"] is not None and given["aspect"][1] <= 0:
        told = f"no picture has a width / height of at most {given['aspect'][1]}"
        add(rules.out_of_range, one.span_of("aspect"), told, help="write `aspect: 0.5..2`, say")
    pictures = {field.source for field in fields if field.kind == "image"}
    other = next((call.word for name, call, _, _ in sources if name not in pictures), None)
    for name, said in (("within", bool(given["within"])), ("what", "blank" in given["what"])):
        if said and other is not None:
            what = "`blank`" if name == "what" else f"`{name}:`"
            told = f"{what} speaks of pictures, and `{other}` gives none"
            add(rules.bad_data, one.span_of(name), told, help="take it out")
    if given["listed"] is not None:
        _check_list(one, given["listed"], context)


def _check_list(one: Statement, path: str, context: Context) -> None:
    span = one.span_of("listed")
    try:
        place = inside(context.folder, path)
    except Refused as refused:
        context.problems.add(rules.bad_data, span, refused.message, help=refused.help)
        return
    if not os.path.isfile(place):
        help = f"write the examples to drop into it, one a line; looked in {place}"
        context.problems.add(rules.missing_data, span, f'there is no file "{path}"', help=help)


def _check_classes(one: Statement, fields: list[Field], context: Context) -> None:
    """`balance` and `drop label` need classes, and a class that there is."""
    label = one.arguments.get("label")
    if one.word.name != "balance" and label is None:
        return
    what = "`balance`" if one.word.name == "balance" else "`drop label`"
    field = next((field for field in fields if field.kind == "label"), None)
    span = one.step.span if one.word.name == "balance" else one.span_of("label")
    if field is None:
        told = f"{what} needs data with classes"
        context.problems.add(rules.bad_data, span, told, help="take it out, or let the source give a `label`")
    elif isinstance(label, int) and isinstance(field.classes, int) and label >= field.classes:
        told = f"there is no class {label}"
        context.problems.add(rules.out_of_range, span, told, help=f"the classes are 0 to {field.classes - 1}")


def _check_leaks(one: Statement, headers: list[Header], split: Any, context: Context) -> None:
    alone = not isinstance(split, Mapping) or set(split) == {"train"}
    known = all(header.known and (header.splits is None or set(header.splits) == {"train"}) for header in headers)
    if "leaks" in one.arguments["what"] and alone and known:
        told = "there is no split beside `train` that its examples could leak into"
        help = "divide the data, `split train: 90%, test: 10%`, or take `leaks` out"
        context.problems.add(rules.bad_data, one.span_of("what"), told, help=help)


def check_shares(statement: Statement, headers: Iterable[Header], context: Context) -> None:
    """Reports a share of `split` that comes to no example at all."""
    shares = {name: share for name, share in statement.arguments.items() if isinstance(share, int | float)}
    for header in headers:
        count = header.examples if header.splits is None else header.splits.get("train")
        if count is None or len(shares) < len(statement.arguments):
            continue
        for name, size in split_sizes(count, shares).items():
            if not size:
                told = f"`{name}` gets none of the {count:,} examples"
                context.problems.add(rules.out_of_range, statement.span_of(name), told, help="give it a larger share")
