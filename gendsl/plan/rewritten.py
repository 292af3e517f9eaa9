"""A plan's sample in, the same with inputs of its own for `generate` out: prompts, and the temperature."""

from dataclasses import replace

from gendsl.plan.plan import Operation, Sample
from gendsl.vocabulary.types import Scalar, Tensor


def generations(sample: Sample) -> tuple[int, ...]:
    """The numbers of its calls of `generate`."""
    return tuple(
        number
        for number, one in enumerate(sample.operations)
        if one.name == "function" and one.attributes["word"] == "generate"
    )


def generated_by(sample: Sample) -> str | None:
    """The network that generates a sample token by token, where a sample is just that; "" where none is generated, and
    None where something is made of what is."""
    numbers = generations(sample)
    if not numbers:
        return ""
    if [number for _, number in sample.outputs] != list(numbers[:1]):
        return None
    return str(sample.operations[numbers[0]].attributes["network"])


def with_given(sample: Sample, *, prompt: int | None = None, known: int = 0, temperature: bool = False) -> Sample:
    """Each `generate` begins with the field `prompt`, tokens (batch, `prompt`) with -1 behind them, of which the first
    `known` are there in all; with `temperature` it takes that field, a scalar, for its own."""
    fields: list[Operation] = []
    if prompt is not None:
        fields.append(Operation("field", (), {"name": "prompt"}, Tensor((prompt,), "prompt", True)))
    if temperature:
        fields.append(Operation("field", (), {"name": "temperature"}, Scalar()))
    names, shift = tuple(str(one.attributes["name"]) for one in fields), len(fields)
    told = set(generations(sample))
    operations = [replace(one, inputs=tuple(number + shift for number in one.inputs)) for one in sample.operations]
    for number in told:
        one = operations[number]
        attributes = {**one.attributes, "given": names, "known": known}
        operations[number] = replace(one, inputs=(*one.inputs, *range(shift)), attributes=attributes)
    outputs = tuple((name, number + shift) for name, number in sample.outputs)
    return replace(sample, outputs=outputs, operations=(*fields, *operations))
