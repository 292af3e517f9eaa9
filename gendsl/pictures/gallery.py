"""A plan, its data and its experiment in, the views of a run out: each draws pictures or texts when it is asked to.

Every draw is keyed by the seed and, where it is to be a fresh one, by the step, so that a run that goes on draws the
same; nothing of the training's own state is touched.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.inputs import GridFields, examples_of, grid_of_fields, real_points
from gendsl.evaluate.sampler import Sampler
from gendsl.evaluate.tables.cells import Cells, cells_of
from gendsl.lower.errors import UserError
from gendsl.pictures import columns as tables
from gendsl.pictures import projector
from gendsl.pictures.budget import Budget
from gendsl.pictures.captions import with_captions
from gendsl.pictures.codes import Coder, codings_of
from gendsl.pictures.looks import Looks, Shown, readers_of
from gendsl.pictures.neighbours import nearest
from gendsl.pictures.walks import ROWS, STEPS, Walks
from gendsl.pictures.weights import Histogram, Weights
from gendsl.plan.cost import sampler_calls
from gendsl.plan.plan import Plan
from gendsl.run.folder import RunFolder
from gendsl.run.pictures import grid, pixels_of, range_of

_COMPARED = 32  # samples beside as many examples
_SOUGHT, _NEIGHBOURS = 8, 5
_MOST_SEARCHED = 20_000  # training examples in which neighbours are sought, and of large pictures fewer:
_MOST_NUMBERS = 2**26  # 256 MiB
_CODES = 1_000
_MANY_CALLS = 100  # of a network, for a sample
_COLUMNS = 8
_ROWS = 2_000  # of a table, whose columns are set beside as many real rows'

Drawing = Callable[[int], Mapping[str, Shown]]  # of a step


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a run: its name, which is the group of its pictures, and what it draws, by output."""

    name: str
    draw: Drawing


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of the weights, by tag."""

    scalars: Mapping[str, float]
    histograms: Mapping[str, Histogram]


@dataclass(slots=True)
class Gallery:
    """What a run shows of itself, and when.

    `samples` are shown at every picture, unless a sampler takes too long for them; the other `views` at the end,
    `weights` at the beginning and the end, and both in between while drawing takes no more than its share of time."""

    samples: View
    views: tuple[View, ...]
    weights: Weights
    projected: Callable[[RunFolder], None]
    tell: Callable[[str], None]
    budget: Budget = field(default_factory=Budget)
    calls: int = 0  # of a network for a sample, by a sampler of a noising process or token by token

    def shown(
        self, step: int, *, begins: bool = False, ends: bool = False
    ) -> Iterator[tuple[str, Mapping[str, Shown]]]:
        """The name and the pictures of each view that is due at a step."""
        for view in (self.samples, *(() if begins else self.views)):
            if begins and self.calls >= _MANY_CALLS:
                continue  # an untrained network's samples are noise, and are not waited for
            if begins or ends or self._may(view):
                with self.budget.spending(view.name, counted=not (begins or ends)):
                    drawn = view.draw(step) if view is self.samples else self._tried(view, step)
                if drawn:
                    yield view.name, drawn

    def _may(self, view: View) -> bool:
        """Whether there is time for a view: always for samples, but for those that call a network many times."""
        if view is self.samples:
            return not self.calls or self.budget.affords(view.name)
        return self.budget.allows(view.name)

    def _tried(self, view: View, step: int) -> Mapping[str, Shown]:
        """What a view draws; one that cannot be drawn is told once and left out from then on.

        A run of days shall not end because of a picture: too little memory for one, say."""
        try:
            return view.draw(step)
        except Exception as error:
            self._left_out(view.name, error)
            self.views = tuple(one for one in self.views if one is not view)
            return {}

    def project(self, folder: RunFolder) -> None:
        """Writes what the embedding projector shows. Raises UserError where the disk takes no more."""
        try:
            self.projected(folder)
        except UserError:
            raise
        except Exception as error:
            self._left_out("projector", error)

    def _left_out(self, name: str, error: Exception) -> None:
        reason = next((line for line in str(error).splitlines() if line.strip()), "")
        self.tell(f"the pictures `{name}` are left out: {type(error).__name__} {reason}".rstrip())

    def measured(self, *, begins: bool = False, ends: bool = False) -> Measured | None:
        """What is measured of the weights, where it is time to."""
        if not (begins or ends or self.budget.allows("weights")):
            return None
        with self.budget.spending("weights", counted=not (begins or ends)):
            return Measured(self.weights.scalars(), self.weights.histograms())


def gallery_of(plan: Plan, dataset: Any, experiment: Any, *, tell: Callable[[str], None]) -> Gallery:
    """All views that a plan and its data have; `tell` hears which of them cannot be drawn."""
    return _Room(plan, dataset, experiment).gallery(tell)


class _Room:
    """What the views share: the samplers, the data that is shown, how it looks."""

    def __init__(self, plan: Plan, dataset: Any, experiment: Any) -> None:
        self._plan, self._dataset, self._experiment = plan, dataset, experiment
        self._pictured: GridFields = grid_of_fields(plan, dataset)
        self._sampler = Sampler(experiment, place="picture")
        labelled = self._pictured.columns is not None
        self._looks = Looks(
            plan,
            self._pictured.columns,
            tuple((dataset.class_names or ())[: self._pictured.columns]) if labelled else (),
            real_points(plan, dataset),
            dataset.tables,
            readers_of(plan, dataset.manifest),
        )
        self._walks: Walks | None = None
        self._drawn: tuple[int, dict[str, NDArray[Any]]] = (-1, {})  # the step and the fixed samples that came last
        self._coders = {coding.field: Coder(experiment, coding) for coding in codings_of(plan)}

    def gallery(self, tell: Callable[[str], None]) -> Gallery:
        views = [View("samples_fresh", self._fresh)]
        images = [one for one in self._plan.data.fields if one.kind == "image"]
        if images and self._plan.sample is not None:
            if any(operation.name == "prior" for operation in self._plan.sample.operations):
                views.append(View("walk", self._walk))
            views.append(View("real_and_generated", self._compared))
            views.append(View("neighbours", self._neighbours))
        elif self._plan.sample is not None and any(one.kind == "text" for one in self._plan.data.fields):
            views.append(View("real_and_generated", self._compared_tokens))
        if any(one.name in self._coders for one in images):
            views.append(View("reconstructions", self._reconstructed))
        if self._dataset.tables and self._plan.sample is not None:
            views.append(View("columns", self._columns))
            views.append(View("correlations", self._correlations))
            views.append(View("column_figures", self._figures))
        if self._plan.sample is None:
            views = views[1:]
        measured = Weights(self._experiment, self._plan)
        sampling = () if self._plan.sample is None else self._plan.sample.operations
        return Gallery(
            View("samples", self._fixed),
            tuple(views),
            measured,
            self._projected,
            tell,
            calls=max(map(sampler_calls, sampling), default=0),
        )

    def _fixed(self, step: int) -> Mapping[str, Shown]:
        samples = self._sampler.samples(self._pictured.count, seed=0, fields=self._pictured.fields)
        self._drawn = step, samples
        return self._looks.shown(samples)

    def _fresh(self, step: int) -> Mapping[str, Shown]:
        samples = self._sampler.samples(self._pictured.count, seed=step + 1, fields=self._pictured.fields)
        return self._looks.shown(samples)

    def _images(self, step: int) -> dict[str, tuple[str, NDArray[Any], tuple[float, float]]]:
        """The field, the values and the range of each output of pictures, of the fixed samples."""
        samples = self._sampler.samples(_COMPARED, seed=0, fields=_cut(self._pictured.fields, _COMPARED))
        found = {}
        for name, values in samples.items():
            of = self._looks.field_of(name, values)
            if of is not None and of.kind == "image" and values.ndim == 4 and values.shape[-1] in (1, 3, 4):
                found[name] = of.name, values, range_of(of)
        return found

    def _walk(self, step: int) -> Mapping[str, Shown]:
        if self._walks is None:
            try:
                self._walks = Walks(self._experiment, self._plan)
            except ValueError:
                return {}
        row = np.arange(ROWS * STEPS) // STEPS
        fields = {name: np.asarray(values)[row % len(values)] for name, values in self._pictured.fields.items()}
        return Looks(self._plan, STEPS).shown(self._walks.samples(fields))

    def _compared(self, step: int) -> Mapping[str, Shown]:
        found = {}
        for name, (of, values, bounds) in self._images(step).items():
            real = self._examples("train", _COMPARED)[of]
            if real.shape[1:] != values.shape[1:]:
                continue
            sheets = [
                with_captions(grid(pixels_of(one, bounds), columns=_COLUMNS), (what,))
                for what, one in (("real", real), ("generated", values))
            ]
            found[name] = np.concatenate(sheets)
        return found

    def _compared_tokens(self, step: int) -> Mapping[str, Shown]:
        """Texts or music under real ones; those that were drawn for the samples, since drawing them takes long."""
        at, samples = self._drawn
        if at != step:
            samples = self._sampler.samples(self._pictured.count, seed=0, fields=self._pictured.fields)
        found = {}
        for name, values in samples.items():
            of = self._looks.field_of(name, values)
            if of is not None and of.kind == "text":
                found[name] = self._looks.compared(of, self._examples("train", len(values))[of.name], values)
        return found

    def _neighbours(self, step: int) -> Mapping[str, Shown]:
        found = {}
        for name, (of, values, bounds) in self._images(step).items():
            real = self._examples("train", min(_MOST_SEARCHED, max(_COMPARED, _MOST_NUMBERS // values[0].size)))[of]
            if real.shape[1:] != values.shape[1:]:
                continue
            wanted = values[:_SOUGHT]
            rows = [
                np.concatenate([sample[None], real[near]])
                for sample, near in zip(wanted, nearest(wanted, real, _NEIGHBOURS), strict=True)
            ]
            columns = len(rows[0])
            sheet = grid(pixels_of(np.concatenate(rows), bounds), columns=columns)
            ranks = ("nearest", *(f"{number}." for number in range(2, columns)))
            found[name] = with_captions(sheet, ("sample", *ranks))
        return found

    def _reconstructed(self, step: int) -> Mapping[str, Shown]:
        found = {}
        for name, coder in self._coders.items():
            of = next(one for one in self._plan.data.fields if one.name == name)
            if of.kind != "image":
                continue
            fields = self._examples(self._held_out, 2 * _COLUMNS)
            real = fields[name]
            made = coder.coded(fields)[1]
            if made.shape != real.shape or made.shape[-1] not in (1, 3, 4):
                continue
            rows = [rows[first : first + _COLUMNS] for first in range(0, len(real), _COLUMNS) for rows in (real, made)]
            found[name] = grid(pixels_of(np.concatenate(rows), range_of(of)), columns=min(_COLUMNS, len(real)))
        return found

    def _cells(self) -> dict[str, tuple[Cells, Cells]]:
        """The cells of the fixed samples and of some training rows, by output of a table's rows."""
        fields = examples_of(self._plan, self._dataset, _ROWS)
        found = {}
        for name, values in self._sampler.samples(_ROWS, seed=0, fields=fields).items():
            of = self._looks.field_of(name, values)
            table = self._dataset.tables.get("" if of is None else of.name)
            if of is not None and table is not None:
                real = self._examples("train", _ROWS)[of.name]
                found[name] = cells_of(table, [values]), cells_of(table, [real])
        return found

    def _columns(self, step: int) -> Mapping[str, Shown]:
        return {name: tables.histograms(*both) for name, both in self._cells().items()}

    def _correlations(self, step: int) -> Mapping[str, Shown]:
        drawn = {name: tables.maps(*both) for name, both in self._cells().items()}
        return {name: pixels for name, pixels in drawn.items() if pixels is not None}

    def _figures(self, step: int) -> Mapping[str, Shown]:
        return {name: tables.figures(*both) for name, both in self._cells().items()}

    def _projected(self, folder: RunFolder) -> None:
        """Writes the codes of some examples for the projector, where a plan has codes that are lists of numbers."""
        for name, coder in self._coders.items():
            if coder.coding.code_size is None or coder.coding.code_size < 2:
                continue
            of = next(one for one in self._plan.data.fields if one.name == name)
            examples = self._examples(self._held_out, _CODES)
            codes = coder.coded(examples)[0]
            pixels = pixels_of(examples[name], range_of(of)) if of.kind == "image" else None
            projector.written(folder.logs, {name: codes}, self._labels(examples), pixels)
            return

    def _labels(self, examples: Mapping[str, NDArray[Any]]) -> dict[str, list[str]]:
        names = self._dataset.class_names
        found = {}
        for one in self._plan.data.fields:
            if one.kind == "label" and one.name in examples:
                numbers = examples[one.name].tolist()
                found[one.name] = [
                    names[number] if names and number < len(names) else str(number) for number in numbers
                ]
        return found

    @property
    def _held_out(self) -> str:
        return "test" if "test" in self._dataset.sizes else "train"

    def _examples(self, split: str, count: int) -> dict[str, NDArray[Any]]:
        """At most so many examples of a split, always the same."""
        size = self._dataset.sizes[split]
        count = count if size is None else min(count, size)
        return {name: np.asarray(values) for name, values in self._dataset.split(split, count).items()}


def _cut(fields: Mapping[str, NDArray[Any]], count: int) -> dict[str, NDArray[Any]]:
    return {name: values[:count] for name, values in fields.items()}
