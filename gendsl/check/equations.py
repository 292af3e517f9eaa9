"""Expressions in, typed operations out: names and calls are resolved, shapes agree, equal ones are merged."""

from gendsl import rules
from gendsl.check.arguments import value_of
from gendsl.check.constants import constant, described, force, members
from gendsl.check.network_values import output_shape
from gendsl.check.operations import NOTHING, kind_shown, raw_type
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
)
from gendsl.check.word_calls import WordCalls
from gendsl.frozen import dataclass
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS, word_of
from gendsl.vocabulary.dimensions import Symbolic
from gendsl.vocabulary.functions import FunctionWord
from gendsl.vocabulary.losses import LossWord
from gendsl.vocabulary.penalties import PenaltyWord
from gendsl.vocabulary.results import broadcast, condition
from gendsl.vocabulary.types import Distribution, Process, Scalar, Tensor, Truth, Type, Unknown
from gendsl.vocabulary.word import Mismatch, Scheduled, WordOf

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
class Equations(WordCalls):
    """Expressions as operations."""

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
        if name.text in self.later:
            self.context.problems.add(
                rules.used_before_definition,
                name.span,
                f"`{name.text}` is used before it is bound",
                help="move the binding before this line",
            )
            return NOTHING
        self.context.unknown_name(name, scope, words=[*WORDS["function"], *WORDS["penalty"]])
        return NOTHING

    def _deferred(self, name: tree.Name, meaning: Deferred, scope: Scope) -> Operand:
        value = meaning.value
        if isinstance(value, tree.Call) and isinstance(value.function, tree.Name):
            head = value.function.text
            if head in WORDS["process"]:
                key = WordOf("process")
                if key not in meaning.kinds:
                    meaning.kinds[key] = value_of(key, value, self.context.globals, self.context)
                call = meaning.kinds[key]
                return NOTHING if call is LOST else Operand(-1, Process(name.text, call))
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

    def _binary(self, node: tree.Binary, scope: Scope) -> Operand:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if isinstance(left.type, Unknown) or isinstance(right.type, Unknown):
            return NOTHING
        if node.operator in ("and", "or"):
            for side, where in ((left, node.left), (right, node.right)):
                if not isinstance(side.type, Truth):
                    self._mismatch(
                        where.span,
                        f"`{node.operator}` joins conditions, and this is a {kind_shown(side.type)}",
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
        if (not isinstance(left.type, Unknown) and left.number < 0) or right.number < 0:
            return NOTHING
        if node.operator == "/" and self._zero(right):
            self.context.problems.add(
                rules.bad_arithmetic, node.right.span, "this divides by zero", help="divide by another number"
            )
            return NOTHING
        folded = self._folded(node, left, right) if name in _OPERATORS.values() else None
        return folded or self.add(name, (left.number, right.number), {}, found)

    def _zero(self, operand: Operand) -> bool:
        operation = self.operations[operand.number]
        return operation.name == "constant" and operation.attributes["value"] == 0

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
                self._mismatch(
                    node.operand.span, f"`not` takes a condition, not a {kind_shown(operand.type)}", "compare it"
                )
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
                    "output", (number,), {"name": output.name}, raw_type(network, output.value, output.type)
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
        for category in ("function", "penalty", "loss", "prior", "process", "schedule"):
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
            if category == "process":
                call = value_of(WordOf("process"), node, self.context.globals, self.context)
                return NOTHING if call is LOST else Operand(-1, Process(function.text, call))
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
        networks = scope.named(NetworkMeaning)
        self.context.unknown_name(
            function, scope, among=networks, words=[*WORDS["function"], *WORDS["penalty"], *WORDS["loss"]]
        )
        return NOTHING

    def draw(self, statement: tree.Draw, scope: Scope) -> Operand:
        """`z ~ q`."""
        of = self.value(statement.value, scope)
        if isinstance(of.type, Unknown):
            return NOTHING
        if not isinstance(of.type, Distribution):
            self._mismatch(
                statement.value.span,
                f"only a distribution can be drawn from, and this is a {kind_shown(of.type)}",
                "write `=` for a value, or declare the network's result as `normal(…)`",
            )
            return NOTHING
        type = Tensor(of.type.event, "", of.type.family == "categorical")
        return self.add("draw", (of.number,), {}, type, site=self.sites.next())
