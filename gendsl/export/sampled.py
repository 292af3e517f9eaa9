"""A run and what is ordered of it in, what its samples are made from and given as out: the parts of its endpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.export.answers import Output, answers_of, as_bytes, as_png, as_text, from_bytes, outputs_of
from gendsl.export.order import Order
from gendsl.export.ports import Answer, Given
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Field, Sample
from gendsl.run.folder import read_json
from gendsl.run.pictures import range_of
from gendsl.run.rebuild import Rebuilt
from gendsl.run.tables import table_of_field

_MOST_BYTES = 2**28  # of an answer; more samples are asked for in several calls
_MOST_SEED = 2**39 - 1  # as `gendsl sample`: 63 bits hold a seed and the number of a chunk of its samples


@dataclass(frozen=True, slots=True)
class Sampling:
    """A run, what a sample of it is and gives, and the fields that it is made from."""

    run: Rebuilt
    sample: Sample
    outputs: list[Output]
    answers: dict[str, Answer]
    fields: list[Field]
    images: str

    @property
    def drawn(self) -> bool:
        """Whether the fields are drawn where they are not given."""
        return all(field.drawn for field in self.fields)

    @property
    def count(self) -> Given:
        """How many samples."""
        size = sum(_size(one) for one in self.outputs)
        most = max(64, min(10_000, _MOST_BYTES // size))
        spec = tf.TensorSpec([], tf.int32, name="n")
        return Given("count", spec, "How many samples.", (0, most), strict=True, default=16)

    def given_field(self, field: Field) -> Given:
        """A row for each sample."""
        if field.kind == "label":
            classes = field.classes if isinstance(field.classes, int) else None
            names = [str(name) for name in (read_json(self.run.folder.data) or {}).get("class_names") or ()]
            return Given(
                "label",
                tf.TensorSpec([None], tf.int32, name=field.name),
                "The class of each sample.",
                (0, None if classes is None else classes - 1),
                strict=True,
                default=[0],
                names=tuple(names) if names and len(names) == classes else None,
            )
        sizes = [size if isinstance(size, int) else None for size in field.shape]
        if field.kind == "image" and self.images == "uint8":
            spec = tf.TensorSpec([None, *sizes], tf.uint8, name=field.name)
            return Given("field", spec, "A picture for each sample.", (0, 255))
        bounds = range_of(field) if field.kind == "image" else None
        spec = tf.TensorSpec([None, *sizes], tf.float32, name=field.name)
        return Given("field", spec, f"An example of `{field.name}` for each sample.", bounds)

    def read(self, field: Field, value: Any) -> Any:
        """A field's values as the networks take them."""
        return from_bytes(value, range_of(field)) if value.dtype == tf.uint8 else value

    def answered(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Samples as their answers are said to be."""
        if self.images != "uint8":
            return dict(values)
        return {one.name: as_bytes(values[one.name], one.bounds) if one.is_picture else values[one.name]
                for one in self.outputs}  # fmt: skip

    def file(self, output: Output) -> tuple[str, Callable[[Any], Any]] | None:
        """What an output is as a file, `png` or `text`, and how it is made of its answer; None where it is neither."""
        if output.is_picture:
            return "png", lambda value: as_png(value if value.dtype == tf.uint8 else as_bytes(value, output.bounds))
        known = self.run.experiment.beginnings.get(output.field.name) if output.field is not None else None
        if known is None or known.record["word"] == "remi":
            return None
        pieces = known.tokenizer.pieces()
        return "text", lambda value: as_text(value, pieces)


def sampling_of(run: Rebuilt, order: Order) -> Sampling:
    """What is exported of a run's samples. Raises UserError for a plan that does not say what a sample is."""
    sample = run.plan.sample
    if sample is None:
        raise UserError("the spec does not say what a sample is", "add a `sample` block to it")
    taken = {"n", "seed", "truncation", "temperature", "prompt"} & set(sample.inputs)
    if taken:
        raise UserError(
            f"the field `{min(taken)}` has the name of an input that exported models have", "give it another name"
        )
    outputs, images = outputs_of(run.plan, sample), str(order.options["images"])
    fields = [field for field in run.plan.data.fields if field.name in sample.inputs]
    return Sampling(run, sample, outputs, answers_of(outputs, images, columns_of(run, outputs)), fields, images)


def columns_of(run: Rebuilt, outputs: list[Output]) -> dict[str, list[str]]:
    """The columns of the tables that rows are of, by field."""
    found = {}
    for one in outputs:
        table = table_of_field(run.folder, one.field) if one.field is not None and one.field.kind == "row" else None
        if table is not None and one.field is not None:
            found[one.field.name] = [column.name for column in table.columns]
    return found


def seed() -> Given:
    """The seed of an endpoint."""
    spec = tf.TensorSpec([], tf.int64, name="seed")
    return Given("seed", spec, "The same seed gives the same samples.", (0, _MOST_SEED), strict=True, default=0)


def _size(output: Output) -> int:
    size = 4
    for one in output.shape:
        size *= one if isinstance(one, int) else 256
    return size
