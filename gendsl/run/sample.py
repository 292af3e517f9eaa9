"""The folder of a run in, samples as files out: what `gendsl sample` does. The same seed gives the same bytes."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.inputs import output_field
from gendsl.export.chain import Origin, origin_of
from gendsl.export.marks import beside, marked
from gendsl.frozen import replace
from gendsl.lower.errors import UserError
from gendsl.lower.tables.constraints import constraints_of
from gendsl.lower.tables.parquet import parquet_of
from gendsl.run.folder import RunFolder, open_run, plan_in, write_whole
from gendsl.run.loading import load_tensorflow
from gendsl.run.tables import Asked, csv_of, rows_asked, table_of_field, types_of
from gendsl.run.tokens import reader_of_field, token_files
from gendsl.run.where import given_of, wanted_of

if TYPE_CHECKING:
    from gendsl.run.instead import Instead
    from gendsl.run.rebuild import Rebuilt

_MOST_IN_GRID = 400


def sample(
    run_folder: str | Path,
    n: int,
    seed: int,
    out: str | Path,
    *,
    checkpoint: str = "last",
    instead: "Instead | None" = None,
    where: Sequence[str] = (),
    format: str = "csv",
    told: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Draws `n` samples with the averaged weights of a checkpoint and writes them into the folder `out`.

    `checkpoint` is `last`, `best` or a step; `told` is given which damaged ones were passed over; `instead` is what is
    to be otherwise than the spec says.
    Images are `000.png`, `001.png`, … and `grid.png`; texts `000.txt`, …, and all in `samples.txt` and `samples.jsonl`;
    music `000.mid`, … and piano rolls in `grid.png`; points of the plane `points.csv` and `grid.png`; rows of a table
    `samples.csv`, as the table itself is written, or `samples.parquet` by `format`; with several outputs each has a
    folder of its name. Sample i of a seed is the same whatever `n`. `where` asks for rows (`job=clerk`, `age<30`) that
    meet all of it. Raises UserError.
    """
    if n < 1:
        raise UserError(f"{n} samples are none", "give -n at least 1")
    folder = open_run(Path(run_folder))  # a wrong path is answered before TensorFlow is loaded
    asked = _asked(folder, where)
    load_tensorflow()
    from gendsl.evaluate.sampler import Sampler
    from gendsl.run.instead import Instead, sample_instead
    from gendsl.run.rebuild import rebuilt

    run = rebuilt(Path(run_folder), checkpoint, told=told)
    _refuse_examples(run)
    instead = instead or Instead()
    if asked is None:
        drawn, fields = sample_instead(run, instead, n)
        samples = Sampler(run.experiment, sample=drawn).samples(n, seed=seed, fields=fields)
    else:
        given = given_of(asked.wanted, run.plan, asked.table, run.experiment.class_counts)

        def beside(many: int) -> dict[str, NDArray[Any]]:
            return sample_instead(run, instead, many)[1]

        sampler = Sampler(run.experiment, sample=sample_instead(run, instead, n)[0])
        samples = rows_asked(sampler, asked, given, n, seed, told, beside=beside)
    origin = origin_of(folder.path, folder.checkpoints / f"step-{run.step}")
    files: list[Path] = []
    for name, values in samples.items():
        place = Path(out) / name if len(samples) > 1 else Path(out)
        files += _written(run, name, values, place, format, replace(origin, drawn=f"seed {seed}"))
    return files


def _asked(folder: RunFolder, where: Sequence[str]) -> Asked | None:
    """What is asked of rows by `--where` and by the spec's constraints; None where nothing is.

    UserError where `--where` is not about a table's rows, or not about its columns and categories."""
    plan = plan_in(folder)
    if not where and not plan.data.constraints:
        return None
    for name, number in plan.sample.outputs if plan.sample is not None else ():
        assert plan.sample is not None
        field = output_field(plan, name, getattr(plan.sample.operations[number].type, "shape", ()))
        table = table_of_field(folder, field) if field is not None and field.kind == "row" else None
        if table is not None:
            return Asked(name, table, wanted_of(where, table), constraints_of(plan.data.constraints, table))
    if not where:
        return None
    raise UserError(f"a sample of `{plan.experiment}` is no row of a table", "leave `--where` out")


def _refuse_examples(run: "Rebuilt") -> None:
    """Raises UserError if a sample is made from examples; labels and conditions are drawn as the training data has
    them."""
    inputs = run.plan.sample.inputs if run.plan.sample is not None else ()
    drawn = {field.name for field in run.plan.data.fields if field.drawn}
    examples = [name for name in inputs if name not in drawn]
    if examples:
        raise UserError(
            f"a sample of `{run.plan.experiment}` is made from examples of `{examples[0]}`",
            f"its pictures are in {run.folder.shown}/samples; `gendsl export` makes a model that takes them",
        )


def _written(run: "Rebuilt", name: str, values: NDArray[Any], folder: Path, format: str, origin: Origin) -> list[Path]:
    from gendsl.run.pictures import grid, pixels_of, png, range_of, scatter

    files: dict[str, bytes] = {}
    field = output_field(run.plan, name, values.shape[1:])
    table = table_of_field(run.folder, field) if field is not None and field.kind == "row" else None
    if table is not None and field is not None and format == "parquet":
        files["samples.parquet"] = parquet_of(table, table.decode(values), types_of(run.folder, field))
    elif table is not None:
        files["samples.csv"] = csv_of(table, values)
    elif field is not None and field.kind == "text":
        files = token_files(reader_of_field(run.folder, field), values)
    elif values.ndim == 4 and values.shape[-1] in (1, 3, 4):
        pixels = pixels_of(values, range_of(field))
        digits = max(3, len(str(len(pixels) - 1)))
        files = {f"{number:0{digits}}.png": png(image) for number, image in enumerate(pixels)}
        files["grid.png"] = png(grid(pixels[:_MOST_IN_GRID]))
    elif values.ndim == 2:
        files["points.csv"] = _table(values)
        if values.shape[1] == 2:
            files["grid.png"] = png(scatter(values))
    else:
        stream = io.BytesIO()
        np.save(stream, values)
        files["samples.npy"] = stream.getvalue()
    files |= dict(found for name in files if (found := beside(name, origin)) is not None)
    for name, content in files.items():
        write_whole(folder / name, marked(name, content, origin))
    return [folder / name for name in files]


def _table(values: NDArray[Any]) -> bytes:
    """Points as CSV; nine digits give each float32 back exactly."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["x", "y"] if values.shape[1] == 2 else [f"x{number}" for number in range(values.shape[1])])
    writer.writerows([[format(float(value), ".9g") for value in row] for row in values])
    return stream.getvalue().encode()
