"""The folder of a run in, its experiment with the weights of a checkpoint out: without the data or the spec."""

from collections.abc import Callable
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


def rebuilt(path: Path, checkpoint: str = "last", *, told: Callable[[str], None] = lambda _: None) -> Rebuilt:
    """Builds the networks that plan.json describes and reads their weights. Raises UserError where that cannot be.

    `checkpoint` is `last` (the newest that is intact), `best` or a step; `told` is given what was passed over.
    """
    from gendsl.lower.beginnings import beginnings_in
    from gendsl.lower.training import experiment_of

    folder = open_run(path)
    plan = plan_in(folder)
    data = read_json(folder.data) or {}
    sizes = dict(data.get("sizes") or {})
    experiment = experiment_of(plan, examples=sizes.get("train"))
    experiment.class_counts = data.get("class_counts")
    experiment.beginnings = beginnings_in(data, plan)
    state = experiment.state()
    step = _step(folder, checkpoint)
    restored = checkpoints.restore(folder.checkpoints, state, plans=trainings_in(folder), step=step)
    if restored is None:
        raise UserError(
            f"the run in {folder.shown} has no checkpoint yet",
            f"let it reach one, or go on with it: `gendsl resume {folder.shown}`",
        )
    for name, reason in restored.damaged:
        told(f"{name} was passed over: {reason}")
    return Rebuilt(plan, folder, experiment, restored.step)


def _step(folder: RunFolder, checkpoint: str) -> int | None:
    """The step that is asked for; None for the newest."""
    if checkpoint == "last":
        return None
    if checkpoint == "best":
        best = checkpoints.best(folder.checkpoints)
        if best is None:
            raise UserError(
                f"the run in {folder.shown} has no best checkpoint",
                "write `keep best: SCORE` in `evaluate`; `--checkpoint last` takes the newest",
            )
        return best
    if not (checkpoint.isascii() and checkpoint.isdigit()):
        raise UserError(f"`{checkpoint}` is no checkpoint", "give `last`, `best` or a step")
    return int(checkpoint)
