"""The `train` block in, its plan out: updates as typed operations, phases, optimizers, settings."""

from dataclasses import dataclass, field
from typing import Any

from gendsl import rules
from gendsl.check.arguments import value_of
from gendsl.check.context import Context
from gendsl.check.equations import NOTHING, Equations, Sites
from gendsl.check.objectives import at_call, expanded
from gendsl.check.pruning import pruned, trained_by
from gendsl.check.scope import LOST, Deferred, Missing, Operand, Scope
from gendsl.check.statements import Statement, statement_of
from gendsl.diagnostics import Label, Problems
from gendsl.plan.plan import Augment, Call, Group, Network, Phase, Quantity, Train, Update
from gendsl.plan.types import Scalar, Tensor, Unknown
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.syntax.write import value
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import Scheduled

_ONCE = frozenset(
    ["optimizer", "steps", "epochs", "precision", "strategy", "checkpoint", "seed", "clip", "jit", "deterministic"]
)
_SETTINGS = frozenset(["precision", "strategy", "checkpoint", "seed", "clip", "jit", "deterministic", "start"])
_PHASE = frozenset(["optimizer", "clip"])


@dataclass(frozen=True, slots=True)
class Loss:
    """A `minimize` and what it comes to."""

    operand: Operand
    step: tree.Step

    @property
    def span(self) -> Span:
        return self.step.span


