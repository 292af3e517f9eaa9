"""The folder of a run in, its `export/` filled out: what `gendsl export` does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl.export import description
from gendsl.export.chain import faults
from gendsl.export.edited import refuse_edited
from gendsl.export.forms import FORMS
from gendsl.export.gate import admitted
from gendsl.export.order import Order, orders_of
from gendsl.export.place import Place, place_of
from gendsl.export.seal import seal_place, seal_version, untouched
from gendsl.export.serving import write_serving_files
from gendsl.lower.errors import UserError
from gendsl.run.folder import RunFolder, open_run, plan_in
from gendsl.run.loading import load_tensorflow

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt


@dataclass(frozen=True, slots=True)
class Exported:
    """Where a model lies; `written` says whether this export wrote it, or found it there as it would have been."""

    path: Path
    written: bool = True


def export(
    run_folder: str | Path,
    *,
    checkpoint: str = "last",
    version: int | None = None,
    replace: bool = False,
    options: Mapping[str, Any] | None = None,
    override: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> list[Exported]:
    """Exports a run with the averaged weights of a checkpoint, in every form that its spec asks for.

    `checkpoint` is `last`, `best` or a step; `version` asks for a number, else it is the next one; `replace` allows one
    that is there, without a number the newest; `options` are those of the forms that take the place of the spec's;
    `override` is the reason why the spec's gate (`refuse`, `require`) does not matter, which is then written down;
    `told` is given which damaged checkpoints were passed over, and what else a person should know. Raises UserError.
    """
    folder = open_run(Path(run_folder))  # what is wrong is answered before TensorFlow is loaded, where that can be
    plan = plan_in(folder)
    orders = orders_of(plan, options or {})
    _refuse_without_checkpoint(folder)
    refuse_edited(folder, plan, told)
    for order in orders:
        if order.form not in FORMS:
            told(f"`{order.form}` is not built yet, and was left out")
    with place_of(folder) as place:
        numbers = {order.name: _number(place, order.name, version, replace) for order in orders if _versioned(order)}
        load_tensorflow()
        from gendsl.run.rebuild import rebuilt

        run = rebuilt(Path(run_folder), checkpoint, told=told)
        notes = admitted(folder, run.plan, run.step, override=override)
        found: list[Exported] = []
        with place.writing() as written:  # all are written before the first is put in its place: one may be refused
            ready: list[tuple[Order, Path]] = []
            for order in orders:
                if order.form not in FORMS:
                    continue
                same = None if replace or version is not None else _same(run, order, place, notes, told)
                if same is not None:
                    found.append(same)
                    continue
                ready.append((order, written / str(len(ready))))
                _write(run, order, ready[-1][1], notes)
            for order, files in ready:
                found += _put(place, order, files, numbers.get(order.name, 0))
        write_serving_files(place)
        seal_place(run, place.path, notes)
        return found


def _refuse_without_checkpoint(folder: RunFolder) -> None:
    if not any(folder.checkpoints.glob("step-*/manifest.json")):
        raise UserError(
            f"the run in {folder.shown} has no checkpoint yet",
            f"let it reach one, or go on with it: `gendsl resume {folder.shown}`",
        )


def _versioned(order: Order) -> bool:
    return order.form in FORMS and FORMS[order.form].versioned


def _number(place: Place, name: str, asked: int | None, replace: bool) -> int:
    """The version to write. Raises UserError where it is there and not to be replaced."""
    there = place.versions(name)
    if asked is None:
        return (there or [1])[-1] if replace else (there or [0])[-1] + 1
    if asked in there and not replace:
        raise UserError(
            f"version {asked} of `{name}` is there already",
            f"leave --version out for version {there[-1] + 1}, or write over it with --replace",
        )
    return asked


def _same(
    run: "Rebuilt", order: Order, place: Place, notes: Sequence[str], told: Callable[[str], None]
) -> Exported | None:
    """The newest version of a model, where it is whole and an export would write the same again; `told` hears where it
    would be, had nobody changed it."""
    there = place.versions(order.name) if _versioned(order) else []
    if not there:
        return None
    newest = place.path / order.name / str(there[-1])
    if description.read(newest).get("made from") != description.made_from(run.plan, run.folder, run.step, order):
        return None
    if found := faults(newest):
        told(f"{newest} is not as it was exported: {found[0]}; another version is written")
        return None
    return Exported(newest, written=False) if untouched(newest, notes) else None


def _write(run: "Rebuilt", order: Order, folder: Path, notes: Sequence[str]) -> None:
    form = FORMS[order.form]
    folder.mkdir()
    form.write(run, order, folder)
    if form.versioned:
        seal_version(run, folder, notes)


def _put(place: Place, order: Order, written: Path, number: int) -> list[Exported]:
    if FORMS[order.form].versioned:
        target = place.path / order.name / str(number)
        place.put(written, target)
        return [Exported(target)]
    files = sorted(written.iterdir())
    for file in files:
        place.put(file, place.path / file.name)
    return [Exported(place.path / file.name) for file in files]
