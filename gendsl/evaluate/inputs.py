"""A plan and its data in, values for the fields that a sample takes as inputs out: labels, or pictures to translate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.plan.plan import Field, Operation, Plan
from gendsl.vocabulary.types import Tensor

_POINTS = 1_024  # of a scatter picture
_PICTURES = 64
_TEXTS = 8
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
    counts = dataset.class_counts
    if label is None or counts is None:
        kinds = {field.kind for field in plan.data.fields}
        count = _POINTS if "point" in kinds else _TEXTS if "text" in kinds else _PICTURES
        return GridFields(examples_of(plan, dataset, count), count, None)
    columns = min(len(counts), _MOST_COLUMNS)
    count = _PICTURES // columns * columns
    labels = np.asarray(np.arange(count) % columns, np.int32)
    return GridFields({**examples_of(plan, dataset, count), label: labels}, count, columns)


def real_points(plan: Plan, dataset: Any) -> dict[str, NDArray[Any]]:
    """As many real points as a picture shows, by field; empty for other data."""
    names = [field.name for field in plan.data.fields if field.kind == "point" and field.shape == (2,)]
    return {name: dataset.split("train", _POINTS)[name] for name in names}


def output_field(plan: Plan, name: str, shape: tuple[int, ...]) -> Field | None:
    """The field that an output of a sample looks like: what its type means, else one of its name, else of its shape;
    of tokens, the text that their network reads."""
    numbers = dict(plan.sample.outputs) if plan.sample is not None else {}
    operation = plan.sample.operations[numbers[name]] if plan.sample is not None and name in numbers else None
    kind = operation.type if operation is not None else None
    if isinstance(kind, Tensor) and kind.integer and operation is not None:
        return _text_of(plan, operation) if len(shape) == 1 else None
    fields = {field.name: field for field in plan.data.fields if field.kind in ("image", "point", "row")}
    meant = fields.get(getattr(kind, "meaning", "")) or fields.get(name)
    return meant or next((field for field in fields.values() if _can_be(field, shape)), None)


def _text_of(plan: Plan, operation: Operation) -> Field | None:
    texts = {field.name: field for field in plan.data.fields if field.kind == "text"}
    network = next((one for one in plan.networks if one.name == operation.attributes.get("network")), None)
    read = [one.of for one in network.inputs if one.kind == "field"] if network is not None else []
    meaning = getattr(operation.type, "meaning", "")
    return next((texts[str(one)] for one in (*read, meaning, *texts) if one in texts), None)


def _can_be(field: Field, shape: tuple[int, ...]) -> bool:
    return len(field.shape) == len(shape) and all(
        size == there for size, there in zip(field.shape, shape, strict=True) if isinstance(size, int)
    )


def label_of(plan: Plan) -> str | None:
    """The label among the inputs of a sample; None if there is none."""
    kinds = {field.name: field.kind for field in plan.data.fields}
    inputs = plan.sample.inputs if plan.sample is not None else ()
    return next((name for name in inputs if kinds.get(name) == "label"), None)


def examples_of(plan: Plan, dataset: Any, count: int) -> dict[str, NDArray[Any]]:
    """The fields that a sample takes and does not draw: the first examples of the test split (else of `train`),
    repeated."""
    drawn = {field.name for field in plan.data.fields if field.drawn}
    inputs = plan.sample.inputs if plan.sample is not None else ()
    names = [name for name in inputs if name not in drawn]
    if not names:
        return {}
    split = "test" if "test" in dataset.sizes else "train"
    in_part = dataset.sizes[split] is None or dataset.on_disk
    read = dataset.split(split, count) if in_part else dataset.split(split)
    return {name: np.resize(read[name], (count, *np.shape(read[name])[1:])) for name in names}