@dataclass(slots=True)
class TrainingBuilder:
    """One walk through `train`."""

    context: Context
    networks: dict[str, Network | None]
    augment: Augment
    scope: Scope
    sites: Sites = field(default_factory=Sites)
    groups: list[Group] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)  # updates that run in every phase
    phases: list[tuple[str, Quantity | None, list[int], dict[str, Any], Span]] = field(default_factory=list)
    optimizer: Any = None
    found: dict[str, Statement] = field(default_factory=dict)
    ema: list[Call] = field(default_factory=list)
    updated: dict[str, int] = field(default_factory=dict)
    trained: set[str] = field(default_factory=set)
    expansions: list[tuple[tree.Step, tuple[tree.Statement, ...]]] = field(default_factory=list)
    broken: bool = False
    mistaken: set[str] = field(default_factory=set)  # settings that were written in a wrong way

    def walk(self, statements: tuple[tree.Statement, ...], into: list[int]) -> None:
        """Goes through statements of `train`, of a phase or of an objective."""
        for statement in statements:
            if isinstance(statement, tree.Lost):
                self.broken = True
                continue
            if not isinstance(statement, tree.Chain):
                self._binding(statement)
                continue
            step = statement.steps[0]
            if len(statement.steps) > 1 and step.word in WORDS["train"]:
                self.context.problems.add(
                    rules.no_chain,
                    statement.steps[1].head_span,
                    "`|` joins layers, and this is a statement of `train`",
                    help="put it on a line of its own",
                )
            self._statement(step, into)

    def _binding(self, statement: tree.Binding | tree.Draw | tree.Parameter) -> None:
        name = statement.name.text
        if not isinstance(statement, tree.Binding):
            self.context.problems.add(
                rules.misplaced,
                statement.span,
                "a draw stands in an update"
                if isinstance(statement, tree.Draw)
                else "a param stands at the top of a spec",
                help="move it there",
            )
            self.scope.define(name, Missing())
        elif name in self.scope.names:
            self.context.problems.add(
                rules.duplicate_name,
                statement.name.span,
                f"`{name}` is already bound here",
                labels=(Label(self.scope.spans[name], "first here"),) if name in self.scope.spans else (),
                help="choose another name",
            )
        elif name in WORDS["train"]:
            self.mistaken.add(name)
            self.context.problems.add(
                rules.syntax,
                statement.span,
                f"`{name}` is set without `=`",
                help=f"write `{name} {statement.value.span.text}`",
            )
        else:
            self.scope.define(name, Deferred(statement.value, statement.name.span, schedule=True), statement.name.span)

    def _statement(self, step: tree.Step, into: list[int]) -> None:
        name = step.word
        if name == "allow":
            statement_of(step, WORDS["top"]["allow"], self.scope, self.context)
        elif name == "update":
            self._update(step, into)
        elif name == "together":
            self._together(step, into)
        elif name == "objective":
            self._objective(step, into)
        elif name == "phase":
            self._phase(step)
        elif name == "learning_rate":
            self.context.problems.add(
                rules.misplaced,
                step.head_span,
                "`learning_rate` stands in a phase",
                help="outside phases the rate belongs to the optimizer: `optimizer adam(2e-4)`",
            )
        elif (word := WORDS["train"].get(name)) is not None:
            statement = statement_of(step, word, self.scope, self.context)
            if name == "ema":
                call = statement.call
                if call is not None:
                    self.ema.append(call)
                return
            if name in self.found and name in _ONCE:
                self.context.problems.add(
                    rules.duplicate_block,
                    step.head_span,
                    f"`{name}` stands here twice",
                    labels=(Label(self.found[name].step.head_span, "first here"),),
                    help="keep one of them",
                )
                return
            self.found[name] = statement
        elif not self.context.torn:
            self.context.unknown_word(name, "train", step.head_span, others=["minimize"] if name == "minimise" else [])

    # ---- updates

    def _update(self, step: tree.Step, into: list[int]) -> None:
        statement = self._head(step)
        equations = self._equations()
        scope = Scope(self.scope)
        losses = self._body(step, equations, scope)
        update = self._finished(statement, step, losses, equations, None)
        if update is not None:
            self._append([update], equations, statement.arguments["times"], into)

    def _head(self, step: tree.Step) -> Statement:
        bare = tree.Step(step.head, step.arguments, None, None, None, step.span)
        statement = statement_of(bare, WORDS["train"][step.word], self.scope, self.context)
        if step.block is None:
            self.broken = True
            self.context.problems.add(
                rules.needs_block, step.span, f"`{step.word}` needs a block", help=f"write `{statement.word.example}`"
            )
        for name in statement.arguments.get("networks") or ():
            self.trained.add(name)
        return statement

    def _equations(self) -> Equations:
        return Equations(
            self.context, self.networks, self.sites, both=bool(self.augment.both or self.augment.ada), training=True
        )

    def _body(self, step: tree.Step, equations: Equations, scope: Scope, *, together: bool = False) -> list[Loss]:
        losses: list[Loss] = []
        statements = step.block.statements if step.block is not None else ()
        later: dict[str, None] = {s.name.text: None for s in statements if not isinstance(s, tree.Chain | tree.Lost)}
        self.context.memo["later"] = later
        for statement in statements:
            if isinstance(statement, tree.Chain):
                inner = statement.steps[0]
                if len(statement.steps) > 1:
                    self.context.problems.add(
                        rules.no_chain,
                        statement.steps[1].head_span,
                        "`|` joins layers, and this is an equation",
                        help="remove it",
                    )
                if inner.word == "minimize" and not together:
                    if losses:
                        self.context.problems.add(
                            rules.no_minimize,
                            inner.head_span,
                            "an update has one `minimize`, and this is a second",
                            labels=(Label(losses[0].span, "the first is here"),),
                            help="add the losses up, or write another update",
                        )
                        self.broken = True
                    losses.append(Loss(self._minimize(inner, equations, scope), inner))
                elif inner.word == "allow":
                    statement_of(inner, WORDS["top"]["allow"], scope, self.context)
                elif inner.word == "update" and together:
                    self._inner(inner, equations, scope)
                else:
                    pool = ["update"] if together else ["minimize"]
                    self.broken = True
                    losses.append(Loss(NOTHING, inner))
                    if self.context.torn:
                        continue
                    self.context.unknown_word(
                        inner.word, "together" if together else "update", inner.head_span, others=pool
                    )
            elif isinstance(statement, tree.Lost):
                self.broken = True
            else:
                self._bind(statement, equations, scope)
        self.context.memo.pop("later", None)
        return losses

    def _bind(self, statement: tree.Binding | tree.Draw | tree.Parameter, equations: Equations, scope: Scope) -> None:
        name = statement.name.text
        later = self.context.memo.get("later")
        if name in scope.names:
            self.context.problems.add(
                rules.duplicate_name,
                statement.name.span,
                f"`{name}` is already bound here",
                labels=(Label(scope.spans[name], "first here"),) if name in scope.spans else (),
                help="a name has one value within an update: choose another",
            )
            return
        if isinstance(statement, tree.Parameter):
            self.context.problems.add(
                rules.misplaced, statement.span, "a param stands at the top of a spec", help="move it there"
            )
            operand = NOTHING
        elif isinstance(statement, tree.Draw):
            operand = equations.draw(statement, scope)
        else:
            operand = equations.value(statement.value, scope)
        scope.define(name, Missing() if isinstance(operand.type, Unknown) else operand, statement.name.span)
        if isinstance(later, dict):
            later.pop(name, None)

    def _minimize(self, step: tree.Step, equations: Equations, scope: Scope) -> Operand:
        if step.block is not None:
            self.context.problems.add(
                rules.no_block, step.block.span, "`minimize` takes no block", help="remove the braces"
            )
        if len(step.arguments) != 1 or step.arguments[0].name is not None:
            self.context.problems.add(
                rules.missing_argument if not step.arguments else rules.too_many_arguments,
                step.span,
                "`minimize` takes one expression",
                help="add several terms up: `minimize a + 10 * b`",
            )
            return NOTHING
        expression = step.arguments[0].value
        loss = equations.value(expression, scope)
        if isinstance(loss.type, Unknown):
            return NOTHING
        if isinstance(loss.type, Tensor) and loss.type.shape == () and not loss.type.integer:
            return equations.add("function", (loss.number,), {"word": "mean", "arguments": {}}, Scalar())
        if not isinstance(loss.type, Scalar):
            shown = f"a tensor {loss.type}" if isinstance(loss.type, Tensor) else f"`{loss.type}`"
            self.context.problems.add(
                rules.type_mismatch,
                expression.span,
                f"a loss is a scalar or one number for each example, and this is {shown}",
                help="take its `mean(…)`, or `sum(…)` over each example",
            )
            return NOTHING
        return loss

    def _finished(
        self,
        statement: Statement,
        step: tree.Step,
        losses: list[Loss],
        equations: Equations,
        default: Any,
    ) -> Update | None:
        if not losses:
            self.broken = True
            if step.block is not None and "minimize" not in self.context.skipped and not self.context.torn:
                self.context.problems.add(
                    rules.no_minimize,
                    step.head_span,
                    "this update minimizes nothing",
                    help=_minimized(step),
                )
            return None
        names = statement.arguments["networks"]
        if names is LOST or not names or len(names) < len([a for a in step.arguments if a.name is None]):
            self.broken = True
            return None
        duplicates = {name for name in names if names.count(name) > 1}
        for name in duplicates:
            self.context.problems.add(
                rules.duplicate_argument, step.head_span, f"`{name}` is named twice", help="name each network once"
            )
        loss, span = losses[0].operand, losses[0].span
        given = statement.arguments["with"]
        optimizer = given if given is not None else default
        if (
            isinstance(loss.type, Unknown)
            or loss.number < 0
            or optimizer is LOST
            or statement.arguments.get("times") is LOST
        ):
            self.broken = True
            return None
        if not self._depends(names, loss, span, step, equations):
            return None
        label = "_".join(names)
        count = self.updated.get(label, 0)
        self.updated[label] = count + 1
        equation = ", ".join(value(argument.value) for argument in losses[0].step.arguments)
        return Update(f"{label}_{count + 1}" if count else label, names, loss.number, optimizer, equation)

    def _depends(
        self, names: tuple[str, ...], loss: Operand, span: Span, step: tree.Step, equations: Equations
    ) -> bool:
        reached, discrete = trained_by(loss.number, equations.operations)
        fine = True
        for name in names:
            if self.networks.get(name) is None or name in reached:
                continue
            if name in discrete:
                self.context.problems.add(
                    rules.no_gradient_through_draw,
                    span,
                    f"the loss depends on `{name}` only through a discrete draw, which passes no gradient",
                    help="use its probabilities instead of a draw, or a continuous distribution",
                )
                continue
            fine = False
            self.broken = True
            self.context.problems.add(
                rules.no_gradient,
                span,
                f"this update trains `{name}`, and its loss does not depend on `{name}`",
                labels=(Label(step.head_span, "trained here"),),
                help=f"call `{name}` in the loss, or leave it out of the update"
                + ("; `stop_gradient` and `replay` pass no gradient" if _stops(equations) else ""),
            )
        return fine

    def _append(self, updates: list[Update], equations: Equations, times: int, into: list[int]) -> None:
        losses, operations = pruned([update.loss for update in updates], equations.operations)
        renumbered = tuple(Update(u.name, u.networks, losses[u.loss], u.optimizer, u.equation) for u in updates)
        into.append(len(self.groups))
        self.groups.append(Group(renumbered, operations, times))

    def _together(self, step: tree.Step, into: list[int]) -> None:
        statement = self._head(step)
        equations = self._equations()
        scope = Scope(self.scope)
        self.context.memo["together"] = []
        self.context.memo["default optimizer"] = statement.arguments["with"]
        self._body(step, equations, scope, together=True)
        updates = self.context.memo.pop("together")
        assert isinstance(updates, list)
        if not updates:
            if step.block is not None and not self.broken:
                self.context.problems.add(
                    rules.no_minimize,
                    step.head_span,
                    "`together` holds no update",
                    help="write `update … { minimize … }` in it",
                )
            self.broken = True
        elif statement.arguments["times"] is not LOST:
            self._append(updates, equations, statement.arguments["times"], into)

    def _inner(self, step: tree.Step, equations: Equations, scope: Scope) -> None:
        """An update of `together`: its bindings are its own, its operations shared."""
        statement = self._head(step)
        if statement.arguments["times"] not in (1, LOST):
            self.context.problems.add(
                rules.misplaced,
                step.head_span,
                "`times` belongs on `together`, whose updates are one step",
                help="move it there",
            )
        outer = self.context.memo.pop("later", None)
        losses = self._body(step, equations, Scope(scope))
        self.context.memo["later"] = outer
        update = self._finished(statement, step, losses, equations, self.context.memo["default optimizer"])
        if update is not None:
            self.context.memo["together"].append(update)  # type: ignore[attr-defined]

    def _objective(self, step: tree.Step, into: list[int]) -> None:
        statements = expanded(step, self.scope, self.context)
        if statements is None:
            self.broken = True
            return
        self.expansions.append((step, statements))
        outer, self.context.problems = self.context.problems, Problems()
        self.walk(statements, into)
        inner, self.context.problems = self.context.problems, outer
        at_call(self.context.problems, inner, step)

    # ---- phases

    def _phase(self, step: tree.Step) -> None:
        bare = tree.Step(step.head, step.arguments, None, None, None, step.span)
        statement = statement_of(bare, WORDS["train"]["phase"], self.scope, self.context)
        name = statement.arguments["name"]
        text = name.text if isinstance(name, tree.Name) else f"phase_{len(self.phases) + 1}"
        if any(text == other for other, *_ in self.phases):
            self.context.problems.add(
                rules.duplicate_name, step.span, f"a phase is named `{text}` already", help="choose another name"
            )
        groups: list[int] = []
        settings: dict[str, Any] = {}
        for inner in step.block.statements if step.block is not None else ():
            if isinstance(inner, tree.Chain) and inner.steps[0].word in ("learning_rate", *_PHASE):
                one = inner.steps[0]
                category = "phase" if one.word == "learning_rate" else "train"
                found = statement_of(one, WORDS[category][one.word], self.scope, self.context).call
                if found is not None:
                    settings[one.word] = found.arguments["rate"] if one.word == "learning_rate" else found
            elif isinstance(inner, tree.Chain) and inner.steps[0].word in ("update", "together", "objective", "allow"):
                self.walk((inner,), groups)
            elif isinstance(inner, tree.Chain):
                self.context.unknown_word(
                    inner.steps[0].word,
                    "phase",
                    inner.steps[0].head_span,
                    others=["update", "together", "objective", *_PHASE],
                )
            elif not isinstance(inner, tree.Lost):
                self.context.problems.add(
                    rules.misplaced, inner.span, "bindings stand in `train`, outside phases", help="move it there"
                )
        length = statement.arguments["steps"]
        self.phases.append((text, None if length is LOST else length, groups, settings, step.span))


