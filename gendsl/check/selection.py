"""The statements `start` and `freeze` in, their calls out: their layers are there, updates have work left."""

import os
from collections.abc import Mapping, Sequence

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.statements import Statement
from gendsl.diagnostics import Label
from gendsl.frozen import dataclass
from gendsl.plan.freezing import freezes, idle, named
from gendsl.plan.plan import Call, Network, Train
from gendsl.source import Span
from gendsl.spelling import suggestion

SEVERAL = {"start": "anew", "freeze": "layers"}  # statements of `train` that may stand often: what names layers in each


@dataclass(frozen=True, slots=True)
class Phased:
    """Where a phase of the spec stands, and its `freeze` statements."""

    span: Span
    freezes: tuple[Statement, ...]


def as_setting(word: str, found: Sequence[Statement], networks: Mapping[str, Network | None], context: Context) -> Call:
    """All statements of a word as one setting; those with a mistake, which is reported, are left out."""
    return Call(word, {}, tuple(call for one in found if (call := _checked(one, networks, context)) is not None))


def _checked(statement: Statement, networks: Mapping[str, Network | None], context: Context) -> Call | None:
    call = statement.call
    if call is None:
        return None
    names = call.arguments["networks"] or tuple(networks)
    if statement.word.name == "start":
        _look_for(str(call.arguments["from"]), statement, context)
    meant = [network for name in names if (network := networks.get(name)) is not None]
    part = SEVERAL[statement.word.name]
    if len(meant) < len(names):
        return call  # what is wrong with a network is told there
    for pattern in call.arguments[part]:
        fitting = [layer for network in meant for layer in named(network, [pattern])]
        if any(layer.weights != 0 or layer.state != 0 for layer in fitting):
            continue
        weighted = [layer.name for network in meant for layer in network.layers if layer.weights != 0]
        close = suggestion(pattern, weighted)
        has = f"layers with weights are {', '.join(f'`{name}`' for name in dict.fromkeys(weighted[:12]))}"
        of = f"of `{names[0]}`" if len(names) == 1 else "of these networks"
        what = f"no layer {of} has weights and is named" if not fitting else f"no weights {of} are in"
        context.problems.add(
            rules.unknown_name,
            statement.span_of(part),
            f"{what} `{pattern}`",
            help=f"did you mean `{close}`? {has}" if close else has,
        )
    return call


def _look_for(said: str, statement: Statement, context: Context) -> None:
    """Warns where there is no run to start from, neither beside the spec nor here: it may be trained later."""
    run, _, last = said.rstrip("/").rpartition("/")
    place = run.removesuffix("/checkpoints") if last in ("best", "last") or last.startswith("step-") else said
    if not any(os.path.isdir(os.path.join(folder, place)) for folder in (context.folder, ".")):
        context.problems.add(
            rules.missing_data,
            statement.span_of("from"),
            f'there is no run to start from in "{place}"',
            help=f"looked in {os.path.join(context.folder, place)} and {place}; train it first",
        )


def refuse_idle(
    train: Train,
    networks: Mapping[str, Network | None],
    phased: Sequence[Phased],
    everywhere: Sequence[Statement],
    updates: Mapping[str, Span],
    context: Context,
) -> None:
    """Reports each update that, in a phase in which it runs, trains nothing but what is frozen.

    `phased` are the phases as written, none where the run has only one; `updates` tells where each update stands."""
    known = [network for network in networks.values() if network is not None]
    told: set[str] = set()
    for number, phase in enumerate(train.phases):
        holding = freezes(train, phase)
        where = [*(phased[number].freezes if phased else ()), *everywhere]
        for group in (train.groups[index] for index in phase.groups):
            for name in idle(group, known, holding):
                if name in told or not where:
                    continue
                told.add(name)
                places = (Label(updates[name], "the update is here"),) if name in updates else ()
                during = f" in the phase `{phase.name}`" if phased else ""
                context.problems.add(
                    rules.nothing_trained,
                    where[0].step.span,
                    f"the update of `{name}` trains nothing but what is frozen{during}",
                    labels=places,
                    help="put the update into the phases in which it has something to train"
                    if phased
                    else "leave the update out, or freeze less",
                )
