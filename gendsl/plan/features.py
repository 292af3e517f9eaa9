"""A plan and one of its fields in, what its scores take features with out: it depends on the spec alone."""

from collections.abc import Mapping
from typing import Any

from gendsl.plan.plan import Call, Field, Plan


def automatic(field: Field, fields: tuple[Field, ...]) -> str:
    """The extractor that `auto` stands for, never what is installed: `classifier` for labelled grey pictures, `lite0`
    for other pictures, `pixels` for points and rows; "" for what has no features."""
    if field.kind == "image":
        grey = field.shape[-1] == 1
        return "classifier" if grey and label_beside(field, fields) is not None else "lite0"
    return "pixels" if field.kind in ("point", "row") else ""


def label_beside(field: Field, fields: tuple[Field, ...]) -> Field | None:
    """The label of a field's examples: that of the same source."""
    return next((one for one in fields if one.kind == "label" and one.source == field.source), None)


def extractor_of(score: Call, arguments: Mapping[str, Any], field: Field, fields: tuple[Field, ...]) -> str | Call:
    """What a score takes a field's features with: the path of a `.keras` file, or a `Call` that is not `auto`.

    `arguments` are those of the `evaluate` block, whose `features:` holds for scores that say nothing themselves."""
    given = score.arguments.get("features") or arguments.get("features")
    if isinstance(given, str):
        return given
    if isinstance(given, Call) and given.word != "auto":
        return given
    return Call(automatic(field, fields), {})


def scored_fields(plan: Plan) -> tuple[Field, ...]:
    """The fields that scores can be taken of."""
    return tuple(field for field in plan.data.fields if field.kind in ("image", "point", "row"))
