"""The folder of a run in, its experiment with the newest intact weights out: without the data or the spec."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.run import checkpoints
from gendsl.run.folder import RunFolder, open_run, plan_in, read_json, trainings_in


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
    plan = plan_in(folder)
    data = read_json(folder.data) or {}
    sizes = dict(data.get("sizes") or {})
    experiment = experiment_of(plan, examples=sizes.get("train"))
    experiment.class_counts = data.get("class_counts")
    state = experiment.state()
    restored = checkpoints.restore(folder.checkpoints, state, plans=trainings_in(folder))
    if restored is None:
        raise UserError(
            f"the run in {folder.shown} has no checkpoint yet",
            f"let it reach one, or go on with it: `gendsl resume {folder.shown}`",
        )
    return Rebuilt(plan, folder, experiment, restored.step)
