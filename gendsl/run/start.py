"""The `start` statements of a plan and the variables of a new run in, the weights of other runs in their place out.

Weights alone are taken, by name: nothing of the other run's folder, which may come from a stranger, is built or run.
What it is taken from is recorded, so that a run killed before its first checkpoint begins alike, or is refused.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.plan.freezing import statements
from gendsl.plan.layers import layer_names
from gendsl.plan.plan import Call, Network, Plan
from gendsl.run import checkpoints
from gendsl.run.folder import RunFolder, open_run, trainings_in

_MOST_TOLD = 12  # variables of a network that do not fit


@dataclass(slots=True)
class Beginning:
    """Weights to begin with by the names of a checkpoint's variables, where they come from, and that in a line each."""

    values: dict[str, NDArray[Any]] = field(default_factory=dict)
    record: list[dict[str, Any]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def assign(self, state: Mapping[str, Any]) -> None:
        """Gives the variables of a run that has not begun these weights; averages begin equal to the weights."""
        for name, value in self.values.items():
            state[name].assign(value)
            if (average := state.get(name.replace("networks/", "averages/", 1))) is not None:
                average.assign(value)


def beginning_of(plan: Plan, state: Mapping[str, Any], project: str) -> Beginning:
    """What a run of a plan begins with; nothing without `start`. A run to start from is sought beside the spec, then
    here. Raises UserError where one is not there or damaged, or where its weights do not fit, variable by variable."""
    found = Beginning()
    for call in statements(plan.train.settings.get("start")):
        _start(call, plan, state, project, found)
    return found


def refuse_another(recorded: Any, begun: Beginning, folder: RunFolder) -> None:
    """Raises UserError where a run without a checkpoint would begin with other weights than it was begun with."""
    if recorded and recorded != begun.record:
        raise UserError(
            f"the run in {folder.shown} has no checkpoint yet, and what it starts from has changed since it was begun",
            "start anew with --fresh",
        )


def _start(call: Call, plan: Plan, state: Mapping[str, Any], project: str, found: Beginning) -> None:
    said = str(call.arguments["from"])
    folder, path = _checkpoint(said, project)
    try:
        manifest = checkpoints.intact(path, plans=trainings_in(folder))
    except checkpoints.Damaged as reason:
        raise UserError(
            f'{path.name} of the run in {folder.shown}, which `start from: "{said}"` names, cannot be read: {reason}',
            f"name another checkpoint: {_there(folder)}",
        ) from None
    variables: dict[str, Any] = manifest["variables"]
    there = dict.fromkeys(name.split("/")[1] for name in variables if name.startswith("networks/"))
    names = call.arguments["networks"] or tuple(network.name for network in plan.networks)
    _refuse_missing(call, names, list(there), folder, said)
    wanted: dict[str, str] = {}  # a variable's name there by its name here
    problems: list[str] = []
    anew: dict[str, list[str]] = {}
    averaged = []
    for name in names:
        network = plan.network(name)
        pairs, wrong, layers = _paired(network, call, state, variables)
        wanted |= pairs
        problems += wrong
        anew[name] = layers
        if any(source.startswith("averages/") for source in pairs.values()):
            averaged.append(name)
    if problems:
        raise _unfit(call, problems, anew, folder, path, said)
    try:
        values = checkpoints.some(path, set(wanted.values()))
    except checkpoints.Damaged as reason:
        raise UserError(f"{path} cannot be read: {reason}", f"name another checkpoint: {_there(folder)}") from None
    for name, source in wanted.items():
        if not np.isfinite(np.asarray(values[source], np.float64)).all():
            raise UserError(
                f"{source} in {path} is not finite: that training had diverged", "name an earlier checkpoint"
            )
        found.values[name] = values[source]
    digest = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    found.record.append(
        {
            "from": said,
            "step": int(manifest["step"]),
            "networks": list(names),
            "averaged": averaged,
            "plan": manifest["plan"],
            "manifest_sha256": digest,
            "variables": len(wanted),
        }
    )
    of = f" (averaged weights of {', '.join(averaged)})" if averaged else ""
    found.told.append(f"{', '.join(names)} from step {int(manifest['step']):,} of {folder.shown}{of}")


def _checkpoint(said: str, project: str) -> tuple[RunFolder, Path]:
    """The run and the checkpoint that a path names. Raises UserError."""
    run, _, last = said.rstrip("/").rpartition("/")
    named = last in ("best", "last") or (last.startswith("step-") and last[5:].isdigit())
    place = run.removesuffix("/checkpoints") if named else said
    candidates = [Path(project) / place, Path(place)]
    where = next((path for path in candidates if path.is_dir()), None)
    if where is None:
        sought = " and ".join(dict.fromkeys(str(path) for path in candidates))
        raise UserError(
            f'`start from: "{said}"` names no run: there is no folder {sought}',
            'name a run\'s folder and its checkpoint, such as `"runs/a/best"`',
        )
    folder = open_run(where)
    steps = [int(path.name[5:]) for path in checkpoints.paths(folder.checkpoints)]
    step = int(last[5:]) if last.startswith("step-") and named else None
    if last == "best" and named:
        step = checkpoints.best(folder.checkpoints)
        if step is None:
            raise UserError(
                f"the run in {folder.shown} has no best checkpoint", "`keep best: SCORE` in its `evaluate` keeps one; "
                f'`start from: "{place}/last"` takes the newest'
            )  # fmt: skip
    elif step is None and steps:
        step = steps[0]
    if step is None or step not in steps:
        what = "has no checkpoint yet" if step is None else f"has no checkpoint of step {step}"
        raise UserError(f"the run in {folder.shown} {what}", f"let it reach one; there are: {_there(folder)}")
    return folder, folder.checkpoints / f"step-{step}"


def _there(folder: RunFolder) -> str:
    names = [path.name for path in checkpoints.paths(folder.checkpoints)]
    names += ["best"] if checkpoints.best(folder.checkpoints) is not None else []
    return ", ".join(names) or "none"


def _refuse_missing(call: Call, names: tuple[str, ...], there: list[str], folder: RunFolder, said: str) -> None:
    missing = [name for name in names if name not in there]
    if not missing:
        return
    both = [name for name in names if name in there]
    raise UserError(
        f"the run in {folder.shown} has no network {' or '.join(f'`{name}`' for name in missing)}; it has "
        + ", ".join(f"`{name}`" for name in there),
        f'name those that it has: `start {", ".join(both)}, from: "{said}"`; the others begin anew'
        if both
        else "networks are taken by their names: give them the names that they have there",
    )


def _paired(
    network: Network, call: Call, state: Mapping[str, Any], there: Mapping[str, Any]
) -> tuple[dict[str, str], list[str], list[str]]:
    """The variables of a network here, each with that which it takes over; what does not fit; and the layers in which
    that is."""
    prefix, averages = f"networks/{network.name}/", f"averages/{network.name}/"
    averaged = call.arguments["averages"] and any(name.startswith(averages) for name in there)
    own = {name.removeprefix(prefix): list(value.shape) for name, value in state.items() if name.startswith(prefix)}
    others = {name.removeprefix(prefix): list(told[0]) for name, told in there.items() if name.startswith(prefix)}
    shown = dict(zip(layer_names(network), (layer.name for layer in network.layers), strict=True))

    def layer(path: str) -> str:
        first = path.split("/")[0]
        return shown.get(first, first)

    def begins_anew(path: str) -> bool:
        return any(fnmatchcase(layer(path), pattern) for pattern in call.arguments["anew"])

    pairs, wrong, layers = {}, [], dict[str, None]()
    for path in dict.fromkeys([*own, *others]):
        if begins_anew(path):
            continue
        here, then = own.get(path), others.get(path)
        if here == then:
            pairs[prefix + path] = (averages if averaged else prefix) + path
            continue
        what = f"{_shape(here)} here" if here is not None else "not here"
        wrong.append(f"{network.name}/{path} is {what}, {'not' if then is None else _shape(then)} there")
        layers[layer(path)] = None
    if averaged and any(source not in there for source in pairs.values()):
        wrong.append(f"{network.name}: its averages are not of the same variables there")
    return pairs, wrong, list(layers)


def _unfit(
    call: Call, problems: list[str], anew: Mapping[str, list[str]], folder: RunFolder, path: Path, said: str
) -> UserError:
    more = [f"and {len(problems) - _MOST_TOLD:,} more"] if len(problems) > _MOST_TOLD else []
    lines = "".join(f"\n  {line}" for line in problems[:_MOST_TOLD] + more)
    unfit = [name for name, layers in anew.items() if layers]
    layers = list(dict.fromkeys([*call.arguments["anew"], *(one for name in unfit for one in anew[name])]))
    subject = f"{', '.join(call.arguments['networks'])}, " if call.arguments["networks"] else ""
    given = ", ".join(f'"{layer}"' for layer in layers[:8])
    help = f'`start {subject}from: "{said}", anew: [{given}]` lets these layers begin anew'
    if others := [name for name in anew if name not in unfit]:
        help += f'; `start {", ".join(others)}, from: "{said}"` starts the networks that fit'
    return UserError(f"the weights in {folder.shown}, {path.name} do not fit this spec:{lines}", help)


def _shape(sizes: list[int]) -> str:
    return "x".join(map(str, sizes)) or "a number"
