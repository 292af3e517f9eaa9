"""The folder of a run in, its experiment with the newest intact weights out: without the data or the spec."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.plan.record import plan_of
from gendsl.run import checkpoints
from gendsl.run.folder import RunFolder, open_run, read_json


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A run as it stood after some steps."""

    plan: Plan
    folder: RunFolder
    experiment: Any
    step: int


def rebuilt(path: Path) -> Rebuilt:
    """Builds the networks that plan.json describes and reads their weights. Raises UserError where that cannot be."""
    from gendsl.lower.training import experiment_of

    folder = open_run(path)
    plan = _plan_in(folder)
    data = read_json(folder.data) or {}
    sizes = dict(data.get("sizes") or {})
    experiment = experiment_of(plan, examples=sizes.get("train"))
    experiment.class_counts = data.get("class_counts")
    state = experiment.state()
    restored = checkpoints.restore(folder.checkpoints, state, plan_hash=str((read_json(folder.plan) or {}).get("hash")))
    if restored is None:
        raise UserError(
            f"the run in {folder.shown} has no checkpoint yet",
            f"let it reach one, or go on with it: gendsl run {folder.shown}/spec.gen --out {folder.shown} --resume",
        )
    return Rebuilt(plan, folder, experiment, restored.step)


def _plan_in(folder: RunFolder) -> Plan:
    record = read_json(folder.plan)
    try:
        return plan_of(record or {})
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"the plan in {folder.shown}/plan.json cannot be read: {error}",
            "it was written by another version of gendsl, or changed by hand; train the spec again",
        ) from None
