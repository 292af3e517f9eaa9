"""The blocks `export` and `card` in, their calls out: conditions that refuse an export read scores that are taken, and
what a card has to say is said."""

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.exporting import find_unportable
from gendsl.check.monitors import condition_text
from gendsl.check.scope import LOST
from gendsl.check.statements import Statement, statements_of
from gendsl.diagnostics import Label
from gendsl.plan.plan import Call, Sample
from gendsl.plan.served import is_name
from gendsl.syntax import tree
from gendsl.vocabulary.exports import FIELDS
from gendsl.vocabulary.monitors import values_of


def export_of(step: tree.Step, sample: Sample | None, context: Context) -> tuple[Call, ...]:
    """The calls of `export { }`; the condition of `refuse` is a text, its params and bindings numbers."""
    known = dict.fromkeys(value for score in context.scores for value in values_of(score))
    found: list[Call] = []
    places: dict[tuple[str, object], tree.Step] = {}
    for statement in statements_of(step.block, "export", context.globals, context):
        arguments = dict(statement.arguments)
        if "name" in arguments:
            _check_name(statement, places, context)
        find_unportable(statement, sample, context)
        if statement.word.name == "refuse" and arguments["when"] is not LOST:
            arguments["when"] = condition_text(arguments["when"], statement.step.span, known, context)
        if LOST not in arguments.values():
            found.append(Call(statement.word.name, arguments))
    return tuple(found)


def _check_name(statement: Statement, places: dict[tuple[str, object], tree.Step], context: Context) -> None:
    """Reports a name that no model can have where it is served, or that two of a form share; `places` are those so
    far, the experiment's name being None."""
    name, form = statement.arguments["name"], statement.word.name
    if isinstance(name, str) and not is_name(name):
        context.problems.add(
            rules.export_name,
            statement.span_of("name"),
            f"`{name}` cannot be the name of an exported model",
            help="use letters, digits, `_` and `-`: it becomes one of a folder, and part of a URL",
        )
    elif name is not LOST and (form, name) in places:
        context.problems.add(
            rules.export_name,
            statement.span_of("name"),
            f"two exports of the form `{form}` have the same name",
            labels=(Label(places[form, name].head_span, "the other"),),
            help='give one of them another: `name: "…"`',
        )
    places.setdefault((form, name), statement.step)


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
