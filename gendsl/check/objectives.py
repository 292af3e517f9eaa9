"""An `objective gan(loss: hinge)` in, its updates written out: its statements with the arguments in place."""

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

import gendsl.prelude
from gendsl import rules
from gendsl.check.arguments import names_in
from gendsl.check.context import Context, article
from gendsl.check.scope import NetworkMeaning, ObjectiveMeaning, Scope
from gendsl.diagnostics import Problems
from gendsl.frozen import replace
from gendsl.source import Source
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.syntax.parse import parse

_FOLDER = os.path.dirname(gendsl.prelude.__file__)


def prelude_names() -> list[str]:
    """The objectives of the prelude."""
    return sorted(name[:-4] for name in os.listdir(_FOLDER) if name.endswith(".gen"))


def prelude_text(name: str) -> str:
    """The text of an objective of the prelude."""
    with open(os.path.join(_FOLDER, f"{name}.gen"), encoding="utf-8") as file:
        return file.read()


def prelude_objective(name: str) -> ObjectiveMeaning | None:
    """An objective of the prelude, which is written in the language itself; None if there is none of that name."""
    if name not in prelude_names():
        return None
    problems = Problems()
    spec = parse(Source(f"gendsl/prelude/{name}.gen", prelude_text(name)), problems)
    assert not len(problems), [d.message for d in problems]
    for statement in spec.statements:
        if isinstance(statement, tree.Chain) and statement.steps[0].word == "objective":
            step = statement.steps[0]
            signature = step.arguments[0].value
            assert isinstance(signature, tree.Call)
            return ObjectiveMeaning(step, signature.arguments)
    raise AssertionError(name)


def expanded(step: tree.Step, scope: Scope, context: Context) -> tuple[tree.Statement, ...] | None:
    """The statements that an `objective` statement stands for, or None after a reported mistake."""
    if len(step.arguments) != 1 or step.arguments[0].name is not None:
        context.problems.add(
            rules.missing_argument,
            step.span,
            "`objective` takes one objective",
            help="write `objective gan(loss: hinge)`",
        )
        return None
    value = step.arguments[0].value
    call = value if isinstance(value, tree.Call) else None
    head = call.function if call is not None else value
    if not isinstance(head, tree.Name):
        meant = did_you_mean(value.span.text.partition("(")[0].replace("-", "_"), prelude_names())
        context.problems.add(
            rules.wrong_type, value.span, "`objective` takes an objective's name", help=meant or "such as `gan`"
        )
        return None
    meaning = scope.find(head.text)
    if not isinstance(meaning, ObjectiveMeaning):
        meaning = prelude_objective(head.text)
    if meaning is None:
        own = scope.named(ObjectiveMeaning)
        if head.text not in context.skipped:
            context.problems.add(
                rules.unknown_word,
                head.span,
                f"no objective is named `{head.text}`",
                help=did_you_mean(head.text, [*prelude_names(), *own])
                or f"the prelude has {', '.join(prelude_names())}",
            )
        return None
    context.used.add(head.text)
    replacements = _arguments(head, call, meaning, scope, context)
    if replacements is None or meaning.step.block is None:
        return None
    statements = meaning.step.block.statements
    replacements |= _apart(statements, replacements)
    return tuple(substituted(one, replacements) for one in statements)


def _apart(statements: tuple[tree.Statement, ...], replacements: Mapping[str, tree.Value]) -> dict[str, tree.Value]:
    """Other names for an objective's bindings that have the name of something in an argument, which they would hide."""
    bound = {one.text: one for one in _bound(statements)}
    given = {name.text for value in replacements.values() for name in names_in(value)}
    taken = given | set(bound)
    found: dict[str, tree.Value] = {}
    for name in bound.keys() & given - replacements.keys():
        number = next(number for number in itertools.count(2) if f"{name}_{number}" not in taken)
        found[name] = tree.Name(f"{name}_{number}", bound[name].span)
    return found


def _bound(statements: tuple[tree.Statement, ...]) -> Iterator[tree.Name]:
    """The names that statements and the blocks in them bind."""
    for statement in statements:
        if isinstance(statement, tree.Binding | tree.Draw):
            yield statement.name
        elif isinstance(statement, tree.Chain):
            for step in statement.steps:
                yield from _bound(step.block.statements if step.block is not None else ())


