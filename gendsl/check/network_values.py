"""The values of a network on its way: their names, the references to them, the stack of skips."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from gendsl import rules
from gendsl.check.constants import constant
from gendsl.check.context import Context
from gendsl.check.scope import (
    LOST,
    Constant,
    FieldMeaning,
    Missing,
    Node,
    Scope,
)
from gendsl.diagnostics import Label
from gendsl.frozen import dataclass, field
from gendsl.plan.plan import Layer, Network
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary.dimensions import Dimension, Shape, same
from gendsl.vocabulary.word import Parameter

LAYERS = 100_000
WEIGHT = 2**31 - 1  # numbers of one weight, which TensorFlow's kernels index by 32 bits
STEPS = 2 * LAYERS  # of a walk: labels and empty blocks make no layers, and yet take time
Flow = int | None
BROKEN = -1  # the flow behind a mistake: layers there are checked for their arguments only


@dataclass(slots=True)
class Value:
    """A value inside a network: its shape (None if unknown), its classes if it is a class, where it was made.

    `shaped` is where it took its shape, which layers that keep a shape pass on.
    """

    shape: Shape | None
    span: Span
    shaped: Span
    classes: Dimension | None = None
    integer: bool = False
    word: str = ""
    call: Span | None = None  # of the block in which it was made


@dataclass(slots=True)
class ValueBuilder(ABC):
    """The values of a network, and what names mean there."""

    context: Context
    networks: Mapping[str, Network]
    values: list[Value] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    inputs: int = 0
    input_names: list[str] = field(default_factory=list)
    later: dict[str, Span] = field(default_factory=dict)  # labels that are made further down
    labels: dict[str, int] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)
    outputs: list[tree.Name] | None = None
    output_span: Span | None = None
    names: dict[str, int] = field(default_factory=dict)
    stack: list[tuple[int, Span]] = field(default_factory=list)
    open_blocks: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    broken: bool = False
    full: bool = False
    calls: list[Span] = field(default_factory=list)  # the calls of blocks that are open
    walked: int = 0
    constrain: Any = None  # the network's own, which holds for every layer that has none

    @abstractmethod
    def body(self, statements: Sequence[tree.Statement], flow: Flow, scope: Scope, *, top: bool = False) -> Flow:
        """The value behind some statements that begin with a value."""

    def _resolver(self, scope: Scope) -> Any:
        def resolve(parameter: Parameter, value: tree.Value) -> Any:
            meaning = self._value_or_constant(scope)(parameter, value)
            if isinstance(meaning, Node):
                self.read.add(meaning.value)
                return meaning.value
            if meaning is not LOST:
                self.context.problems.add(
                    rules.wrong_type,
                    value.span,
                    f"`{value.span.text}` is a constant, and a label or an input is needed",
                    help="label a value with `as`, or make it an input of the network",
                )
            self.broken = True
            return LOST

        return resolve

    def _value_or_constant(self, scope: Scope) -> Any:
        def resolve(parameter: Parameter, value: tree.Value) -> Any:
            if isinstance(value, tree.Name):
                meaning = scope.find(value.text)
                if value.text == "pop" and meaning is None:
                    return self._pop(value)
                if isinstance(meaning, Node):
                    self.read.add(meaning.value)
                    return meaning
                if isinstance(meaning, Missing):
                    self.broken = True
                    return LOST
                if isinstance(meaning, FieldMeaning):
                    self.broken = True
                    self.context.problems.add(
                        rules.unknown_name,
                        value.span,
                        f"`{value.text}` is a data field, and no input of this network",
                        help=f"make it an input: `y: {value.text}`",
                    )
                    return LOST
                if meaning is None:
                    self.broken = True
                    self._not_a_value(value, scope)
                    return LOST
            result = constant(value, scope, self.context)
            return LOST if result is LOST else Constant(result)

        return resolve

    def _not_a_value(self, name: tree.Name, scope: Scope) -> None:
        if name.text in self.later:
            self.context.problems.add(
                rules.used_before_definition,
                name.span,
                f"`{name.text}` is used before it is made",
                labels=(Label(self.later[name.text], "it is labelled here"),),
                help="labels are made before they are used: reorder the layers",
            )
            return
        self.context.unknown_name(name, scope)

    def _pop(self, value: tree.Name) -> Any:
        if not self.stack:
            self.broken = True
            self.context.problems.add(
                rules.push_pop,
                value.span,
                "`pop` finds nothing that was pushed",
                help="write `push` behind the layer to be kept",
            )
            return LOST
        flow, _ = self.stack.pop()
        if flow == BROKEN:
            return LOST
        return Node(flow)

    def _duplicate(self, name: tree.Name, scope: Scope) -> None:
        labels = (Label(scope.spans[name.text], "first here"),) if name.text in scope.spans else ()
        self.context.problems.add(
            rules.duplicate_name,
            name.span,
            f"`{name.text}` is already defined here",
            labels=labels,
            help="choose another name",
        )

    def _label(self, label: tree.Name, flow: Flow, scope: Scope, *, top: bool) -> None:
        if label.text in scope.names:
            self._duplicate(label, scope)
            return
        if flow is None:
            self.context.problems.add(rules.no_flow, label.span, "no value flows here that could be labelled")
            scope.define(label.text, Missing(), label.span)
        elif flow == BROKEN:
            scope.define(label.text, Missing(), label.span)
        else:
            scope.define(label.text, Node(flow), label.span)
            if top:
                self.labels[label.text] = flow

    def _unique(self, name: str) -> str:
        count = self.names.get(name)
        if count is None:
            self.names[name] = 1
            return name
        while f"{name}_{count}" in self.names:
            count += 1
        self.names[name] = count + 1
        self.names[f"{name}_{count}"] = 1
        return f"{name}_{count}"


def output_shape(network: Network, value: int) -> Shape | None:
    """The shape of a value of a network."""
    if value < len(network.inputs):
        return network.inputs[value].shape
    return network.layers[value - len(network.inputs)].shape


def fits(left: Shape, right: Shape) -> bool:
    """Whether two shapes have as many axes and can be equal in each."""
    return len(left) == len(right) and all(map(same, left, right))
