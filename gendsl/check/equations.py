"""Expressions in, typed operations out: names and calls are resolved, shapes agree, equal expressions are one operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gendsl import rules
from gendsl.check.arguments import bind, value_of
from gendsl.check.constants import constant, described, force, members, plain
from gendsl.check.context import Context
from gendsl.check.networks import output_shape
from gendsl.check.scope import (
    LOST,
    BlockMeaning,
    Constant,
    Deferred,
    FieldMeaning,
    Missing,
    NetworkMeaning,
    Node,
    ObjectiveMeaning,
    Operand,
    Scope,
    did_you_mean,
)
from gendsl.diagnostics import Label, Problems
from gendsl.plan.plan import Call, Field, Input, Network, Operation, Quantity
from gendsl.plan.types import Distribution, NetworkType, Process, Scalar, Several, Tensor, Truth, Type, Unknown
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS, word_of
from gendsl.vocabulary.dimensions import Symbolic, same_shape, shown
from gendsl.vocabulary.functions import FunctionWord
from gendsl.vocabulary.losses import LossWord
from gendsl.vocabulary.penalties import PenaltyWord
from gendsl.vocabulary.results import broadcast, condition
from gendsl.vocabulary.word import Expression, Mismatch, Parameter, Scheduled, Word, WordOf

NOTHING = Operand(-1, Unknown())
RANDOM_LAYERS = frozenset(["dropout", "gaussian_noise"])
_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "^": "power"}
_COMPARISONS = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}


@dataclass(slots=True)
class Sites:
    """Numbers the places of a spec that draw."""

    count: int = 0

    def next(self) -> int:
        """The next number."""
        self.count += 1
        return self.count - 1


@dataclass(slots=True)
class Equations:
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

    # ---- operations

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

    # ---- expressions

    def value(self, value: tree.Value, scope: Scope) -> Operand:
        """The operand of an expression; of type `Unknown` after a reported mistake."""
        match value:
            case tree.Number():
                return self.number(constant(value, scope, self.context))
            case tree.Parenthesised():
                return self.value(value.value, scope)
            case tree.Name():
                return self._name(value, scope)
            case tree.Binary():
                return self._binary(value, scope)
            case tree.Unary():
                return self._unary(value, scope)
            case tree.Call():
                return self._call(value, scope)
            case tree.Member():
                return self._member(value, scope)
        self.context.problems.add(
            rules.type_mismatch,
            value.span,
            f"`{value.span.text}` is no value of an equation",
            help="equations are of tensors, numbers, networks and distributions",
        )
        return NOTHING

    def _name(self, name: tree.Name, scope: Scope) -> Operand:
        meaning = scope.find(name.text)
        match meaning:
            case Operand():
                return meaning
            case Constant():
                return NOTHING if meaning.value is LOST else self._constant(meaning.value, name.span)
            case Deferred():
                self.context.used.add(name.text)
                return self._deferred(name, meaning, scope)
            case NetworkMeaning():
                self.context.used.add(meaning.name)
                return Operand(-1, self._network_type(meaning.name))
            case FieldMeaning():
                return self.field(meaning.field)
            case Missing():
                return NOTHING
            case Node() | BlockMeaning() | ObjectiveMeaning():
                self.context.problems.add(
                    rules.type_mismatch,
                    name.span,
                    f"`{name.text}` is {described(meaning)}, not a value of an equation",
                    help="call a network, or name a data field",
                )
                return NOTHING
            case None:
                pass
        if name.text in WORDS["loss"]:
            roles = [role for role in self._loss(name.text).roles if role]
            self.context.problems.add(
                rules.type_mismatch,
                name.span,
                f"`{name.text}` is a loss, and takes its tensors in parentheses",
                help=f"write `{name.text}.{roles[-1]}(…)`" if roles else f"write `{name.text}(…)`",
            )
            return NOTHING
        if name.text in WORDS["function"] or name.text in WORDS["penalty"]:
            self.context.problems.add(
                rules.type_mismatch,
                name.span,
                f"`{name.text}` takes its arguments in parentheses",
                help=f"write `{name.text}(…)`",
            )
            return NOTHING
        later = self.context.memo.get("later")
        if isinstance(later, dict) and name.text in later:
            self.context.problems.add(
                rules.used_before_definition,
                name.span,
                f"`{name.text}` is used before it is bound",
                help="move the binding before this line",
            )
            return NOTHING
        self.context.unknown_name(name, scope, words=[*WORDS["function"], *WORDS["penalty"]])
        return NOTHING

    def _network_type(self, name: str) -> Type:
        network = self.networks.get(name)
        if network is None:
            return Unknown()
        return NetworkType(name, network.outputs[0].type if len(network.outputs) == 1 else None)

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

    def _deferred(self, name: tree.Name, meaning: Deferred, scope: Scope) -> Operand:
        value = meaning.value
        if isinstance(value, tree.Call) and isinstance(value.function, tree.Name):
            head = value.function.text
            if head in WORDS["process"]:
                key = WordOf("process")
                if key not in meaning.kinds:
                    meaning.kinds[key] = value_of(key, value, self.context.globals, self.context)
                return NOTHING if meaning.kinds[key] is LOST else Operand(-1, Process(name.text))
            if head in WORDS["schedule"]:
                return self._scalar(name.text, meaning, scope)
        if meaning.schedule:
            return self._scalar(name.text, meaning, scope)
        result = force(name, meaning, scope, self.context)
        return NOTHING if result is LOST else self._constant(result, name.span)

    def _scalar(self, name: str, meaning: Deferred, scope: Scope) -> Operand:
        if "scalar" not in meaning.kinds:
            meaning.kinds["scalar"] = value_of(Scheduled(), meaning.value, scope, self.context)
        if meaning.kinds["scalar"] is LOST:
            return NOTHING
        if not meaning.schedule:
            return self.add("scheduled", (), {"value": meaning.kinds["scalar"]}, Scalar())
        return self.add("scalar", (), {"name": name}, Scalar())

    # ---- operators

    def _binary(self, node: tree.Binary, scope: Scope) -> Operand:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if isinstance(left.type, Unknown) or isinstance(right.type, Unknown):
            return NOTHING
        if node.operator in ("and", "or"):
            for side, where in ((left, node.left), (right, node.right)):
                if not isinstance(side.type, Truth):
                    self._mismatch(
                        where.span,
                        f"`{node.operator}` joins conditions, and this is a {_kind(side.type)}",
                        "compare it",
                    )
                    return NOTHING
            return self.add(node.operator, (left.number, right.number), {}, Truth())
        if node.operator in _COMPARISONS:
            found = condition(left.type, right.type)
            name = _COMPARISONS[node.operator]
        else:
            found = broadcast(left.type, right.type)
            name = _OPERATORS[node.operator]
        if isinstance(found, Mismatch):
            self._mismatch(node.span, f"`{node.operator}` {found.message}", found.help)
            return NOTHING
        if not isinstance(left.type, Unknown) and left.number < 0 or right.number < 0:
            return NOTHING
        folded = self._folded(node, left, right) if name in _OPERATORS.values() else None
        return folded or self.add(name, (left.number, right.number), {}, found)

    def _folded(self, node: tree.Binary, left: Operand, right: Operand) -> Operand | None:
        """The result of arithmetic on two numbers."""
        operations = (self.operations[left.number], self.operations[right.number])
        if any(o.name != "constant" or isinstance(o.attributes["value"], Symbolic) for o in operations):
            return None
        a, b = (operation.attributes["value"] for operation in operations)
        try:
            match node.operator:
                case "+":
                    return self.number(a + b)
                case "-":
                    return self.number(a - b)
                case "*":
                    return self.number(a * b)
                case "/":
                    return self.number(a / b)
        except (ZeroDivisionError, OverflowError):
            self.context.problems.add(
                rules.bad_arithmetic, node.span, "this has no finite result", help="divide by another number"
            )
            return NOTHING
        return None

    def _unary(self, node: tree.Unary, scope: Scope) -> Operand:
        operand = self.value(node.operand, scope)
        if isinstance(operand.type, Unknown):
            return NOTHING
        if node.operator == "not":
            if not isinstance(operand.type, Truth):
                self._mismatch(node.operand.span, f"`not` takes a condition, not a {_kind(operand.type)}", "compare it")
                return NOTHING
            return self.add("not", (operand.number,), {}, Truth())
        found = broadcast(operand.type, Scalar())
        if isinstance(found, Mismatch):
            self._mismatch(node.span, f"`-` {found.message}", found.help)
            return NOTHING
        operation = self.operations[operand.number]
        if operation.name == "constant" and not isinstance(operation.attributes["value"], Symbolic):
            return self.number(-operation.attributes["value"])
        return self.add("negate", (operand.number,), {}, found)

    def _mismatch(self, span: Span, message: str, help: str = "") -> None:
        self.context.problems.add(rules.type_mismatch, span, message, help=help)

    # ---- members

    def _member(self, node: tree.Member, scope: Scope) -> Operand:
        if isinstance(node.value, tree.Name):
            meaning = scope.find(node.value.text)
            if isinstance(meaning, FieldMeaning):
                if node.name.text in members(meaning.field):
                    return self._constant(members(meaning.field)[node.name.text], node.span)
                constant(node, scope, self.context)
                return NOTHING
        whole = self.value(node.value, scope)
        if isinstance(whole.type, Unknown):
            return NOTHING
        call = self.calls.get(whole.number)
        if call is None:
            self.context.problems.add(
                rules.unknown_member,
                node.name.span,
                f"`{node.value.span.text}` has no `{node.name.text}`",
                help="labels are read from the call of a network: `d(x).h`",
            )
            return NOTHING
        number, name = call
        network = self.networks[name]
        assert network is not None
        for output in network.outputs:
            if output.name == node.name.text:
                result = self.add(
                    "output", (number,), {"name": output.name}, _raw_type(network, output.value, output.type)
                )
                return self._meant(result, output.type, number, name)
        if node.name.text in network.labels:
            shape = output_shape(network, network.labels[node.name.text])
            type: Type = Unknown() if shape is None else Tensor(shape, "features")
            return self.add("label", (number,), {"name": node.name.text}, type)
        has = [o.name for o in network.outputs if o.name] + list(network.labels)
        self.context.problems.add(
            rules.unknown_member,
            node.name.span,
            f"`{name}` has no output or top-level label `{node.name.text}`",
            help=did_you_mean(node.name.text, has)
            or (
                f"it has {', '.join(f'`{h}`' for h in has)}"
                if has
                else f"label a value with `as {node.name.text}` in `{name}`"
            ),
        )
        return NOTHING

    # ---- calls

    def _call(self, node: tree.Call, scope: Scope) -> Operand:
        function = node.function
        if isinstance(function, tree.Member) and isinstance(function.value, tree.Name):
            name, role = function.value.text, function.name
            if isinstance(scope.find(name), Missing):
                self._evaluate_quietly(node, scope)
                return NOTHING
            if scope.find(name) is None and name in WORDS["loss"]:
                return self._loss_call(name, role, node, scope)
            if scope.find(name) is None and name not in self.context.skipped:
                self._evaluate_quietly(node, scope)
                self.context.unknown_name(function.value, scope, words=WORDS["loss"])
                return NOTHING
        if isinstance(function, tree.Member) and isinstance(function.value, tree.String):
            self._evaluate_quietly(node, scope)
            self._mismatch(
                function.value.span, "a loss is named without quotes", f"write `{function.value.value}`, without quotes"
            )
            return NOTHING
        if not isinstance(function, tree.Name):
            self._mismatch(
                node.span, f"`{function.span.text}` cannot be called", "networks, functions and losses are called"
            )
            return NOTHING
        meaning = scope.find(function.text)
        if isinstance(meaning, NetworkMeaning):
            return self.network_call(meaning.name, node.arguments, function.span, scope)
        if isinstance(meaning, Missing):
            self._evaluate_quietly(node, scope)
            return NOTHING
        for category in ("function", "penalty", "loss", "prior", "schedule"):
            found = word_of(category, function.text)
            if found is None:
                continue
            self.context.use(found)
            if isinstance(found, FunctionWord):
                return self._function_call(found, node, scope)
            if isinstance(found, PenaltyWord):
                return self._penalty_call(found, node, scope)
            if isinstance(found, LossWord):
                return self._loss_call(function.text, None, node, scope)
            if category == "prior":
                return self._standard(node, scope)
            value = value_of(Scheduled(), node, scope, self.context)
            return NOTHING if value is LOST else self.add("scheduled", (), {"value": value}, Scalar())
        self._evaluate_quietly(node, scope)
        if meaning is not None:
            what = described(meaning) if not isinstance(meaning, Deferred) else "a binding"
            self._mismatch(
                function.span, f"`{function.text}` is {what}, and cannot be called", "networks and functions are called"
            )
            return NOTHING
        if function.text in WORDS["layer"]:
            self.context.problems.add(
                rules.misplaced,
                function.span,
                f"`{function.text}` is a layer, and layers stand in networks",
                help=did_you_mean(function.text, WORDS["function"]) or "put it into a network, and call that here",
            )
            return NOTHING
        networks = [n for n in list(scope.all()) if isinstance(scope.find(n), NetworkMeaning)]
        self.context.unknown_name(
            function, scope, among=networks, words=[*WORDS["function"], *WORDS["penalty"], *WORDS["loss"]]
        )
        return NOTHING

    def _evaluate_quietly(self, node: tree.Call, scope: Scope) -> None:
        """Counts what a wrong call uses as used."""
        problems, self.context.problems = self.context.problems, Problems()
        for argument in node.arguments:
            self.value(argument.value, scope)
        self.context.problems = problems

    def _resolve(self, scope: Scope) -> Any:
        def resolve(parameter: Parameter, value: tree.Value) -> Operand:
            return self.value(value, scope)

        return resolve

    def _function_call(self, found: FunctionWord, node: tree.Call, scope: Scope) -> Operand:
        bound = bind(found, node.arguments, node.span, scope, self.context, resolve=self._resolve(scope))
        if LOST in bound.values():
            return NOTHING
        operands: list[Operand] = []
        options: dict[str, Any] = {}
        for parameter in found.parameters:
            value = bound[parameter.name]
            if not isinstance(parameter.kind, Expression):
                options[parameter.name] = value
            elif isinstance(value, tuple):
                operands.extend(value)
            elif value is not None:
                operands.append(value)
        if any(isinstance(operand.type, Unknown) for operand in operands):
            return NOTHING
        type = found.result(tuple(operand.type for operand in operands), options)
        if isinstance(type, Mismatch):
            self._mismatch(node.span, f"`{found.name}` {type.message}", type.help)
            return NOTHING
        attributes: dict[str, Any] = {"word": found.name, "arguments": options}
        named = [o.type for o in operands if isinstance(o.type, NetworkType | Process)]
        for one in named:
            attributes["network" if isinstance(one, NetworkType) else "process"] = one.name
        inputs = tuple(operand.number for operand in operands if operand.number >= 0)
        if found.name == "replay":
            return self.add("replay", inputs, {"size": options["size"]}, type, site=self.sites.next())
        site = self.sites.next() if found.draws else None
        return self.add("function", inputs, attributes, type, site=site)

    def _loss(self, name: str) -> LossWord:
        found = WORDS["loss"][name]
        assert isinstance(found, LossWord)
        return found

    def _loss_call(self, name: str, role: tree.Name | None, node: tree.Call, scope: Scope) -> Operand:
        loss = self._loss(name)
        self.context.use(loss)
        wanted = role.text if role is not None else ""
        if wanted not in loss.roles:
            self._evaluate_quietly(node, scope)
            roles = [f"`{name}.{one}`" if one else f"`{name}`" for one in loss.roles]
            place = role.span if role is not None else node.function.span
            message = (
                f"`{name}` has no `{wanted}`"
                if role is not None
                else f"`{name}` is a loss of two sides, and neither is named"
            )
            self.context.problems.add(
                rules.unknown_member,
                place,
                message,
                help=(did_you_mean(wanted, loss.roles) if role is not None else "") or f"write {' or '.join(roles)}",
            )
            return NOTHING
        pseudo = Word(
            name=f"{name}.{wanted}" if wanted else name,
            category="loss",
            doc=loss.doc,
            parameters=(*loss.roles[wanted], *loss.options(wanted)),
            example=loss.example,
        )
        bound = bind(pseudo, node.arguments, node.span, scope, self.context, resolve=self._resolve(scope))
        if LOST in bound.values():
            return NOTHING
        operands = [bound[parameter.name] for parameter in loss.roles[wanted]]
        if any(isinstance(operand.type, Unknown) for operand in operands):
            return NOTHING
        options = {parameter.name: bound[parameter.name] for parameter in loss.options(wanted)}
        type = loss.result(wanted, tuple(operand.type for operand in operands), options)
        if isinstance(type, Mismatch):
            self._mismatch(node.span, f"`{pseudo.name}` {type.message}", type.help)
            return NOTHING
        self._logits(pseudo.name, operands, node)
        attributes = {"word": name, "role": wanted, "arguments": options}
        return self.add("loss", tuple(operand.number for operand in operands), attributes, type)

    def _logits(self, name: str, operands: list[Operand], node: tree.Call) -> None:
        """A GAN's loss is of scores: a data field or a generated example in its place is a mistake."""
        for operand, argument in zip(operands, node.arguments, strict=False):
            type = operand.type
            fields = {one.field.name for one in self.context.globals.names.values() if isinstance(one, FieldMeaning)}
            if "." in name and isinstance(type, Tensor) and type.meaning in fields and not type.integer:
                self._mismatch(
                    argument.span,
                    f"`{name}` takes scores, and this is shaped as the data's `{type.meaning}`",
                    "give it to the discriminator first",
                )

    def _penalty_call(self, found: PenaltyWord, node: tree.Call, scope: Scope) -> Operand:
        bound = bind(found, node.arguments, node.span, scope, self.context, resolve=self._resolve(scope))
        if LOST in bound.values():
            return NOTHING
        name = bound["network"]
        network = self.networks.get(name)
        if network is None:
            return NOTHING
        operands: list[Operand] = []
        for parameter in found.tensors:
            operand = bound[parameter.name]
            if operand is None:
                operand = self._batch_of(network.inputs[0], network, node.span, scope)
            operands.append(operand)
        if any(isinstance(operand.type, Unknown) for operand in operands):
            return NOTHING
        for operand, parameter in zip(operands, found.tensors, strict=True):
            if not self._takes(
                network, network.inputs[0], operand, node.span, f"the `{parameter.name}` of `{found.name}`"
            ):
                return NOTHING
        output = network.outputs[0]
        if not isinstance(output.type, Tensor):
            self._mismatch(
                node.span, f"`{found.name}` takes a network that gives numbers, and `{name}` gives {output.type}"
            )
            return NOTHING
        last = operands[-1]
        others = [self._beside(one, network, last, node.span, scope) for one in network.inputs[1:]]
        if any(isinstance(operand.type, Unknown) for operand in others):
            return NOTHING
        options = {
            p.name: bound[p.name]
            for p in found.parameters
            if not isinstance(p.kind, Expression) and p.name != "network"
        }
        every = options.pop("every", None)
        attributes = {
            "word": found.name,
            "network": name,
            "arguments": options,
            "every": int(every.value) if isinstance(every, Quantity) else None,
        }
        inputs = tuple(operand.number for operand in (*operands, *others))
        return self.add("penalty", inputs, attributes, Scalar(), site=self.sites.next())

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
        call = value_of(WordOf("prior"), node, scope, self.context)
        if call is LOST:
            return NOTHING
        return self._standard_of(call)

    def _standard_of(self, call: Call) -> Operand:
        if call.word == "categorical":
            type = Distribution("categorical", (), call.arguments["classes"])
        else:
            type = Distribution(call.word, call.arguments["size"])
        return self.add(call.word, (), {"event": type.event, **call.arguments}, type)

    def network_call(self, name: str, arguments: tuple[tree.Argument, ...], span: Span, scope: Scope) -> Operand:
        """A call of a network: arguments bind left to right or by input name, priors are drawn, fields are the batch's."""
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
        broken = len(arguments) > len(network.inputs)
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
        random = self.training and (both or any(layer.word in RANDOM_LAYERS for layer in network.layers))
        key = ("call", tuple(numbers), name)
        if not random and key in self.seen:
            number = self.seen[key]
        else:
            one = network.outputs[0]
            type: Type = (
                _raw_type(network, one.value, one.type)
                if len(network.outputs) == 1
                else Several(tuple((o.name, o.type) for o in network.outputs))
            )
            attributes = {"network": name, "training": self.training, "both": both}
            number = self.add("call", tuple(numbers), attributes, type, site=self.sites.next()).number
            self.seen[key] = number
        self.calls[number] = (number, name)
        call = Operand(number, self.operations[number].type)
        if len(network.outputs) == 1:
            return self._meant(call, network.outputs[0].type, number, name)
        return call

    def _meant(self, raw: Operand, type: Type, number: int, name: str) -> Operand:
        """A network's numbers as what they mean."""
        if isinstance(type, Distribution):
            raw = self.add(
                "distribution",
                (raw.number,),
                {"family": type.family, "event": type.event, "classes": type.classes},
                type,
            )
        self.calls[raw.number] = (number, name)
        return raw

    def _takes(self, network: Network, declared: Input, operand: Operand, span: Span, what: str) -> bool:
        type = operand.type
        wanted = f"({', '.join(['batch', *map(str, declared.shape)])})"
        if isinstance(type, Tensor):
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
        self._mismatch(span, f"{what} takes {wanted}, and this is a {_kind(type)}", help)
        maker = self.calls.get(operand.number)
        if maker is not None and isinstance(type, Distribution):
            declared_at = self.context.globals.spans[maker[1]]
            self.context.problems.label(span, [Label(declared_at, f"`{maker[1]}` is declared to give a {_kind(type)}")])
        return False

    def draw(self, statement: tree.Draw, scope: Scope) -> Operand:
        """`z ~ q`."""
        of = self.value(statement.value, scope)
        if isinstance(of.type, Unknown):
            return NOTHING
        if not isinstance(of.type, Distribution):
            self._mismatch(
                statement.value.span,
                f"only a distribution can be drawn from, and this is a {_kind(of.type)}",
                "write `=` for a value, or declare the network's result as `normal(…)`",
            )
            return NOTHING
        type = Tensor(of.type.event, "", of.type.family == "categorical")
        return self.add("draw", (of.number,), {}, type, site=self.sites.next())


def _signature(network: Network) -> str:
    return ", ".join(
        f"{one.name}: {one.of if isinstance(one.of, str) else one.of.word if one.of is not None else one.kind}"
        + (f" {shown(one.shape)}" if one.shape else "")
        for one in network.inputs
    )


def _raw_type(network: Network, value: int, type: Type) -> Type:
    """What a network's layers give for a result: its numbers, before their meaning as a distribution."""
    if isinstance(type, Distribution):
        shape = output_shape(network, value)
        return Unknown() if shape is None else Tensor(shape)
    return type


def _kind(type: Type) -> str:
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