def _stops(equations: Equations) -> bool:
    return any(
        operation.name == "replay" or operation.attributes.get("word") == "stop_gradient"
        for operation in equations.operations
    )


def _minimized(step: tree.Step) -> str:
    """What to write in an update that minimizes nothing: its last binding is probably meant."""
    bindings = [one for one in (step.block.statements if step.block else ()) if isinstance(one, tree.Binding)]
    if not bindings:
        return "write `minimize …`: its loss"
    return f"write `minimize {bindings[-1].name.text}` behind its bindings, or `minimize` instead of `{bindings[-1].name.text} =`"


def train_of(
    step: tree.Step, networks: dict[str, Network | None], augment: Augment, context: Context
) -> tuple[Train | None, TrainingBuilder]:
    """The plan of `train { }`, or None after a reported mistake."""
    builder = TrainingBuilder(context, networks, augment, Scope(context.globals))
    builder.walk(step.block.statements if step.block is not None else (), builder.outside)
    if "optimizer" in builder.found:
        builder.optimizer = builder.found["optimizer"].arguments["optimizer"]
    groups = _with_optimizers(builder, step)
    phases = _phases(builder, step)
    _bindings(builder)
    _averages(builder)
    if not builder.groups and not builder.broken:
        context.problems.add(
            rules.missing_block,
            step.head_span,
            "`train` has no update",
            help="write `objective gan()` or `update … { minimize … }`",
        )
    settings = {
        name: call for name, found in builder.found.items() if name in _SETTINGS and (call := found.call) is not None
    }
    if builder.broken or phases is None or groups is None or not builder.groups:
        return None, builder
    return Train(groups, phases, _scalars(builder), tuple(builder.ema), settings), builder


