"""A run in, one graph of its samples out for runtimes that know no TensorFlow: nothing is drawn in it, all is given.

Its inputs are the prior's draws and fields (labels, pictures to start from), by the names of `from_prior`, and one for
each other place that draws: the noise that a sampler starts from, that of its steps, the chances of tokens. So loops
are exported as well as networks, and what is made of the same numbers is what `gendsl sample` makes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.export.draws import Draw, Given, draws_of
from gendsl.export.plainer import plainer
from gendsl.export.signatures import priors_of
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Field, Input, Operation, Sample
from gendsl.plan.rewritten import generated_by
from gendsl.run.rebuild import Rebuilt
from gendsl.vocabulary.types import Tensor

_PLACE = "sample"


@dataclass(frozen=True, slots=True)
class Entry:
    """An input of the graph: `kind` is prior, draw, label or field, `shape` has None for the batch and what is free.

    What it is made of: `draw` is normal, uniform (over `bounds`) or whole (below `below`) where it is drawn."""

    name: str
    kind: str
    shape: tuple[int | None, ...]
    dtype: Any
    doc: str
    draw: str | None = None
    bounds: tuple[float, float] | None = None
    below: int | None = None

    def random(self, n: int, random: np.random.Generator) -> NDArray[Any]:
        """An example of it, of n rows; sizes that are free are 8."""
        shape = [n, *(8 if size is None else size for size in self.shape[1:])]
        if self.dtype == tf.int32:
            return random.integers(0, self.below or 2, shape).astype(np.int32)
        if self.draw == "normal":
            return random.standard_normal(shape).astype(np.float32)
        low, high = self.bounds or (0.0, 1.0)
        return random.uniform(low, high, shape).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Portable:
    """The graph: `function` takes its inputs by name and gives its outputs by name; it holds its weights itself.

    `network` names the one that it is, where the loop around it is left to the caller; `traced` is what it was made of.
    """

    entries: tuple[Entry, ...]
    outputs: tuple[str, ...]
    function: Any
    traced: Any
    loops: bool
    network: str | None = None

    @property
    def doc(self) -> str:
        """What the graph makes, in a sentence."""
        if self.network is not None:
            return f"What `{self.network}` makes of tokens: call it for each token that is to be generated."
        return "Samples, made of the numbers that they draw."

    def answers(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """What TensorFlow makes of inputs by name."""
        found = self.traced(**{name: tf.constant(value) for name, value in given.items()})
        return {name: found[name].numpy() for name in self.outputs}

    def examples(self) -> Iterator[dict[str, NDArray[Any]]]:
        """Inputs of several batches, the same each time: what a conversion is compared by."""
        for number, n in enumerate((1, 3) if self.loops else (1, 3, 64)):
            random = np.random.Generator(np.random.Philox(key=[number, n]))
            yield {entry.name: entry.random(n, random) for entry in self.entries}


def portable_of(run: Rebuilt) -> Portable:
    """The graph of a run's samples. Raises UserError for a plan that does not say what a sample is.

    Where samples are what a network generates token by token, it is that network: tokens in, the logits of the next
    ones out. Such a loop, which keeps what the network made of earlier tokens, converts to no other runtime."""
    run = _in_float32(run)
    sample = run.plan.sample
    if sample is None:
        raise UserError("the spec does not say what a sample is", "add a `sample` block to it")
    name = generated_by(sample)
    if name is None:
        raise UserError(
            "a sample is made of what a network generates token by token: without that loop there is no graph of it",
            "leave `litert` and `onnx` out of `export`; `saved_model` serves this model",
        )
    if name:
        return _of_network(run, name)
    priors = priors_of(run.plan, sample)
    given = replace(sample, operations=_with_priors(sample, priors))
    entries = [_prior(name, sample.operations[number]) for number, name in priors.items()]
    entries += [_field(field) for field in run.plan.data.fields if field.name in sample.inputs]
    loops = any(one.name == "function" and "process" in one.attributes for one in sample.operations)
    return _traced(run, given, entries, loops)


def _in_float32(run: Rebuilt) -> Rebuilt:
    """A run with networks that compute in float32, as other runtimes do, where it was trained with fewer bits; weights
    have 32 in any case."""
    from gendsl.lower.training import experiment_of

    settings = dict(run.plan.train.settings)
    if settings.pop("precision", None) is None:
        return run
    plan = replace(run.plan, train=replace(run.plan.train, settings=settings))
    experiment = experiment_of(plan, examples=1)
    experiment.class_counts, experiment.beginnings = run.experiment.class_counts, run.experiment.beginnings
    weights = run.experiment.state()
    for name, variable in experiment.state().items():
        if name in weights:
            variable.assign(weights[name])
    return replace(run, experiment=experiment)


def _traced(run: Rebuilt, sample: Sample, entries: list[Entry], loops: bool, network: str | None = None) -> Portable:
    """The graph of a sample of which `entries` are given; what it draws besides is found by drawing it once."""
    first = {entry.name: tf.constant(entry.random(2, np.random.default_rng(0))) for entry in entries}
    seed = run.experiment.seed
    draws = draws_of(
        lambda key: run.experiment.sample(2, key, fields=first, sample=sample), seed, _PLACE, turns_in(sample)
    )
    names = _names(draws, sample, set(first))
    entries = [*entries, *(_drawn(names[draw.path], draw) for draw in draws)]
    if not entries:
        raise UserError(
            f"a sample of `{run.plan.experiment}` is made from nothing: there is but one",
            "leave `litert` and `onnx` out of `export`",
        )

    def call(**values: Any) -> dict[str, Any]:
        numbers = {path: values[name] for path, name in names.items()}
        key = Given(seed, _PLACE, tf.constant(0, tf.int64), numbers=numbers)
        n = tf.shape(values[entries[0].name])[0]
        fields = {name: value for name, value in values.items() if name in first}
        found = run.experiment.sample(n, key, fields=fields, sample=sample)
        return {name: tf.identity(value, name=name) for name, value in found.items()}

    specs = {entry.name: tf.TensorSpec(entry.shape, entry.dtype, name=entry.name) for entry in entries}
    traced = tf.function(call, autograph=False).get_concrete_function(**specs)
    outputs = tuple(name for name, _ in sample.outputs)
    return Portable(tuple(entries), outputs, plainer(traced), traced, loops, network)


def turns_in(sample: Sample) -> Callable[[str], int]:
    """How many turns the loop takes in which a sample's draw stands, by the path of the draw: those of its sampler."""
    samplers = {f"{one.name}_{one.site}": one.attributes for one in sample.operations if "process" in one.attributes}

    def turns(path: str) -> int:
        attributes = samplers[path.split("/")[1]]
        # The ancestral sampler goes through all times of its process, the others say through how many.
        of = attributes["process"].arguments if attributes["word"] == "ddpm" else attributes["arguments"]
        return int(of["steps"])

    return turns


