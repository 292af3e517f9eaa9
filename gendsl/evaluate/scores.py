"""A plan, an experiment and its data in; the numbers of an `evaluate` block out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.diversity import diversity
from gendsl.evaluate.equations import Equations
from gendsl.evaluate.inputs import output_field
from gendsl.evaluate.modes import modes
from gendsl.evaluate.sampler import Sampler
from gendsl.lower.data import modes_of
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Evaluation, Plan

_DEFAULT_SAMPLES = 1_000


@dataclass(slots=True)
class Evaluator:
    """Takes the scores of a plan's `evaluate` blocks; samples are drawn with the averaged weights."""

    plan: Plan
    experiment: Any
    dataset: Any
    sampler: Sampler
    fields: Callable[[int], dict[str, NDArray[Any]]]
    _real: dict[tuple[str, int], dict[str, NDArray[Any]]] = field(default_factory=dict)
    _equations: dict[int, Equations] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises UserError for a score that this data can never have, before training starts."""
        for evaluation in self.plan.evaluations:
            for call in evaluation.scores:
                if call.word == "modes" and _mixture(self.plan) is None:
                    source = self.plan.data.sources[0].call.word
                    raise UserError(
                        f"`modes` needs a mixture whose modes are known, and `{source}` is none",
                        "score `diversity` instead, or use `source gaussians(…)`",
                    )

    def scores(self, number: int) -> dict[str, float]:
        """The numbers of the block of that number, by name; those that are not built yet are left out."""
        evaluation = self.plan.evaluations[number]
        count = evaluation.samples or _DEFAULT_SAMPLES
        samples: dict[str, NDArray[Any]] = {}
        found: dict[str, float] = {}
        for call in evaluation.scores:
            taken = _SCORES.get(call.word)
            if taken is None:
                continue
            if not samples:
                samples = self.sampler.samples(count, seed=0, fields=self.fields(count))
            found |= taken(self, evaluation, call, samples)
        if number not in self._equations:
            self._equations[number] = Equations(self.experiment, evaluation, number=number)
        equations = self._equations[number]
        if equations.names:
            split = self.split(str(evaluation.arguments.get("split") or self._held_out), count)
            found |= equations.averages(split, batch=self.plan.data.batch)
        return found

    @property
    def _held_out(self) -> str:
        return "test" if "test" in self.dataset.sizes else "train"

    def split(self, split: str, count: int) -> dict[str, NDArray[Any]]:
        """Examples of a split, transformed and not augmented; read once."""
        if (split, count) not in self._real:
            in_part = self.dataset.sizes.get(split) is None or self.dataset.on_disk
            read = self.dataset.split(split, count) if in_part else self.dataset.split(split)
            self._real[split, count] = {name: np.asarray(values) for name, values in read.items()}
        return self._real[split, count]


def _diversity(
    evaluator: Evaluator, evaluation: Evaluation, call: Call, samples: Mapping[str, NDArray[Any]]
) -> dict[str, float]:
    found = {}
    for name, values in samples.items():
        of = output_field(evaluator.plan, name, values.shape[1:])
        if of is None:
            continue
        # The training split: it has the most examples, and as many as there are samples are needed.
        real = evaluator.split(str(evaluation.arguments.get("split") or "train"), len(values))[of.name]
        found["diversity" if len(samples) == 1 else f"diversity/{name}"] = diversity(values, real)
    return found


def _modes(
    evaluator: Evaluator, evaluation: Evaluation, call: Call, samples: Mapping[str, NDArray[Any]]
) -> dict[str, float]:
    mixture = _mixture(evaluator.plan)
    points = next((values for values in samples.values() if values.ndim == 2), None)
    if mixture is None or points is None:
        return {}
    return modes(points, *mixture, within=float(call.arguments["within"]))


_SCORES: dict[str, Callable[[Evaluator, Evaluation, Call, Mapping[str, NDArray[Any]]], dict[str, float]]] = {
    "diversity": _diversity,
    "modes": _modes,
}


def _mixture(plan: Plan) -> tuple[NDArray[np.float64], float] | None:
    call = plan.data.sources[0].call
    centres = modes_of(call)
    return None if centres is None else (np.asarray(centres, np.float64), float(call.arguments["std"]))
