"""The blocks `export` and `card` in, their calls out: conditions that refuse an export read scores that are taken, and
what a card has to say is said."""

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.monitors import condition_text
from gendsl.check.scope import LOST
from gendsl.check.statements import statements_of
from gendsl.plan.plan import Call
from gendsl.syntax import tree
from gendsl.vocabulary.exports import FIELDS
from gendsl.vocabulary.monitors import values_of


def export_of(step: tree.Step, context: Context) -> tuple[Call, ...]:
    """The calls of `export { }`; the condition of `refuse` is a text, its params and bindings numbers."""
    known = dict.fromkeys(value for score in context.scores for value in values_of(score))
    found = []
    for statement in statements_of(step.block, "export", context.globals, context):
        arguments = dict(statement.arguments)
        if statement.word.name == "refuse" and arguments["when"] is not LOST:
            arguments["when"] = condition_text(arguments["when"], statement.step.span, known, context)
        if LOST not in arguments.values():
            found.append(Call(statement.word.name, arguments))
    return tuple(found)


def card_of(step: tree.Step, context: Context) -> tuple[Call, ...]:
    """The calls of `card { }`; warns of a field that `require` names and nobody has filled in."""
    statements = statements_of(step.block, "card", context.globals, context, once=frozenset((*FIELDS, "require")))
    calls = [call for statement in statements if (call := statement.call) is not None]
    filled = {call.word for call in calls if str(call.arguments.get("text", "")).strip()}
    torn = bool(context.skipped) or len(calls) < len(statements)
    for statement in statements:
        if statement.word.name != "require" or statement.call is None or torn:
            continue
        for argument, field in zip(statement.step.arguments, statement.call.arguments["fields"], strict=True):
            if field not in filled:
                context.problems.add(
                    rules.missing_card_field,
                    argument.span,
                    f"the card requires `{field}`, and does not say it",
                    help=f'write `{field} "…"`; without it `gendsl export` refuses the model',
                )
    return tuple(calls)
