"""The statements of a network in, the value behind them out: steps, repetition, branches, calls of blocks."""

from collections.abc import Sequence
from typing import Any

from gendsl import rules
from gendsl.check.arguments import bind
from gendsl.check.network_layers import LayerBuilder
from gendsl.check.network_values import BROKEN, LAYERS, STEPS, Flow, fits
from gendsl.check.scope import (
    LOST,
    BlockMeaning,
    Constant,
    Deferred,
    Missing,
    NetworkMeaning,
    Node,
    Scope,
)
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import dataclass
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import shown
from gendsl.vocabulary.word import LayerWord, Reference, Word


@dataclass(slots=True)
class NetworkBuilder(LayerBuilder):
    """One walk through a network's statements."""

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
        blocks = scope.named(BlockMeaning, NetworkMeaning)
        self.context.unknown_word(name, "layer", step.head_span, others=[*WORDS["structure"], *blocks])
        if step.block is not None:
            self.body(step.block.statements, BROKEN, Scope(scope))

    def _allow(self, step: tree.Step, scope: Scope) -> None:
        bind(WORDS["top"]["allow"], step.arguments, step.span, scope, self.context)

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

    def _residual(self, step: tree.Step, before: Flow, behind: Flow) -> Flow:
        if before is None or behind is None or BROKEN in (before, behind):
            return BROKEN
        left, right = self.values[before], self.values[behind]
        if left.shape is not None and right.shape is not None and not fits(left.shape, right.shape):
            self.broken = True
            self.context.problems.add(
                rules.merge_mismatch,
                step.head_span,
                f"`residual` adds {shown(left.shape)}, its input, to {shown(right.shape)}, what its body makes of it",
                labels=(Label(right.shaped, f"{shown(right.shape)} is made here"),),
                help="keep the shape inside, or write `parallel merge: add { path { … }; path { conv n, kernel: 1 } }` "
                "with a path that brings the input to the same shape",
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
            if not fits(first.shape[:cut], other.shape[:cut]) or len(first.shape) != len(other.shape):
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
