"""A plan in, a look at its data out: what `gendsl data` tells and writes, before anything is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Field, Plan
from gendsl.run import folder as folders
from gendsl.run.loading import load_tensorflow
from gendsl.run.pictures import Pixels, grid, pixels_of, png, range_of, scatter
from gendsl.run.tables import csv_of

if TYPE_CHECKING:
    from gendsl.lower.data import Dataset
    from gendsl.lower.data.report import Report

_OF_DATA = ("source", "column", "tokenizer", "data", "crop", "curate", "augment")  # what has to be built to look at it
_EXAMPLES = 64  # of a contact sheet
_POINTS = 1_024
_ROWS, _WINDOWS = 20, 8


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
    return _written(out, dataset, report, pictures_of(plan, dataset), excerpts_of(plan, dataset))


def _written(
    out: Path, dataset: "Dataset", report: "Report", pictures: Mapping[str, Pixels], excerpts: Mapping[str, str]
) -> Survey:
    from gendsl.run import logs

    lists = folders.write_lists(folders.RunFolder(out), dataset.findings.files)
    folders.write_json(out / "data.json", report.record)
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
    writer.close()
    drawn, written = (tuple(out / f"{name}.png" for name in pictures), tuple(out / name for name in excerpts))
    return Survey(report, lists, drawn, written, out / "logs")


def pictures_of(plan: Plan, dataset: "Dataset") -> dict[str, Pixels]:
    """The pictures of each field by their names: contact sheets of the first examples, scatters of points."""
    found: dict[str, Pixels] = {}
    for field in plan.data.fields:
        if field.kind in EXHIBITS:
            found |= EXHIBITS[field.kind](plan, dataset, field)
    return found


def _sheets(plan: Plan, dataset: "Dataset", field: Field) -> dict[str, Pixels]:
    """`NAME`, and where there is an augmentation `NAME_augmented`, the same examples after it."""
    shown = {field.name: dataset.plain()} | ({f"{field.name}_augmented": dataset} if plan.augment.data else {})
    return {name: grid(pixels_of(_first(data, field), range_of(field))) for name, data in shown.items()}


def _scatter(plan: Plan, dataset: "Dataset", field: Field) -> dict[str, Pixels]:
    points = dataset.split("train", _POINTS)[field.name]
    return {field.name: scatter(points)} if points.shape[1:] == (2,) else {}


EXHIBITS: Mapping[str, Callable[[Plan, "Dataset", Field], dict[str, Pixels]]] = {"image": _sheets, "point": _scatter}


def excerpts_of(plan: Plan, dataset: "Dataset") -> dict[str, str]:
    """The first training examples of text and of tables, by the names of their files, as they were before encoding."""
    found = {}
    for field in plan.data.fields:
        source = next((one for one in plan.data.sources if one.name == field.source), None)
        if field.kind == "text" and source is not None and source.call.word == "text":
            found[f"{field.name}.txt"] = _windows(dataset, field)
        elif field.name in dataset.tables:
            rows = _first(dataset.plain(), field, _ROWS)
            found[f"{field.name}.csv"] = csv_of(dataset.tables[field.name], rows).decode()
    return found


def _windows(dataset: "Dataset", field: Field) -> str:
    """Windows between lines, decoded."""
    from gendsl.lower.data.tokenizers import tokenizer_from

    record = next(one for one in dataset.manifest["sources"] if one["name"] == field.source)
    tokenizer = tokenizer_from(record["tokenizer"])
    texts = [tokenizer.decode(window).decode(errors="replace") for window in _first(dataset.plain(), field, _WINDOWS)]
    return f"\n{'-' * 40}\n".join(texts) + "\n"


def _first(dataset: "Dataset", field: Field, count: int = _EXAMPLES) -> NDArray[Any]:
    """So many examples (n, …) of a field from the first batches on."""
    import tensorflow as tf

    count = min(count, dataset.sizes["train"] or count)
    of_step = dataset.addresses(0, 1)[0, :, :, 0].size
    addresses = dataset.addresses(0, -(-count // of_step)).reshape(-1, 2)[:count]
    values: NDArray[Any] = dataset.fetch(tf.constant(addresses[None]))[field.name].numpy()[0]
    return values
