"""The text of `--strategy` in, the same checked call out that the statement `strategy` of a spec makes."""

from gendsl.check.arguments import value_of
from gendsl.check.context import Context
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Call
from gendsl.source import Source
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.vocabulary.word import WordOf


def strategy_of(text: str) -> Call:
    """The call of a strategy: `auto`, `mirrored(2)`. Raises ValueError, which says what is wrong and what is meant."""
    problems = Problems()
    spec = parse(Source("--strategy", f"param strategy = {text}"), problems)
    statement = spec.statements[0] if len(spec.statements) == 1 else None
    call = None
    if not len(problems) and isinstance(statement, tree.Parameter):
        context = Context(problems, ".")
        call = value_of(WordOf("strategy"), statement.value, context.globals, context)
    if isinstance(call, Call):
        return call
    found = next(iter(problems), None)
    reason = found.message + (f"; {found.help}" if found.help else "") if found is not None else "it is no strategy"
    raise ValueError(f"`--strategy {text}`: {reason}")
