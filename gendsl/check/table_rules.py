"""The statements `unique`, `ordered` and `pattern` of `data` in, the plan's constraints out: their columns found."""

import re
from collections.abc import Sequence

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.headers.columns import NUMBERS
from gendsl.check.headers.header import Header
from gendsl.check.statements import Statement
from gendsl.plan.columns import columns_of_rule, name_text
from gendsl.plan.plan import Call
from gendsl.source import Span
from gendsl.spelling import did_you_mean
from gendsl.vocabulary.tables import CONSTRAINTS

WORDS = frozenset(word.name for word in CONSTRAINTS)


def constraints_of(
    statements: Sequence[Statement], sources: Sequence[tuple[str, Call, Header, Span]] | None, context: Context
) -> tuple[Call, ...]:
    """The constraints of a table's rows; those with a mistake, which is reported, are left out."""
    found = []
    for statement in statements:
        if statement.word.name not in WORDS or statement.call is None or not sources:
            continue
        problem = _problem(statement.call, sources)
        if problem is None:
            found.append(statement.call)
        else:
            message, help = problem
            context.problems.add(rules.bad_data, statement.step.span, message, help=help)
    return tuple(found)


def _problem(call: Call, sources: Sequence[tuple[str, Call, Header, Span]]) -> tuple[str, str] | None:
    """What is wrong with a constraint, and what to do; None where nothing is, or where only the file tells."""
    _, table, header, _ = sources[0]
    names = columns_of_rule(call)
    if len(sources) > 1 or table.word not in ("csv", "parquet"):
        return f"`{call.word}` is of the rows of a table, and this is `{table.word}`", "use one `csv` or `parquet`"
    if call.word == "pattern":
        try:
            re.compile(str(call.arguments["expression"]))
        except re.error as error:
            return f"`{call.arguments['expression']}` is no regular expression: {error}", "write it as Python reads it"
    if len(names) < (2 if call.word == "ordered" else 1):
        return f"`{call.word}` names {len(names)} columns", f"write `{_EXAMPLES[call.word]}`"
    columns = {str(one.arguments["name"]): one for one in table.statements}
    if not header.columns:
        return None
    for name in names:
        if name not in columns:
            has = f"its columns are {', '.join(map(name_text, list(columns)[:30]))}"
            meant = did_you_mean(name, columns)
            return f"the table has no column `{name}`", f"{meant}; {has}" if meant else has
        if columns[name].arguments["kind"] == "drop":
            return f"column `{name}` is dropped, and no sample has it", "declare what it is, or take this out"
    kinds = {"number" if (kind := str(columns[n].arguments["kind"])) in NUMBERS else kind for n in names}
    if call.word == "ordered" and kinds not in ({"number"}, {"datetime"}):
        told = ", ".join(f"`{name}` is {columns[name].arguments['kind']}" for name in names)
        return f"`ordered` compares numbers, or times: {told}", "name columns of one kind"
    return None


_EXAMPLES = {word.name: word.example for word in CONSTRAINTS}
