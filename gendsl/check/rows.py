"""A table's field and its columns in, what the language makes of the row's layout out: activations, results, losses."""

from collections.abc import Sequence
from typing import Any

from gendsl.check.results import fields_of
from gendsl.check.scope import Scope
from gendsl.frozen import replace
from gendsl.plan.blocks import Layout, blocks_in, layout_of
from gendsl.plan.columns import name_text
from gendsl.plan.plan import Call, Field
from gendsl.spelling import did_you_mean
from gendsl.vocabulary.dimensions import Shape, same, shown
from gendsl.vocabulary.types import Tensor, Type
from gendsl.vocabulary.word import Mismatch


def with_layout(field: Field, columns: Sequence[Call]) -> Field:
    """A row's field that knows what each of its numbers means, where the columns are all known."""
    layout = layout_of(columns, field.shape[0])
    return field if layout is None else replace(field, arguments={**field.arguments, "layout": layout})


def rows_of(scope: Scope) -> list[Field]:
    """The tables' rows in reach."""
    return [field for field in fields_of(scope).values() if field.kind == "row"]


def activated(shape: Shape, scope: Scope) -> Layout | Mismatch | None:
    """The layout of the row that `row_activation` is given as (n); None where only the data tells."""
    rows = rows_of(scope)
    if not rows:
        return Mismatch("activates a table's row, and the data has none", "use `tanh`, `softmax` or another")
    fits = [field for field in rows if len(shape) == 1 and same(shape[0], field.shape[0])]
    if not fits:
        named = f"`{rows[0].name}`"
        return Mismatch(
            f"takes a row as wide as {named}, {rows[0].shape[0]}, and is given {shown(shape)}",
            f"write `dense {rows[0].name}.width` before it",
        )
    layouts = [field.arguments.get("layout") for field in fits]
    if len({str(layout) for layout in layouts}) > 1:
        told = " and ".join(f"`{field.name}`" for field in fits)
        return Mismatch(f"fits several rows, {told}, which have other columns", "train one table in each spec")
    layout: Layout | None = layouts[0]
    return layout


def condition_places(given: Sequence[Type], scope: Scope) -> tuple[Any, ...] | Mismatch:
    """Where in the row (start, width) each column of the condition stands, for `condition_loss(row, condition)`."""
    condition = fields_of(scope).get("condition")
    if condition is None or condition.kind != "condition":
        return Mismatch("compares with the condition, and the data has none", "write `condition COLUMN` in `data`")
    row = next(field for field in rows_of(scope) if field.source == condition.source)
    for type, field, what in zip(given, (row, condition), ("a row first", "the condition second"), strict=True):
        fits = isinstance(type, Tensor) and len(type.shape) == 1 and same(type.shape[0], field.shape[0])
        if not fits:
            return Mismatch(f"takes {what}, (batch, {field.shape[0]}), not {type}", "condition_loss(fake, condition)")
    layout: Layout = row.arguments.get("layout") or ()
    blocks = {block.column: block for block in blocks_in(layout) if block.part == "category"}
    if not layout:
        return ()
    return tuple((blocks[name].start, blocks[name].width) for name in condition.arguments["columns"])


def unscorable_table(call: Call, scored: Sequence[Field], constraints: Sequence[Call]) -> tuple[str, str]:
    """Why a score of a table's rows cannot be taken of some fields, and what to do; empty where it can be."""
    rows = [field for field in scored if field.kind == "row"]
    if not rows:
        return f"`{call.word}` is of the rows of a table, and the data has none", "score `diversity` instead"
    if call.word == "broken_rules" and not constraints:
        return (
            "`broken_rules` counts rows that break a rule, and `data` says none",
            "write `ordered begin, end` there, say",
        )
    columns = [
        list(dict.fromkeys(block.column for block in blocks_in(layout)))
        for field in rows
        if (layout := field.arguments.get("layout"))
    ]
    for names in columns:
        if call.word in ("column_pairs", "utility") and len(names) < 2:
            return (
                f"`{call.word}` needs two columns, and the table has one, `{names[0]}`",
                "score `column_shapes` alone",
            )
        target = str(call.arguments.get("target"))
        if call.word == "utility" and target not in names:
            has = f"its columns are {', '.join(map(name_text, names[:30]))}"
            meant = did_you_mean(target, names)
            return f"the table has no column `{target}` to predict", f"{meant}; {has}" if meant else has
    return "", ""
