"""A run in, one graph of its samples out for runtimes that know no TensorFlow: nothing is drawn in it, all is given.

Its inputs are the prior's draws and fields (labels, pictures to start from), by the names of `from_prior`, and one for
each other place that draws: the noise that a sampler starts from, that of its steps, the chances of tokens. So loops
are exported as well as networks, and what is made of the same numbers is what `gendsl sample` makes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.export.draws import Draw, Given, draws_of
from gendsl.export.plainer import plainer
from gendsl.export.signatures import priors_of
from gendsl.lower.distributions import standard_of
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Field, Operation, Sample
from gendsl.run.rebuild import Rebuilt

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
    """The graph: `function` takes its inputs by name and gives its outputs by name; it holds its weights itself."""

    entries: tuple[Entry, ...]
    outputs: tuple[str, ...]
    function: Any
    loops: bool

    def answers(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """What TensorFlow makes of inputs by name."""
        found = self.function(**{name: tf.constant(value) for name, value in given.items()})
        return {name: found[name].numpy() for name in self.outputs}

    def examples(self) -> Iterator[dict[str, NDArray[Any]]]:
        """Inputs of several batches, the same each time: what a conversion is compared by."""
        for number, n in enumerate((1, 3) if self.loops else (1, 3, 64)):
            random = np.random.Generator(np.random.Philox(key=[number, n]))
            yield {entry.name: entry.random(n, random) for entry in self.entries}


def portable_of(run: Rebuilt) -> Portable:
    """The graph of a run's samples. Raises UserError for a plan that does not say what a sample is."""
    sample = run.plan.sample
    if sample is None:
        raise UserError("the spec does not say what a sample is", "add a `sample` block to it")
    priors = priors_of(run.plan, sample)
    given = replace(sample, operations=_with_priors(sample, priors))
    entries = [_prior(name, sample.operations[number]) for number, name in priors.items()]
    entries += [_field(field) for field in run.plan.data.fields if field.name in sample.inputs]
    first = {entry.name: tf.constant(entry.random(2, np.random.default_rng(0))) for entry in entries}
    seed = run.experiment.seed
    draws = draws_of(lambda key: run.experiment.sample(2, key, fields=first, sample=given), seed, _PLACE)
    names = _names(draws, sample, {entry.name for entry in entries})
    entries += [_drawn(names[draw.path], draw) for draw in draws]
    if not entries:
        raise UserError(
            f"a sample of `{run.plan.experiment}` is made from nothing: there is one, and no model of it",
            "leave `litert` and `onnx` out of `export`",
        )

    def call(**values: Any) -> dict[str, Any]:
        numbers = {path: values[name] for path, name in names.items()}
        key = Given(seed, _PLACE, tf.constant(0, tf.int64), numbers=numbers)
        n = tf.shape(values[entries[0].name])[0]
        fields = {name: value for name, value in values.items() if name in first}
        found = run.experiment.sample(n, key, fields=fields, sample=given)
        return {name: tf.identity(value, name=name) for name, value in found.items()}

    specs = {entry.name: tf.TensorSpec(entry.shape, entry.dtype, name=entry.name) for entry in entries}
    function = plainer(tf.function(call, autograph=False).get_concrete_function(**specs))
    outputs = tuple(name for name, _ in sample.outputs)
    loops = any(draw.turns for draw in draws) or any(one.name == "function" for one in sample.operations)
    return Portable(tuple(entries), outputs, function, loops)


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
    drawn = standard_of(operation.type, call.word, call.arguments, 1)
    limit = float(getattr(drawn, "limit", tf.constant(1.0)).numpy().flat[0]) if hasattr(drawn, "limit") else 1.0
    bounds = tuple(float(end) for end in call.arguments.get("range") or (-limit, limit))
    doc = f"Draws of the prior, {call.word}, between {bounds[0]:g} and {bounds[1]:g}."
    draw = "uniform" if call.word == "uniform" else call.word
    return Entry(name, "prior", (None, *sizes), tf.float32, doc, draw, bounds=(bounds[0], bounds[1]))


def _field(field: Field) -> Entry:
    if field.kind == "label":
        below = field.classes if isinstance(field.classes, int) else None
        return Entry(field.name, "label", (None,), tf.int32, "A class for each sample.", below=below)
    sizes = tuple(size if isinstance(size, int) else None for size in field.shape)
    dtype = tf.int32 if field.kind in ("text", "music") else tf.float32
    low, high = (field.range or (0.0, 1.0)) if hasattr(field, "range") else (0.0, 1.0)
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


