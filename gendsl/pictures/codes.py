"""An experiment that codes its data and decodes it again in, reconstructions and codes out.

An autoencoder is found in the equations, whatever its networks are called: a call of one network on a data field, and,
on nothing but what it gave, a call of another network that gives something shaped as the field. So the cycles of a
CycleGAN are reconstructions too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.evaluate.sampler import CHUNK
from gendsl.lower.operations import needed
from gendsl.parts.keys import Key
from gendsl.plan.plan import Operation, Plan
from gendsl.vocabulary.dimensions import Shape
from gendsl.vocabulary.types import Distribution, Tensor


@dataclass(frozen=True, slots=True)
class Coding:
    """A field, and in some operations the numbers of its code and of its reconstruction."""

    field: str
    operations: tuple[Operation, ...]
    code: int
    reconstruction: int

    @property
    def code_size(self) -> int | None:
        """How many numbers a code has; None where it is no list of numbers."""
        shape = shape_of(self.operations[self.code])
        return shape[0] if shape is not None and len(shape) == 1 and isinstance(shape[0], int) else None


def codings_of(plan: Plan) -> tuple[Coding, ...]:
    """What a plan codes and decodes: one for each field of pictures or points that it does so with."""
    kinds = {field.name: field for field in plan.data.fields if field.kind in ("image", "point", "row")}
    found: dict[str, Coding] = {}
    for group in plan.train.groups:
        operations = tuple(map(_expected, group.operations))
        for index, operation in enumerate(operations):
            if operation.name != "call":
                continue
            coder = _coder(operations, index)
            if coder is None:
                continue
            for number in operations[coder].inputs:
                field = kinds.get(operations[number].attributes.get("name", ""))
                decoded = _read(operations, index)
                if field is None or number in operation.inputs or shape_of(operations[decoded]) != field.shape:
                    continue
                found.setdefault(field.name, Coding(field.name, operations, _read(operations, coder), decoded))
    return tuple(found.values())


def _expected(operation: Operation) -> Operation:
    """What is drawn from a distribution, as what is expected of it."""
    if operation.name != "draw":
        return operation
    return replace(operation, name="function", attributes={"word": "mean", "arguments": {}}, site=None)


def _coder(operations: tuple[Operation, ...], decoder: int) -> int | None:
    """The call of the one other network that a call is made from."""
    before = [at for at in needed(operations, operations[decoder].inputs) if operations[at].name == "call"]
    own = operations[decoder].attributes["network"]
    others = [at for at in before if operations[at].attributes["network"] != own]
    return others[0] if len(before) == len(others) == 1 else None


def _read(operations: tuple[Operation, ...], call: int) -> int:
    """A call, or the distribution that its result is read as."""
    return next((at for at, one in enumerate(operations) if one.name == "distribution" and one.inputs == (call,)), call)


def shape_of(operation: Operation) -> Shape | None:
    """The shape of what an operation gives for each example."""
    match operation.type:
        case Tensor(shape=shape):
            return shape
        case Distribution(event=event):
            return event
    return None


class Coder:
    """Codes and reconstructs examples of a field, by the averaged weights where there are any."""

    def __init__(self, experiment: Any, coding: Coding) -> None:
        self.coding = coding
        self._experiment = experiment
        self._graph = tf.function(self._coded)

    def _coded(self, fields: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        key = Key(self._experiment.seed, f"reconstruct/{self.coding.field}", tf.constant(0, tf.int64))
        wanted = (("code", self.coding.code), ("reconstruction", self.coding.reconstruction))
        found: dict[str, tf.Tensor] = self._experiment.measure(wanted, self.coding.operations, fields, key)
        return found

    def coded(self, fields: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The codes and the reconstructions of examples {field: (n, …)}, in parts of bounded memory."""
        operations, read = self.coding.operations, needed(self.coding.operations, [self.coding.reconstruction])
        names = {operations[at].attributes["name"] for at in read if operations[at].name == "field"}
        given = {name: np.asarray(fields[name]) for name in names}
        count = len(given[self.coding.field])
        parts = []
        for first in range(0, count, CHUNK):
            rows = np.minimum(np.arange(first, first + CHUNK), count - 1)  # the graph has one size of batch
            parts.append(self._graph({name: tf.constant(values[rows]) for name, values in given.items()}))
        code, made = (np.concatenate([part[name].numpy() for part in parts]) for name in ("code", "reconstruction"))
        return code[:count], made[:count]
