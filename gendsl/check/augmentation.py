"""The `augment` block in, its plan out; and what the rest of the spec leaves its words without."""

from collections.abc import Iterator
from typing import Any

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.scope import LOST
from gendsl.check.statements import Statement, calls_of, statements_of
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Augment, Call, Plan
from gendsl.plan.reals import real_scores
from gendsl.source import Source, Span
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.augmentations import BGC, DIFFERENTIABLE, OF_PICTURES, OF_TOKENS


def augment_of(step: tree.Step, context: Context) -> Augment:
    """The plan of `augment { }`."""
    data: list[Call] = []
    both: tuple[Call, ...] = ()
    ada: Call | None = None
    for statement in statements_of(step.block, "augment", context.globals, context, once=frozenset(["both"])):
        call = statement.call
        if statement.word.name != "both":
            _whole_semitones(statement, context)
            data += [call] if call is not None else []
            continue
        given = [value for value in statement.arguments.values() if isinstance(value, Call)]
        ada = given[0] if given else None
        empty = statement.step.block is None or not statement.step.block.statements
        both = _bgc(context) if empty and ada is not None else statement.statements
        if empty and not any(statement.arguments.values()):
            _needs_transforms(statement, context)
        _differentiable(statement, context)
    return Augment(tuple(data), both, ada)


def _whole_semitones(statement: Statement, context: Context) -> None:
    semitones = statement.arguments.get("semitones", LOST)
    if semitones is not LOST and any(one % 1 for one in semitones):
        context.problems.add(
            rules.out_of_range,
            statement.step.span,
            f"`transpose` shifts by whole semitones, and goes from {semitones[0]} to {semitones[1]}",
            help="write whole numbers: `transpose -5..6`",
        )


def _bgc(context: Context) -> tuple[Call, ...]:
    """The transforms that `both ada()` without a block stands for."""
    (chain,) = parse(Source("bgc", f"both {{ {BGC} }}"), Problems()).statements
    assert isinstance(chain, tree.Chain)
    return calls_of(chain.steps[0].block, "augment", context.globals, context)


def _needs_transforms(statement: Statement, context: Context) -> None:
    context.problems.add(
        rules.needs_block,
        statement.step.span,
        "`both` names no transforms",
        help=f"write `{WORDS['augment']['both'].example}`; `both ada()` has a pipeline of its own",
    )


def _differentiable(statement: Statement, context: Context) -> None:
    for step in _steps(statement.step):
        if step.word not in DIFFERENTIABLE and step.word in WORDS["augment"]:
            what = "stands in `both`" if step.word == "both" else "cannot be done to generated pictures"
            mend = "put its transforms into one" if step.word == "both" else "put it beside `both`, into `augment`"
            context.problems.add(rules.misplaced, step.head_span, f"`{step.word}` {what}", help=mend)


def find_unfit(plan: Plan, step: tree.Step, context: Context) -> None:
    """Reports transforms of what the data has none of, labels that `mixup` would not mix, `ada` with no scores."""
    kinds = {field.kind for field in plan.data.fields}
    has_pictures = "image" in kinds
    kinds |= {"music"} if any(source.call.word == "midi" for source in plan.data.sources) else set()
    for one in _steps(step):
        inner = list(_steps(one)) if one.word == "both" else [one]
        unfit = next((word.head_span for word in inner if word.word in OF_PICTURES), None)
        if one.word == "both" and not inner:
            unfit = one.head_span
        if not has_pictures and unfit is not None:
            context.problems.add(
                rules.misplaced,
                unfit,
                f"`{unfit.text}` transforms pictures, and the data has none",
                help=f"it has {', '.join(f'`{field.name}`' for field in plan.data.fields)}: take this out",
            )
        elif one.word in OF_TOKENS and OF_TOKENS[one.word] not in kinds:
            told = "text or music" if OF_TOKENS[one.word] == "text" else OF_TOKENS[one.word]
            context.problems.add(
                rules.misplaced,
                one.head_span,
                f"`{one.word}` transforms {told}, and the data has none",
                help=f"it has {', '.join(f'`{field.name}`' for field in plan.data.fields)}: take this out",
            )
        elif one.word == "mixup":
            _mixed(plan, one, context)
        elif one.word == "both" and plan.augment.ada is not None:
            _heard(plan, one, context)


def _mixed(plan: Plan, step: tree.Step, context: Context) -> None:
    labels = {field.name for field in plan.data.fields if field.kind == "label"}
    read = {
        operation.attributes["name"]
        for group in plan.train.groups
        for operation in group.operations
        if operation.name == "field"
    }
    for name in sorted(labels & read):
        context.problems.add(
            rules.mixed_labels,
            step.head_span,
            f"the training reads `{name}`, and a mixture of two pictures has no class",
            help=f"take out `mixup`, or train without `{name}`",
        )


def _heard(plan: Plan, step: tree.Step, context: Context) -> None:
    if any(real_scores(group, plan) for group in plan.train.groups):
        return
    names = [field.name for field in plan.data.fields if field.kind == "image"]
    context.problems.add(
        rules.no_real_scores,
        _control(step),
        "`ada` goes by the scores of real pictures, and no update gives any",
        help=f"train a network that returns `logits(1)` by what it gives for `{names[0]}`; or take out `ada`",
    )


def _control(step: tree.Step) -> Span:
    """Where `ada` stands."""
    return step.arguments[0].span if step.arguments else step.head_span


def _steps(step: tree.Step) -> Iterator[tree.Step]:
    """The single words in a step's block."""
    statements: Any = step.block.statements if step.block is not None else ()
    yield from (one.steps[0] for one in statements if isinstance(one, tree.Chain))
