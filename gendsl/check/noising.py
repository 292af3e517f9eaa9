"""Calls of samplers and of `dropped` in, what their operations say beside the arguments out."""

from collections.abc import Mapping, Sequence
from typing import Any

from gendsl.check.scope import FieldMeaning, Scope
from gendsl.plan.plan import Input, Network, Operation
from gendsl.vocabulary.dimensions import same_shape
from gendsl.vocabulary.types import Tensor
from gendsl.vocabulary.word import Mismatch


def sampled_inputs(network: Network, options: Mapping[str, Any]) -> tuple[Input, ...] | Mismatch:
    """The inputs of a sampled network beside the noisy value and the time; they are drawn, or the batch's."""
    first, *others = network.inputs
    (output, *more) = network.outputs
    if more or not isinstance(output.type, Tensor) or not same_shape(first.shape, output.type.shape):
        return Mismatch(
            f"takes a network that gives what its first input is like, and `{network.name}` does not",
            "as in `network denoiser(x: image, t: time) -> image`",
        )
    if sum(one.kind == "time" for one in others) != 1:
        return Mismatch(
            f"tells its network the time, and `{network.name}` has no input for it",
            f"give it one: `network {network.name}({first.name}: …, t: time)`",
        )
    if options["guidance"] != 1 and not any(one.optional for one in others):
        named = next((one for one in others if one.kind in ("field", "condition")), None)
        return Mismatch(
            f"is guided away from what `{network.name}` gives without a condition, and that always has one"
            if named is not None
            else f"is guided by a condition, and `{network.name}` has none",
            f"declare `{named.name}: {named.of} or none`, and train it on `dropped({named.of}, 10%)`"
            if named is not None
            else "leave out `guidance`",
        )
    return tuple(one for one in others if one.kind != "time")


def bounds_of(network: Network, scope: Scope) -> tuple[float, float] | None:
    """The range of the pictures that a network gives; None where it gives none."""
    meaning = getattr(network.outputs[0].type, "meaning", "")
    found = scope.find(meaning) if meaning else None
    if not isinstance(found, FieldMeaning) or found.field.kind != "image":
        return None
    low, high = found.field.arguments.get("range") or (0, 1)
    return float(low), float(high)


def classes_of(given: Operation, scope: Scope) -> Any:
    """How many classes a label has, as the number that stands for none; None for what is no label."""
    assert isinstance(given.type, Tensor)
    found = scope.find(given.type.meaning) if given.type.integer else None
    return found.field.classes if isinstance(found, FieldMeaning) else None


def none_of(inputs: Sequence[Input], scope: Scope) -> tuple[Any, ...]:
    """What stands for none at each of a network's inputs: a label's number of classes, 0 for numbers, else None."""
    found: list[Any] = []
    for one in inputs:
        meaning = scope.find(one.of) if isinstance(one.of, str) else None
        classes = meaning.field.classes if isinstance(meaning, FieldMeaning) else None
        found.append(None if not one.optional else classes if one.integer else 0)
    return tuple(found)
