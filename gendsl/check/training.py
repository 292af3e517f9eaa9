"""The `train` block in, its plan out: updates as typed operations, phases, optimizers, settings."""

from typing import Any

from gendsl import rules
from gendsl.check.arguments import value_of
from gendsl.check.context import Context
from gendsl.check.objectives import at_call, expanded
from gendsl.check.scope import LOST, Deferred, Missing, Scope
from gendsl.check.selection import SEVERAL, Phased, as_setting, refuse_idle
from gendsl.check.signals import with_signals
from gendsl.check.statements import Statement, statement_of
from gendsl.check.updates import UpdateBuilder
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import dataclass, field, replace
from gendsl.plan.plan import Augment, Call, Group, Network, Phase, Train, Update
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import Scheduled

_ONCE = frozenset(
    [
        "optimizer",
        "steps",
        "epochs",
        "precision",
        "strategy",
        "checkpoint",
        "seed",
        "clip",
        "accumulate",
        "jit",
        "deterministic",
    ]
)
_SETTINGS = frozenset(["precision", "strategy", "checkpoint", "seed", "clip", "accumulate", "jit", "deterministic"])
_PHASE = frozenset(["optimizer", "clip"])


@dataclass(slots=True)
class TrainingBuilder(UpdateBuilder):
    """One walk through `train`."""

    phased: list[Phased] = field(default_factory=list)

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
        if self.context.torn:
            self.scope.define(name, Missing())
        elif not isinstance(statement, tree.Binding):
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
            if name in SEVERAL:
                self.several.setdefault(name, []).append(statement)
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
        freezing: list[Statement] = []
        for inner in step.block.statements if step.block is not None else ():
            if isinstance(inner, tree.Chain) and inner.steps[0].word in ("learning_rate", *_PHASE):
                one = inner.steps[0]
                category = "phase" if one.word == "learning_rate" else "train"
                found = statement_of(one, WORDS[category][one.word], self.scope, self.context).call
                if found is not None:
                    settings[one.word] = found.arguments["rate"] if one.word == "learning_rate" else found
            elif isinstance(inner, tree.Chain) and inner.steps[0].word == "freeze":
                freezing.append(statement_of(inner.steps[0], WORDS["train"]["freeze"], self.scope, self.context))
            elif isinstance(inner, tree.Chain) and inner.steps[0].word in ("update", "together", "objective", "allow"):
                self.walk((inner,), groups)
            elif isinstance(inner, tree.Chain):
                self.context.unknown_word(
                    inner.steps[0].word,
                    "phase",
                    inner.steps[0].head_span,
                    others=["update", "together", "objective", "freeze", *_PHASE],
                )
            elif not isinstance(inner, tree.Lost):
                self.context.problems.add(
                    rules.misplaced, inner.span, "bindings stand in `train`, outside phases", help="move it there"
                )
        if (own := settings.pop("optimizer", None)) is not None:
            self._optimizer_of(own, groups, text, step.span)
        if freezing:
            settings["freeze"] = as_setting("freeze", freezing, self.networks, self.context)
        self.phased.append(Phased(step.span, tuple(freezing)))
        length = statement.arguments["steps"]
        self.phases.append((text, None if length is LOST else length, groups, settings, step.span))

    def _optimizer_of(self, own: Call, groups: list[int], phase: str, span: Span) -> None:
        """Gives a phase's optimizer to the updates in it that name none."""
        takers = 0
        for index in groups:
            group = self.groups[index]
            given = [replace(one, optimizer=one.optimizer or own.arguments["optimizer"]) for one in group.updates]
            takers += sum(one.optimizer is None for one in group.updates)
            self.groups[index] = replace(group, updates=tuple(given))
        if not takers:
            self.context.problems.add(
                rules.misplaced,
                span,
                f"the optimizer of the phase `{phase}` is for the updates in it, and none of them needs one",
                help="`learning_rate` changes the rate of all updates during a phase; other optimizers go with updates",
            )


def train_of(
    step: tree.Step, networks: dict[str, Network | None], augment: Augment, context: Context
) -> tuple[Train | None, TrainingBuilder]:
    """The plan of `train { }`, or None after a reported mistake."""
    builder = TrainingBuilder(context, networks, augment, Scope(context.globals))
    builder.walk(step.block.statements if step.block is not None else (), builder.outside)
    if "optimizer" in builder.found:
        builder.optimizer = builder.found["optimizer"].arguments["optimizer"]
    with_signals(builder.groups, builder.measurable, builder.conditions, builder.scope, context)
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
    settings |= {name: as_setting(name, found, networks, context) for name, found in builder.several.items()}
    if builder.broken or phases is None or groups is None or not builder.groups:
        return None, builder
    train = Train(groups, phases, _scalars(builder), tuple(builder.ema), settings)
    refuse_idle(train, networks, builder.phased, builder.several.get("freeze", ()), builder.places, context)
    return train, builder


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
        out.append(replace(group, updates=tuple(updates)))
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