def _with_optimizers(builder: TrainingBuilder, step: tree.Step) -> tuple[Group, ...] | None:
    out: list[Group] = []
    fine = True
    for group in builder.groups:
        updates: list[Update] = []
        for update in group.updates:
            optimizer = update.optimizer if update.optimizer is not None else builder.optimizer
            if optimizer is None and "optimizer" not in builder.context.skipped | builder.mistaken:
                builder.context.problems.add(
                    rules.missing_optimizer,
                    step.head_span,
                    f"the update of `{', '.join(update.networks)}` has no optimizer",
                    help="say `optimizer adam(2e-4)` in `train`, or `with: adam(2e-4)` on the update",
                )
            fine = fine and optimizer is not None and optimizer is not LOST
            updates.append(Update(update.name, update.networks, update.loss, optimizer, update.equation))
        out.append(Group(tuple(updates), group.operations, group.times))
    return tuple(out) if fine else None


def _phases(builder: TrainingBuilder, step: tree.Step) -> tuple[Phase, ...] | None:
    context, found = builder.context, builder.found
    lengths = [name for name in ("steps", "epochs") if name in found]
    if len(lengths) == 2:
        context.problems.add(
            rules.duplicate_block,
            found["epochs"].step.span,
            "the length is given twice, in steps and in epochs",
            labels=(Label(found["steps"].step.span, "in steps here"),),
            help="keep one of them",
        )
    if builder.phases:
        if lengths:
            context.problems.add(
                rules.duplicate_block,
                found[lengths[0]].step.span,
                "the phases add up to the run, so it has no length of its own",
                help="remove this line, or the phases",
            )
            return None
        if any(length is None for _, length, *_ in builder.phases):
            return None
        out: list[Phase] = []
        for name, length, groups, settings, span in builder.phases:
            assert length is not None
            numbers = tuple(sorted([*builder.outside, *groups]))
            if not numbers and not builder.broken:
                context.problems.add(
                    rules.missing_block,
                    span,
                    f"no update runs in the phase `{name}`",
                    help="write one in it, or outside the phases",
                )
            out.append(Phase(name, length, numbers, settings))
        return tuple(out)
    if not lengths:
        if not {"steps", "epochs", "phase"} & (context.skipped | builder.mistaken) and not context.torn:
            context.problems.add(
                rules.missing_length,
                step.head_span,
                "`train` does not say how long",
                help="write `steps 10_000` or `epochs 20`",
            )
        return None
    length = found[lengths[0]].arguments["length"]
    if length is LOST:
        return None
    return (Phase("run", length, tuple(range(len(builder.groups)))),)


