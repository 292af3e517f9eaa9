"""A plan and its data in, values for the fields that a sample takes as inputs out: labels, or pictures to translate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.plan.plan import Plan

_PICTURES = 64
_MOST_COLUMNS = 16


@dataclass(frozen=True, slots=True)
class GridFields:
    """What a grid of samples is drawn from: its fields, how many there are, and columns where they mean something."""

    fields: Mapping[str, NDArray[Any]]
    count: int
    columns: int | None


def grid_of_fields(plan: Plan, dataset: Any) -> GridFields:
    """The inputs of a run's pictures, always the same: a column a class, or the first examples of a split."""
    label = label_of(plan)
    classes = class_count(plan, dataset.class_counts)
    if label is None or not classes:
        return GridFields(examples_of(plan, dataset, _PICTURES, without=None), _PICTURES, None)
    columns = min(classes, _MOST_COLUMNS)
    count = _PICTURES // columns * columns
    given = examples_of(plan, dataset, count, without=label)
    return GridFields({**given, label: _labels(np.arange(count) % columns)}, count, columns)


def typical_fields(plan: Plan, dataset: Any, count: int) -> dict[str, NDArray[Any]]:
    """Inputs for `count` samples as the data has them: labels in the frequencies of the training split."""
    label = label_of(plan)
    given = examples_of(plan, dataset, count, without=label)
    classes = class_count(plan, dataset.class_counts)
    if label is not None and classes:
        given[label] = typical_labels(dataset.class_counts, classes, count)
    return given


def typical_labels(counts: Any, classes: int, count: int) -> NDArray[np.int32]:
    """`count` labels that follow the frequencies of classes (even ones if `counts` is None), the same ones each time.

    Label i does not depend on how many are asked for: it stands where (i + 1/2) times the golden ratio, modulo 1, falls
    among the cumulative frequencies; such points fill [0, 1) evenly.
    """
    weights = np.ones(classes) if counts is None else np.asarray(counts, np.float64)
    points = ((np.arange(count) + 0.5) * ((np.sqrt(5) - 1) / 2)) % 1
    found = np.searchsorted(np.cumsum(weights / weights.sum()), points, side="right")
    return _labels(np.minimum(found, classes - 1))


def label_of(plan: Plan) -> str | None:
    """The label among the inputs of a sample; None if there is none."""
    kinds = {field.name: field.kind for field in plan.data.fields}
    inputs = plan.sample.inputs if plan.sample is not None else ()
    return next((name for name in inputs if kinds.get(name) == "label"), None)


def class_count(plan: Plan, counts: Any) -> int:
    """How many classes the label has; 0 if there is none or nobody knows."""
    if counts is not None:
        return len(counts)
    label = label_of(plan)
    known = next((field.classes for field in plan.data.fields if field.name == label), None)
    return known if isinstance(known, int) else 0


def examples_of(plan: Plan, dataset: Any, count: int, *, without: str | None) -> dict[str, NDArray[Any]]:
    """The fields that a sample takes, but `without`: the first examples of the test split (else `train`)."""
    names = [name for name in (plan.sample.inputs if plan.sample is not None else ()) if name != without]
    if not names:
        return {}
    split = "test" if "test" in dataset.sizes else "train"
    read = dataset.split(split, count) if dataset.sizes[split] is None else dataset.split(split)
    return {name: np.resize(read[name], (count, *np.shape(read[name])[1:])) for name in names}


def _labels(values: NDArray[Any]) -> NDArray[np.int32]:
    return np.asarray(values, np.int32)
