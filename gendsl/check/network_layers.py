"""A layer, a block's call or a network used as a layer in, its shape, weights and place among the values out."""

from typing import Any

from gendsl import rules
from gendsl.check.arguments import WRONG, bind
from gendsl.check.network_values import BROKEN, LAYERS, WEIGHT, Flow, Value, ValueBuilder, fits, output_shape
from gendsl.check.rows import activated
from gendsl.check.scope import (
    LOST,
    BlockMeaning,
    Deferred,
    Missing,
    NetworkMeaning,
    Scope,
)
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import dataclass
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
        names = [f"`from {name}`" for name in self.input_names]
        self.context.problems.add(
            rules.no_flow,
            step.head_span,
            f"no value flows into `{step.word}` yet",
            help=f"begin with {' or '.join(names)}" if names else "give the network an input",
        )
        return False

    def _layer(self, step: tree.Step, word: LayerWord, flow: Flow, scope: Scope) -> Flow:
        self.context.use(word)
        if step.block is not None:
            self.context.problems.add(
                rules.no_block,
                step.block.span,
                f"`{word.name}` takes no block",
                help="begin a new line before the brace, or write `|` between layers",
            )
        bound = bind(word, step.arguments, step.head_span, scope, self.context, resolve=self._resolver(scope))
        flows: list[int] = []
        lost = LOST in bound.values()
        if word.flow:
            if not self._flows(step, flow):
                return BROKEN
            lost = lost or flow == BROKEN
            if flow is not None:
                flows.append(flow)
        arguments: dict[str, Any] = {}
        for parameter in word.parameters:
            value = bound[parameter.name]
            if not isinstance(parameter.kind, Reference):
                arguments[parameter.name] = value
            elif isinstance(value, tuple):
                flows.extend(value)
            elif value is not None and value is not LOST:
                flows.append(value)
        if lost:
            self.broken = True
            return BROKEN
        return self._add(word, step, arguments, flows)

    def _add(self, word: LayerWord, step: tree.Step, arguments: dict[str, Any], flows: list[int]) -> Flow:
        values = [self.values[one] for one in flows]
        if "classes" in arguments and arguments["classes"] is None:
            arguments["classes"] = next((v.classes for v in reversed(values) if v.classes is not None), None)
        if word.name == "unembed":
            arguments["vocabulary"] = self._vocabulary_of(flows[-1])
        if word.name == "embed" and _fewer(arguments["vocabulary"], values[0].classes):
            self._too_few(step, arguments["vocabulary"], values[0])
            return BROKEN
        for place, value in enumerate(values):
            if value.integer != (place in word.integers):
                self._integer(step, word, value)
                return BROKEN
        shapes = [value.shape for value in values]
        if None in shapes:
            return self._append(step, word.name, arguments, flows, None, step.label)
        bounded = arguments
        if self.constrain is not None and "constrain" in arguments and arguments["constrain"] is None:
            bounded = {**arguments, "constrain": self.constrain}
        inferred = word.infer(bounded, tuple(shape for shape in shapes if shape is not None))
        if word.name == "row_activation" and isinstance(inferred, Inferred):
            layout = activated(inferred.shape, self.context.globals)
            inferred = layout if isinstance(layout, Mismatch) else inferred
            arguments["layout"] = () if isinstance(layout, Mismatch) or layout is None else layout
        if isinstance(inferred, Inferred):
            inferred = _small_enough(inferred)
        if isinstance(inferred, Mismatch):
            self.broken = True
            made = {
                (value.shaped, value.shape): Label(value.shaped, f"{shown(value.shape or ())} is made here")
                for value in values
                if value.shaped != step.head_span and value.shape is not None
            }
            self.context.problems.add(
                rules.layer_shape,
                step.span if step.block is None else step.head_span,
                f"`{word.name}` {inferred.message}",
                labels=tuple(made.values()),
                help=inferred.help,
            )
            return BROKEN
        return self._append(step, word.name, arguments, flows, inferred, step.label)

    def _vocabulary_of(self, value: int) -> Any:
        """How many vectors the table has that a value was looked up in; None for one of another layer."""
        place = value - (len(self.values) - len(self.layers))
        layer = self.layers[place] if place >= 0 else None
        return layer.arguments["vocabulary"] if layer is not None and layer.word == "embed" else None

    def _too_few(self, step: tree.Step, vocabulary: Any, value: Value) -> None:
        self.broken = True
        self.context.problems.add(
            rules.layer_shape,
            step.span,
            f"`embed` has {vocabulary} vectors, and this value is one of {value.classes}",
            labels=(Label(value.span, "it comes from here"),),
            help=f"write `embed {value.classes}, …`"
            + ("" if " or " not in value.span.text else ": the last is none's"),
        )

    def _integer(self, step: tree.Step, word: LayerWord, value: Value) -> None:
        self.broken = True
        if value.integer:
            message = f"`{word.name}` computes with numbers, and this value is a whole class or token"
            mend = "turn it into numbers first: `embed` or `one_hot`"
        else:
            message = f"`{word.name}` takes whole classes or tokens, and this value is a number"
            mend = "give it an input such as `y: label`"
        self.context.problems.add(
            rules.layer_shape,
            step.head_span,
            message,
            labels=(Label(value.span, "the value comes from here"),) if value.span != step.head_span else (),
            help=mend,
        )

    def _keras(self, step: tree.Step, flow: Flow, scope: Scope) -> Flow:
        from gendsl.check.keras_layers import draws, keras_word

        word = keras_word(step.head[1], self.context)
        if word is None:
            self.broken = True
            return BROKEN
        bound = bind(word, step.arguments, step.head_span, scope, self.context)
        if not self._flows(step, flow) or flow == BROKEN or LOST in bound.values():
            return BROKEN
        assert flow is not None
        given = {name: value for name, value in bound.items() if value is not None}
        if draws(word, given):
            self.context.problems.add(
                rules.unknown_word,
                step.head_span,
                f"`{step.word}` draws random numbers from a state that no checkpoint keeps",
                help="`dropout` and `gaussian_noise` draw by the seed and the step",
            )
        return self._append(step, step.word, given, [flow], None, step.label)

    def _append(
        self,
        step: tree.Step,
        word: str,
        arguments: dict[str, Any],
        flows: list[int],
        inferred: Inferred | None,
        label: tree.Name | None,
    ) -> int:
        if len(self.layers) >= LAYERS:
            self._too_many(step.span)
            return BROKEN
        weights: Dimension = 0
        state: Dimension = 0
        if inferred is not None:
            for weight in inferred.weights:
                if weight.trainable:
                    weights = weights + product(weight.shape)
                else:
                    state = state + product(weight.shape)
        prefix = "_".join(self.prefixes)
        own = arguments["network"] if word == "network" else word.rsplit(".", 1)[-1].lower()
        base = label.text if label is not None else own
        name = self._unique(f"{prefix}_{base}" if prefix else base)
        shape = inferred.shape if inferred is not None else None
        self.layers.append(
            Layer(
                name,
                word,
                arguments,
                tuple(flows),
                shape,
                weights,
                state,
                inferred.flops if inferred is not None else 0,
                "/".join(self.prefixes),
            )
        )
        integer = word in ("identity", "reshape", "flatten") and bool(flows) and self.values[flows[0]].integer
        before = self.values[flows[0]] if flows else None
        kept = before is not None and before.shape == shape and len(flows) == 1
        shaped = before.shaped if before is not None and kept else step.head_span
        call = self.calls[0] if self.calls else None
        self.values.append(Value(shape, step.head_span, shaped, None, integer, word, call))
        self.read.update(flows)
        return len(self.values) - 1

    def _too_many(self, span: Span) -> None:
        self.full = self.broken = True
        self.context.problems.add(
            rules.too_many_layers,
            span,
            f"this makes a network of more than {LAYERS:,} layers",
            help="repeat less often",
        )

    def _told_of_call(self, step: tree.Step, inner: Scope, found: Problems) -> None:
        """Mistakes in a block are told with the call that they came up in; those of one argument once."""
        blamed: set[str] = set()
        for one in found:
            if one.span.text in inner.spans:
                if one.span.text in blamed:
                    continue
                blamed.add(one.span.text)
            call = Label(step.span, f"in this `{step.word}`")
            inside = one.span.source is step.span.source and step.span.start <= one.span.start < step.span.end
            labels = one.labels if inside or call in one.labels else (*one.labels, call)
            self.context.problems.add(one.rule, one.span, one.message, note=one.note, labels=labels, help=one.help)

    def _block_arguments(self, step: tree.Step, meaning: BlockMeaning, scope: Scope, inner: Scope) -> bool:
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
                    f"`{meaning.name}` takes {shown(declared.shape)} as `{declared.name}`, and {shown(shape)} comes in",
                    labels=(Label(self.values[one].shaped, f"{shown(shape)} is made here"),),
                )
                return BROKEN
        output = network.outputs[0]
        shape = output_shape(network, output.value)
        inferred = Inferred(shape or (), (), network.flops)
        return self._append(step, "network", {"network": meaning.name}, flows, inferred, step.label)


def _small_enough(inferred: Inferred) -> Inferred | Mismatch:
    for weight in inferred.weights:
        size = product(weight.shape)
        if isinstance(size, int) and size > WEIGHT:
            return Mismatch(
                f"would have {size:,} numbers in one weight, {shown(weight.shape)}",
                f"a tensor has at most {WEIGHT:,}: make the layer, or what comes in, smaller",
            )
    return inferred


def _fewer(vocabulary: Any, classes: Any) -> bool:
    return isinstance(vocabulary, int) and isinstance(classes, int) and vocabulary < classes
