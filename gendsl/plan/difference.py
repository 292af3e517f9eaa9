"""Two plans in, what differs between them out, in the spec's terms; and a plan in, a hash of what its training is.

What may change while a run is interrupted is left out of that hash: the length of the last phase, checkpoints, scores,
samples, the export, which activations are computed again, how the step is laid over devices and compiled. The bits may
depend on the last two; so a run's environment records them, and a difference earns a warning.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gendsl.frozen import dataclass, replace
from gendsl.plan.plan import Call, Data, Group, Layer, Network, Plan, Quantity, Train, Update
from gendsl.plan.record import hash_of
from gendsl.plan.show import statement_shown, value_shown

_FREE = ("checkpoint", "strategy", "jit", "deterministic")  # settings of `train` that are no part of the training
_HARMLESS = ("warn", "stop")  # policies of monitors that change no step
_NOWHERE = Quantity(0, "steps")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, for a person to read; `training` where it changes what the steps do."""

    text: str
    training: bool


def training_hash(plan: Plan) -> str:
    """64 hexadecimal digits that two plans share if a run of the one can go on as a run of the other."""
    return hash_of(_essence(plan))


def differences(then: Plan, now: Plan) -> list[Difference]:
    """What differs, in the order of the spec; nothing for plans that are equal but for how they are written."""
    found = [Difference(text, True) for text in _training(_essence(then), _essence(now))]
    return found + [Difference(text, False) for text in _beside(then, now)]


def stretched(then: Plan, now: Plan) -> list[str]:
    """The schedules that measure themselves against the length of the run, where that length has changed."""
    if then.train.phases[-1].length == now.train.phases[-1].length:
        return []
    found = [update.name for update, call in _rates(now) if _by_the_run(call)]
    names = [f"the learning rate of {name}" for name in dict.fromkeys(found)]
    names += [f"`{name}`" for name, value in now.train.scalars.items() if _by_the_run(value)]
    last = now.train.phases[-1]
    names += [f"`{name}` of phase {last.name}" for name, value in last.settings.items() if _by_the_run(value)]
    return names


def _essence(plan: Plan) -> Plan:
    """The plan with all that is no part of the training taken out, or set to one and the same."""
    train, last = plan.train, plan.train.phases[-1]
    groups = tuple(
        replace(group, condition="", updates=tuple(replace(update, equation="") for update in group.updates))
        for group in train.groups
    )
    return replace(
        plan,
        experiment="",
        params={},
        data=replace(plan.data, cache=None),
        networks=tuple(
            replace(network, recompute=False, layers=tuple(replace(layer, flops=0) for layer in network.layers))
            for network in plan.networks
        ),
        train=replace(
            train,
            groups=groups,
            phases=(*train.phases[:-1], replace(last, length=_NOWHERE)),
            settings={name: call for name, call in train.settings.items() if name not in _FREE},
        ),
        sample=None,
        evaluations=(),
        monitors=tuple(call for call in plan.monitors if not _harmless(call)),
        export=(),
        card=(),
        sweep=None,
        variants={},
        not_built=(),
        objectives=(),
    )


def _harmless(monitor: Call) -> bool:
    policy = monitor.arguments.get("do")
    return policy is None or (isinstance(policy, Call) and policy.word in _HARMLESS)


# What training is


def _training(then: Plan, now: Plan) -> Iterator[str]:
    if then == now:
        return
    told = [
        *_data(then.data, now.data),
        *_several("augment", then.augment.data, now.augment.data),
        *_several("augment both", then.augment.both, now.augment.both),
        *_value("augment both", "control", then.augment.ada, now.augment.ada),
        *_networks(then.networks, now.networks),
        *_train(then.train, now.train),
        *_several("monitor", then.monitors, now.monitors),
    ]
    yield from told or ["the plan: what is numbered or derived in it, though it reads the same"]


def _data(then: Data, now: Data) -> Iterator[str]:
    yield from _named("data source", {s.name: s.call for s in then.sources}, {s.name: s.call for s in now.sources})
    fields, others = {f.name: f for f in then.fields}, {f.name: f for f in now.fields}
    yield from _come_and_gone("data field", fields, others)
    for name in (name for name in fields if name in others):
        one, other = fields[name], others[name]
        yield from _mapping(f"data field {name}", one.arguments, other.arguments)
        for part in ("kind", "shape", "source", "classes"):
            yield from _value(f"data field {name}", part, getattr(one, part), getattr(other, part))
    yield from _several("data curate", then.curate, now.curate)
    yield from _several("data", then.constraints, now.constraints)
    for part in ("split", "batch", "shuffle", "condition", "window", "stride", "examples", "pairs"):
        yield from _value("data", part, getattr(then, part), getattr(now, part))


