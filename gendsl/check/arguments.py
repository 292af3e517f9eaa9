"""A word and the arguments written behind it in, a value for each of its parameters out, checked by kind."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gendsl import rules
from gendsl.check.checked import checked
from gendsl.check.constants import constant, described, kind_of
from gendsl.check.context import Context, article
from gendsl.check.expected import expected, value_shown, wrong_type
from gendsl.check.scope import LOST, Constant, Deferred, FieldMeaning, Missing, NetworkMeaning, Scope
from gendsl.diagnostics import Label
from gendsl.plan.plan import Call
from gendsl.source import Span
from gendsl.spelling import did_you_mean, suggestion
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS, habits
from gendsl.vocabulary import word as vocabulary
from gendsl.vocabulary.word import REQUIRED, Kind, Parameter, Word

# Turns a `Reference` or an `Expression` into what its place needs; the default leaves the tree as it is.
Resolve = Callable[[Parameter, tree.Value], Any]

WRONG = ""  # stands among the bound arguments, lost, where one was written that has no place


def bind(
    word: Word,
    arguments: Sequence[tree.Argument],
    span: Span,
    scope: Scope,
    context: Context,
    *,
    resolve: Resolve | None = None,
) -> dict[str, Any]:
    """A value for every parameter of a word: as written, else its default; `LOST` where a mistake was reported.

    An argument that has no place leaves `LOST` under `WRONG`.
    """
    out: dict[str, Any] = {}
    given: dict[str, tree.Argument] = {}
    positional = [parameter for parameter in word.parameters if parameter.positional]
    place = 0
    surplus: list[tree.Argument] = []
    for argument in arguments:
        if argument.name is None:
            if place >= len(positional):
                surplus.append(argument)
                out[WRONG] = LOST
                continue
            parameter = positional[place]
            if not parameter.many:
                place += 1
        else:
            found = word.parameter(argument.name.text)
            if found is None:
                if word.open is not None:
                    out[argument.name.text] = value_of(word.open, argument.value, scope, context)
                    continue
                _unknown_argument(word, argument.name, context)
                out[WRONG] = LOST
                constantly_checked(argument.value, scope, context)
                continue
            parameter = found
        if parameter.many:
            before = out.setdefault(parameter.name, ())
            one = _value(parameter, argument.value, scope, context, resolve)
            out[parameter.name] = before if one is LOST else (*before, one)
            if one is LOST:
                out[WRONG] = LOST
            continue
        if parameter.name in given:
            earlier = given[parameter.name]
            context.problems.add(
                rules.duplicate_argument,
                argument.span,
                f"`{parameter.name}` of `{word.name}` is given twice",
                labels=(Label(earlier.span, "first here"),),
                help="remove one of them",
            )
            out[WRONG] = LOST
            continue
        given[parameter.name] = argument
        out[parameter.name] = _value(parameter, argument.value, scope, context, resolve)
    if surplus:
        _too_many(word, surplus, context)
    for parameter in word.parameters:
        if parameter.name in out:
            continue
        if parameter.default is REQUIRED:
            if parameter.many and parameter.name not in out:
                out[parameter.name] = ()
            else:
                out[parameter.name] = LOST
            _missing(word, parameter, span, context)
        else:
            out[parameter.name] = parameter.default
    return out


def constantly_checked(value: tree.Value, scope: Scope, context: Context) -> None:
    """Looks up the names in a value that has no place, so that what it uses counts as used; reports nothing."""
    quiet = context.on_trial()
    constant(value, scope, quiet)


def _value(parameter: Parameter, value: tree.Value, scope: Scope, context: Context, resolve: Resolve | None) -> Any:
    if resolve is not None and isinstance(parameter.kind, vocabulary.Reference | vocabulary.Expression):
        return resolve(parameter, value)
    return value_of(parameter.kind, value, scope, context)


def _too_many(word: Word, surplus: list[tree.Argument], context: Context) -> None:
    positional = [parameter for parameter in word.parameters if parameter.positional]
    named = [parameter for parameter in word.parameters if not parameter.positional]
    takes = article(len(positional), "value") + " by place" if positional else "no value by place"
    pairs = [f"{parameter.name}: {argument.span.text}" for parameter, argument in zip(named, surplus, strict=False)]
    text = surplus[0].span.source.text
    before = text[: surplus[0].span.start].rstrip().rstrip(",").rstrip().rpartition(" ")[2]
    whole = habits.split_digits(before, surplus[0].span.text)
    context.problems.add(
        rules.too_many_arguments,
        surplus[0].span.to(surplus[-1].span),
        f"`{word.name}` takes {takes}, and this is {'one' if len(surplus) == 1 else len(surplus)} more",
        help=f"digits are grouped by `_`: write `{whole}`"
        if whole is not None
        else f"further values have names: did you mean `{', '.join(pairs)}`?"
        if pairs
        else "remove it",
    )


def _unknown_argument(word: Word, name: tree.Name, context: Context) -> None:
    names = [parameter.name for parameter in word.parameters]
    found = suggestion(name.text, names) if len(names) != 1 else names[0]
    has = f"it takes {', '.join(f'`{n}`' for n in names)}" if names else "it takes no arguments"
    context.problems.add(
        rules.unknown_argument,
        name.span,
        f"`{word.name}` has no argument `{name.text}`",
        help=habits.ARGUMENTS.get(name.text) or (f"did you mean `{found}:`?" if found and found != name.text else has),
    )


def _missing(word: Word, parameter: Parameter, span: Span, context: Context) -> None:
    how = f"`{word.name} …`" if parameter.positional else f"`{parameter.name}: …`"
    context.problems.add(
        rules.missing_argument,
        span,
        f"`{word.name}` needs {expected(parameter.kind)}: its `{parameter.name}`",
        help=(f"write it behind the word, as in `{word.example}`" if word.example else f"write {how}"),
    )


def value_of(kind: Kind, value: tree.Value, scope: Scope, context: Context) -> Any:
    """The checked value of an argument of a kind (word.py says what it becomes); `LOST` after a reported mistake."""
    if isinstance(value, tree.Parenthesised) and not isinstance(kind, vocabulary.Count | vocabulary.Real):
        return value_of(kind, value.value, scope, context)
    match kind:
        case vocabulary.Choice():
            return _choice(kind, value, scope, context)
        case vocabulary.WordOf():
            return _word(kind, value, scope, context)
        case vocabulary.Scheduled():
            return _scheduled(kind, value, scope, context)
        case vocabulary.NetworkName():
            return _meant(value, scope, context, NetworkMeaning, "a network")
        case vocabulary.FieldName():
            return _meant(value, scope, context, FieldMeaning, "a data field")
        case vocabulary.FreeName():
            if isinstance(value, tree.Name):
                return value.text
            return wrong_type(context, value.span, kind, value_shown(value))
        case vocabulary.Reference() | vocabulary.Expression():
            return value
        case vocabulary.OneOf():
            return _one_of(kind, value, scope, context)
        case vocabulary.ListOf():
            if isinstance(value, tree.ListOf):
                items = tuple(value_of(kind.item, item, scope, context) for item in value.items)
                return LOST if LOST in items else items
            deferred = _deferred(value, scope, context)
            if deferred is not None:
                return value_of(kind, deferred.value, context.globals, context)
            return wrong_type(context, value.span, kind, value_shown(value))
        case vocabulary.Text() | vocabulary.Path() if isinstance(value, tree.Name) and scope.find(value.text) is None:
            return wrong_type(context, value.span, kind, value_shown(value))
    result = constant(value, scope, context)
    if result is LOST:
        return LOST
    found = checked(kind, result, value.span, context)
    if found is LOST and not isinstance(value, tree.Number | tree.Size | tree.String | tree.Switch):
        _point_at_definitions(value, scope, context)
    return found


def _point_at_definitions(value: tree.Value, scope: Scope, context: Context) -> None:
    """Shows where the names in a wrong value are defined; their other uses are then no further mistakes."""
    if context.trial:
        return  # the mistake is still to be told
    labels = []
    for name in names_in(value):
        meaning = scope.find(name.text)
        if isinstance(meaning, Deferred) and meaning.result is not None:
            labels.append(Label(meaning.span, f"`{name.text}` is {kind_of(meaning.result.value)}"))
            meaning.result = Constant(LOST)
    context.problems.label(value.span, labels)


def names_in(value: tree.Value) -> Iterator[tree.Name]:
    """The names that an expression reads."""
    match value:
        case tree.Name():
            yield value
        case tree.Binary():
            yield from names_in(value.left)
            yield from names_in(value.right)
        case tree.Unary():
            yield from names_in(value.operand)
        case tree.Parenthesised() | tree.Member():
            yield from names_in(value.value)
        case tree.Call():
            yield from names_in(value.function)
            for argument in value.arguments:
                yield from names_in(argument.value)
        case tree.Range():
            yield from names_in(value.low)
            yield from names_in(value.high)
        case tree.ListOf():
            for item in value.items:
                yield from names_in(item)


def _choice(kind: vocabulary.Choice, value: tree.Value, scope: Scope, context: Context) -> Any:
    if isinstance(value, tree.Name):
        if value.text in kind.names:
            return value.text
        deferred = _deferred(value, scope, context)
        if deferred is not None:
            return value_of(kind, deferred.value, context.globals, context)
        if value.text in context.skipped or isinstance(scope.find(value.text), Missing):
            return LOST
        context.problems.add(
            rules.wrong_type,
            value.span,
            f"expected {expected(kind)}, found the name `{value.text}`",
            help=did_you_mean(value.text, kind.names) or f"write {expected(kind)}",
        )
        return LOST
    return wrong_type(context, value.span, kind, value_shown(value))


def _deferred(value: tree.Value, scope: Scope, context: Context) -> Deferred | None:
    """The binding or param that a name stands for."""
    if not isinstance(value, tree.Name):
        return None
    meaning = scope.find(value.text)
    if not isinstance(meaning, Deferred):
        return None
    context.used.add(value.text)
    if meaning.evaluating:
        context.problems.add(
            rules.circular, meaning.span, f"`{value.text}` depends on itself", help="let it begin with a value"
        )
        return None
    return meaning


def _word(kind: vocabulary.WordOf, value: tree.Value, scope: Scope, context: Context) -> Any:
    call = value if isinstance(value, tree.Call) else None
    head = call.function if call is not None else value
    if not isinstance(head, tree.Name):
        return wrong_type(context, value.span, kind, value_shown(value))
    word = WORDS.get(kind.category, {}).get(head.text)
    if word is None:
        deferred = _deferred(head, scope, context) if call is None else None
        if deferred is not None:
            key = (kind, id(scope))
            if key not in deferred.kinds:
                deferred.evaluating = True
                deferred.kinds[key] = value_of(kind, deferred.value, scope, context)
                deferred.evaluating = False
            return deferred.kinds[key]
        meaning = scope.find(head.text)
        if isinstance(meaning, Constant) and isinstance(meaning.value, Call):
            return meaning.value
        if isinstance(meaning, Missing):
            return LOST
        context.unknown_word(head.text, kind.category, head.span)
        return LOST
    context.use(word)
    arguments = bind(word, call.arguments if call is not None else (), value.span, scope, context)
    if LOST in arguments.values():
        return LOST
    return Call(word.name, arguments)


def _scheduled(kind: vocabulary.Scheduled, value: tree.Value, scope: Scope, context: Context) -> Any:
    if isinstance(value, tree.Call) and isinstance(value.function, tree.Name):
        if value.function.text in WORDS.get("schedule", {}):
            return _word(vocabulary.WordOf("schedule"), value, scope, context)
        context.unknown_word(value.function.text, "schedule", value.function.span)
        return LOST
    if isinstance(value, tree.Name):
        if value.text in WORDS.get("schedule", {}) and scope.find(value.text) is None:
            return _word(vocabulary.WordOf("schedule"), value, scope, context)
        deferred = _deferred(value, scope, context)
        if deferred is not None and isinstance(deferred.value, tree.Call | tree.Name):
            deferred.evaluating = True
            result = _scheduled(kind, deferred.value, scope, context)
            deferred.evaluating = False
            return result
    result = constant(value, scope, context)
    if result is LOST:
        return LOST
    return checked(vocabulary.Real(kind.minimum), result, value.span, context)


def _meant(value: tree.Value, scope: Scope, context: Context, kind: type, what: str) -> Any:
    names = [f"`{name}`" for name in scope.named(kind)]
    known = f"write one of {', '.join(names)}, without parentheses" if names else f"define {what} first"
    if not isinstance(value, tree.Name):
        context.problems.add(rules.wrong_type, value.span, f"expected {what}, found {value_shown(value)}", help=known)
        return LOST
    meaning = scope.find(value.text)
    if isinstance(meaning, kind):
        context.used.add(value.text)
        return meaning.field.name if isinstance(meaning, FieldMeaning) else value.text
    if meaning is None:
        context.unknown_name(value, scope, what=what, among=[name.strip("`") for name in names])
        return LOST
    if not isinstance(meaning, Missing):
        context.problems.add(
            rules.wrong_type, value.span, f"expected {what}, and `{value.text}` is {described(meaning)}", help=known
        )
    return LOST


def _one_of(kind: vocabulary.OneOf, value: tree.Value, scope: Scope, context: Context) -> Any:
    """The first kind that takes the value; where none does, the mistake of the kind that came closest is reported."""
    closest = None
    for one in kind.kinds:
        attempt = context.on_trial()
        result = value_of(one, value, scope, attempt)
        if result is not LOST or len(attempt.problems) == 0:
            context.unbuilt.update(attempt.unbuilt)
            return result
        if closest is None and any(d.span != value.span or d.rule is not rules.wrong_type for d in attempt.problems):
            closest = one
    known_name = isinstance(value, tree.Name) and scope.find(value.text) is not None
    if isinstance(value, tree.Name) and not known_name:
        for one in kind.kinds:
            if isinstance(one, vocabulary.Choice) and suggestion(value.text, one.names, sole=False):
                return value_of(one, value, scope, context)
    plain_name = isinstance(value, tree.Name) and not isinstance(scope.find(value.text), Deferred)
    if closest is None or (plain_name and (known_name or _choices(kind))):
        return wrong_type(context, value.span, kind, value_shown(value))
    return value_of(closest, value, scope, context)


def _choices(kind: vocabulary.OneOf) -> bool:
    return any(isinstance(one, vocabulary.Choice | vocabulary.FreeName) for one in kind.kinds)
