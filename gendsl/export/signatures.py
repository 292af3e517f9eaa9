"""A run in, the endpoints of its SavedModel out: what each takes by name, and the graph from that to named samples.

TF Serving knows no defaults: a client sends every input of the endpoint that it calls. So there are several, each with
what one needs and no more.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import tensorflow as tf

from gendsl.export.chunks import Drawn
from gendsl.export.networks import signature_of_network
from gendsl.export.order import Order
from gendsl.export.ports import Answer, Given, Signature
from gendsl.export.sampled import Sampling, sampling_of, seed
from gendsl.lower.errors import UserError
from gendsl.parts.keys import Key
from gendsl.plan.plan import Field, Operation, Plan, Sample
from gendsl.plan.rewritten import generations, truncatable, with_given, with_truncation
from gendsl.run.rebuild import Rebuilt

DEFAULT = "serving_default"
_LEAST_LIMIT, _MOST_LIMIT = 0.01, 10.0  # of a truncation: less leaves nothing, more cuts nothing


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
    found = [one for signature in found for one in (signature, _as_files(it, signature)) if one is not None]
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
            "The tokens that each sample begins with, -1 behind a shorter one; -1 alone leaves it to the model.",
            (-1, most),
            strict=True,
            default=[[-1]],
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


def _as_files(it: Sampling, signature: Signature) -> Signature | None:
    """The same as people read it, PNG files or texts: names that end in `_bytes` are base64 in TF Serving's JSON. None
    where no output is such."""
    made = {one.name: found for one in it.outputs if (found := it.file(one)) is not None}
    if not made:
        return None

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in signature.call(given).items():
            if name in made:
                found[f"{name}_bytes"] = made[name][1](value)
            else:
                found[name] = value
        return found

    answers = {
        f"{name}_bytes" if name in made else name: Answer(made[name][0]) if name in made else answer
        for name, answer in signature.answers.items()
    }
    kind = next(iter(made.values()))[0]
    name = kind if signature.name == DEFAULT else f"{signature.name}_{kind}"
    what = ("PNG files" if kind == "png" else "texts") + (": those of `gendsl sample`" if it.drawn else "")
    return Signature(name, f"What `{signature.name}` gives, as {what}.", signature.inputs, answers, call)


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
