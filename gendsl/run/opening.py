"""An order and where it is wanted in, the folder to train in out: new, gone on with, or made free.

All that a person has to decide is decided here, before TensorFlow is loaded; nothing is changed on disk yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from gendsl.lower.errors import UserError
from gendsl.plan.difference import Difference, differences, stretched, training_hash
from gendsl.plan.plan import Plan
from gendsl.plan.record import hash_of
from gendsl.run import folder as folders
from gendsl.run.folder import Lock, RunFolder
from gendsl.run.order import Order, Where
from gendsl.run.telling import note, resume_command, run_command, say_changes

# before plan.json makes a folder one of a run
_WRITTEN_FIRST = {"spec.gen", "environment.json", "dropped.csv", "leaks.csv", "data.json"}


@dataclass(frozen=True, slots=True)
class Opened:
    """The folder to train in. `then` is the plan of the run that is gone on with, `changes` what differs from it.

    `aside` is where a run that is there is moved first; with `ended` there is nothing left to do.
    """

    folder: RunFolder
    then: Plan | None = None
    changes: tuple[Difference, ...] = ()
    aside: Path | None = None
    ended: bool = False

    @property
    def retrained(self) -> bool:
        """Whether the steps to come do something else than those that are done."""
        return any(difference.training for difference in self.changes)


def opened_for(order: Order, where: Where, console: Console) -> Opened:
    """The folder for an order. Raises UserError where there is a run that may not be gone on with."""
    if where.out is None:
        return _under_runs(order, where, console)
    folder = RunFolder(where.out)
    if folders.read_json(folder.plan) is None:
        _refuse_other_files(folder)
        return Opened(folder)
    if where.fresh:
        return Opened(folder, aside=folders.path_aside(folder.path))
    if where.resume:
        return _gone_on_with(folder, order, where, console)
    return _asked_for(folder, order, where, console)


def _under_runs(order: Order, where: Where, console: Console) -> Opened:
    """A new folder under `runs/`, or that of a run of the same training which has not ended."""
    plan = order.plan
    new = Opened(RunFolder(folders.new_path(plan.experiment, hash_of(plan))))
    if where.fresh:
        return new
    there = [found for found in folders.existing(plan.experiment, training_hash(plan)) if _same_way(found, order)]
    if where.resume:
        return _gone_on_with(there[0], order, where, console) if there else new
    left = next((found for found in there if not folders.has_ended(found) and not Lock.held(found)), None)
    if left is None:
        return new
    told = _standing(left)
    if where.ask is None:
        found = differences(folders.plan_in(left), plan)
        note(console, f"note: {told}; `{_to_go_on(left, order, found)}` goes on with it. This is a new run.")
        return new
    note(console, f"{told}.")
    return _gone_on_with(left, order, where, console) if where.ask("Go on with it?", True) else new


def _asked_for(folder: RunFolder, order: Order, where: Where, console: Console) -> Opened:
    """What becomes of a run that is in the folder, where the command does not say."""
    then = folders.plan_in(folder)
    aside = folders.path_aside(folder.path)
    fresh = f"`{run_command(order, folder.shown, '--fresh')}` starts anew, and keeps that run as {aside}"
    found = differences(then, order.plan)
    if any(difference.training for difference in found):
        raise _changed(folder, found, f"{fresh}; or give another folder with --out")
    told = _standing(folder)
    if _nothing_left(folder, order):
        if where.ask is None:
            raise UserError(told, f"{fresh}; or give another folder with --out")
        note(console, f"{told}.")
    else:
        if where.ask is None:
            raise UserError(told, f"`{_to_go_on(folder, order, found)}` goes on with it; {fresh}")
        note(console, f"{told}.")
        if where.ask("Go on with it?", True):
            return _gone_on_with(folder, order, where, console)
    if where.ask(f"Start anew, and keep that run as {aside}?", False):
        return Opened(folder, aside=aside)
    raise UserError("nothing was trained, and nothing was changed", "another --out takes another folder")


def _gone_on_with(folder: RunFolder, order: Order, where: Where, console: Console) -> Opened:
    """A run to go on with; what has changed since is shown. Raises UserError where that may not be."""
    then = folders.plan_in(folder)
    if not _same_way(folder, order):
        raise UserError(
            f"the run in {folder.shown} was started {'without' if order.overfit else 'with'} --overfit",
            "go on with the same option, or give another folder with --out",
        )
    found = differences(then, order.plan)
    if any(difference.training for difference in found) and not where.allow_changes:
        raise _changed(
            folder,
            found,
            f"`{resume_command(folder)}` goes on with the spec as it was; --allow-changes trains on with these "
            "changes; --fresh starts anew, and keeps that run",
        )
    if not found and _nothing_left(folder, order):
        return Opened(folder, then, ended=True)
    if found:
        say_changes(console, f"changed since the run in {folder.shown} was started:", [one.text for one in found])
    if names := stretched(then, order.plan):
        note(
            console,
            f"warning: {' and '.join(names)} {'follow' if len(names) > 1 else 'follows'} the length of the run: the "
            "steps that are done had other values than a run of this length would have had",
        )
    return Opened(folder, then, tuple(found))


def _changed(folder: RunFolder, found: Sequence[Difference], help: str) -> UserError:
    lines = "".join(f"\n  {one.text}" for one in found if one.training)
    return UserError(f"the spec is not that of the run in {folder.shown}:{lines}", help)


def _refuse_other_files(folder: RunFolder) -> None:
    """A folder of something else is left alone; what a run wrote that was killed in its first moment is not."""
    path = folder.path
    if path.exists() and not path.is_dir():
        raise UserError(f"{folder.shown} is a file", "give a new folder with --out")
    names = {found.name for found in path.iterdir() if not found.name.startswith(".")} if path.is_dir() else set()
    if names - _WRITTEN_FIRST:
        raise UserError(f"{folder.shown} is there and is not the folder of a run", "give a new folder with --out")


def _same_way(folder: RunFolder, order: Order) -> bool:
    """Whether a run is of the same kind: on all the data, or on one batch."""
    return bool(folders.options_in(folder).get("overfit")) == order.overfit


def _nothing_left(folder: RunFolder, order: Order) -> bool:
    if folders.stopped_by(folder):
        return True
    wanted = _length(folder, order)
    return wanted is not None and folders.has_ended(folder) and folders.steps_done(folder) >= wanted


def _length(folder: RunFolder, order: Order) -> int | None:
    """The step that an order ends at; None where that is not known yet."""
    return folders.length_in(folder, order.plan) if order.steps is None else order.steps


def _to_go_on(folder: RunFolder, order: Order, found: Sequence[Difference]) -> str:
    """The command that goes on with a run as an order wants it, which may be further than it was to go."""
    if found:
        return run_command(order, folder.shown, "--resume")
    same = _length(folder, order) == _own_length(folder)
    return resume_command(folder, steps=None if same else _length(folder, order))


def _own_length(folder: RunFolder) -> int | None:
    """The step that a run itself was to end at."""
    steps = folders.options_in(folder).get("steps")
    return steps if isinstance(steps, int) else folders.length_in(folder, folders.plan_in(folder))


def _standing(folder: RunFolder) -> str:
    """`an unfinished run of this spec (40 of 60 steps are done)`."""
    done, wanted = folders.steps_done(folder), _own_length(folder)
    what = "a finished run" if folders.has_ended(folder) else "an unfinished run"
    if alarm := folders.stopped_by(folder):
        what = f"a run, stopped by its alarm `{alarm}`,"
    return f"{folder.shown} holds {what} of this spec: {done:,}{'' if wanted is None else f' of {wanted:,}'} steps"
