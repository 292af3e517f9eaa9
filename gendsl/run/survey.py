"""A plan in, a look at its data out: what `gendsl data` tells and writes, before anything is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.run import folder as folders
from gendsl.run.exhibits import Exhibit, excerpts_of, exhibits_of
from gendsl.run.loading import load_tensorflow
from gendsl.run.pictures import png

if TYPE_CHECKING:
    from gendsl.lower.data import Dataset
    from gendsl.lower.data.report import Report

_OF_DATA = ("source", "column", "tokenizer", "data", "crop", "curate", "augment")  # what has to be built to look at it


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, and what was written: the lists beside data.json, the pictures, the texts, TensorBoard's logs."""

    report: "Report"
    lists: tuple[Path, ...]
    pictures: tuple[Path, ...]
    texts: tuple[Path, ...]
    logs: Path


def default_folder(plan: Plan) -> Path:
    """Beside the experiment's runs, so that one TensorBoard shows both."""
    return Path("runs") / plan.experiment / "data"


def surveyed(plan: Plan, project: str, out: Path, *, tell: Callable[[str], None]) -> Survey:
    """Loads the data as a run would, and writes data.json, the lists beside it, pictures, and logs for TensorBoard.

    `project` is the spec's folder; `tell` hears how far the work is. Raises UserError.
    """
    if refused := [word for word, category in plan.not_built if category in _OF_DATA]:
        names = ", ".join(f"`{word}`" for word in refused)
        raise UserError(f"{names} cannot be run yet in this version, only checked", "take it out to look at the rest")
    if (out / "plan.json").exists():
        raise UserError(f"{out} is the folder of a run and has a data.json of its own", "give another folder with -o")
    load_tensorflow()
    from gendsl.lower.data import dataset_of
    from gendsl.lower.data.report import report_of

    dataset = dataset_of(plan, project, tell=tell)
    report = report_of(plan, dataset, tell=tell)
    tell("drawing pictures…")
    exhibits = exhibits_of(plan, dataset)
    captions = [("picture", f"{name}.png: {exhibit.told}") for name, exhibit in exhibits.items() if exhibit.told]
    report = replace(report, lines=[*report.lines, *captions])
    return _written(out, dataset, report, exhibits, excerpts_of(plan, dataset))


def _written(
    out: Path, dataset: "Dataset", report: "Report", exhibits: Mapping[str, Exhibit], excerpts: Mapping[str, str]
) -> Survey:
    from gendsl.run import logs

    lists = folders.write_lists(folders.RunFolder(out), dataset.findings.files)
    folders.write_json(out / "data.json", report.record)
    pictures = {name: exhibit.pixels for name, exhibit in exhibits.items()}
    for name, pixels in pictures.items():
        folders.write_whole(out / f"{name}.png", png(pixels))
    for name, text in excerpts.items():
        folders.write_whole(out / name, text)
    for path in logs.files(out / "logs"):  # of an earlier look
        path.unlink()
    writer = logs.Logs(out / "logs", first=0)
    writer.texts(0, {"data": "\n".join(f"{name:<12} {text}" for name, text in report.lines)})
    writer.texts(0, {f"data/{name}": text for name, text in excerpts.items()})
    writer.pictures(0, pictures, group="data")
    for name, exhibit in exhibits.items():
        if exhibit.sounds:
            writer.sounds(0, f"data/{name}", exhibit.sounds)
    writer.close()
    drawn, written = (tuple(out / f"{name}.png" for name in pictures), tuple(out / name for name in excerpts))
    return Survey(report, lists, drawn, written, out / "logs")