def _arguments(
    head: tree.Name, call: tree.Call | None, meaning: ObjectiveMeaning, scope: Scope, context: Context
) -> dict[str, tree.Value] | None:
    names: dict[str, tree.Value | None] = {}
    for parameter in meaning.parameters:
        if parameter.name is not None:
            names[parameter.name.text] = parameter.value
        elif isinstance(parameter.value, tree.Name):
            names[parameter.value.text] = None
    given: dict[str, tree.Value] = {}
    place = 0
    order = list(names)
    fine = True
    for argument in call.arguments if call is not None else ():
        if argument.name is None:
            if place >= len(order):
                fine = False
                context.problems.add(
                    rules.too_many_arguments,
                    argument.span,
                    f"`{head.text}` takes {article(len(order), 'argument')}",
                    help=f"it takes {', '.join(order)}",
                )
                continue
            given[order[place]] = argument.value
            place += 1
        elif argument.name.text in names:
            if argument.name.text in given:
                fine = False
                context.problems.add(
                    rules.duplicate_argument, argument.span, f"`{argument.name.text}` is given twice", help="remove one"
                )
            given[argument.name.text] = argument.value
        else:
            fine = False
            context.problems.add(
                rules.unknown_argument,
                argument.name.span,
                f"`{head.text}` has no argument `{argument.name.text}`",
                help=did_you_mean(argument.name.text, names) or f"it takes {', '.join(names)}",
            )
    out: dict[str, tree.Value] = {}
    for name, default in names.items():
        if name in given:
            out[name] = _whole(given[name])
        elif default is None:
            fine = False
            context.problems.add(
                rules.missing_argument,
                head.span,
                f"`{head.text}` needs its `{name}`",
                help=f"write `{head.text}({name}: …)`",
            )
        elif _absent(default, scope, context):
            fine = False
            assert isinstance(default, tree.Name)
            taken = {v.text for v in [*given.values(), *names.values()] if isinstance(v, tree.Name)}
            networks = [one for one in scope.named(NetworkMeaning) if one not in taken]
            context.problems.add(
                rules.missing_argument,
                head.span,
                f"`{head.text}` trains a network named `{default.text}`, and there is none",
                help=f"say which: `{head.text}({name}: {networks[0] if networks else '…'})`",
            )
        else:
            out[name] = default
    return out if fine else None


def _absent(default: tree.Value, scope: Scope, context: Context) -> bool:
    """Whether a default names a network that the spec does not have."""
    from gendsl.vocabulary import categories_of

    return (
        isinstance(default, tree.Name)
        and scope.find(default.text) is None
        and not categories_of(default.text)
        and default.text not in context.skipped
    )


def _whole(value: tree.Value) -> tree.Value:
    """An argument that stays one value wherever it is put."""
    compound = tree.Binary | tree.Unary | tree.Range
    return tree.Parenthesised(value, value.span) if isinstance(value, compound) else value


def substituted(node: Any, replacements: Mapping[str, tree.Value]) -> Any:
    """A tree with names replaced by values; words and argument names are left alone."""
    match node:
        case tree.Name():
            return replacements.get(node.text, node)
        case tree.Member():
            return replace(node, value=substituted(node.value, replacements))
        case tree.Argument():
            return replace(node, value=substituted(node.value, replacements))
        case tree.Step():
            return replace(
                node,
                arguments=tuple(substituted(a, replacements) for a in node.arguments),
                block=substituted(node.block, replacements) if node.block is not None else None,
            )
        case tree.Block():
            return replace(node, statements=tuple(substituted(s, replacements) for s in node.statements))
        case tree.Chain():
            return replace(node, steps=tuple(substituted(s, replacements) for s in node.steps))
        case tree.Binding() | tree.Draw():
            other = replacements.get(node.name.text)  # see `_apart`
            name = other if isinstance(other, tree.Name) else node.name
            return replace(node, name=name, value=substituted(node.value, replacements))
        case tree.Parameter() | tree.Parenthesised():
            return replace(node, value=substituted(node.value, replacements))
        case tree.Call():
            return replace(
                node,
                function=substituted(node.function, replacements),
                arguments=tuple(substituted(a, replacements) for a in node.arguments),
            )
        case tree.Unary():
            return replace(node, operand=substituted(node.operand, replacements))
        case tree.Binary():
            return replace(node, left=substituted(node.left, replacements), right=substituted(node.right, replacements))
        case tree.Range():
            return replace(node, low=substituted(node.low, replacements), high=substituted(node.high, replacements))
        case tree.ListOf():
            return replace(node, items=tuple(substituted(i, replacements) for i in node.items))
    return node


def at_call(problems: Problems, found: Problems, step: tree.Step) -> None:
    """Tells mistakes inside an objective where the spec uses it."""
    for diagnostic in found:
        if diagnostic.span.source is step.span.source:
            problems.add(
                diagnostic.rule,
                diagnostic.span,
                diagnostic.message,
                note=diagnostic.note,
                labels=diagnostic.labels,
                help=diagnostic.help,
            )
            continue
        problems.add(
            diagnostic.rule,
            step.span,
            diagnostic.message,
            note=f"in what this objective writes out: `{' '.join(diagnostic.span.text.split())}`",
            labels=tuple(label for label in diagnostic.labels if label.span.source is step.span.source),
            help=diagnostic.help or "`gendsl plan --expand` shows it written out",
        )