def _networks(then: Sequence[Network], now: Sequence[Network]) -> Iterator[str]:
    old, new = {network.name: network for network in then}, {network.name: network for network in now}
    yield from _come_and_gone("network", old, new)
    for name in (name for name in old if name in new and old[name] != new[name]):
        where, one, other = f"network {name}", old[name], new[name]
        told = [
            *_named(f"{where}, input", {i.name: i.of for i in one.inputs}, {i.name: i.of for i in other.inputs}),
            *_layers(where, one.layers, other.layers),
            *_value(where, "init", one.init, other.init),
            *_value(where, "constrain", one.constrain, other.constrain),
        ]
        yield from told or [f"{where}: its shapes, or how its layers are connected"]


def _layers(where: str, then: Sequence[Layer], now: Sequence[Layer]) -> Iterator[str]:
    matcher = difflib.SequenceMatcher(None, [_layer(one) for one in then], [_layer(one) for one in now], False)
    for kind, first, end, other_first, other_end in matcher.get_opcodes():
        old, new = then[first:end], now[other_first:other_end]
        if kind == "equal":
            continue
        if [one.word for one in old] == [one.word for one in new]:
            for number, (one, other) in enumerate(zip(old, new, strict=True), first + 1):
                yield from _mapping(f"{where}, layer {number} {one.word}", one.arguments, other.arguments)
            continue
        yield from (f"{where}: layer {n} {one.word} is gone" for n, one in enumerate(old, first + 1))
        yield from (f"{where}: layer {n} {one.word} is new" for n, one in enumerate(new, other_first + 1))


def _layer(layer: Layer) -> str:
    """A layer as it could be written."""
    inner = ", ".join(f"{name}: {_shown(value)}" for name, value in layer.arguments.items() if _is_said(name, value))
    return f"{layer.word} {inner}".strip()


def _is_said(name: str, value: Any) -> bool:
    """Whether a person could have written an argument: the layout of a row follows from its columns."""
    return value is not None and name != "layout"


def _train(then: Train, now: Train) -> Iterator[str]:
    old, new = dict(_updates(then.groups)), dict(_updates(now.groups))
    yield from _come_and_gone("update", old, new)
    for name in (name for name in old if name in new):
        where, (group, update), (other_group, other_update) = f"update {name}", old[name], new[name]
        yield from _value(where, "optimizer", update.optimizer, other_update.optimizer)
        yield from _value(where, "times", group.times, other_group.times)
        if group.when != other_group.when:
            was, is_now = ("has a condition" if one.when else "has none" for one in (group, other_group))
            yield f"{where}: when " + ("its condition is another" if was == is_now else f"{was} -> {is_now}")
        yield from _value(where, "networks", update.networks, other_update.networks)
    if not (old.keys() ^ new.keys()):
        yield from _equations(then.groups, now.groups)
    phases, others = {phase.name: phase for phase in then.phases}, {phase.name: phase for phase in now.phases}
    yield from _come_and_gone("phase", phases, others)
    for name in (name for name in phases if name in others):
        one, other = phases[name], others[name]
        yield from _value(f"phase {name}", "length", one.length, other.length)
        yield from _mapping(f"phase {name}", one.settings, other.settings)
        yield from _value(f"phase {name}", "updates", one.groups, other.groups)
    yield from _mapping("train", then.scalars, now.scalars)
    yield from _several("train", then.ema, now.ema)
    yield from _settings(then.settings, now.settings)


def _updates(groups: Iterable[Group]) -> Iterator[tuple[str, tuple[Group, Update]]]:
    for group in groups:
        for update in group.updates:
            yield update.name, (group, update)


def _equations(then: Sequence[Group], now: Sequence[Group]) -> Iterator[str]:
    """What differs in the operations behind the losses of the same updates."""
    if [group.operations for group in then] == [group.operations for group in now]:
        return
    told: list[str] = []
    for one, other in zip(then, now, strict=False):
        where = f"update {', '.join(update.name for update in one.updates)}"
        if [operation.name for operation in one.operations] != [operation.name for operation in other.operations]:
            told.append(f"{where}: what it minimises")
            continue
        for old, new in zip(one.operations, other.operations, strict=True):
            what = str(old.attributes.get("word") or old.attributes.get("network") or old.name)
            word = new.attributes.get("word")
            if word != old.attributes.get("word"):
                told.append(f"{where}: {what} -> {word}")
            else:
                told += _mapping(f"{where}, {what}", old.attributes, new.attributes)
            if old.inputs != new.inputs:
                told.append(f"{where}: what `{what}` is taken of")
    yield from told or ["train: the numbers that its draws are keyed by"]


