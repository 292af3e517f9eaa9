"""An order in, all that a run needs before its first step out: the replicas and workers, the data, the networks."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.status import Status

from gendsl.lower.errors import UserError
from gendsl.plan.difference import training_hash
from gendsl.run import folder as folders
from gendsl.run.cluster import Cluster
from gendsl.run.crew import Crew
from gendsl.run.folder import RunFolder
from gendsl.run.loading import load_tensorflow
from gendsl.run.order import Order
from gendsl.run.workers import joined

if TYPE_CHECKING:
    from gendsl.run.moments import Moments
    from gendsl.run.progress import Screen
    from gendsl.run.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Ready:
    """A run before its first step, which ends after step `last`."""

    order: Order
    training: str  # the hash of what the plan's training is
    folder: RunFolder
    experiment: Any
    dataset: Any
    last: int
    crew: Crew


def ready_for(order: Order, folder: RunFolder | None, *, cluster: Cluster | None, wait: float, status: Status) -> Ready:
    """Loads TensorFlow, finds the other workers, loads the data, and builds the networks. Raises UserError.

    Only the chief has a folder; the others are told where it is.
    """
    plan, strategy = order.plan, order.strategy
    replicas = strategy.arguments.get("replicas") if strategy is not None and strategy.word == "mirrored" else None
    load_tensorflow(alone=cluster is None, cpus=replicas or 1, deterministic=order.deterministic)
    from gendsl.lower.beginnings import beginnings_in, refuse_prompts
    from gendsl.lower.data import dataset_of
    from gendsl.lower.training import experiment_of
    from gendsl.run.environment import versions

    training = training_hash(plan)
    made, crew = joined(
        strategy,
        cluster,
        batch=plan.data.batch,
        plan={"plan": training[:8], "steps": str(order.steps), "overfit": str(order.overfit)} | versions(),
        seconds=wait,
        waiting=status.update,
    )
    folder = RunFolder(Path(crew.share_record({"folder": str(folder.path) if folder else ""})["folder"]))
    status.update("loading the data…")
    dataset = dataset_of(plan, order.project, overfit=order.overfit, tell=status.update)
    crew.compare("data", json.dumps(folders.as_json(dataset.manifest), sort_keys=True))
    experiment = experiment_of(plan, examples=dataset.sizes.get("train"), replicas=made)
    experiment.class_counts = dataset.class_counts
    experiment.beginnings = beginnings_in(dataset.manifest, plan)
    refuse_prompts(plan, experiment.beginnings)
    last = experiment.steps if order.steps is None else order.steps
    if last > experiment.steps:
        raise UserError(
            f"--steps {last:,} is more than the {experiment.steps:,} steps of the spec",
            "--steps ends a run earlier; for a longer one change `steps` in `train`: a run may go on with that",
        )
    return Ready(order, training, folder, experiment, dataset, last, crew)


def moments_for(ready: Ready) -> "Moments":
    """When something happens in a run."""
    from gendsl.run.moments import moments_of

    return moments_of(
        ready.order.plan, last=ready.last, length=ready.experiment.steps, steps_per_epoch=_steps_per_epoch(ready)
    )


def _steps_per_epoch(ready: Ready) -> int | None:
    """The steps of an epoch; None where the data has no end."""
    plan, examples = ready.order.plan, ready.dataset.sizes.get("train")
    return None if examples is None else -(-examples // (plan.data.batch * plan.train.times))


def recorder_for(
    ready: Ready,
    state: Mapping[str, Any],
    screen: "Screen",
    *,
    first: int,
    alarms: Mapping[str, Any] | None,
    watcher: Callable[[int], None] | None,
) -> "Recorder":
    """The chief's listener, for a run that begins after `first` steps; the watcher is told of each graph call's end.

    `alarms` is how they stood at the checkpoint that it goes on from.
    """
    from gendsl.evaluate.inputs import examples_of
    from gendsl.evaluate.sampler import Sampler
    from gendsl.evaluate.scores import Evaluator
    from gendsl.pictures.gallery import gallery_of
    from gendsl.pictures.graph import graph_of
    from gendsl.pictures.settings import session_of
    from gendsl.plan.show import plan_shown
    from gendsl.run.best import best_of
    from gendsl.run.guard import guard_of
    from gendsl.run.logs import Logs
    from gendsl.run.moments import kept_checkpoints
    from gendsl.run.recorder import Recorder
    from gendsl.run.saver import Saver
    from gendsl.run.throughput import Throughput

    plan, dataset, experiment, folder = ready.order.plan, ready.dataset, ready.experiment, ready.folder
    guard = guard_of(plan, steps_per_epoch=_steps_per_epoch(ready))
    guard.restore(alarms, step=first)
    logs = Logs(folder.logs, first=first)
    if first == 0:
        logs.texts(0, {"spec": ready.order.source_text, "plan": plan_shown(plan)})
        logs.graph(graph_of(plan))
        if (session := session_of(plan, name=folder.path.resolve().name, began=time.time())) is not None:
            logs.summary(0, session)
    return Recorder(
        plan=plan,
        folder=folder,
        moments=moments_for(ready),
        saver=Saver(folder.checkpoints, state, kept_checkpoints(plan), ready.training, step=first or -1),
        logs=logs,
        evaluator=Evaluator(
            plan,
            experiment,
            dataset,
            Sampler(experiment, place="evaluate"),
            lambda count: examples_of(plan, dataset, count),
            folder=ready.order.project,
            tell=screen.say,
        ),
        gallery=gallery_of(plan, dataset, experiment, tell=screen.say),
        best=best_of(plan, folders.read_lines(folder.metrics)),
        guard=guard,
        screen=screen,
        throughput=Throughput(plan, experiment),
        watcher=watcher,
    )
