"""The statement `condition` and the data's sources in, the field of conditions out: its columns found and counted."""

from collections.abc import Sequence

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.headers.header import Header
from gendsl.check.scope import Missing
from gendsl.check.statements import Statement
from gendsl.plan.blocks import blocks_of
from gendsl.plan.columns import name_text
from gendsl.plan.plan import Call, Field
from gendsl.source import Span
from gendsl.spelling import did_you_mean
from gendsl.vocabulary.dimensions import symbol

_TABLES = ("csv", "parquet")


def condition_of(
    statement: Statement, sources: Sequence[tuple[str, Call, Header, Span]], context: Context
) -> Field | None:
    """The field `condition`, as wide as its columns have categories (a symbol where the data is not there).

    None after a reported mistake: sources that are no single table, a column that is none, or not categorical."""
    name, call, header, _ = sources[0]
    problem = ("", "")
    if len(sources) > 1 or call.word not in _TABLES:
        given = "several sources" if len(sources) > 1 else f"the source `{call.word}`"
        problem = (f"conditions are columns of a table, and this is {given}", "use one `csv` or `parquet`")
    elif statement.call is not None and statement.arguments["columns"] and not header.problem:
        return _field(statement, name, call, header, context)
    if problem[0]:
        context.problems.add(rules.bad_data, statement.step.head_span, problem[0], help=problem[1])
    context.globals.define("condition", Missing())
    return None


def _field(statement: Statement, source: str, table: Call, header: Header, context: Context) -> Field | None:
    columns = {str(one.arguments["name"]): one for one in table.statements}
    names = [str(name) for name in statement.arguments["columns"]]
    seen: dict[str, Call | None] = {}
    for name, argument in zip(names, statement.step.arguments, strict=True):
        problem = _problem(name, seen, columns, header)
        if problem:
            rule = rules.duplicate_name if name in seen else rules.bad_data if name in columns else rules.unknown_name
            context.problems.add(rule, argument.span, problem[0], help=problem[1])
            context.globals.define("condition", Missing())
            return None
        seen[name] = columns.get(name)
    known = blocks_of(column for column in seen.values() if column is not None)
    whole = known is not None and None not in seen.values()
    width = sum(block.width for block in known or ()) if whole else symbol("condition.width")
    return Field("condition", "condition", (width,), source, None, {"columns": tuple(names)})


def _problem(
    name: str, seen: dict[str, Call | None], columns: dict[str, Call], header: Header
) -> tuple[str, str] | None:
    """What is wrong with a column, and what to do; None where nothing is, or where only the file tells."""
    if name in seen:
        return f"`{name}` is a column of the condition already", "name it once"
    if name not in columns:
        if not header.columns:
            return None
        categorical = [name_text(one) for one, column in columns.items() if column.arguments["kind"] == "categorical"]
        has = (
            f"its categorical columns are {', '.join(categorical[:30])}" if categorical else "it has no categorical one"
        )
        meant = did_you_mean(name, categorical)
        return f"the table has no column `{name}`", f"{meant}; {has}" if meant else has
    kind = str(columns[name].arguments["kind"])
    if kind == "categorical" and columns[name].arguments["buckets"] is None:
        return None
    if kind == "categorical":
        return (
            f"column `{name}` is gathered into buckets, and a condition is one category",
            "take `buckets:` out, or the column out of `condition`",
        )
    told = "is dropped" if kind == "drop" else f"is {kind}"
    return (
        f"column `{name}` {told}, and a condition is a category",
        f"declare it: `column {name_text(name)}, categorical`; or take it out of `condition`",
    )