# What is beside it


def _beside(then: Plan, now: Plan) -> Iterator[str]:
    yield from _value("experiment", "name", then.experiment, now.experiment)
    old, new = then.train.phases[-1], now.train.phases[-1]
    if old.name == new.name:
        where = "train" if len(now.train.phases) == 1 else f"phase {new.name}"
        yield from _value(where, "length", old.length, new.length)
    yield from _settings(_only_free(then.train.settings), _only_free(now.train.settings))
    yield from _value("data", "cache", then.data.cache, now.data.cache)
    networks = {network.name: network for network in now.networks}
    for network in (network for network in then.networks if network.name in networks):
        again = networks[network.name].recompute
        yield from _value(f"network {network.name}", "recompute", network.recompute, again)
    harmless = [tuple(call for call in plan.monitors if _harmless(call)) for plan in (then, now)]
    yield from _several("monitor", *harmless)
    for name, one, other in (
        ("sample", then.sample, now.sample),
        ("evaluate", then.evaluations, now.evaluations),
        ("export", then.export, now.export),
        ("card", then.card, now.card),
        ("sweep", then.sweep, now.sweep),
        ("variant", then.variants, now.variants),
    ):
        if one != other:
            yield f"{name}: {'is new' if not one else 'is gone' if not other else 'reads otherwise'}"


def _only_free(settings: Mapping[str, Call]) -> dict[str, Call]:
    return {name: call for name, call in settings.items() if name in _FREE}


def _rates(plan: Plan) -> Iterator[tuple[Update, Any]]:
    for _, (_, update) in _updates(plan.train.groups):
        yield update, update.optimizer.arguments.get("learning_rate")


def _by_the_run(value: Any) -> bool:
    return isinstance(value, Call) and "over" in value.arguments and value.arguments["over"] is None


# Parts of any plan


def _settings(then: Mapping[str, Call], now: Mapping[str, Call]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        one, other = then.get(name), now.get(name)
        if one is not None and other is not None and len(one.arguments) > 1:
            yield from _mapping(f"train: {name}", one.arguments, other.arguments)
        else:
            yield from _value("train", name, _only(one), _only(other))


def _only(setting: Call | None) -> Any:
    """The value of a setting that has one."""
    if setting is None or len(setting.arguments) != 1:
        return setting
    (value,) = setting.arguments.values()
    return value


def _named(what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Values that have a name of their own; that of an only one is empty."""
    yield from _come_and_gone(what, then, now)
    for name in (name for name in then if name in now):
        one, other = then[name], now[name]
        if isinstance(one, Call) and isinstance(other, Call) and one.word == other.word:
            yield from _mapping(f"{what} {name}".rstrip() + f" {one.word}", one.arguments, other.arguments)
        elif one != other:
            yield f"{what} {name}".rstrip() + f": {_shown(one)} -> {_shown(other)}"


def _come_and_gone(what: str, then: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    old, new = list(then), list(now)
    yield from (f"{what} {name}".rstrip() + ": is gone" for name in old if name not in new)
    yield from (f"{what} {name}".rstrip() + ": is new" for name in new if name not in old)


def _several(where: str, then: Sequence[Call], now: Sequence[Call]) -> Iterator[str]:
    """Calls in order, which have no names."""
    if [call.word for call in then] == [call.word for call in now]:
        for one, other in zip(then, now, strict=True):
            yield from _mapping(f"{where} {one.word}".strip(), one.arguments, other.arguments)
            if one.statements != other.statements:
                yield f"{where} {one.word}: its block"
        return
    old, new = [_shown(call) for call in then], [_shown(call) for call in now]
    yield from (f"{where}: {text} is gone" for text in old if text not in new)
    yield from (f"{where}: {text} is new" for text in new if text not in old)
    if sorted(old) == sorted(new):
        yield f"{where}: another order"


def _mapping(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        if name != "layout":
            yield from _value(where, name, then.get(name), now.get(name))


def _value(where: str, name: str, then: Any, now: Any) -> Iterator[str]:
    if then == now:
        return
    place = f"{where} {name}" if ":" in where else f"{where}: {name}"
    if isinstance(then, Call) and isinstance(now, Call) and then.word == now.word:
        yield from _mapping(f"{place} {then.word}", then.arguments, now.arguments)
        if then.statements != now.statements:
            old, new = ("; ".join(map(statement_shown, call.statements)) for call in (then, now))
            yield f"{place} {old} -> {new}"
    else:
        yield f"{place} {_shown(then)} -> {_shown(now)}"


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(item)}" for name, item in value.items())
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value_shown(value)
