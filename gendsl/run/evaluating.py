"""The folder of a run in, the scores of one of its checkpoints out, with their intervals: what `gendsl evaluate` does.

A record of them is added to evaluations.jsonl. Going on with the run leaves that file as it is: a checkpoint's scores
stay true, and metrics.jsonl, which is cut back to the checkpoint that a run goes on from, is not written to.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.run import folder as folders
from gendsl.run.folder import RunFolder, append_line
from gendsl.run.loading import load_tensorflow
from gendsl.run.recall import Recalled, order_in, recalled

if TYPE_CHECKING:
    from gendsl.evaluate.scores import Scored

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The scores of a run's checkpoint."""

    folder: RunFolder
    step: int
    scored: "Scored"


def evaluated(
    path: str | Path,
    problems: Problems,
    *,
    checkpoint: str = "last",
    samples: int | None = None,
    scores: str | None = None,
    told: Tell = lambda _: None,
    tell: Tell = lambda _: None,
) -> Evaluated | None:
    """Takes the scores of the spec's `evaluate` blocks, or those that are given as statements: `fid; kid subsets: 10`.

    `checkpoint` is `last`, `best` or a step. `told` is given warnings, `tell` how far the work is. None where the
    scores or the spec are wrong, which `problems` then says. Raises UserError.
    """
    run = recalled(path)
    _refuse_unscored(run.folder)
    plan, chosen = _plan(run, problems, samples, scores)
    if plan is None:
        return None
    if not chosen:
        raise UserError(f"the spec of {run.folder.shown} scores nothing", 'say what: `--scores "fid; diversity"`')
    load_tensorflow(deterministic=True)  # on GPUs too: the same checkpoint gives the same scores
    from gendsl.evaluate.inputs import examples_of
    from gendsl.evaluate.sampler import Sampler
    from gendsl.evaluate.scores import Evaluator, Scored
    from gendsl.lower.beginnings import beginnings_in
    from gendsl.lower.data import dataset_of
    from gendsl.run.rebuild import rebuilt
    from gendsl.run.scores import evaluations_file, note_contracts

    built = rebuilt(Path(path), checkpoint, told=told)
    tell(f"scoring {built.folder.shown} after {built.step:,} steps…")
    dataset = dataset_of(plan, run.project, overfit=run.overfit, tell=tell)
    _warn_of_other_data(run.folder, dataset.manifest, told)
    built.experiment.class_counts = dataset.class_counts
    built.experiment.beginnings = beginnings_in(dataset.manifest, plan)
    evaluator = Evaluator(
        plan,
        built.experiment,
        dataset,
        Sampler(built.experiment, place="evaluate"),
        lambda count: examples_of(plan, dataset, count),
        folder=run.project,
        tell=tell,
    )
    whole = Scored()
    for number in chosen:
        began = time.perf_counter()
        found = evaluator.scores(number, intervals=True)
        whole.add(found)
        for warning in found.warnings:
            told(warning)
        note_contracts(run.folder, found.contracts)
        record = {"step": built.step, "evaluation": number if scores is None else None} | found.values
        about = {"intervals": found.intervals, "resampled": found.resampled}
        append_line(evaluations_file(run.folder), record | about | {"seconds": round(time.perf_counter() - began, 3)})
    return Evaluated(run.folder, built.step, whole)


def _refuse_unscored(folder: RunFolder) -> None:
    """Raises UserError for a run without a checkpoint, before anything is loaded."""
    if not folders.steps_done(folder) and not list(folder.checkpoints.glob("step-*")):
        raise UserError(
            f"the run in {folder.shown} has no checkpoint yet",
            f"let it reach one, or go on with it: `gendsl resume {folder.shown}`",
        )


def _plan(
    run: Recalled, problems: Problems, samples: int | None, scores: str | None
) -> tuple[Plan | None, Sequence[int]]:
    """The plan of a run, with the scores that are asked for; and the numbers of the blocks to take."""
    asked = run if scores is None else replace(run, text=f"{run.text.rstrip()}\n\n{_block(scores)}\n")
    order = order_in(asked, problems)
    if order is None:
        return None, ()
    plan = order.plan
    chosen = range(len(plan.evaluations)) if scores is None else (len(plan.evaluations) - 1,)
    if samples is not None:
        from gendsl.run.scores import refuse_count

        refuse_count(samples)
        plan = replace(plan, evaluations=tuple(replace(one, samples=samples) for one in plan.evaluations))
    return plan, [number for number in chosen if _scores_of(plan, number)]


def _scores_of(plan: Plan, number: int) -> bool:
    one = plan.evaluations[number]
    return bool(one.equations) or any(call.word != "keep" for call in one.scores)


def _block(scores: str) -> str:
    """`evaluate { … }` of scores as they stand in one, or of words with commas between them."""
    parts = [part.strip() for part in scores.split(",")]
    if ";" not in scores and all(part.isidentifier() for part in parts):
        scores = "; ".join(parts)
    return f"evaluate {{ {scores} }}"


def _warn_of_other_data(folder: RunFolder, manifest: dict[str, Any], told: Tell) -> None:
    was = [source.get("sha256") for source in (folders.read_json(folder.data) or {}).get("sources") or ()]
    now = [source.get("sha256") for source in manifest.get("sources") or ()]
    if was and was != now:
        told(f"the data is not that which {folder.shown} was trained on: its content has changed")
