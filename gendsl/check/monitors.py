"""The block `monitor` in, its plan out: alarms whose conditions read what is scored and logged, and their policies."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

from gendsl import rules
from gendsl.check.arguments import bind
from gendsl.check.constants import constant
from gendsl.check.context import Context
from gendsl.check.definitions import definitions_of
from gendsl.check.scope import LOST, Deferred
from gendsl.check.statements import Statement, statements_of
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import replace
from gendsl.plan.plan import Augment, Call, Train, Update
from gendsl.source import Source, Span
from gendsl.spelling import did_you_mean, suggestion
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.syntax.write import value as written
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.monitors import HELD_OUT, main_score, values_of

_OF_UPDATES = ("loss", "learning_rate")  # what is logged of each
_DISCRIMINATORS = ("discriminator", "critic")
_CHANGING = ("set", "rollback")


def monitors_of(
    step: tree.Step, updates: Sequence[Update], train: Train | None, augment: Augment, context: Context
) -> tuple[Call, ...]:
    """The plan of `monitor { }` and `monitor default`: its conditions read scores, losses and their best values."""
    return _alarms(step, _known(updates, train, augment, context), updates, train, context)


def alarms_alone(source: Source, problems: Problems, settings: Mapping[str, str]) -> tuple[Call, ...] | None:
    """The alarms of a file that holds nothing but `monitor` and params; None for any other, such as a whole spec.

    What its conditions read is not looked up: it is told by what they are replayed on.
    """
    spec = parse(source, Problems())
    words = {one.steps[0].word for one in spec.statements if isinstance(one, tree.Chain)}
    if not words or not words <= {"monitor", "allow", "experiment"}:
        return None
    context = Context(problems, ".", skipped=spec.skipped)
    blocks = definitions_of(parse(source, problems), settings, context).blocks
    for diagnostic in problems:
        if diagnostic.rule is rules.missing_experiment:
            problems.drop(diagnostic)
    return _alarms(blocks["monitor"], None, (), None, context) if "monitor" in blocks else ()


def _alarms(
    step: tree.Step,
    known: dict[str, None] | None,
    updates: Sequence[Update],
    train: Train | None,
    context: Context,
) -> tuple[Call, ...]:
    """The calls of a `monitor`; what conditions read is `known`, or anything."""
    word = WORDS["top"]["monitor"]
    default = bind(word, step.arguments, step.head_span, context.globals, context)["alarms"] == "default"
    out = [Call("default", {})] if default else []
    named: dict[str, Span] = {}
    for statement in statements_of(
        step.block, "monitor", context.globals, context, once=frozenset(["default", "diverged"])
    ):
        _check_policy(statement, train, context)
        if statement.word.name == "default" and default:
            continue
        if statement.word.name == "alarm":
            _check_name(statement, named, context)
        arguments = dict(statement.arguments)
        condition = arguments.get("when")
        if condition is None and statement.word.parameter("when"):
            if known is not None:
                _check_own_condition(statement, known, updates, context)
        elif condition is not None and condition is not LOST:
            arguments["when"] = condition_text(condition, statement.step.span, known, context)
        if LOST not in arguments.values():
            out.append(Call(statement.word.name, arguments, statement.statements))
    return tuple(out)


def condition_text(value: tree.Value, place: Span, known: dict[str, None] | None, context: Context) -> Any:
    """A condition as a plan holds it: the names of scores and losses stay, params and bindings are their numbers.

    `known` are the names that it may read, None for any. `LOST` where it is none, which is reported at `place`."""
    if not isinstance(value, tree.Name | tree.Binary | tree.Call | tree.Unary | tree.Parenthesised):
        context.problems.add(rules.type_mismatch, place, "`when:` takes a condition", help="write `fid > 20`")
        return LOST
    resolved = _condition(value, known, context)
    if not _compares(value):
        context.problems.add(
            rules.type_mismatch,
            value.span,
            "a condition compares: this is a number",
            help="write `fid > 20`",
        )
    return written(resolved)


def _known(updates: Sequence[Update], train: Train | None, augment: Augment, context: Context) -> dict[str, None]:
    """The names that a condition may read: the values of scores, and what is logged."""
    names = [value for score in context.scores for value in values_of(score)]
    names += [f"{update.name}_{what}" for what in _OF_UPDATES for update in updates]
    for group in () if train is None else train.groups:
        names += [name.replace("/", "_", 1) for name, _ in group.measures]
        names += [f"{update.name}_held" for update in group.updates if group.when]
    names += ["ada_p", "ada_r_t"] if augment.ada is not None else []
    return dict.fromkeys(names)


def _check_own_condition(
    statement: Statement, known: Collection[str], updates: Sequence[Update], context: Context
) -> None:
    """Reports an alarm without `when:` whose own condition reads what this spec does not have."""
    scored = [value for score in context.scores for value in values_of(score)]
    needs = {
        "collapse": ("diversity" in known, "`diversity`"),
        "overfit": ("memorized" in known or any(name in known for name in HELD_OUT), "`memorized`"),
        "worse": (main_score(scored) is not None or context.best is not None, "a score, such as `fid`"),
        "plateau": (main_score(scored) is not None or context.best is not None, "a score, such as `fid`"),
        "balance": (any(part in update.name for update in updates for part in _DISCRIMINATORS), ""),
    }
    name = statement.word.name
    there, what = needs.get(name, (True, ""))
    if there or context.skipped:
        return
    message, help = f"reads {what}, which this spec does not score", f"add it to `evaluate`, or write `{name} when: …`"
    if name == "balance":
        message = "reads the loss of an update named `discriminator` or `critic`, and there is none"
        help = f"write `{name} when: …`"
    context.problems.add(
        rules.missing_argument, statement.step.head_span, f"`{name}` without `when:` {message}", help=help
    )


def _check_name(statement: Statement, named: dict[str, Span], context: Context) -> None:
    name = statement.arguments.get("name")
    if not isinstance(name, str):
        return
    span = statement.span_of("name")
    if name in WORDS["monitor"]:
        context.problems.add(
            rules.duplicate_name, span, f"`{name}` is an alarm of the language", help="choose another name"
        )
    elif name in named:
        context.problems.add(
            rules.duplicate_name,
            span,
            f"an alarm is named `{name}` already",
            labels=(Label(named[name], "first here"),),
            help="choose another name",
        )
    named.setdefault(name, span)


def _check_policy(statement: Statement, train: Train | None, context: Context) -> None:
    """Reports a policy that changes what there is not, changes nothing, or cannot help."""
    policy = statement.arguments.get("do")
    if not isinstance(policy, Call) or policy.word not in _CHANGING:
        return
    span = statement.span_of("do")
    word = WORDS["policy"][policy.word]
    changes = [name for name in policy.arguments if word.parameter(name) is None]
    if policy.word == "set" and not changes:
        context.problems.add(rules.missing_argument, span, "`set` says not what to set", help=f"write `{word.example}`")
    if policy.word == "set" and statement.word.name == "diverged":
        context.problems.add(
            rules.misplaced,
            span,
            "`set` leaves the weights as they are, and these are no numbers any more",
            help="write `do: rollback(scale_learning_rate: 0.5)`",
        )
    if train is None:
        return
    can = ["learning_rate", *train.scalars]
    for name in changes:
        if name not in can:
            context.problems.add(
                rules.unknown_argument,
                span,
                f"`{policy.word}` cannot set `{name}`: it is no binding of `train`",
                help=did_you_mean(name, can) or f"it can set {', '.join(f'`{one}`' for one in can)}",
            )


def _compares(value: tree.Value) -> bool:
    match value:
        case tree.Parenthesised():
            return _compares(value.value)
        case tree.Unary():
            return value.operator == "not" and _compares(value.operand)
        case tree.Binary() if value.operator in ("and", "or"):
            return _compares(value.left) and _compares(value.right)
        case tree.Binary():
            return value.operator in ("<", "<=", ">", ">=", "==", "!=")
    return False


def _condition(value: tree.Value, known: dict[str, None] | None, context: Context) -> tree.Value:
    """Looks up the names of a condition: scores and losses stay, params and bindings become their numbers."""
    match value:
        case tree.Name():
            return _name(value, known, context)
        case tree.Binary():
            left, right = _condition(value.left, known, context), _condition(value.right, known, context)
            return replace(value, left=left, right=right)
        case tree.Unary():
            return replace(value, operand=_condition(value.operand, known, context))
        case tree.Parenthesised():
            return replace(value, value=_condition(value.value, known, context))
        case tree.Call():
            if not (isinstance(value.function, tree.Name) and value.function.text == "best"):
                context.problems.add(
                    rules.type_mismatch,
                    value.function.span,
                    f"`{value.function.span.text}` cannot be called in a condition",
                    help="write `best(fid)`, or compare a score with a number",
                )
                return value
            one = value.arguments[0].value if len(value.arguments) == 1 else None
            if not isinstance(one, tree.Name) or value.arguments[0].name is not None:
                context.problems.add(
                    rules.type_mismatch, value.span, "`best` takes the name of one score", help="write `best(fid)`"
                )
                return value
            _name(one, known, context, constants=False)
        case tree.Number():
            pass
        case _:
            context.problems.add(
                rules.type_mismatch,
                value.span,
                f"`{written(value)}` is no score and no number",
                help="a condition compares scores with numbers: `fid > 20`",
            )
    return value


def _name(name: tree.Name, known: dict[str, None] | None, context: Context, *, constants: bool = True) -> tree.Value:
    if known is not None and name.text in known:
        context.used.add(name.text)
        return name
    if constants and isinstance(context.globals.find(name.text), Deferred):
        number = constant(name, context.globals, context)
        if number is LOST or (isinstance(number, int | float | Fraction) and not isinstance(number, bool)):
            return name if number is LOST else tree.Number(_text(number), name.span)
        context.problems.add(
            rules.type_mismatch,
            name.span,
            f"`{name.text}` is no number",
            help="a condition compares scores with numbers: `fid > 20`",
        )
        return name
    if known is None or name.text in context.skipped:
        return name
    word = WORDS["score"].get(name.text)
    found = suggestion(name.text, known)
    if word is None:
        help = f"did you mean `{found}`?" if found else "monitors read the scores of `evaluate`"
        message = f"no score or loss is named `{name.text}`"
    elif not set(known).isdisjoint(values_of(name.text)):
        message = f"`{name.text}` has several values"
        help = f"write one of {', '.join(f'`{value}`' for value in values_of(name.text))}"
    else:
        message, help = f"`{name.text}` is not scored in this spec", f"add `{name.text}` to `evaluate`"
    context.problems.add(rules.unknown_score, name.span, message, help=help)
    known[name.text] = None  # `kid > 2 * best(kid)` is one mistake
    return name


def _text(number: int | float | Fraction) -> str:
    """A number as the language writes it; a negative one in parentheses."""
    text = str(number) if isinstance(number, int) else repr(float(number))
    return text if number >= 0 else f"({text})"
