"""A run in, the endpoints of its SavedModel out: what each takes by name, and the graph from that to named samples.

TF Serving knows no defaults: a client sends every input of the endpoint that it calls. So there are several, each with
what one needs and no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from gendsl.export.answers import Output, answers_of, as_bytes, as_png, from_bytes, outputs_of
from gendsl.export.chunks import Drawn
from gendsl.export.networks import signature_of_network
from gendsl.export.order import Order
from gendsl.export.ports import Answer, Given, Signature
from gendsl.lower.errors import UserError
from gendsl.parts.keys import Key
from gendsl.plan.plan import Field, Operation, Plan, Sample
from gendsl.plan.rewritten import generations, truncatable, with_given, with_truncation
from gendsl.run.folder import read_json
from gendsl.run.pictures import range_of
from gendsl.run.rebuild import Rebuilt
from gendsl.run.tables import table_of_field

DEFAULT = "serving_default"
_MOST_BYTES = 2**28  # of an answer; more samples are asked for in several calls
_MOST_SEED = 2**31 - 1
_LEAST_LIMIT, _MOST_LIMIT = 0.01, 10.0  # of a truncation: less leaves nothing, more cuts nothing


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


def signatures_of(run: Rebuilt, order: Order) -> list[Signature]:
    """The endpoints of a run's plan. Raises UserError."""
    it = sampling_of(run, order)
    found = []
    if it.drawn:
        found.append(_of_seed(it))
    if it.fields:
        found.append(_of_fields(it, "labelled" if it.drawn else DEFAULT))
    if truncatable(it.sample):
        found.append(_of_truncation(it))
    if it.drawn and generations(it.sample):
        found.append(_of_prompts(it))
    found = [one for signature in found for one in (signature, _in_png(it, signature)) if one is not None]
    priors = priors_of(run.plan, it.sample)
    if priors and not any(operation.name == "draw" for operation in it.sample.operations):
        found.append(_of_priors(it, priors))
    for name in order.options["also"]:
        if any(one.name == name for one in found):
            raise UserError(
                f"`{name}` is an endpoint already: it cannot be that of a network, too", "rename the network"
            )
        found.append(signature_of_network(run, name, it.images))
    return found


def priors_of(plan: Plan, sample: Sample) -> dict[int, str]:
    """The operations of a sample that draw from a prior, each with the name of the input that takes it."""
    found: dict[int, str] = {}
    for operation in sample.operations:
        if operation.name != "call":
            continue
        network = plan.network(operation.attributes["network"])
        for number, declared in zip(operation.inputs, network.inputs, strict=False):
            if sample.operations[number].name == "prior" and number not in found:
                taken = declared.name in found.values()
                found[number] = f"{network.name}_{declared.name}" if taken else declared.name
    return found


def seed() -> Given:
    """The seed of an endpoint."""
    spec = tf.TensorSpec([], tf.int64, name="seed")
    return Given("seed", spec, "The same seed gives the same samples.", (0, _MOST_SEED), default=0)


def _of_seed(it: Sampling) -> Signature:
    draw = Drawn(it.run, it.sample, {})

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        return it.answered(draw(given["n"], given["seed"], {}))

    made = (
        f"; {' and '.join(f'`{field.name}`' for field in it.fields)} as the training data has it" if it.fields else ""
    )
    doc = f"Samples 0 to n - 1 of a seed{made}: those of `gendsl sample -n N --seed SEED`."
    return Signature(DEFAULT, doc, (it.count, seed()), it.answers, call)


def _of_prompts(it: Sampling) -> Signature:
    """Sequences that begin with the prompts given, tokens (n, any) with -1 behind each."""
    specs = {"prompt": tf.TensorSpec([None, None], tf.int32, name="prompt")}
    specs["temperature"] = tf.TensorSpec([], tf.float32, name="temperature")
    draw = Drawn(it.run, with_given(it.sample, prompt=0, temperature=True), specs)
    operation = it.sample.operations[generations(it.sample)[0]]
    network = it.run.plan.network(operation.attributes["network"])
    most = int(it.run.experiment.networks[network.name].outputs[0].shape[-1]) - 1

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        prompts = {name: given[name] for name in specs}
        return it.answered(draw(tf.shape(given["prompt"])[0], given["seed"], prompts))

    temperature = float(operation.attributes["arguments"]["temperature"])
    inputs = (
        Given(
            "prompt",
            specs["prompt"],
            "The tokens that each sample begins with, -1 behind those of a shorter one.",
            (-1, most),
            strict=True,
            default=[[]],
        ),
        seed(),
        Given(
            "temperature",
            specs["temperature"],
            "What the logits are divided by; 0 takes the likeliest token.",
            (0, None),
            strict=True,
            default=temperature,
        ),
    )
    return Signature("prompted", "Samples that begin with the prompts.", inputs, it.answers, call)


