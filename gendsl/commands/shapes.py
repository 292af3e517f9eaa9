"""A layer's word in, lines out that show what its example makes of typical inputs: shapes, parameters, FLOPs."""

from collections.abc import Iterator
from typing import Any

from gendsl.diagnostics import Problems
from gendsl.source import Source
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.vocabulary import word as vocabulary
from gendsl.vocabulary.dimensions import Shape, product, shown
from gendsl.vocabulary.word import REQUIRED, Inferred, LayerWord

# What flows into a layer: an image, a volume, a sequence, features, a label.
TYPICAL: tuple[Shape, ...] = ((16, 16, 32), (8, 16, 16, 32), (64, 32), (128,), (4096,), ())
TOKENS: tuple[Shape, ...] = ((64,), ())  # whole numbers


def shapes_of(word: LayerWord) -> list[str]:
    """`16x16x32 -> 8x8x64, 18,496 parameters, 2.4 MFLOPs` for each typical input that the layer takes."""
    arguments = _arguments(word)
    if arguments is None:
        return []
    references = [p for p in word.parameters if isinstance(p.kind, vocabulary.Reference)]
    lines = []
    flows = (TOKENS if 0 in word.integers else TYPICAL) if word.flow else ((),)
    for flow in flows:
        others = _others(flow, len(references))
        for shapes in others:
            given = (flow, *shapes) if word.flow else shapes
            try:
                found = word.infer(arguments, given)
            except Exception:  # an example that needs more than constants shows nothing
                continue
            if isinstance(found, Inferred):
                lines.append(_line(word, given, found))
                break
    return lines[:3]


def _others(flow: Shape, count: int) -> list[tuple[Shape, ...]]:
    if count == 0:
        return [()]
    if count == 1:
        return [((),), (flow,), ((128,),)]
    return [((128,), ()), (flow, flow)]


def _line(word: LayerWord, given: tuple[Shape, ...], found: Inferred) -> str:
    weights = sum((product(weight.shape) for weight in found.weights if weight.trainable), 0)
    inputs = [_one(shape, integer=number in word.integers) for number, shape in enumerate(given)]
    line = f"{' and '.join(inputs)} -> {_one(found.shape)}"
    if weights:
        line += f", {weights:,} parameters" if isinstance(weights, int) else f", {weights} parameters"
    if isinstance(found.flops, int) and found.flops:
        line += f", {found.flops:,} FLOPs"
    return line


def _one(shape: Shape, *, integer: bool = False) -> str:
    if integer:
        return f"{shown(shape)} tokens" if shape else "a label"
    return shown(shape) if shape else "a number"


def _steps(statements: tuple[tree.Statement, ...]) -> Iterator[tree.Step]:
    for statement in statements:
        if isinstance(statement, tree.Chain):
            for step in statement.steps:
                yield step
                if step.block is not None:
                    yield from _steps(step.block.statements)


def _arguments(word: LayerWord) -> dict[str, Any] | None:
    """The example's constants by the names of their parameters; None where the example needs more than those."""
    problems = Problems()
    spec = parse(Source("", word.example), problems)
    if problems.failed:
        return None
    step = next((step for step in _steps(spec.statements) if step.word == word.name), None)
    if step is None:
        return None
    found: dict[str, Any] = {parameter.name: parameter.default for parameter in word.parameters}
    places = [parameter for parameter in word.parameters if parameter.positional]
    for number, argument in enumerate(step.arguments):
        parameter = (
            places[min(number, len(places) - 1)] if argument.name is None else word.parameter(argument.name.text)
        )
        if parameter is None:
            return None
        value = _constant(argument.value)
        if value is None and not isinstance(parameter.kind, vocabulary.Reference):
            return None
        if parameter.many:
            value = (*found[parameter.name], value) if isinstance(found[parameter.name], tuple) else (value,)
        found[parameter.name] = value
    if "classes" in found and found["classes"] is None:
        found["classes"] = 10
    missing = [p for p in word.parameters if found[p.name] is REQUIRED and not isinstance(p.kind, vocabulary.Reference)]
    return None if missing else found


def _constant(value: tree.Value) -> Any:
    match value:
        case tree.Number():
            number = value.value
            return int(number) if number.denominator == 1 and "." not in value.text else float(number)
        case tree.Size():
            return value.value
        case tree.Switch():
            return value.value
        case tree.Name():
            return value.text
        case tree.Member():
            return 256  # as a byte's `text.vocabulary` is
        case tree.ListOf():
            return tuple(_constant(item) for item in value.items)
    return None
