"""What stands at the ends of an endpoint: inputs and outputs with all that a person needs to send and to show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf


@dataclass(frozen=True, slots=True)
class Given:
    """An input. `kind` is count, seed, label, truncation, temperature, prompt, prior, field or switch; `spec` a
    TensorSpec with its name. `bounds` are the least and the most it takes, refused beyond them where `strict`;
    `default` is what to send for want of anything better; `names` are those of classes."""

    kind: str
    spec: Any
    doc: str
    bounds: tuple[float | None, float | None] | None = None
    strict: bool = False
    default: Any = None
    names: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """As a client sends it."""
        return str(self.spec.name)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind,
            "dtype": self.spec.dtype.name,
            "shape": self.spec.shape.as_list(),
            "range": None if self.bounds is None else list(self.bounds),
            "default": self.default,
            "names": None if self.names is None else list(self.names),
            "doc": self.doc,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """An output. `kind` is image, png, tokens, text, row, points, array or score; `bounds` are those of its values;
    `more` is what else is needed to show it."""

    kind: str
    bounds: tuple[float, float] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signature:
    """An endpoint: its name, a sentence on it, its inputs, its outputs by name, and the function from the inputs by
    name to the values of those outputs."""

    name: str
    doc: str
    inputs: tuple[Given, ...]
    answers: Mapping[str, Answer]
    call: Callable[[Mapping[str, Any]], Mapping[str, Any]]

    @property
    def specs(self) -> dict[str, Any]:
        """The TensorSpecs of the inputs by name."""
        return {one.name: one.spec for one in self.inputs}

    def endpoint(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The function as it is exported: inputs beyond their bounds are refused, and outputs carry their names in the
        graph too."""
        refused = [check for one in self.inputs if (check := _refusal(one, given[one.name])) is not None]
        with tf.control_dependencies(refused):  # before a layer fails on it, in words of its own
            known = {one.name: tf.identity(given[one.name]) for one in self.inputs}
        values = self.call(known)
        return {name: tf.identity(values[name], name=name) for name in self.answers}

    def record(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """As JSON; `outputs` are the tensors that the traced function gives."""
        found: dict[str, Any] = {}
        for name, answer in self.answers.items():
            found[name] = {
                "kind": answer.kind,
                "dtype": outputs[name].dtype.name,
                "shape": outputs[name].shape.as_list(),
                "range": None if answer.bounds is None else list(answer.bounds),
                **answer.more,
            }
        inputs = {one.name: one.record() for one in self.inputs}
        return {"doc": self.doc, "inputs": inputs, "outputs": found}


def _refusal(one: Given, value: Any) -> Any:
    """In graph: an input that is out of its bounds ends the call with an error that says so; without it a class that
    is none would silently be another one, and 10^9 samples would take the server's memory."""
    if one.bounds is None or not one.strict:
        return None
    least, most = one.bounds
    fits, told = tf.constant(True), []
    if least is not None:
        fits &= tf.reduce_all(value >= tf.cast(least, value.dtype))
        told.append(f"at least {least}")
    if most is not None:
        fits &= tf.reduce_all(value <= tf.cast(most, value.dtype))
        told.append(f"at most {most}")
    return tf.debugging.Assert(fits, [f"`{one.name}` has to be {' and '.join(told)}; it is", value])