def _scalars(builder: TrainingBuilder) -> dict[str, Any]:
    """The bindings of `train` that are numbers or schedules."""
    out: dict[str, Any] = {}
    for name, meaning in builder.scope.names.items():
        if isinstance(meaning, Deferred) and meaning.kinds.get("scalar", LOST) is not LOST:
            out[name] = meaning.kinds["scalar"]
    return out


def _bindings(builder: TrainingBuilder) -> None:
    """Checks the bindings of `train` that no equation read; an optimizer's rate may have."""
    for name, meaning in builder.scope.names.items():
        if not isinstance(meaning, Deferred) or meaning.kinds or meaning.result is not None:
            continue
        value_of(Scheduled(), meaning.value, builder.scope, builder.context)
        if name not in builder.context.used:
            builder.context.problems.add(
                rules.unused_binding, meaning.span, f"nothing reads `{name}`", help="remove it, or use it"
            )


def _averages(builder: TrainingBuilder) -> None:
    seen: set[str] = set()
    for call in builder.ema:
        for name in call.arguments["networks"]:
            if name in seen:
                builder.context.problems.add(
                    rules.duplicate_block,
                    builder.context.globals.spans[name],
                    f"`ema` names `{name}` twice",
                    help="keep one of them",
                )
            seen.add(name)
