"""An `update` or a `together` in, a group of typed operations and losses out."""

from collections.abc import Mapping
from typing import Any

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.equations import Equations
from gendsl.check.operations import NOTHING, Sites
from gendsl.check.pruning import STOPPING, pruned, trained_by
from gendsl.check.scope import LOST, Missing, Operand, Scope
from gendsl.check.signals import Measurable, measurable_in
from gendsl.check.statements import Statement, statement_of
from gendsl.diagnostics import Label
from gendsl.frozen import dataclass, field
from gendsl.plan.memories import word_of
from gendsl.plan.plan import Augment, Call, Group, Network, Quantity, Update
from gendsl.source import Span
from gendsl.spelling import suggestion
from gendsl.syntax import tree
from gendsl.syntax.write import value
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.types import Scalar, Tensor, Unknown


@dataclass(frozen=True, slots=True)
class Loss:
    """A `minimize` and what it comes to."""

    operand: Operand
    step: tree.Step

    @property
    def span(self) -> Span:
        return self.step.span


@dataclass(slots=True)
class Together:
    """A `together` on its way: the optimizer of updates that name none, and its updates."""

    optimizer: Any
    updates: list[Update] = field(default_factory=list)
    scopes: dict[str, Scope] = field(default_factory=dict)  # of each update


@dataclass(slots=True)
class UpdateBuilder:
    """The updates of a training on their way."""

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
    several: dict[str, list[Statement]] = field(default_factory=dict)  # those that may stand more than once, by word
    measurable: list[Measurable] = field(default_factory=list)  # of each group
    conditions: dict[int, tree.Value] = field(default_factory=dict)  # by the group that waits for it
    places: dict[str, Span] = field(default_factory=dict)  # where each update stands
    ema: list[Call] = field(default_factory=list)
    updated: dict[str, int] = field(default_factory=dict)
    trained: set[str] = field(default_factory=set)
    expansions: list[tuple[tree.Step, tuple[tree.Statement, ...]]] = field(default_factory=list)
    broken: bool = False
    mistaken: set[str] = field(default_factory=set)  # settings that were written in a wrong way

    def _update(self, step: tree.Step, into: list[int]) -> None:
        statement = self._head(step)
        equations = self._equations()
        scope = Scope(self.scope)
        losses = self._body(step, equations, scope)
        update = self._finished(statement, step, losses, equations, None)
        if update is not None:
            self._waits(statement)
            self._append([update], equations, statement.arguments["times"], into, {update.name: scope})

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

    def _body(
        self, step: tree.Step, equations: Equations, scope: Scope, together: Together | None = None
    ) -> list[Loss]:
        """Goes through the statements of an update, or of a `together`; gives the losses."""
        losses: list[Loss] = []
        statements = step.block.statements if step.block is not None else ()
        equations.later = {s.name.text for s in statements if not isinstance(s, tree.Chain | tree.Lost)}
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
                if inner.word == "minimize" and together is None:
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
                elif inner.word == "update" and together is not None:
                    self._inner(inner, equations, scope, together)
                else:
                    pool = ["update"] if together is not None else ["minimize"]
                    self.broken = True
                    if suggestion(inner.word, pool, sole=False) is not None:
                        losses.append(Loss(NOTHING, inner))
                    if self.context.torn:
                        continue
                    self.context.unknown_word(
                        inner.word, "together" if together is not None else "update", inner.head_span, others=pool
                    )
            elif isinstance(statement, tree.Lost):
                self.broken = True
            else:
                self._bind(statement, equations, scope)
        equations.later = set()
        return losses

    def _bind(self, statement: tree.Binding | tree.Draw | tree.Parameter, equations: Equations, scope: Scope) -> None:
        name = statement.name.text
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
        equations.later.discard(name)

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
        name = f"{label}_{count + 1}" if count else label
        self.places[name] = step.head_span
        return Update(name, names, loss.number, optimizer, equation)

    def _depends(
        self, names: tuple[str, ...], loss: Operand, span: Span, step: tree.Step, equations: Equations
    ) -> bool:
        reached, discrete = trained_by(loss.number, equations.operations, self.networks)
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
                help=f"call `{name}` in the loss, or leave it out of the update" + _stopped(equations),
            )
        return fine

    def _waits(self, statement: Statement) -> None:
        """Notes the condition of the group that is appended next."""
        condition = statement.arguments["when"]
        if condition is not None and condition is not LOST:
            self.conditions[len(self.groups)] = condition

    def _append(
        self,
        updates: list[Update],
        equations: Equations,
        times: int,
        into: list[int],
        scopes: Mapping[str, Scope],
    ) -> None:
        losses, operations = pruned([update.loss for update in updates], equations.operations)
        renumbered = tuple(Update(u.name, u.networks, losses[u.loss], u.optimizer, u.equation) for u in updates)
        into.append(len(self.groups))
        self.groups.append(Group(renumbered, operations, times))
        self.measurable.append(measurable_in(updates, scopes, equations.operations))

    def _together(self, step: tree.Step, into: list[int]) -> None:
        statement = self._head(step)
        equations = self._equations()
        scope = Scope(self.scope)
        together = Together(statement.arguments["with"])
        self._body(step, equations, scope, together)
        updates = together.updates
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
            self._waits(statement)
            scopes = {update.name: together.scopes.get(update.name, scope) for update in updates}
            self._append(updates, equations, statement.arguments["times"], into, scopes)

    def _inner(self, step: tree.Step, equations: Equations, scope: Scope, together: Together) -> None:
        """An update of `together`: its bindings are its own, its operations shared."""
        statement = self._head(step)
        if statement.arguments["times"] not in (1, LOST):
            self.context.problems.add(
                rules.misplaced,
                step.head_span,
                "`times` belongs on `together`, whose updates are one step",
                help="move it there",
            )
        if statement.arguments["when"] is not None:
            self.context.problems.add(
                rules.misplaced,
                step.head_span,
                "`when` belongs on `together`, whose updates are one step",
                help="move it there",
            )
        outer = equations.later
        inner = Scope(scope)
        losses = self._body(step, equations, inner)
        equations.later = outer
        update = self._finished(statement, step, losses, equations, together.optimizer)
        if update is not None:
            together.updates.append(update)
            together.scopes[update.name] = inner


def _stopped(equations: Equations) -> str:
    """What to say of the words among the equations that pass no gradient."""
    words = {word_of(operation) for operation in equations.operations} & STOPPING
    if not words:
        return ""
    first, *rest = sorted(words | {"replay", "stop_gradient"}, key=lambda word: (word != "stop_gradient", word))
    return f"; `{first}`" + "".join(f", `{word}`" for word in rest[:-1]) + f" and `{rest[-1]}` pass no gradient"


def _minimized(step: tree.Step) -> str:
    """What to write in an update that minimizes nothing: its last binding is probably meant."""
    bindings = [one for one in (step.block.statements if step.block else ()) if isinstance(one, tree.Binding)]
    if not bindings:
        return "write `minimize …`: its loss"
    name = bindings[-1].name.text
    return f"write `minimize {name}` behind its bindings, or `minimize` instead of `{name} =`"