def _of_network(run: Rebuilt, name: str) -> Portable:
    """A network by itself: the first of its inputs are tokens."""
    network = run.plan.network(name)
    fields = [Operation("field", (), {"name": one.name}, Tensor(one.shape, "", one.integer)) for one in network.inputs]
    called = Operation("call", tuple(range(len(fields))), {"network": network.name}, Tensor(()), site=0)
    alone = Sample(outputs=(("logits", len(fields)),), operations=(*fields, called), inputs=())
    vocabulary = int(run.experiment.networks[network.name].outputs[0].shape[-1])
    entries = [_of_input(one, vocabulary if number == 0 else None) for number, one in enumerate(network.inputs)]
    return _traced(run, alone, entries, False, network.name)


def _of_input(one: Input, vocabulary: int | None) -> Entry:
    sizes = tuple(size if isinstance(size, int) else None for size in one.shape)
    dtype = tf.int32 if one.integer else tf.float32
    if vocabulary is not None:
        doc = "The tokens so far, filled up behind; the logits at a place are those of the token behind it."
        return Entry(one.name, "prompt", (None, *sizes), dtype, doc, below=vocabulary)
    return Entry(one.name, "field", (None, *sizes), dtype, f"The network's input `{one.name}`.", below=None)


def _with_priors(sample: Sample, priors: Mapping[int, str]) -> tuple[Operation, ...]:
    return tuple(
        replace(operation, name="field", attributes={"name": priors[number]}) if number in priors else operation
        for number, operation in enumerate(sample.operations)
    )


def _prior(name: str, operation: Operation) -> Entry:
    call = operation.attributes["call"]
    sizes = tuple(getattr(operation.type, "shape", ()))
    if bool(getattr(operation.type, "integer", False)):
        below = int(call.arguments["classes"])
        doc = f"Draws of {call.word}: whole numbers below {below}."
        return Entry(name, "prior", (None, *sizes), tf.int32, doc, "whole", below=below)
    if call.word == "normal":
        return Entry(name, "prior", (None, *sizes), tf.float32, "Draws of the standard normal prior.", "normal")
    arguments = call.arguments
    limit = arguments.get("limit")
    low, high = arguments.get("range") or (-1, 1) if limit is None else (-limit, limit)
    bounds = (float(low), float(high))
    doc = f"Draws of the prior, {call.word}, between {bounds[0]:g} and {bounds[1]:g}."
    return Entry(name, "prior", (None, *sizes), tf.float32, doc, call.word, bounds=bounds)


def _field(field: Field) -> Entry:
    if field.kind == "label":
        below = field.classes if isinstance(field.classes, int) else None
        return Entry(field.name, "label", (None,), tf.int32, "A class for each sample.", below=below)
    sizes = tuple(size if isinstance(size, int) else None for size in field.shape)
    dtype = tf.int32 if field.kind in ("text", "music") else tf.float32
    low, high = field.arguments.get("range") or (0, 1)
    doc = f"What a sample is made from: `{field.name}`, as the data has it."
    return Entry(field.name, "field", (None, *sizes), dtype, doc, bounds=(float(low), float(high)))


def _drawn(name: str, draw: Draw) -> Entry:
    of = {"normal": "Standard normal numbers", "uniform": "Numbers drawn evenly from [0, 1)"}
    what = of.get(draw.kind) or f"Whole numbers drawn evenly below {draw.below}"
    each = "" if draw.turns is None else f" for each of {draw.turns} turns"
    return Entry(name, "prior", draw.whole_shape, draw.dtype, f"{what}{each}.", draw.kind, below=draw.below)


def _names(draws: list[Draw], sample: Sample, taken: set[str]) -> dict[str, str]:
    """A name for each place that draws, by its path: the word that draws, and what for."""
    words = {
        f"{one.name}_{one.site}": str(one.attributes.get("word") or one.attributes.get("network") or one.name)
        for one in sample.operations
    }
    found: dict[str, str] = {}
    for draw in draws:
        _, site, *inside = draw.path.split("/")
        stem = "_".join([words.get(site, site), *inside])
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name)
        found[draw.path] = name
    return found
