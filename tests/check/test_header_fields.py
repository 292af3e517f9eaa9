"""Fields of headers: what a statement makes of what a source gives, and what it may not."""

from typing import Any

import pytest

from gendsl.check.headers import HeaderField, field_of, split_sizes
from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import symbol

IMAGE = HeaderField("image", "image", (28, 28, 1))


UNKNOWN = HeaderField("image", "image", (None, None, None))


def statement(**arguments: Any) -> Call:
    return Call(
        "image", {parameter.name: parameter.default for parameter in WORDS["data"]["image"].parameters} | arguments
    )


@pytest.mark.parametrize(
    ("given", "arguments", "shape"),
    [
        (IMAGE, {}, (28, 28, 1)),
        (IMAGE, {"size": (28, 28, 1), "resize": (32, 32)}, (32, 32, 1)),
        (IMAGE, {"resize": (32,), "channels": 3}, (32, 32, 3)),
        (IMAGE, {"resize": (72, 80), "crop": Call("random", {"size": (64, 60)})}, (64, 60, 1)),
        (IMAGE, {"crop": (20, 22)}, (20, 22, 1)),
        (UNKNOWN, {"size": (28, 28, 1)}, (28, 28, 1)),
        (UNKNOWN, {"resize": (32, 32)}, (32, 32, symbol("image.channels"))),
        (UNKNOWN, {}, (symbol("image.height"), symbol("image.width"), symbol("image.channels"))),
    ],
)
def test_fields(given: HeaderField, arguments: dict[str, Any], shape: tuple[Any, ...]) -> None:
    field, problems = field_of(given, statement(**arguments))
    assert (field.shape, problems) == (shape, ())


@pytest.mark.parametrize(
    ("arguments", "argument", "message"),
    [
        ({"size": (32, 32, 1)}, "size", "declared 32x32x1; the data is 28x28x1"),
        ({"crop": (20, 30)}, "crop", "a width of 28 before its crop to 30"),
        ({"range": (1, -1)}, "range", "from 1 to -1"),
    ],
)
def test_fields_that_do_not_fit(arguments: dict[str, Any], argument: str, message: str) -> None:
    _, problems = field_of(IMAGE, statement(**arguments))
    assert [problem.argument for problem in problems] == [argument]
    assert message in problems[0].message and problems[0].help


def test_classes() -> None:
    label = HeaderField("label", "label", (), 10)
    declared = {number: field_of(label, Call("label", {"classes": number})) for number in (None, 8, 10, 12)}
    assert {number: field.classes for number, (field, _) in declared.items()} == {None: 10, 8: 10, 10: 10, 12: 12}
    assert [number for number, (_, problems) in declared.items() if problems] == [8]
    unknown = HeaderField("label", "label", ())
    assert field_of(unknown, None)[0].classes == symbol("label.classes")
    assert field_of(unknown, Call("label", {"classes": 10}))[0].classes == 10


def test_named_sources_have_members_of_their_name() -> None:
    field, _ = field_of(UNKNOWN, None, name="a", source="a")
    assert (field.name, field.source, field.shape[2]) == ("a", "a", symbol("a.channels"))


@pytest.mark.parametrize("examples", [1, 2, 7, 1797, 60_000])
def test_shares(examples: int) -> None:
    assert sum(split_sizes(examples, {"train": 0.8, "test": 0.1, "validation": 0.1}).values()) == examples
    assert split_sizes(examples, {"train": 1.0}) == {"train": examples}
    assert split_sizes(1797, {"train": 0.9, "test": 0.1}) == {"train": 1617, "test": 180}
    assert split_sizes(100, {"train": 0.5, "test": 0.25}) == {"train": 50, "test": 25}
