"""One layer of a network in, its shape, weights and place among the values out; what references and labels mean there."""

from dataclasses import dataclass
from typing import Any

from gendsl import rules
from gendsl.check.arguments import WRONG, bind
from gendsl.check.network_values import BROKEN, LAYERS, WEIGHT, Flow, Value, ValueBuilder, fits, output_shape
from gendsl.check.scope import (
    LOST,
    BlockMeaning,
    Deferred,
    Missing,
    NetworkMeaning,
    Scope,
)
from gendsl.diagnostics import Label, Problems
from gendsl.plan.plan import Layer
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary.dimensions import Dimension, product, shown
from gendsl.vocabulary.word import REQUIRED, Inferred, LayerWord, Mismatch, Parameter, Reference, Word


@dataclass(slots=True)
class LayerBuilder(ValueBuilder):
    """How layers, blocks and networks used as layers are added to the values."""

    def _flows(self, step: tree.Step, flow: Flow) -> bool:
        if flow is not None:
            return True
        self.broken = True
        names = [one.text for p in meaning.parameters if isinstance(one := p.name or p.value, tree.Name)]
        word = Word(
            name=step.word,
            category="block",
            doc="",
            parameters=tuple(
                Parameter(name=name, kind=Reference(), default=None if p.name else REQUIRED)
                for name, p in zip(names, meaning.parameters, strict=False)
            ),
            example=f"{step.word} {', '.join(names)}",
        )
        bound = bind(word, step.arguments, step.head_span, scope, self.context, resolve=self._value_or_constant(scope))
        fine = WRONG not in bound
        for name, parameter in zip(names, meaning.parameters, strict=False):
            value = bound[name]
            if value is LOST:
                fine = False
                inner.define(name, Missing(), parameter.span)
            elif value is None and parameter.name is not None:
                inner.define(name, Deferred(parameter.value, parameter.span), parameter.span)
            else:
                inner.define(name, value, parameter.span)
        return fine

    def _network_call(self, step: tree.Step, meaning: NetworkMeaning, flow: Flow, scope: Scope) -> Flow:
        self.context.used.add(meaning.name)
        network = self.networks.get(meaning.name)
        if network is None:
            self.broken = True
            return BROKEN
        word = Word(
            name=meaning.name,
            category="network",
            doc="",
            parameters=tuple(Parameter(name=i.name, kind=Reference()) for i in network.inputs[1:]),
            example=f"{meaning.name} {', '.join(i.name for i in network.inputs[1:])}",
        )
        bound = bind(word, step.arguments, step.head_span, scope, self.context, resolve=self._resolver(scope))
        if not self._flows(step, flow) or flow == BROKEN or LOST in bound.values():
            return BROKEN
        assert flow is not None
        flows = [flow, *(bound[i.name] for i in network.inputs[1:])]
        for declared, one in zip(network.inputs, flows, strict=True):
            shape = self.values[one].shape
            if shape is not None and not fits(shape, declared.shape):
                self.broken = True
                self.context.problems.add(
                    rules.layer_shape,
                    step.head_span,
                    f"`{meaning.name}` takes {shown(declared.shape)} as its `{declared.name}`, and {shown(shape)} comes in",
                    labels=(Label(self.values[one].shaped, f"{shown(shape)} is made here"),),
                )
                return BROKEN
        output = network.outputs[0]
        shape = output_shape(network, output.value)
        return self._append(step, "network", {"network": meaning.name}, flows, Inferred(shape or ()), step.label)


def _small_enough(inferred: Inferred) -> Inferred | Mismatch:
    for weight in inferred.weights:
        size = product(weight.shape)
        if isinstance(size, int) and size > WEIGHT:
            return Mismatch(
                f"would have {size:,} numbers in one weight, {shown(weight.shape)}",
                f"a tensor has at most {WEIGHT:,}: make the layer, or what comes in, smaller",
            )
    return inferred
