"""A `network` statement in, a `plan.Network` out: shapes are followed from the inputs to the declared result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gendsl import rules
from gendsl.check.arguments import WRONG, bind
from gendsl.check.constants import constant
from gendsl.check.context import Context
from gendsl.check.results import Declared, input_of, results_of
from gendsl.check.scope import (
    LOST,
    BlockMeaning,
    Constant,
    Deferred,
    FieldMeaning,
    Missing,
    NetworkMeaning,
    Node,
    Scope,
)
from gendsl.check.shapes import report_result
from gendsl.diagnostics import Label, Problems
from gendsl.plan.plan import Input, Layer, Network, Output
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import Dimension, Shape, product, same, shown
from gendsl.vocabulary.word import REQUIRED, Inferred, LayerWord, Mismatch, Parameter, Reference, Word

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
class NetworkBuilder:
    """One walk through a network's statements."""

    context: Context
    networks: Mapping[str, Network]
    values: list[Value] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    inputs: int = 0
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

    # ---- statements

    def body(self, statements: Sequence[tree.Statement], flow: Flow, scope: Scope, *, top: bool = False) -> Flow:
        """The value behind some statements that begin with a value."""
        self.walked += 1 + len(statements)
        for statement in statements:
            if self.walked > STEPS and not self.full:
                self._too_many(statement.span)
            if self.full:
                return BROKEN
            match statement:
                case tree.Chain():
                    if top and self.outputs is not None and statement.steps[0].word != "allow":
                        self.context.problems.add(
                            rules.unreachable,
                            statement.span,
                            "nothing can follow `output`",
                            help="put `output` last",
                        )
                        return flow
                    for step in statement.steps:
                        flow = self.step(step, flow, scope, top=top)
                case tree.Binding():
                    if statement.name.text in scope.names:
                        self._duplicate(statement.name, scope)
                    else:
                        scope.define(
                            statement.name.text, Deferred(statement.value, statement.name.span), statement.name.span
                        )
                case tree.Lost():
                    self.broken = True
                    flow = BROKEN
                case tree.Draw() | tree.Parameter():
                    what = "a draw" if isinstance(statement, tree.Draw) else "a param"
                    self.context.problems.add(
                        rules.misplaced,
                        statement.span,
                        f"{what} cannot stand in a network",
                        help="give the network an input: `z: normal(64)`"
                        if isinstance(statement, tree.Draw)
                        else "put it at the top of the spec",
                    )
        return flow

    def _duplicate(self, name: tree.Name, scope: Scope) -> None:
        labels = (Label(scope.spans[name.text], "first here"),) if name.text in scope.spans else ()
        self.context.problems.add(
            rules.duplicate_name,
            name.span,
            f"`{name.text}` is already defined here",
            labels=labels,
            help="choose another name",
        )

    # ---- steps

    def step(self, step: tree.Step, flow: Flow, scope: Scope, *, top: bool = False) -> Flow:
        """The value behind one step."""
        name = step.word
        meaning = scope.find(name) if len(step.head) == 1 else None
        if name == "allow":
            self._allow(step, scope)
            return flow
        if isinstance(meaning, BlockMeaning):
            self.context.used.add(name)
            result = self._block_call(step, meaning, flow, scope)
        elif isinstance(meaning, NetworkMeaning):
            result = self._network_call(step, meaning, flow, scope)
        elif isinstance(meaning, Missing):
            self.broken = True
            result = BROKEN
        elif name in WORDS["structure"]:
            result = self._structure(step, WORDS["structure"][name], flow, scope, top=top)
        elif name.startswith("keras.") and len(step.head) == 2:
            result = self._keras(step, flow, scope)
        else:
            word = WORDS["layer"].get(name) if len(step.head) == 1 else None
            if isinstance(word, LayerWord):
                result = self._layer(step, word, flow, scope)
            else:
                self._unknown(step, scope)
                result = BROKEN
        if step.label is not None:
            self._label(step.label, result, scope, top=top)
        if step.index is not None and name != "repeat":
            self.context.problems.add(
                rules.syntax,
                step.index.span,
                f"`as {step.index.text}` before a block names the index of `repeat`",
                help="put `as` behind the block to label its value",
            )
        return result

    def _unknown(self, step: tree.Step, scope: Scope) -> None:
        self.broken = True
        name = step.word
        meaning = scope.find(name)
        if isinstance(meaning, Node) or (isinstance(meaning, Constant) and meaning.value is LOST):
            self.context.problems.add(
                rules.misplaced,
                step.head_span,
                f"`{name}` is a value, not a layer",
                help=f"write `from {name}` to go back to it",
            )
            return
        blocks = [n for n in scope.all() if isinstance(scope.find(n), BlockMeaning | NetworkMeaning)]
        self.context.unknown_word(name, "layer", step.head_span, others=[*WORDS["structure"], *blocks])
        if step.block is not None:
            self.body(step.block.statements, BROKEN, Scope(scope))

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

    def _allow(self, step: tree.Step, scope: Scope) -> None:
        bind(WORDS["top"]["allow"], step.arguments, step.span, scope, self.context)

    # ---- structure

    def _structure(self, step: tree.Step, word: Word, flow: Flow, scope: Scope, *, top: bool) -> Flow:
        name = word.name
        if name == "output":
            return self._output(step, flow, scope, top=top)
        arguments = bind(word, step.arguments, step.head_span, scope, self.context, resolve=self._resolver(scope))
        if not self._block_fits(step, word):
            return BROKEN
        statements = step.block.statements if step.block is not None else ()
        match name:
            case "from":
                target = arguments["value"]
                self.broken = self.broken or target is LOST
                return BROKEN if target is LOST else target
            case "push":
                if self._flows(step, flow) and flow is not None:
                    if flow != BROKEN:
                        self.read.add(flow)
                    self.stack.append((flow, step.span))
                return flow
            case "repeat":
                return self._repeat(step, arguments["times"], flow, scope)
            case "residual":
                if not self._flows(step, flow):
                    return BROKEN
                behind = self.body(statements, flow, Scope(scope))
                return self._residual(step, flow, behind)
            case "parallel":
                return self._parallel(step, arguments["merge"], flow, scope)
        raise AssertionError(name)

    def _block_fits(self, step: tree.Step, word: Word) -> bool:
        if word.body and step.block is None:
            self.broken = True
            self.context.problems.add(
                rules.needs_block, step.span, f"`{word.name}` needs a block", help=f"write `{word.example}`"
            )
            return False
        if not word.body and step.block is not None:
            self.context.problems.add(
                rules.no_block,
                step.block.span,
                f"`{word.name}` takes no block",
                help="remove the braces, or begin a new line before them",
            )
        return True

    def _repeat(self, step: tree.Step, times: Any, flow: Flow, scope: Scope) -> Flow:
        assert step.block is not None
        if times is LOST or not isinstance(times, int):
            if times is not LOST:
                self.context.problems.add(
                    rules.wrong_type,
                    step.span,
                    f"`repeat` needs a number that is known, and {times} waits for the data",
                )
            self.broken = True
            inner = Scope(scope)
            if step.index is not None:
                inner.define(step.index.text, Constant(LOST), step.index.span)
            self.body(step.block.statements, BROKEN, inner)
            return BROKEN
        if times > LAYERS:
            self._too_many(step.span)
            return BROKEN
        for turn in range(times):
            self.walked += 1
            if self.walked > STEPS:
                self._too_many(step.span)
                return BROKEN
            inner = Scope(scope)
            if step.index is not None:
                inner.define(step.index.text, Constant(turn), step.index.span)
            mistakes = len(self.context.problems)
            flow = self.body(step.block.statements, flow, inner)
            if self.full or (flow == BROKEN and len(self.context.problems) > mistakes):
                break
        return flow

    def _too_many(self, span: Span) -> None:
        self.full = self.broken = True
        self.context.problems.add(
            rules.too_many_layers,
            span,
            f"this makes a network of more than {LAYERS:,} layers",
            help="repeat less often",
        )

    def _residual(self, step: tree.Step, before: Flow, behind: Flow) -> Flow:
        if before is None or behind is None or BROKEN in (before, behind):
            return BROKEN
        left, right = self.values[before], self.values[behind]
        if left.shape is not None and right.shape is not None and not _fit(left.shape, right.shape):
            self.broken = True
            self.context.problems.add(
                rules.merge_mismatch,
                step.head_span,
                f"`residual` adds {shown(left.shape)}, its input, to {shown(right.shape)}, what its body makes of it",
                labels=(Label(right.shaped, f"{shown(right.shape)} is made here"),),
                help="keep the shape inside, or write `parallel merge: add { path { … }; path { conv n, kernel: 1 } }` with a "
                "path that brings the input to the same shape",
            )
            return BROKEN
        return self._merge("add", step, [before, behind])

    def _parallel(self, step: tree.Step, merge: str, flow: Flow, scope: Scope) -> Flow:
        assert step.block is not None
        if not self._flows(step, flow):
            return BROKEN
        ends: list[tuple[Flow, Span]] = []
        for statement in step.block.statements:
            for one in statement.steps if isinstance(statement, tree.Chain) else ():
                if one.word == "path" and one.block is not None:
                    bind(WORDS["parallel"]["path"], one.arguments, one.span, scope, self.context)
                    ends.append((self.body(one.block.statements, flow, Scope(scope)), one.head_span))
                elif one.word == "path":
                    self.context.problems.add(
                        rules.needs_block, one.span, "`path` needs a block", help="write `path { conv 64 }`"
                    )
                    ends.append((BROKEN, one.span))
                elif one.word == "allow":
                    self._allow(one, scope)
                else:
                    self.context.problems.add(
                        rules.misplaced,
                        one.head_span,
                        f"`parallel` holds paths, and `{one.word}` is none",
                        help="put it into a `path { … }`",
                    )
                    ends.append((BROKEN, one.span))
            if not isinstance(statement, tree.Chain):
                self.context.problems.add(
                    rules.misplaced, statement.span, "`parallel` holds paths only", help="move it before `parallel`"
                )
        if merge is LOST or not ends or any(end == BROKEN or end is None for end, _ in ends):
            if not ends:
                self.context.problems.add(
                    rules.needs_block, step.span, "`parallel` has no paths", help="write `path { … }` for each branch"
                )
            self.broken = True
            return BROKEN
        flows = [end for end, _ in ends if end is not None]
        first = self.values[flows[0]]
        for end, span in ends[1:]:
            assert end is not None
            other = self.values[end]
            if first.shape is None or other.shape is None:
                continue
            cut = -1 if merge == "concat" else None
            if not _fit(first.shape[:cut], other.shape[:cut]) or len(first.shape) != len(other.shape):
                self.broken = True
                self.context.problems.add(
                    rules.merge_mismatch,
                    span,
                    f"`{merge}` joins paths of {shown(first.shape)} and {shown(other.shape)}",
                    labels=(
                        Label(first.shaped, f"{shown(first.shape)} is made here"),
                        Label(other.shaped, f"{shown(other.shape)} is made here"),
                    ),
                    help="bring the paths to the same "
                    + ("height and width" if merge == "concat" else "shape, with a `conv n, kernel: 1` or a stride"),
                )
                return BROKEN
        return self._merge(merge, step, flows)

    def _merge(self, merge: str, step: tree.Step, flows: list[int]) -> Flow:
        word = WORDS["layer"][merge]
        assert isinstance(word, LayerWord)
        arguments = {p.name: p.default for p in word.parameters if not isinstance(p.kind, Reference)}
        return self._add(word, step, arguments, flows)

    def _output(self, step: tree.Step, flow: Flow, scope: Scope, *, top: bool) -> Flow:
        if not top:
            self.context.problems.add(
                rules.misplaced,
                step.span,
                "`output` stands only at the end of a network",
                help="label the value with `as`",
            )
            return flow
        self.output_span = step.span
        self.outputs = []
        for argument in step.arguments:
            if isinstance(argument.value, tree.Name) and argument.name is None:
                self.outputs.append(argument.value)
            else:
                self.context.problems.add(
                    rules.wrong_type,
                    argument.span,
                    "`output` takes labels",
                    help="label a value with `as` and name it here",
                )
        return flow

    # ---- calls of blocks and networks

    def _block_call(self, step: tree.Step, meaning: BlockMeaning, flow: Flow, scope: Scope) -> Flow:
        name = step.word
        if name in self.open_blocks:
            self.broken = True
            self.context.problems.add(
                rules.circular,
                step.head_span,
                f"`{name}` calls itself",
                help="use `repeat` for a fixed number of turns",
            )
            return BROKEN
        if step.block is not None:
            self.context.problems.add(
                rules.no_block,
                step.block.span,
                f"`{name}` is a block of this spec and takes none",
                help="remove the braces",
            )
        inner = Scope(self.context.globals)
        if not self._block_arguments(step, meaning, scope, inner):
            self.broken = True
            return BROKEN
        self.open_blocks.append(name)
        self.calls.append(step.span)
        self.prefixes.append(self._unique(name))
        assert meaning.step.block is not None
        outer, self.context.problems = self.context.problems, Problems()
        result = self.body(meaning.step.block.statements, flow, inner)
        found, self.context.problems = self.context.problems, outer
        self.prefixes.pop()
        self.calls.pop()
        self.open_blocks.pop()
        self._told_of_call(step, inner, found)
        if len(found) and result == BROKEN:
            self.broken = True
        return result

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
        names = [
            p.name.text if p.name else p.value.text
            for p in meaning.parameters
            if isinstance(p.value, tree.Name) or p.name
        ]
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
            if shape is not None and not _fit(shape, declared.shape):
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

    # ---- references

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
        later = self.context.memo.get(("labels", id(self)), {})
        if isinstance(later, dict) and name.text in later:
            self.context.problems.add(
                rules.used_before_definition,
                name.span,
                f"`{name.text}` is used before it is made",
                labels=(Label(later[name.text], "it is labelled here"),),
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

    # ---- layers

    def _flows(self, step: tree.Step, flow: Flow) -> bool:
        if flow is not None:
            return True
        self.broken = True
        names = [f"`from {name}`" for name in self.context.memo.get(("inputs", id(self)), ())]  # type: ignore[union-attr]
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
        if isinstance(inferred, Inferred):
            inferred = _small_enough(inferred)
        if isinstance(inferred, Mismatch):
            self.broken = True
            made = [
                Label(value.shaped, f"{shown(value.shape or ())} is made here")
                for value in values
                if value.shaped != step.head_span and value.shape is not None
            ]
            self.context.problems.add(
                rules.layer_shape,
                step.span if step.block is None else step.head_span,
                f"`{word.name}` {inferred.message}",
                labels=made,
                help=inferred.help,
            )
            return BROKEN
        return self._append(step, word.name, arguments, flows, inferred, step.label)

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
        from gendsl.check.keras_layers import keras_word

        word = keras_word(step.head[1], self.context)
        if word is None:
            self.broken = True
            return BROKEN
        bound = bind(word, step.arguments, step.head_span, scope, self.context)
        if not self._flows(step, flow) or flow == BROKEN or LOST in bound.values():
            return BROKEN
        assert flow is not None
        given = {name: value for name, value in bound.items() if value is not None}
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
        base = label.text if label is not None else word.rsplit(".", 1)[-1].lower()
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


def _small_enough(inferred: Inferred) -> Inferred | Mismatch:
    for weight in inferred.weights:
        size = product(weight.shape)
        if isinstance(size, int) and size > WEIGHT:
            return Mismatch(
                f"would have {size:,} numbers in one weight, {shown(weight.shape)}",
                f"a tensor has at most {WEIGHT:,}: make the layer, or what comes in, smaller",
            )
    return inferred


def _fit(left: Shape, right: Shape) -> bool:
    return len(left) == len(right) and all(map(same, left, right))


def output_shape(network: Network, value: int) -> Shape | None:
    """The shape of a value of a network."""
    if value < len(network.inputs):
        return network.inputs[value].shape
    return network.layers[value - len(network.inputs)].shape


def network_of(step: tree.Step, networks: Mapping[str, Network], context: Context) -> Network | None:
    """The plan of a `network` statement, or None after a reported mistake."""
    scope = Scope(context.globals)
    word = WORDS["top"]["network"]
    bound = bind(word, step.arguments, step.head_span, scope, context)
    arrow = bound["signature"]
    if not isinstance(arrow, tree.Arrow) or not isinstance(arrow.left, tree.Call):
        return None  # the signature was reported when the names were gathered
    builder = NetworkBuilder(context, networks)
    builder.constrain = None if bound["constrain"] is LOST else bound["constrain"]
    declared = results_of(arrow.right, scope, context)
    inputs = _inputs(arrow.left, builder, scope)
    if step.block is None:
        context.problems.add(
            rules.needs_block, step.span, "a network needs its layers", help="write them in `{ … }` behind the result"
        )
        return None
    assert isinstance(arrow.left.function, tree.Name)
    context.memo[("labels", id(builder))] = _labels_in(step.block.statements)
    context.memo[("inputs", id(builder))] = [one.name for one in inputs]
    start: Flow = (0 if len(inputs) == 1 else None) if not builder.broken else (BROKEN if len(inputs) <= 1 else None)
    if inputs and len(arrow.left.arguments) == 1:
        start = 0
    elif len(arrow.left.arguments) == 1:
        start = BROKEN
    flow = builder.body(step.block.statements, start, scope, top=True)
    outputs = _outputs(builder, flow, declared, step, arrow, scope)
    for _, span in builder.stack:
        context.problems.add(
            rules.push_pop,
            span,
            "what is pushed here is never popped",
            help="write `concat pop` where it is needed, or remove `push`",
        )
    if builder.broken or outputs is None or LOST in bound.values():
        return None
    name = arrow.left.function.text
    network = Network(
        name, tuple(inputs), tuple(builder.layers), outputs, dict(builder.labels), bound["init"], bound["constrain"]
    )
    _unreachable(builder, network, context)
    context.memo[("spans", name)] = [value.span for value in builder.values]
    return network


def _inputs(call: tree.Call, builder: NetworkBuilder, scope: Scope) -> list[Input]:
    inputs: list[Input] = []
    for argument in call.arguments:
        found = input_of(argument, scope, builder.context)
        if found is None:
            builder.broken = True
            if argument.name is not None:
                scope.define(argument.name.text, Missing(), argument.name.span)
            continue
        if found.input.name in scope.names:
            builder.broken = True
            builder.context.problems.add(
                rules.duplicate_name, argument.span, f"two inputs are named `{found.input.name}`", help="rename one"
            )
            continue
        assert argument.name is not None
        scope.define(found.input.name, Node(len(builder.values)), argument.name.span)
        inputs.append(found.input)
        builder.values.append(
            Value(found.input.shape, argument.span, argument.span, found.classes, found.input.integer, "input")
        )
    builder.inputs = len(builder.values)
    if not call.arguments:
        builder.broken = True
        builder.context.problems.add(
            rules.bad_input, call.span, "a network needs an input", help="write `(z: normal(64))` or `(x: image)`"
        )
    return inputs


def _labels_in(statements: Sequence[tree.Statement]) -> dict[str, Span]:
    """Where labels are made further down, so that their early use can be told from a misspelling."""
    out: dict[str, Span] = {}
    for statement in statements:
        if isinstance(statement, tree.Chain):
            for step in statement.steps:
                if step.label is not None:
                    out.setdefault(step.label.text, step.label.span)
    return out


def _outputs(
    builder: NetworkBuilder,
    flow: Flow,
    declared: tuple[Declared, ...] | None,
    step: tree.Step,
    arrow: tree.Arrow,
    scope: Scope,
) -> tuple[Output, ...] | None:
    context = builder.context
    if declared is None:
        return None
    found: list[tuple[str, Flow, Span]] = []
    if builder.outputs is None:
        if len(declared) > 1:
            context.problems.add(
                rules.bad_result,
                arrow.right.span,
                f"{len(declared)} results are declared, and no `output` names them",
                help="label them with `as`, and end with `output a, b`",
            )
            return None
        if flow is None:
            if not builder.broken:
                context.problems.add(
                    rules.no_flow, step.head_span, "the network ends where no value flows", help="begin with `from`"
                )
            return None
        found.append(("", flow, builder.values[flow].span if flow >= 0 else step.span))
    else:
        assert builder.output_span is not None
        if len(builder.outputs) != len(declared):
            context.problems.add(
                rules.bad_result,
                builder.output_span,
                f"`output` names {len(builder.outputs)} values, and {len(declared)} are declared",
                labels=(Label(arrow.right.span, "declared here"),),
                help="name one label for each declared result, in order",
            )
            return None
        for name in builder.outputs:
            meaning = scope.find(name.text)
            if isinstance(meaning, Node):
                found.append((name.text, meaning.value, builder.values[meaning.value].span))
            elif isinstance(meaning, Missing):
                return None
            else:
                context.unknown_name(name, scope)
                return None
        if len(found) == 1:
            found[0] = ("", found[0][1], found[0][2])
    out: list[Output] = []
    for (name, value, _), result in zip(found, declared, strict=True):
        if value == BROKEN or value is None:
            return None
        type = report_result(builder.values, value, result, arrow, context)
        if type is None:
            builder.broken = True
            continue
        out.append(Output(name, value, type))
    return tuple(out) if len(out) == len(declared) else None


def _unreachable(builder: NetworkBuilder, network: Network, context: Context) -> None:
    """Reports layers whose value nothing takes: neither a result, nor another layer, nor a label."""
    taken = {output.value for output in network.outputs} | set(network.labels.values())
    for layer in network.layers:
        taken.update(layer.inputs)
    taken.update(builder.read)
    for number, value in enumerate(builder.values):
        if number in taken or not value.word:
            continue
        if number < builder.inputs:
            context.problems.add(
                rules.unreachable,
                value.span,
                f"the input `{network.inputs[number].name}` is never used",
                help="use it, or remove it from the network's inputs",
            )
        else:
            context.problems.add(
                rules.unreachable,
                value.span,
                f"the value of this `{value.word}` is dropped",
                help="label it with `as` and use it, or remove it",
            )
