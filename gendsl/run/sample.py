"""The folder of a run in, samples as files out: what `gendsl sample` does. The same seed gives the same bytes.

Samples are drawn, written and forgotten by chunks: memory does not grow with their number.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.inputs import output_field
from gendsl.export.chain import origin_of
from gendsl.lower.errors import UserError
from gendsl.lower.tables.constraints import constraints_of
from gendsl.plan.plan import Sample
from gendsl.plan.rewritten import samplers
from gendsl.run.folder import RunFolder, open_run, plan_in
from gendsl.run.loading import load_tensorflow
from gendsl.run.sample_files import SampleFiles
from gendsl.run.tables import Asked, rows_asked, table_of_field
from gendsl.run.where import given_of, wanted_of

if TYPE_CHECKING:
    from gendsl.run.instead import Instead
    from gendsl.run.rebuild import Rebuilt
    from gendsl.run.sample_writers import Writer

MOST = 2**30  # samples of a seed: behind them the next seed's begin
_SEEDS = 2**39  # as many seeds are there: 63 bits hold a seed and the number of a chunk of its samples
_MOST_COLUMNS, _MOST_ROWS = 16, 100  # of a grid with a class a row
_PAUSE = 0.5  # seconds between two words of how far the work is
_UNITS = (("hours", 3600, 5400), ("minutes", 60, 90), ("seconds", 1, 0))  # each with its size, and from when on
_FILE_NAME = re.compile(r"[\w][\w .+-]{0,60}")

Tell = Callable[[str], None]
Chunk = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """Samples that stand together: where, in the folder of each output; how many; their chunks; the columns of their
    grid, where they mean something."""

    place: str
    count: int
    chunks: Iterator[Chunk]
    columns: int | None = None


def sample(
    run_folder: str | Path,
    n: int,
    seed: int,
    out: str | Path,
    *,
    checkpoint: str = "last",
    instead: "Instead | None" = None,
    where: Sequence[str] = (),
    format: str | None = None,
    interpolate: int | None = None,
    each_label: bool = False,
    told: Tell = lambda _: None,
    tell: Tell = lambda _: None,
) -> list[Path]:
    """Draws `n` samples with the averaged weights of a checkpoint and writes them into the folder `out`; returns the
    files, of very many the first.

    `checkpoint` is `last`, `best` or a step; `told` is given what there is to warn of, `tell` how far the work is;
    `instead` is what is to be otherwise than the spec says.
    Images are `000.png`, `001.png`, … and `grid.png`, or by `format` one `samples.npy`; texts `000.txt`, …, and all in
    `samples.txt` and `samples.jsonl`; music `000.mid`, … or its sound by `wav`, and piano rolls in `grid.png`; sounds
    `000.wav`, …; points of the plane `points.csv` and `grid.png`; rows of a table `samples.csv`, as the table itself is
    written, or `samples.parquet`; with several outputs each has a folder of its name. Sample i of a seed is the same
    whatever `n`. `where` asks for rows (`job=clerk`, `age<30`) that meet all of it.
    With `interpolate` so many pictures lead from each sample to the next, both among them; with `each_label` the same
    `n` are drawn of each class, a folder and a row of the grid for each. Raises UserError.
    """
    _refuse(n, seed, interpolate, each_label, where)
    folder = open_run(Path(run_folder))  # a wrong path is answered before TensorFlow is loaded
    files = SampleFiles(Path(out))
    asked = _asked(folder, where)
    load_tensorflow()
    from gendsl.run.instead import Instead
    from gendsl.run.rebuild import rebuilt

    run = rebuilt(Path(run_folder), checkpoint, told=told)
    _refuse_examples(run)
    origin = origin_of(folder.path, folder.checkpoints / f"step-{run.step}")
    files.origin = replace(origin, drawn=f"seed {seed}")
    instead = instead or Instead()
    if interpolate is not None:
        parts = [_walk(run, instead, n, seed, interpolate)]
    elif each_label:
        parts = _of_each_label(run, instead, n, seed, asked, told)
    else:
        parts = [Part("", n, _drawing(run, instead, n, seed, asked, told)({}))]
    try:
        _write(run, files, parts, format, tell)
    except BaseException:
        files.abandon()
        raise
    others = files.others()
    if others:
        told(f"{files.folder} holds {others:,} other file{'s' if others > 1 else ''}, which are not of these samples")
    return files.written


def _refuse(n: int, seed: int, interpolate: int | None, each_label: bool, where: Sequence[str]) -> None:
    if n < 1:
        raise UserError(f"{n} samples are none", "give -n at least 1")
    if not 0 <= seed < _SEEDS:
        raise UserError(f"{seed:,} is no seed of samples", f"give --seed a whole number below {_SEEDS:,}")
    if n > MOST:
        raise UserError(f"a seed has {MOST:,} samples, {n:,} are asked for", "draw the rest with another --seed")
    asked = [
        name for name, on in (("--interpolate", interpolate), ("--each-label", each_label), ("--where", where)) if on
    ]
    if len(asked) > 1:
        raise UserError(f"{' and '.join(asked)} cannot be had together", "leave one out")
    if interpolate is not None and (n < 2 or interpolate < 2):
        raise UserError(
            f"{n} sample{'s' if n > 1 else ''} in {interpolate} steps are no way from one to another",
            "give -n at least 2, and --interpolate at least 2: both ends are among its pictures",
        )


def _write(run: "Rebuilt", files: SampleFiles, parts: Sequence[Part], format: str | None, tell: Tell) -> None:
    from gendsl.run.sample_writers import Sheet, writer_of

    total, done, began, said = sum(part.count for part in parts), 0, time.monotonic(), 0.0
    sheets: dict[str, Sheet] = {}
    for part in parts:
        writers: dict[str, Writer] = {}
        for chunk in part.chunks:
            for name, values in chunk.items():
                top = f"{name}/" if len(chunk) > 1 else ""
                if name not in writers:
                    if part.columns is not None:
                        sheets.setdefault(top, Sheet(part.columns, _MOST_ROWS)).begin_row(whole=len(parts) == 1)
                    place, sheet = top + part.place, sheets.get(top)
                    writers[name] = writer_of(run, name, values, files, place, part.count, format, sheet)
                writers[name].add(values)
            many = len(next(iter(chunk.values())))
            if not done:
                files.admit(many, total)
            done += many
            if time.monotonic() - said > _PAUSE and done < total:
                said = time.monotonic()
                tell(f"{done:,} of {total:,} samples{_left(said - began, done, total)}")
        for writer in writers.values():
            writer.end()
    for top, sheet in sheets.items():
        picture = sheet.picture()
        if picture is not None:
            files.write(f"{top}grid.png", picture)
    files.finish()


def _left(seconds: float, done: int, total: int) -> str:
    """How long the rest takes, where that is worth a word."""
    left = seconds / done * (total - done)
    if seconds < 3 or left < 10:
        return ""
    unit, size = next((name, size) for name, size, least in _UNITS if left >= least)
    return f", about {round(left / size):,} {unit} left"


def _drawing(
    run: "Rebuilt", instead: "Instead", n: int, seed: int, asked: Asked | None, told: Tell
) -> Callable[[Mapping[str, NDArray[Any]]], Iterator[Chunk]]:
    """What draws the samples with some fields given beside those that are asked for."""
    from gendsl.evaluate.sampler import Sampler
    from gendsl.run.instead import sample_instead

    drawn, fields = sample_instead(run, instead)
    sampler = Sampler(run.experiment, sample=drawn)
    wanted = asked.wanted if asked is not None else ()
    given = given_of(wanted, run.plan, asked.table, run.experiment.class_counts) if asked is not None else None

    def draw(beside: Mapping[str, NDArray[Any]]) -> Iterator[Chunk]:
        every = {**fields, **beside}
        if asked is None:
            return sampler.chunks(n, seed=seed, fields=every)
        return rows_asked(sampler, asked, given, n, seed, told, beside=every)

    return draw


def _of_each_label(
    run: "Rebuilt", instead: "Instead", n: int, seed: int, asked: Asked | None, told: Tell
) -> list[Part]:
    """The same samples of each class; of those that are asked for, if some are."""
    from gendsl.run.instead import class_names, class_number, label_field

    field = label_field(run, "--each-label")
    names = class_names(run, field)
    numbers = list(dict.fromkeys(class_number(run, field, label) for label in instead.labels)) or range(len(names))
    if len(numbers) * n > MOST:
        raise UserError(f"{len(numbers):,} classes of {n:,} samples are too many", f"at most {MOST:,} samples in all")
    digits = len(str(len(names) - 1))
    plain = all(map(_FILE_NAME.fullmatch, names)) and len({name.casefold() for name in names}) == len(names)
    if all(name.isdigit() for name in names):
        plain = False  # so that 10 stands behind 9
    draw = _drawing(run, replace(instead, labels=()), n, seed, asked, told)
    return [
        Part(
            f"{names[number]}/" if plain else f"{number:0{digits}}/",
            n,
            draw({field.name: np.array([number], np.int32)}),
            min(n, _MOST_COLUMNS),
        )
        for number in numbers
    ]


def _walk(run: "Rebuilt", instead: "Instead", n: int, seed: int, steps: int) -> Part:
    """Walks from each sample to the next, one behind the other."""
    from gendsl.pictures.walks import interpolated
    from gendsl.run.instead import sample_instead

    drawn, fields = sample_instead(run, instead)
    assert drawn is not None
    _refuse_noise(drawn)
    labels = tuple(field.name for field in run.plan.data.fields if field.drawn and field.name in drawn.inputs)
    walks = interpolated(run.experiment, drawn, n, steps, seed=seed, fields=fields, drawn=labels)
    if walks is None:
        raise UserError(
            f"samples of `{run.plan.experiment}` begin from no prior of numbers: there is no way from one to another",
            "leave --interpolate out",
        )
    return Part("", (n - 1) * steps, walks, steps)


def _refuse_noise(drawn: Sample) -> None:
    for number in samplers(drawn):
        attributes = drawn.operations[number].attributes
        if attributes["word"] == "ddpm" or float(attributes["arguments"].get("eta") or 0) > 0:
            raise UserError(
                f"`{attributes['word']}` adds fresh noise on its way: between two samples there is nothing to see",
                "write `ddim` without `eta`, `euler` or `heun` in `sample`; leave --interpolate out",
            )


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
    if run.plan.sample is None:
        raise UserError(
            f"the spec of `{run.plan.experiment}` does not say what a sample is", "add a `sample` block to it"
        )
    drawn = {field.name for field in run.plan.data.fields if field.drawn}
    examples = [name for name in run.plan.sample.inputs if name not in drawn]
    if examples:
        raise UserError(
            f"a sample of `{run.plan.experiment}` is made from examples of `{examples[0]}`",
            f"its pictures are in {run.folder.shown}/samples; `gendsl export` makes a model that takes them",
        )
