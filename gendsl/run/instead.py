"""A run's plan and what `gendsl sample` asks otherwise in, the sample to draw and the fields it is given out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.plan.onward import sequence_of
from gendsl.plan.plan import Field, Plan, Sample
from gendsl.plan.rewritten import (
    generations,
    latents,
    mapping_of,
    samplers,
    truncatable,
    with_arguments,
    with_given,
    with_mean,
    with_truncation,
)
from gendsl.spelling import did_you_mean

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt

_DRAWN_FOR_MEAN = 10_000  # w of StyleGAN


@dataclass(frozen=True, slots=True)
class Instead:
    """What the command line says of samples; None where the spec's own word holds.

    `options` are those of `generate` by name; the samples begin with the prompts in turn, and take the labels in turn,
    classes by their names or numbers; `truncation` is the limit that normal priors are cut at, `psi` how far w may be
    from its mean, `steps` and `guidance` are of a sampler of a noising process."""

    prompts: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    truncation: float | None = None
    psi: float | None = None
    steps: int | None = None
    guidance: float | None = None


def sample_instead(run: "Rebuilt", instead: Instead) -> tuple[Sample | None, dict[str, NDArray[Any]]]:
    """The run's sample with the options, and the values of the fields that are given, whose rows the samples take in
    turn. Raises UserError."""
    sample, fields = run.plan.sample, dict[str, NDArray[Any]]()
    if instead.labels:
        known = label_field(run, "--label")
        numbers = [class_number(run, known, label) for label in instead.labels]
        fields[known.name] = np.asarray(numbers, np.int32)
    if sample is None:
        return None, fields
    if instead.steps is not None or instead.guidance is not None:
        sample = _with_sampler(run.plan, sample, instead)
    if instead.options or instead.prompts:
        sample, prompts = _with_generation(run, sample, instead)
        fields |= prompts
    if instead.psi is not None:
        sample, fields["mean_w"] = _with_psi(run, sample, instead.psi)
    if instead.truncation is not None:
        _refuse_truncation(run.plan, sample, instead.truncation)
        sample = with_truncation(sample, instead.truncation)
    return sample, fields


def _with_generation(run: "Rebuilt", sample: Sample, instead: Instead) -> tuple[Sample, dict[str, NDArray[Any]]]:
    numbers = generations(sample)
    if not numbers:
        named = "--prompt" if instead.prompts else f"--{next(iter(instead.options)).replace('_', '-')}"
        raise UserError(
            f"{named} is of `generate`, and samples of `{run.plan.experiment}` do not call it", "leave it out"
        )
    sample = with_arguments(sample, numbers, instead.options)
    _refuse(run, sample, instead)
    if not instead.prompts:
        return sample, {}
    prompts = _prompts(run, sample, instead.prompts)
    return with_given(sample, prompt=prompts.shape[1], known=int((prompts >= 0).sum(1).min())), {"prompt": prompts}


def _with_sampler(plan: Plan, sample: Sample, instead: Instead) -> Sample:
    """The samplers of noising processes take so many steps, or follow their conditions so far. Raises UserError."""
    numbers = samplers(sample)
    if not numbers:
        named = "--steps" if instead.steps is not None else "--guidance"
        raise UserError(
            f"{named} is of a sampler such as `ddim`, and samples of `{plan.experiment}` use none", "leave it out"
        )
    for number in numbers:
        attributes = sample.operations[number].attributes
        word, process = attributes["word"], attributes["process"]
        most = process.arguments.get("steps")
        if instead.steps is not None and "steps" not in attributes["arguments"]:
            raise UserError(
                f"`{word}` takes all {most:,} steps of its process: --steps does not change them",
                f"write `ddim` instead of `{word}` in `sample`: it takes as many as it is told",
            )
        if instead.steps is not None and most is not None and instead.steps > most:
            raise UserError(
                f"the process has {most:,} steps: `{word}` cannot take {instead.steps:,}", f"give at most {most:,}"
            )
        if instead.guidance is not None and not any(none is not None for none in attributes.get("none") or ()):
            raise UserError(
                f"`{attributes['network']}` was not trained to go without its conditions: --guidance leads nowhere",
                "leave it out; `dropped` in `train`, and `y: label or none`, train it so",
            )
    given = {"steps": instead.steps, "guidance": instead.guidance}
    return with_arguments(sample, numbers, {name: value for name, value in given.items() if value is not None})


def _refuse_truncation(plan: Plan, sample: Sample, limit: float) -> None:
    if not 0 < limit < float("inf"):
        raise UserError(
            f"a truncation of {limit:g} leaves nothing of a prior", "give a limit above 0, such as 0.5; 2 cuts little"
        )
    if not truncatable(sample):
        words = sorted(set(latents(sample).values()))
        made = f"a prior that is {' and '.join(words)}" if words else "no prior"
        raise UserError(
            f"--truncation cuts normal priors, and samples of `{plan.experiment}` are made from {made}", "leave it out"
        )


def _with_psi(run: "Rebuilt", sample: Sample, psi: float) -> tuple[Sample, NDArray[np.float32]]:
    """The sample drawn towards the mean of w by `psi`, and that mean (1, n). Raises UserError where there is no w."""
    from gendsl.evaluate.sampler import Sampler

    mapped = mapping_of(run.plan, sample)
    if mapped is None:
        raise UserError(
            f"--psi needs a network that maps the prior to w, and samples of `{run.plan.experiment}` have none",
            "write the mapping as a network of its own, `sample { image = synthesis(mapping()) }`; --truncation cuts "
            "the prior itself",
        )
    total, many = 0.0, 0
    drawing = Sampler(run.experiment, place="mean_w", sample=replace(sample, outputs=(("w", mapped),)))
    for chunk in drawing.chunks(_DRAWN_FOR_MEAN, seed=0):
        total, many = total + chunk["w"].sum(0, dtype=np.float64), many + len(chunk["w"])
    return with_mean(sample, mapped, psi), np.asarray(total / many, np.float32)[None]


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


def label_field(run: "Rebuilt", option: str) -> Field:
    """The label that a sample takes. Raises UserError where it takes none."""
    inputs = run.plan.sample.inputs if run.plan.sample is not None else ()
    field = next((one for one in run.plan.data.fields if one.name in inputs and one.kind == "label"), None)
    if field is None:
        raise UserError(f"a sample of `{run.plan.experiment}` takes no label", f"leave {option} out")
    return field


def class_names(run: "Rebuilt", field: Field) -> list[str]:
    """The names of a label's classes; their numbers where the data names none."""
    from gendsl.run.folder import read_json

    names = [str(name) for name in (read_json(run.folder.data) or {}).get("class_names") or ()]
    many = field.classes if isinstance(field.classes, int) else len(names)
    return names if names and len(names) == many else [str(number) for number in range(many)]


def class_number(run: "Rebuilt", field: Field, label: str) -> int:
    """The number of a class that is given by its name, or by its number. Raises UserError."""
    names = class_names(run, field)
    if label in names:
        return names.index(label)
    if label.isascii() and label.isdigit() and int(label) < len(names):
        return int(label)
    named = names != [str(number) for number in range(len(names))]
    there = f"they are 0 to {len(names) - 1}" + (
        f": {', '.join(names[:10])}{', …' if len(names) > 10 else ''}" if named else ""
    )
    raise UserError(f"`{label}` is no class of `{field.name}`", (did_you_mean(label, names) if named else "") or there)
