"""A plan's sample in, the same drawn otherwise than the spec says out: from prompts, cut priors, in other steps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gendsl.plan.plan import Operation, Plan, Sample
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
    names, shift, told = tuple(str(one.attributes["name"]) for one in fields), len(fields), generations(sample)
    sample = behind(fields, sample)
    operations = list(sample.operations)
    for number in told:
        one = operations[number + shift]
        attributes = {**one.attributes, "given": names, "known": known}
        operations[number + shift] = replace(one, inputs=(*one.inputs, *range(shift)), attributes=attributes)
    return replace(sample, operations=tuple(operations))


def latents(sample: Sample) -> dict[int, str]:
    """The operations that draw what a sample is made of, each with the word of its distribution: priors, and draws from
    standard distributions (`z ~ normal(64)`)."""
    found = {}
    for number, one in enumerate(sample.operations):
        if one.name == "prior":
            found[number] = str(one.attributes["call"].word)
        elif one.name == "draw" and not sample.operations[one.inputs[0]].inputs:
            word = sample.operations[one.inputs[0]].name
            if word in ("normal", "truncated_normal", "uniform", "categorical", "bernoulli"):
                found[number] = word
    return found


def truncatable(sample: Sample) -> tuple[int, ...]:
    """The numbers of the draws from normal priors, which may be cut."""
    return tuple(number for number, word in latents(sample).items() if word in ("normal", "truncated_normal"))


def with_truncation(sample: Sample, limit: float | None = None) -> Sample:
    """Numbers drawn from normal priors are within -limit..limit; by None, that of the field `truncation`, a scalar."""
    name, attributes = ("field", {"name": "truncation"}) if limit is None else ("constant", {"value": limit})
    cut = truncatable(sample)
    sample = behind([Operation(name, (), attributes, Scalar())], sample)
    operations = list(sample.operations)
    for number in cut:
        operations[number + 1] = replace(operations[number + 1], inputs=(*operations[number + 1].inputs, 0))
    return replace(sample, operations=tuple(operations))


def samplers(sample: Sample) -> tuple[int, ...]:
    """The numbers of the operations that are samplers of noising processes."""
    return tuple(
        number
        for number, one in enumerate(sample.operations)
        if one.name == "function" and "process" in one.attributes and "network" in one.attributes
    )


def with_arguments(sample: Sample, numbers: Sequence[int], arguments: Mapping[str, Any]) -> Sample:
    """The operations of some numbers have other arguments."""
    operations = list(sample.operations)
    for number in numbers:
        one = operations[number]
        changed = {**one.attributes["arguments"], **arguments}
        operations[number] = replace(one, attributes={**one.attributes, "arguments": changed})
    return replace(sample, operations=tuple(operations))


def mapping_of(plan: Plan, sample: Sample) -> int | None:
    """The number of the call whose result w another network makes the sample of, as in StyleGAN: its inputs are priors
    alone, and it gives a list of numbers that only calls of networks read. None where there is none, or several."""
    drawn, found = latents(sample), []
    for number, one in enumerate(sample.operations):
        read_by = [other for other in sample.operations if number in other.inputs]
        if one.name != "call" or not one.inputs or not all(at in drawn for at in one.inputs):
            continue
        if len(plan.network(one.attributes["network"]).outputs) > 1 or len(getattr(one.type, "shape", ())) != 1:
            continue
        if isinstance(one.type, Tensor) and read_by and all(other.name == "call" for other in read_by):
            found.append(number)
    return found[0] if len(found) == 1 else None


def with_mean(sample: Sample, mapped: int, psi: float) -> Sample:
    """What the call `mapped` gives is drawn towards its mean: w becomes mean + psi·(w - mean), where the mean (batch,
    n) is the field `mean_w`. Karras et al. 2019, https://arxiv.org/abs/1812.04948, appendix B."""
    kind = sample.operations[mapped].type
    kept, read = sample.operations[: mapped + 1], sample.operations[mapped + 1 :]
    here = len(kept)
    added = (
        Operation("field", (), {"name": "mean_w"}, kind),
        Operation("subtract", (mapped, here), {}, kind),
        Operation("constant", (), {"value": psi}, Scalar()),
        Operation("multiply", (here + 1, here + 2), {}, kind),
        Operation("add", (here, here + 3), {}, kind),
    )

    def moved(number: int) -> int:
        if number == mapped:
            return here + len(added) - 1
        return number if number < here else number + len(added)

    later = tuple(replace(one, inputs=tuple(map(moved, one.inputs))) for one in read)
    outputs = tuple((name, moved(number)) for name, number in sample.outputs)
    return replace(sample, outputs=outputs, operations=(*kept, *added, *later))


def behind(first: Sequence[Operation], sample: Sample) -> Sample:
    """A sample with further operations before its own."""
    shift = len(first)
    operations = [replace(one, inputs=tuple(number + shift for number in one.inputs)) for one in sample.operations]
    outputs = tuple((name, number + shift) for name, number in sample.outputs)
    return replace(sample, outputs=outputs, operations=(*first, *operations))