def _of_truncation(it: Sampling) -> Signature:
    """Whatever else there is to choose, with the limit that normal priors are cut at."""
    cut = replace(it, sample=with_truncation(it.sample))
    spec = tf.TensorSpec([], tf.float32, name="truncation")
    doc = "How far numbers drawn from a normal prior may be from 0: the less, the more alike and typical the samples."
    limit = Given("truncation", spec, doc, (_LEAST_LIMIT, _MOST_LIMIT), strict=True, default=1.0)
    if it.fields:
        return _of_fields(cut, "truncated", limit)
    draw = Drawn(it.run, cut.sample, {"truncation": spec})

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        return it.answered(draw(given["n"], given["seed"], {"truncation": given["truncation"]}))

    doc = "Samples 0 to n - 1 of a seed: those of `gendsl sample -n N --seed SEED --truncation LIMIT`."
    return Signature("truncated", doc, (it.count, seed(), limit), it.answers, call)


def _of_fields(it: Sampling, name: str, *scalars: Given) -> Signature:
    inputs = {field.name: it.given_field(field) for field in it.fields}
    specs = {field.name: _read_spec(field) for field in it.fields} | {one.name: one.spec for one in scalars}
    draw = Drawn(it.run, it.sample, specs)

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        values = {field.name: it.read(field, given[field.name]) for field in it.fields}
        many = tf.shape(values[it.fields[0].name])[0]
        return it.answered(draw(many, given["seed"], values | {one.name: given[one.name] for one in scalars}))

    doc = f"A sample for each {' and '.join(f'`{one}`' for one in inputs)} of a seed."
    return Signature(name, doc, (*inputs.values(), seed(), *scalars), it.answers, call)


def _of_priors(it: Sampling, priors: Mapping[int, str]) -> Signature:
    operations = tuple(
        replace(operation, name="field", inputs=(), attributes={"name": priors[number]})
        if number in priors
        else operation
        for number, operation in enumerate(it.sample.operations)
    )

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        key = Key(it.run.experiment.seed, "prior", tf.constant(0, tf.int64))
        fields = {field.name: it.read(field, given[field.name]) for field in it.fields}
        values = it.run.experiment.measure(it.sample.outputs, operations, {**given, **fields}, key)
        return it.answered(values)

    inputs = [_prior(name, it.sample.operations[number]) for number, name in priors.items()]
    doc = "A sample for each draw of the prior: the same for the same, whatever stands beside it."
    return Signature("from_prior", doc, (*inputs, *map(it.given_field, it.fields)), it.answers, call)


def _in_png(it: Sampling, signature: Signature) -> Signature | None:
    """The same in PNG files: names that end in `_bytes` are base64 in TF Serving's JSON. None without pictures."""
    pictures = {one.name: one for one in it.outputs if one.is_picture}
    if not pictures:
        return None

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, value in signature.call(given).items():
            if name not in pictures:
                found[name] = value
                continue
            pixels = value if value.dtype == tf.uint8 else as_bytes(value, pictures[name].bounds)
            found[f"{name}_bytes"] = as_png(pixels)
        return found

    answers = {
        f"{name}_bytes" if name in pictures else name: Answer("png") if name in pictures else answer
        for name, answer in signature.answers.items()
    }
    name = "png" if signature.name == DEFAULT else f"{signature.name}_png"
    doc = f"What `{signature.name}` gives, as PNG files: those of `gendsl sample`."
    return Signature(name, doc, signature.inputs, answers, call)


def _size(output: Output) -> int:
    size = 4
    for one in output.shape:
        size *= one if isinstance(one, int) else 256
    return size


def _read_spec(field: Field) -> Any:
    if field.kind == "label":
        return tf.TensorSpec([None], tf.int32, name=field.name)
    sizes = [size if isinstance(size, int) else None for size in field.shape]
    return tf.TensorSpec([None, *sizes], tf.float32, name=field.name)


def _prior(name: str, operation: Operation) -> Given:
    sizes = [size if isinstance(size, int) else None for size in getattr(operation.type, "shape", ())]
    integer = bool(getattr(operation.type, "integer", False))
    spec = tf.TensorSpec([None, *sizes], tf.int32 if integer else tf.float32, name=name)
    word = operation.attributes["call"].word
    return Given("prior", spec, f"A draw from `{word}` for each sample.")
