"""A field as its source gives it and its statement in, the field as networks see it out, with what does not fit."""

from collections.abc import Mapping
from typing import Any

from gendsl.check.headers.header import HeaderField
from gendsl.frozen import dataclass
from gendsl.plan.plan import Call, Field
from gendsl.vocabulary.dimensions import Dimension, Shape, symbol

_AXES = {
    "image": ("height", "width", "channels"),
    "row": ("width",),
    "point": ("size",),
    "text": ("window",),
    "condition": ("width",),
    "label": (),
}
_COUNTED = {"label": "classes", "text": "vocabulary"}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A statement that does not fit its data; `argument` is the name of the parameter that is wrong."""

    message: str
    help: str
    argument: str


def field_of(
    given: HeaderField,
    statement: Call | None,
    *,
    name: str = "",
    source: str = "",
    window: Dimension | None = None,
) -> tuple[Field, tuple[FieldProblem, ...]]:
    """The field that a statement (`image resize: 32x32`) makes of what a source gives, and what does not fit.

    `statement` is None where the spec has none for the field; `name` is a named source's, and `given.name` if empty.
    Sizes that neither the data nor the statement say are symbols: `image.height`, `a.channels`, `label.classes`,
    `text.vocabulary`, `row.width`. `window` is the length of a text.
    """
    name = name or given.name
    arguments: Mapping[str, Any] = statement.arguments if statement is not None else {}
    known, problems = _declared(given, arguments, name)
    shape: list[Dimension] = [
        symbol(f"{name}.{axis}") if size is None else size for size, axis in zip(known, _AXES[given.kind], strict=True)
    ]
    if given.kind == "image":
        problems += _transform(shape, arguments, name)
    if given.kind == "text" and window is not None:
        shape = [window]
    classes: Dimension | None = None
    if given.kind in _COUNTED:
        member = _COUNTED[given.kind]
        declared = arguments.get(member)
        classes = _counted(given.classes, declared)
        if classes is None:
            classes = symbol(f"{name}.{member}")
        if declared is not None and given.classes is not None and declared < given.classes:
            told = "classes" if member == "classes" else "tokens"
            problems += (
                FieldProblem(
                    f"`{name}` is declared with {declared} {told}; the data has {given.classes}",
                    f"write `{given.kind} {given.classes}`, or leave the number out",
                    member,
                ),
            )
    return Field(name, given.kind, tuple(shape), source, classes, dict(arguments)), problems


def output_channels(given: int | None, arguments: Mapping[str, Any]) -> int | None:
    """The channels of an image after its statement: those asked for, else those of the data."""
    wanted = arguments.get("channels")
    return int(wanted) if wanted is not None else given


def _counted(given: int | None, declared: Any) -> Dimension | None:
    """How many classes: what the spec declares if the data has no more, which it may where a class is not in it."""
    if declared is None or (given is not None and isinstance(declared, int) and declared < given):
        return given
    result: Dimension = declared
    return result


def _declared(
    given: HeaderField, arguments: Mapping[str, Any], name: str
) -> tuple[list[Dimension | None], tuple[FieldProblem, ...]]:
    """The sizes before transforms: the data's, else those declared; and a problem where both are known and differ."""
    sizes: list[Dimension | None] = list(given.shape)
    parameter = {"image": "size", "row": "width", "point": "size"}.get(given.kind, "")
    value = arguments.get(parameter) if parameter else None
    if value is None:
        return sizes, ()
    declared = tuple(value) if isinstance(value, tuple) else (value,)
    merged = [have if have is not None else said for have, said in zip(sizes, declared, strict=False)]
    differs = any(
        isinstance(said, int) and have is not None and have != said for have, said in zip(sizes, declared, strict=False)
    )
    if len(declared) == len(sizes) and not differs:
        return merged, ()
    has = "x".join("?" if size is None else str(size) for size in sizes)
    told = "x".join(map(str, declared))
    help = f"write `{given.kind} {has}`, or leave the size out" if "?" not in has else "leave the size out"
    if given.kind == "image" and len(declared) == len(sizes):
        help += f"; `resize: {declared[0]}x{declared[1]}` scales the pictures"
    return sizes, (FieldProblem(f"`{name}` is declared {told}; the data is {has}", help, parameter),)


def _transform(shape: list[Dimension], arguments: Mapping[str, Any], name: str) -> tuple[FieldProblem, ...]:
    """Applies channels, resize and crop to an image's shape, in place."""
    problems: tuple[FieldProblem, ...] = ()
    channels = arguments.get("channels")
    if channels is not None:
        shape[2] = channels
    if arguments.get("resize") is not None:
        shape[0], shape[1] = _sides(arguments["resize"])
    crop = arguments.get("crop")
    if crop is not None:
        height, width = _sides(crop.arguments["size"] if isinstance(crop, Call) else crop)
        for axis, (have, want) in enumerate(((shape[0], height), (shape[1], width))):
            if isinstance(have, int) and isinstance(want, int) and want > have:
                side = ("height", "width")[axis]
                problems = (
                    FieldProblem(
                        f"`{name}` has a {side} of {have} before its crop to {want}",
                        f"crop to {shape[0]}x{shape[1]} or less, or `resize` to more first",
                        "crop",
                    ),
                )
        shape[0], shape[1] = height, width
    span = arguments.get("range")
    if span is not None and not span[0] < span[1]:
        problems += (
            FieldProblem(
                f"the range of `{name}` goes from {span[0]} to {span[1]}", "write the lower number first", "range"
            ),
        )
    return problems


def _sides(value: Any) -> Shape:
    sides = tuple(value) if isinstance(value, tuple) else (value,)
    return sides if len(sides) == 2 else (sides[0], sides[0])
