"""A run and the name of one of its networks in, the endpoint that calls it out: a critic's score, an encoder's code."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gendsl.export.answers import from_bytes
from gendsl.export.ports import Answer, Given, Signature
from gendsl.parts.keys import Key
from gendsl.plan.plan import Field, Input, Operation, Plan
from gendsl.plan.plan import Output as Result
from gendsl.run.pictures import range_of
from gendsl.run.rebuild import Rebuilt
from gendsl.vocabulary.types import Distribution, Tensor


def signature_of_network(run: Rebuilt, name: str, images: str) -> Signature:
    """The network in inference mode with the averaged weights, where there are any: its inputs by name, and what it
    gives: `score` for logits, `mean` and `log_variance` for a normal distribution, else `logits` or `features`."""
    network = run.plan.network(name)
    inputs = [_given(run.plan, one, images) for one in network.inputs]
    fields = {one.name: _field(run.plan, one) for one in network.inputs}
    operations = [
        Operation("field", (), {"name": one.name}, Tensor(one.shape, "", one.integer)) for one in network.inputs
    ]
    here = len(operations)
    call = {"network": name, "training": False, "both": ()}
    operations.append(Operation("call", tuple(range(here)), call, Tensor((), ""), site=0))
    places: list[tuple[Result, int]] = []
    for result in network.outputs:
        if result.name:
            operations.append(Operation("output", (here,), {"name": result.name}, result.type))
        places.append((result, len(operations) - 1))
    answers = {answer: kind for result, _ in places for answer, kind in _answers(run.plan, result).items()}

    def called(given: Mapping[str, Any]) -> dict[str, Any]:
        read = {
            one: from_bytes(value, range_of(fields[one])) if value.dtype == tf.uint8 else value
            for one, value in given.items()
        }
        key = Key(run.experiment.seed, name, tf.constant(0, tf.int64))
        wanted = [(str(number), number) for _, number in places]
        values = run.experiment.measure(wanted, tuple(operations), read, key)
        found: dict[str, Any] = {}
        for result, number in places:
            names = list(_answers(run.plan, result))
            value = values[str(number)]
            found |= dict(zip(names, tf.split(value, len(names), axis=-1), strict=True))
        return found

    doc = f"What the network `{name}` gives for its inputs."
    return Signature(name, doc, tuple(inputs), answers, called)


def _answers(plan: Plan, result: Result) -> dict[str, Answer]:
    """What a result is told as, in the order in which it lies on its last axis."""
    kind = result.type
    before = f"{result.name}_" if result.name else ""
    if isinstance(kind, Distribution):
        if kind.family == "normal":
            return {f"{before}mean": Answer("array"), f"{before}log_variance": Answer("array")}
        return {result.name or "logits": Answer("array")}
    meaning = getattr(kind, "meaning", "")
    if meaning == "logits":
        return {result.name or "score": Answer("score")}
    field = next((one for one in plan.data.fields if one.name == meaning), None)
    if field is not None and field.kind == "image":
        return {result.name or field.name: Answer("image", range_of(field))}
    return {result.name or (field.name if field is not None else "features"): Answer("array")}


def _field(plan: Plan, one: Input) -> Field | None:
    return next((field for field in plan.data.fields if one.kind == "field" and field.name == one.of), None)


def _given(plan: Plan, one: Input, images: str) -> Given:
    field = _field(plan, one)
    sizes = [size if isinstance(size, int) else None for size in one.shape]
    if field is not None and field.kind == "image" and images == "uint8":
        return Given("field", tf.TensorSpec([None, *sizes], tf.uint8, name=one.name), "Pictures.", (0, 255))
    spec = tf.TensorSpec([None, *sizes], tf.int32 if one.integer else tf.float32, name=one.name)
    if field is not None and field.kind == "label":
        # One that may be none has a class more, which stands for it.
        most = field.classes - (0 if one.optional else 1) if isinstance(field.classes, int) else None
        return Given("label", spec, "The class of each example.", (0, most), strict=True, default=[0])
    if field is not None:
        bounds = range_of(field) if field.kind == "image" else None
        return Given("field", spec, f"Examples of `{field.name}`.", bounds)
    kind = "prior" if one.kind == "prior" else "field"
    return Given(kind, spec, f"The input `{one.name}`, a row for each example.")
