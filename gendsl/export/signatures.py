"""A run in, the endpoints of its SavedModel out: what each takes by name, and the graph from that to named samples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from gendsl.evaluate.sampler import CHUNK, moment_of
from gendsl.lower.errors import UserError
from gendsl.parts.keys import Key
from gendsl.plan.plan import Field, Operation, Plan, Sample
from gendsl.plan.rewritten import generations, with_given
from gendsl.run.rebuild import Rebuilt


@dataclass(frozen=True, slots=True)
class Signature:
    """An endpoint of the exported model: its name, its inputs by name, and the function from them to named outputs."""

    name: str
    inputs: Mapping[str, Any]
    call: Callable[[Mapping[str, Any]], dict[str, Any]]

    def endpoint(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The function of a mapping of inputs; the outputs carry their names in the graph too."""
        return {name: tf.identity(value, name=name) for name, value in self.call(given).items()}


def signatures_of(run: Rebuilt) -> list[Signature]:
    """The endpoints of a run's plan. Raises UserError for a plan that does not say what a sample is."""
    sample = run.plan.sample
    if sample is None:
        raise UserError("the spec does not say what a sample is", "add a `sample` block to it")
    fields = [field for field in run.plan.data.fields if field.name in sample.inputs]
    drawn = all(field.drawn for field in fields)
    found = []
    if drawn:
        found.append(_of_seed(run))
        if generations(sample):
            found.append(_of_prompts(run, sample))
    if fields:
        name = "labelled" if drawn else "serving_default"
        found.append(_of_fields(run, name, fields))
    priors = priors_of(run.plan, sample)
    if priors and not any(operation.name == "draw" for operation in sample.operations):
        found.append(_of_priors(run, sample, priors, fields))
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


def _of_seed(run: Rebuilt) -> Signature:
    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        return _in_chunks(run, given["n"], given["seed"], lambda first, count: {})

    inputs = {"n": tf.TensorSpec([], tf.int32, name="n"), "seed": tf.TensorSpec([], tf.int64, name="seed")}
    return Signature("serving_default", inputs, call)


def _of_prompts(run: Rebuilt, sample: Sample) -> Signature:
    """Sequences that begin with the prompts given, tokens (n, any) with -1 behind each."""
    given_on = with_given(sample, prompt=0, temperature=True)

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        prompts = given["prompt"]

        def cut(first: Any, count: Any) -> dict[str, Any]:
            return {"prompt": prompts[first : first + count], "temperature": given["temperature"]}

        return _in_chunks(run, tf.shape(prompts)[0], given["seed"], cut, sample=given_on)

    inputs = {
        "prompt": tf.TensorSpec([None, None], tf.int32, name="prompt"),
        "seed": tf.TensorSpec([], tf.int64, name="seed"),
        "temperature": tf.TensorSpec([], tf.float32, name="temperature"),
    }
    return Signature("prompted", inputs, call)


def _of_fields(run: Rebuilt, name: str, fields: list[Field]) -> Signature:
    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        values = {field.name: given[field.name] for field in fields}

        def cut(first: Any, count: Any) -> dict[str, Any]:
            return {name: value[first : first + count] for name, value in values.items()}

        return _in_chunks(run, tf.shape(values[fields[0].name])[0], given["seed"], cut)

    inputs = {"seed": tf.TensorSpec([], tf.int64, name="seed")} | {field.name: _spec(field) for field in fields}
    return Signature(name, inputs, call)


def _of_priors(run: Rebuilt, sample: Sample, priors: Mapping[int, str], fields: list[Field]) -> Signature:
    operations = tuple(
        replace(operation, name="field", attributes={"name": priors[number]}) if number in priors else operation
        for number, operation in enumerate(sample.operations)
    )

    def call(given: Mapping[str, Any]) -> dict[str, Any]:
        key = Key(run.experiment.seed, "prior", tf.constant(0, tf.int64))
        answer: dict[str, Any] = run.experiment.measure(sample.outputs, operations, dict(given), key)
        return answer

    inputs = {name: _prior_spec(name, sample.operations[number]) for number, name in priors.items()}
    return Signature("from_prior", inputs | {field.name: _spec(field) for field in fields}, call)


def _in_chunks(
    run: Rebuilt, n: Any, seed: Any, fields: Callable[[Any, Any], dict[str, Any]], sample: Sample | None = None
) -> dict[str, Any]:
    """The samples 0…n-1 of a seed, chunk by chunk as the sampler draws them; only the last chunk is shorter."""
    sample = sample or run.plan.sample
    names = [name for name, _ in sample.outputs] if sample is not None else []

    def chunk(number: Any) -> list[Any]:
        first = number * CHUNK
        count = tf.minimum(CHUNK, n - first)
        key = Key(run.experiment.seed, "sample", moment_of(seed, number))
        drawn = run.experiment.sample(count, key, fields=fields(first, count), sample=sample)
        return [drawn[name] for name in names]

    # The first chunk is drawn before the loop and tells the types of the outputs; with n = 0 it is empty.
    start = chunk(tf.constant(0))

    def more(number: Any, *parts: Any) -> tuple[Any, ...]:
        return number + 1, *(tf.concat([part, new], 0) for part, new in zip(parts, chunk(number), strict=True))

    shapes = [tf.TensorShape([None, *part.shape[1:]]) for part in start]
    _, *parts = tf.while_loop(
        lambda number, *_: number * CHUNK < n,
        more,
        (tf.constant(1), *start),
        shape_invariants=(tf.TensorShape([]), *shapes),
        parallel_iterations=1,
    )
    return dict(zip(names, parts, strict=True))


def _spec(field: Field) -> Any:
    if field.kind == "label":
        return tf.TensorSpec([None], tf.int32, name=field.name)
    sizes = [size if isinstance(size, int) else None for size in field.shape]
    return tf.TensorSpec([None, *sizes], tf.float32, name=field.name)


def _prior_spec(name: str, operation: Operation) -> Any:
    sizes = [size if isinstance(size, int) else None for size in getattr(operation.type, "shape", ())]
    integer = bool(getattr(operation.type, "integer", False))
    return tf.TensorSpec([None, *sizes], tf.int32 if integer else tf.float32, name=name)
