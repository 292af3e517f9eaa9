"""The statements of a block in, the calls they make out: words of the block's category with checked arguments."""

from collections.abc import Iterator
from typing import Any

from gendsl import rules
from gendsl.check.arguments import bind
from gendsl.check.context import PLACES, Context
from gendsl.check.scope import LOST, Scope
from gendsl.diagnostics import Label
from gendsl.frozen import dataclass
from gendsl.plan.plan import Call
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import Word


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that is a single word: `arguments` may hold `LOST`."""

    step: tree.Step
    word: Word
    arguments: dict[str, Any]
    statements: tuple[Call, ...] = ()

    @property
    def call(self) -> Call | None:
        """The call, or None after a mistake."""
        if any(value is LOST for value in self.arguments.values()):
            return None
        return Call(self.word.name, self.arguments, self.statements)

    def span_of(self, name: str) -> Span:
        """Where the argument of a parameter is written; the whole statement where it is not."""
        for place, argument in enumerate(self.step.arguments):
            if argument.name is not None and argument.name.text == name:
                return argument.span
            if argument.name is None and place == 0 and self.word.parameters[0].name == name:
                return argument.span
        return self.step.span


def steps_of(block: tree.Block | None, category: str, context: Context) -> Iterator[tree.Step]:
    """The single words of a block; chains, bindings and `allow` are dealt with."""
    for statement in block.statements if block is not None else ():
        if isinstance(statement, tree.Chain):
            step = statement.steps[0]
            if len(statement.steps) > 1 and step.word in WORDS.get(category, {}):
                context.problems.add(
                    rules.no_chain,
                    statement.steps[1].head_span,
                    f"`|` joins layers, and `{step.word}` stands {PLACES.get(category, category)}",
                    help="put the statements on lines of their own, or `;` between them",
                )
            if step.word == "allow":
                bind(WORDS["top"]["allow"], step.arguments, step.span, context.globals, context)
                continue
            if step.label is not None or step.index is not None:
                label = step.label or step.index
                assert label is not None
                context.problems.add(
                    rules.misplaced, label.span, "`as` labels values of networks only", help=f"remove `as {label.text}`"
                )
            yield step
        elif not isinstance(statement, tree.Lost):
            context.problems.add(
                rules.misplaced,
                statement.span,
                f"a binding cannot stand {PLACES.get(category, category)}",
                help=_meant(statement, category),
            )


def _meant(statement: tree.Binding | tree.Draw | tree.Parameter, category: str) -> str:
    if statement.name.text in WORDS.get(category, {}):
        return f"write `{statement.name.text} {statement.value.span.text}`, without `=`"
    return "put it at the top of the spec"


def statement_of(step: tree.Step, word: Word, scope: Scope, context: Context) -> Statement:
    """A word's statement, with the statements of its block."""
    context.use(word)
    arguments = bind(word, step.arguments, step.head_span, scope, context)
    inner: tuple[Call, ...] = ()
    if step.block is not None and not word.body:
        context.problems.add(rules.no_block, step.block.span, f"`{word.name}` takes no block", help="remove the braces")
    elif step.block is not None:
        inner = calls_of(step.block, word.body, scope, context)
    elif word.body and not word.parameters and word.name != "source":
        context.problems.add(
            rules.needs_block, step.span, f"`{word.name}` needs a block", help=f"write `{word.example}`"
        )
    return Statement(step, word, arguments, inner)


def statements_of(
    block: tree.Block | None,
    category: str,
    scope: Scope,
    context: Context,
    *,
    once: frozenset[str] = frozenset(),
    skip: frozenset[str] = frozenset(),
) -> list[Statement]:
    """The statements of a block; a word of `once` stands there once at most, those of `skip` are left to the caller."""
    out: list[Statement] = []
    first: dict[str, tree.Step] = {}
    for step in steps_of(block, category, context):
        if step.word in skip:
            continue
        word = WORDS.get(category, {}).get(step.word)
        if word is None:
            if not context.torn:
                context.unknown_word(step.word, category, step.head_span)
            continue
        if word.name in once and word.name in first:
            context.problems.add(
                rules.duplicate_block,
                step.head_span,
                f"`{word.name}` stands here twice",
                labels=(Label(first[word.name].head_span, "first here"),),
                help="keep one of them",
            )
            continue
        first.setdefault(word.name, step)
        out.append(statement_of(step, word, scope, context))
    return out


def calls_of(block: tree.Block | None, category: str, scope: Scope, context: Context) -> tuple[Call, ...]:
    """The calls of a block, without those in which a mistake was reported."""
    found = (statement.call for statement in statements_of(block, category, scope, context))
    return tuple(call for call in found if call is not None)
