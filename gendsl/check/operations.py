"""Operands in, operations out, equal ones merged; calls of networks draw what is left out, or take the batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from gendsl import rules
from gendsl.check.arguments import WRONG, bind, names_in, value_of
from gendsl.check.constants import plain
from gendsl.check.context import Context
from gendsl.check.network_values import output_shape
from gendsl.check.scope import (
    LOST,
    FieldMeaning,
    Operand,
    Scope,
)
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import dataclass, field
from gendsl.plan.draws import draws
from gendsl.plan.plan import Call, Field, Input, Network, Operation, Quantity
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary.dimensions import Symbolic, same_shape, shown
from gendsl.vocabulary.noising import OR_NONE
from gendsl.vocabulary.types import Distribution, NetworkType, Process, Scalar, Several, Tensor, Truth, Type, Unknown
from gendsl.vocabulary.word import Expression, Parameter, Word, WordOf

NOTHING = Operand(-1, Unknown())


@dataclass(slots=True)
class Sites:
    """Numbers the places of a spec that draw."""

    count: int = 0

    def next(self) -> int:
        """The next number."""
        self.count += 1
        return self.count - 1


@dataclass(slots=True)
class Operations(ABC):
    """The operations of one update, of `sample`, or of the equations of `evaluate`."""

    context: Context
    networks: Mapping[str, Network | None]
    sites: Sites
    both: bool = False
    training: bool = False
    operations: list[Operation] = field(default_factory=list)
    seen: dict[Any, int] = field(default_factory=dict)
    calls: dict[int, tuple[int, str]] = field(default_factory=dict)  # a result: the call it comes from, and its network
    fields: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)  # names that are bound further down

    @abstractmethod
    def value(self, value: tree.Value, scope: Scope) -> Operand:
        """The operand of an expression; of type `Unknown` after a reported mistake."""

    def add(
        self, name: str, inputs: tuple[int, ...], attributes: dict[str, Any], type: Type, *, site: int | None = None
    ) -> Operand:
        """An operation, or the equal one that is there already; what draws is never merged."""
        key = (name, inputs, repr(sorted(attributes.items(), key=lambda item: item[0])))
        if site is None and key in self.seen:
            return Operand(self.seen[key], type)
        self.operations.append(Operation(name, inputs, attributes, type, site))
        number = len(self.operations) - 1
        if site is None:
            self.seen[key] = number
        return Operand(number, type)

    def number(self, value: Any) -> Operand:
        """A constant."""
        return self.add("constant", (), {"value": plain(value)}, Scalar())

    def field(self, found: Field) -> Operand:
        """The batch of a data field."""
        self.fields.add(found.name)
        self.context.used.add(found.name)
        integer = found.kind in ("label", "text")
        type = Tensor(found.shape, found.name, integer)
        return self.add("field", (), {"name": found.name}, type)

    def _constant(self, value: Any, span: Span) -> Operand:
        if isinstance(value, Symbolic):
            return self.add("constant", (), {"value": value}, Scalar())
        if isinstance(value, int | Fraction | float) and not isinstance(value, bool):
            return self.number(value)
        what = f"{value.value} {value.unit}" if isinstance(value, Quantity) else "no number"
        self.context.problems.add(
            rules.type_mismatch,
            span,
            f"a number is needed in an equation, and this is {what}",
            help="write a plain number",
        )
        return NOTHING

    def _mismatch(self, span: Span, message: str, help: str = "") -> None:
        self.context.problems.add(rules.type_mismatch, span, message, help=help)

    def _network_type(self, name: str) -> Type:
        network = self.networks.get(name)
        if network is None:
            return Unknown()
        return NetworkType(name, network.outputs[0].type if len(network.outputs) == 1 else None)

    def _beside(self, declared: Input, network: Network, last: Operand, span: Span, scope: Scope) -> Operand:
        """A further input of a penalised network: the one that made the generated example, else the batch's."""
        call = self.calls.get(last.number)
        if call is not None:
            operation = self.operations[call[0]]
            maker = self.networks[call[1]]
            assert maker is not None
            for one, number in zip(maker.inputs, operation.inputs, strict=True):
                if one.of == declared.of and one.kind == declared.kind and declared.of is not None:
                    return Operand(number, self.operations[number].type)
        return self._batch_of(declared, network, span, scope)

    def _batch_of(self, declared: Input, network: Network, span: Span, scope: Scope) -> Operand:
        if declared.kind == "field" or declared.kind == "condition":
            meaning = self.context.globals.find(declared.of)
            if isinstance(meaning, FieldMeaning):
                return self.field(meaning.field)
            return NOTHING
        if declared.kind == "prior":
            site = self.sites.next()
            return self.add("prior", (), {"call": declared.of}, Tensor(declared.shape, "", declared.integer), site=site)
        self.context.problems.add(
            rules.missing_input,
            span,
            f"`{network.name}` needs its `{declared.name}`, and nothing can fill it",
            labels=(Label(self.context.globals.spans[network.name], f"`{declared.name}` is declared here"),),
            help=f"give it: `{network.name}(…, {declared.name}: …)`",
        )
        return NOTHING

    def _standard(self, node: tree.Call, scope: Scope) -> Operand:
        if (alike := self._shaped_as(node, scope)) is not None:
            if not isinstance(alike.type, Tensor):
                return NOTHING
            type = Distribution("normal", alike.type.shape)
            return self.add("normal", (), {"event": type.event, "size": type.event}, type)
        call = value_of(WordOf("prior"), node, scope, self.context)
        if call is LOST:
            return NOTHING
        return self._standard_of(call)

    def _shaped_as(self, node: tree.Call, scope: Scope) -> Operand | None:
        """The tensor whose shape `normal(image)` has; None for `normal(16)`."""
        if not (isinstance(node.function, tree.Name) and node.function.text == "normal" and len(node.arguments) == 1):
            return None
        value = node.arguments[0].value
        tensors = (Operand, FieldMeaning)
        if not isinstance(value, tree.Call) and not any(
            isinstance(scope.find(n.text), tensors) for n in names_in(value)
        ):
            return None
        found = self.value(value, scope)
        if not isinstance(found.type, Tensor | Unknown) or (isinstance(found.type, Tensor) and found.type.integer):
            self._mismatch(
                value.span,
                f"`normal` takes the shape of a tensor of numbers, and this is a {kind_shown(found.type)}"
                + (" of whole classes" if isinstance(found.type, Tensor) else ""),
                "give it a tensor, or a size: `normal(16)`",
            )
            return NOTHING
        return found

    def _standard_of(self, call: Call) -> Operand:
        if call.word == "categorical":
            length = call.arguments["length"]
            type = Distribution("categorical", () if length is None else (length,), call.arguments["classes"])
        else:
            type = Distribution(call.word, call.arguments["size"])
        return self.add(call.word, (), {"event": type.event, **call.arguments}, type)

    def _meant(self, raw: Operand, type: Type, number: int, name: str) -> Operand:
        """A network's numbers as what they mean."""
        if isinstance(type, Distribution):
            meant: dict[str, Any] = {"family": type.family, "event": type.event, "classes": type.classes}
            if type.bounds is not None:
                meant["bounds"] = type.bounds
            raw = self.add("distribution", (raw.number,), meant, type)
        self.calls[raw.number] = (number, name)
        return raw

    def _takes(self, network: Network, declared: Input, operand: Operand, span: Span, what: str) -> bool:
        type = operand.type
        wanted = f"({', '.join(['batch', *map(str, declared.shape)])})"
        if isinstance(type, Tensor):
            if type.meaning.endswith(OR_NONE) and not declared.optional:
                self._mismatch(
                    span,
                    f"{what} may be none here, and `{network.name}` always takes one",
                    f"declare it `{declared.name}: {type.meaning}`",
                )
                return False
            if type.integer != declared.integer:
                given = "whole classes or tokens" if type.integer else "numbers"
                needs = "whole classes or tokens" if declared.integer else "numbers"
                self._mismatch(
                    span, f"{what} takes {needs}, and this is {given}", f"`{network.name}` takes {_signature(network)}"
                )
                return False
            if same_shape(type.shape, declared.shape):
                return True
            self._mismatch(
                span, f"{what} takes {wanted}, and this is {type}", f"`{network.name}` takes {_signature(network)}"
            )
            return False
        if isinstance(type, Scalar) and declared.shape == () and not declared.integer:
            return True
        help = (
            "draw from it, `z ~ …`, or take its `mean(…)`"
            if isinstance(type, Distribution)
            else f"call it: `{type.name}()`"
            if isinstance(type, NetworkType)
            else f"`{network.name}` takes {_signature(network)}"
        )
        self._mismatch(span, f"{what} takes {wanted}, and this is a {kind_shown(type)}", help)
        maker = self.calls.get(operand.number)
        if maker is not None and isinstance(type, Distribution):
            declared_at = self.context.globals.spans[maker[1]]
            self.context.problems.label(
                span, [Label(declared_at, f"`{maker[1]}` is declared to give a {kind_shown(type)}")]
            )
        return False

    def network_call(self, name: str, arguments: tuple[tree.Argument, ...], span: Span, scope: Scope) -> Operand:
        """A call: arguments bind left to right or by input name, omitted priors are drawn, fields are the batch's."""
        self.context.used.add(name)
        network = self.networks.get(name)
        if network is None:
            self._evaluate_quietly(tree.Call(tree.Name(name, span), arguments, span), scope)
            return NOTHING
        pseudo = Word(
            name=name,
            category="network",
            doc="",
            parameters=tuple(Parameter(name=one.name, kind=Expression(), default=None) for one in network.inputs),
        )
        bound = bind(pseudo, arguments, span, scope, self.context, resolve=self._resolve(scope))
        places = {id(argument.value): argument.span for argument in arguments}
        numbers: list[int] = []
        broken = WRONG in bound
        for place, declared in enumerate(network.inputs):
            operand = bound[declared.name]
            if operand is LOST:
                broken = True
                continue
            if operand is None:
                operand = self._batch_of(declared, network, span, scope)
            else:
                where = next((a.span for a in arguments if a.name is not None and a.name.text == declared.name), None)
                if where is None and place < len(arguments):
                    where = arguments[place].span
                if isinstance(operand.type, Unknown):
                    broken = True
                    continue
                if not self._takes(network, declared, operand, where or span, f"`{declared.name}` of `{name}`"):
                    broken = True
                    continue
            if isinstance(operand.type, Unknown):
                broken = True
                continue
            numbers.append(operand.number)
        del places
        if broken:
            return NOTHING
        return self._called(network, tuple(numbers))

    def _called(self, network: Network, numbers: tuple[int, ...]) -> Operand:
        """A call of a network with operations of these numbers as its inputs, in their order."""
        name = network.name
        scores = any(isinstance(o.type, Tensor) and o.type.meaning == "logits" for o in network.outputs)
        both = (
            tuple(
                place
                for place, declared in enumerate(network.inputs)
                if declared.kind == "field" and not declared.integer
            )
            if self.both and self.training and scores
            else ()
        )
        random = self.training and (both or draws(network, self.networks))
        key = ("call", numbers, name)
        if not random and key in self.seen:
            number = self.seen[key]
        else:
            one = network.outputs[0]
            type: Type = (
                raw_type(network, one.value, one.type)
                if len(network.outputs) == 1
                else Several(tuple((o.name, o.type) for o in network.outputs))
            )
            attributes = {"network": name, "training": self.training, "both": both}
            number = self.add("call", numbers, attributes, type, site=self.sites.next()).number
            self.seen[key] = number
        self.calls[number] = (number, name)
        call = Operand(number, self.operations[number].type)
        if len(network.outputs) == 1:
            return self._meant(call, network.outputs[0].type, number, name)
        return call

    def _evaluate_quietly(self, node: tree.Call, scope: Scope) -> None:
        """Counts what a wrong call uses as used."""
        problems, self.context.problems = self.context.problems, Problems()
        trial, self.context.trial = self.context.trial, True
        for argument in node.arguments:
            self.value(argument.value, scope)
        self.context.problems, self.context.trial = problems, trial

    def _resolve(self, scope: Scope) -> Any:
        def resolve(parameter: Parameter, value: tree.Value) -> Operand:
            return self.value(value, scope)

        return resolve


def _signature(network: Network) -> str:
    return ", ".join(
        f"{one.name}: {one.of if isinstance(one.of, str) else one.of.word if one.of is not None else one.kind}"
        + (f" {shown(one.shape)}" if one.shape else "")
        for one in network.inputs
    )


def raw_type(network: Network, value: int, type: Type) -> Type:
    """What a network's layers give for a result: its numbers, before their meaning as a distribution."""
    if isinstance(type, Distribution):
        shape = output_shape(network, value)
        return Unknown() if shape is None else Tensor(shape)
    return type


def kind_shown(type: Type) -> str:
    """What a type is, in words."""
    match type:
        case Tensor():
            return f"tensor {type}"
        case Scalar():
            return "scalar"
        case Distribution():
            return f"distribution, {type}"
        case NetworkType():
            return f"network, `{type.name}`"
        case Several():
            return "list of results"
        case Process():
            return "noising process"
        case Truth():
            return "condition"
        case Unknown():
            return "mistake"
