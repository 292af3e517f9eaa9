"""A run's plan and what `gendsl sample` asks otherwise in, the sample to draw and the fields it is given out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.plan.onward import sequence_of
from gendsl.plan.plan import Plan, Sample
from gendsl.plan.rewritten import generations, with_given
from gendsl.spelling import did_you_mean

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt


@dataclass(frozen=True, slots=True)
class Instead:
    """What the command line says of samples; None where the spec's own word holds.

    `options` are those of `generate` by name; the samples begin with the prompts in turn; `label` is a class by its
    name or number."""

    prompts: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    label: str | None = None


def sample_instead(run: "Rebuilt", instead: Instead, n: int) -> tuple[Sample | None, dict[str, NDArray[Any]]]:
    """The run's sample with the options, and values (n, …) of the fields that are given. Raises UserError."""
    sample, fields = run.plan.sample, dict[str, NDArray[Any]]()
    if instead.label is not None:
        fields |= _labels(run, instead.label, n)
    if not instead.options and not instead.prompts:
        return sample, fields
    numbers = generations(sample) if sample is not None else ()
    if sample is None or not numbers:
        named = "--prompt" if instead.prompts else f"--{next(iter(instead.options)).replace('_', '-')}"
        raise UserError(
            f"{named} is of `generate`, and samples of `{run.plan.experiment}` do not call it", "leave it out"
        )
    operations = list(sample.operations)
    for number in numbers:
        operation = operations[number]
        arguments = {**operation.attributes["arguments"], **instead.options}
        operations[number] = replace(operation, attributes={**operation.attributes, "arguments": arguments})
    sample = replace(sample, operations=tuple(operations))
    _refuse(run, sample, instead)
    if instead.prompts:
        prompts = _prompts(run, sample, instead.prompts)
        sample = with_given(sample, prompt=prompts.shape[1], known=int((prompts >= 0).sum(1).min()))
        fields["prompt"] = prompts[np.arange(n) % len(prompts)]
    return sample, fields


def _prompts(run: "Rebuilt", sample: Sample, texts: Sequence[str]) -> NDArray[np.int32]:
    """Tokens (prompts, n), -1 behind each."""
    field = _field(run.plan, sample)
    known = run.experiment.beginnings.get(field)
    if known is None:
        raise UserError(f"`{field}` is no text: no prompt can be written for it", "leave --prompt out")
    found = [known.tokens(text) for text in texts]
    longest = max(len(one) for one in found)
    return np.stack([np.pad(one, (0, longest - len(one)), constant_values=-1) for one in found]).astype(np.int32)


def _field(plan: Plan, sample: Sample) -> str:
    operation = sample.operations[generations(sample)[0]]
    return str(plan.network(operation.attributes["network"]).inputs[0].of)


def _refuse(run: "Rebuilt", sample: Sample, instead: Instead) -> None:
    from gendsl.lower.beginnings import refuse_long, refuse_prompts

    for number in generations(sample):
        operation = sample.operations[number]
        network, length = run.plan.network(operation.attributes["network"]), operation.attributes["arguments"]["length"]
        known = run.experiment.beginnings.get(str(network.inputs[0].of))
        for tokens in [known.tokens(text) for text in instead.prompts] if known is not None else ():
            refuse_long(len(tokens), sequence_of(network), length)
    if not instead.prompts:
        refuse_prompts(replace(run.plan, sample=sample, evaluations=()), run.experiment.beginnings)


def _labels(run: "Rebuilt", label: str, n: int) -> dict[str, NDArray[np.int32]]:
    from gendsl.run.folder import read_json

    inputs = run.plan.sample.inputs if run.plan.sample is not None else ()
    field = next((one for one in run.plan.data.fields if one.name in inputs and one.kind == "label"), None)
    if field is None:
        raise UserError(f"a sample of `{run.plan.experiment}` takes no label", "leave --label out")
    names = [str(name) for name in (read_json(run.folder.data) or {}).get("class_names") or ()]
    many = field.classes if isinstance(field.classes, int) else len(names)
    if label in names:
        number = names.index(label)
    elif label.isascii() and label.isdigit() and int(label) < many:
        number = int(label)
    else:
        there = f"they are 0 to {many - 1}" + (
            f": {', '.join(names[:10])}{', …' if len(names) > 10 else ''}" if names else ""
        )
        raise UserError(f"`{label}` is no class of `{field.name}`", did_you_mean(label, names) or there)
    return {field.name: np.full(n, number, np.int32)}
