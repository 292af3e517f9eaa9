"""A run made ready and its folder in, the folder entered out: what is run is written there, or compared with what is.

The folder must be locked. Where a run goes on with another spec or plan, the earlier ones are kept as `spec-1.gen`,
`plan-1.json` and so on.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.plan.record import record_of
from gendsl.run import folder as folders
from gendsl.run.environment import differences, environment
from gendsl.run.folder import RunFolder
from gendsl.run.opening import Opened
from gendsl.run.ready import Ready

_MOST_TOLD = 20  # variables that are not those of the checkpoints


def entered(
    ready: Ready, opened: Opened, state: Mapping[str, Any], started: Sequence[Mapping[str, Any]] = ()
) -> list[str]:
    """Writes the files that say what is run, or compares them; gives what differs from then of what the bits depend on.

    `started` records what a new run starts from.
    Raises UserError where the run cannot go on, before anything was changed.
    """
    folder, order = ready.folder, ready.order
    now = _environment(ready) | ({"start": list(started)} if started else {})
    data = folders.as_json(_data(ready))
    if opened.then is None:
        folders.write_whole(folder.spec, order.source_text)
        folders.write_json(folder.environment, now)
        _write_data(ready, data)
        folders.write_json(folder.plan, _record(order.plan, ready.training))  # last: it makes the folder one of a run
        return []
    then, data_then = folders.read_json(folder.environment), folders.read_json(folder.data)
    if then is None or data_then is None:
        raise UserError(
            f"{folder.shown}/{folder.environment.name if then is None else folder.data.name} is missing or damaged",
            "bring it back, or start anew with --fresh, which keeps that run",
        )
    if opened.retrained:
        _refuse_other_variables(folder, state)
    elif data_then != data:
        raise UserError(
            f"the data is no longer that of {folder.shown}/data.json",
            "bring it back as it was, or start anew with --fresh, which keeps that run",
        )
    if opened.changes:
        _keep_earlier(folder)
        folders.write_whole(folder.spec, order.source_text)
        _write_data(ready, data)
        folders.write_json(folder.plan, _record(order.plan, ready.training))
        then = then | {name: now[name] for name in ("spec", "project", "project_from_here", "git")}
    folders.write_json(folder.environment, then | {"options": order.options})
    return differences(then, folders.as_json(now))


def _write_data(ready: Ready, data: dict[str, Any]) -> None:
    """Writes data.json, and beside it the lists of what it counts."""
    folders.write_lists(ready.folder, ready.dataset.findings.files)
    folders.write_json(ready.folder.data, data)


def _record(plan: Plan, training: str) -> dict[str, Any]:
    """plan.json: the plan's record and what its training is, by which checkpoints know it."""
    return record_of(plan) | {"training": training}


def _environment(ready: Ready) -> dict[str, Any]:
    order = ready.order
    project = Path(order.project).resolve()
    return environment(
        order.project,
        replicas=ready.experiment.replicas.count,
        xla=ready.experiment.by_xla,
        deterministic=order.deterministic,
    ) | {
        "spec": order.spec_path,
        "project": str(project),
        "project_from_here": os.path.relpath(project, ready.folder.path.resolve()),
        "options": order.options,
    }


def _data(ready: Ready) -> dict[str, Any]:
    dataset = ready.dataset
    counts = dataset.class_counts
    return {
        **dataset.manifest,
        "sizes": dataset.sizes,
        "class_names": dataset.class_names,
        "class_counts": None if counts is None else [int(count) for count in counts],
    }


def _refuse_other_variables(folder: RunFolder, state: Mapping[str, Any]) -> None:
    """Raises UserError, name by name, where the newest checkpoint is of other variables than a changed spec has."""
    newest = folder.checkpoints / f"step-{folders.steps_done(folder)}"
    saved = (folders.read_json(newest / "manifest.json") or {}).get("variables")
    if not isinstance(saved, dict):
        return  # there is none, or it is damaged, which is told when it is read
    shapes = {name: list(variable.shape) for name, variable in state.items()}
    told = [f"{name} is new, {_shape(shapes[name])}" for name in shapes if name not in saved]
    told += [f"{name} is gone, {_shape(saved[name][0])}" for name in saved if name not in shapes]
    told += [
        f"{name} is {_shape(shapes[name])}, was {_shape(saved[name][0])}"
        for name in shapes
        if name in saved and shapes[name] != saved[name][0]
    ]
    if told:
        told.sort(key=lambda line: line.startswith("optimizers/"))  # their slots follow the networks
        more = [f"and {len(told) - _MOST_TOLD:,} more"] if len(told) > _MOST_TOLD else []
        lines = "".join(f"\n  {line}" for line in told[:_MOST_TOLD] + more)
        raise UserError(
            f"the changed spec has other variables than the checkpoints in {folder.shown}:{lines}",
            "a run can go on only with the variables that it has. Train the changed spec in a new folder; there "
            f'`start from: "{folder.shown}/last"` takes over the weights that fit',
        )


def _shape(sizes: list[int]) -> str:
    return "x".join(map(str, sizes)) or "a number"


def _keep_earlier(folder: RunFolder) -> None:
    number = 1
    while (folder.path / f"plan-{number}.json").exists():
        number += 1
    folders.write_whole(folder.path / f"spec-{number}.gen", folder.spec.read_bytes())
    folders.write_whole(folder.path / f"plan-{number}.json", folder.plan.read_bytes())
