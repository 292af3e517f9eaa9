"""A score of rows that is asked for in, its numbers out: `column_shapes` gives one, `utility` two."""

import re
from collections.abc import Callable, Collection, Mapping
from itertools import chain, count
from typing import Any

import numpy as np

from gendsl.evaluate.asked import Asked
from gendsl.evaluate.estimate import Estimate, mean_of
from gendsl.evaluate.neighbours import nearest
from gendsl.evaluate.tables.alike import averaged, column_pairs, column_shapes
from gendsl.evaluate.tables.cells import Cells, cells_of
from gendsl.evaluate.tables.detection import LEAST_ROWS, detection
from gendsl.evaluate.tables.features import space_of
from gendsl.evaluate.tables.utility import MOST_ROWS, utility
from gendsl.lower.errors import UserError
from gendsl.lower.tables.constraints import constraints_of
from gendsl.lower.tables.table import Table
from gendsl.plan.columns import columns_of_rule, name_text
from gendsl.plan.plan import Call
from gendsl.spelling import did_you_mean

_RESAMPLES = 100


def table_under(dataset: Any, field: str) -> Table:
    """The table that a field's rows are of. UserError where it has none."""
    table: Table | None = dataset.tables.get(field)
    if table is None:
        raise UserError(f"`{field}` is of no table's rows", "score `fid` or `diversity` instead")
    return table


def samples_of(asked: Asked) -> Cells:
    """The cells of the samples."""
    return cells_of(table_under(asked.real.dataset, asked.gathered.of.name), [asked.gathered.kept])


def data_of(asked: Asked, split: str) -> Cells:
    """The cells of a split, read once."""
    return asked.real.cells(split)


def _shapes(asked: Asked) -> dict[str, Estimate]:
    samples, data = samples_of(asked), data_of(asked, asked.split)

    def taken(cells: Cells) -> float:
        return averaged(np.array(list(column_shapes(cells, data).values())))

    return {"column_shapes": _resampled(taken, samples)}


def _pairs(asked: Asked) -> dict[str, Estimate]:
    samples, data = samples_of(asked), data_of(asked, asked.split)

    def taken(cells: Cells) -> float:
        return averaged(column_pairs(cells, data))

    return {"column_pairs": _resampled(taken, samples)}


def _utility(asked: Asked) -> dict[str, Estimate]:
    target = str(asked.call.arguments["target"])
    found = utility(samples_of(asked), data_of(asked, "train"), data_of(asked, asked.split), target)
    return {name: Estimate(value) for name, value in found.items()}


def _detection(asked: Asked) -> dict[str, Estimate]:
    found = detection(samples_of(asked), data_of(asked, asked.split), space_of(data_of(asked, "train")))
    return {name: Estimate(value) for name, value in found.items()}


def _closest_record(asked: Asked) -> dict[str, Estimate]:
    quantile = float(asked.call.arguments["quantile"])
    return {"closest_record": closest_record(*(samples_of(asked), *_both(asked)), quantile=quantile)}


def _broken_rules(asked: Asked) -> dict[str, Estimate]:
    cells = samples_of(asked)
    rules = constraints_of(asked.plan.data.constraints, cells.table)
    broken = [~rule.kept(cells.codes) for rule in rules]
    found = {"broken_rules": np.any(broken, axis=0)}
    for rule, own in zip(rules, broken, strict=True):
        found[_name_of(rule.call, found)] = own
    return {name: mean_of(rows, how="samples") for name, rows in found.items()}


def _name_of(rule: Call, taken: Collection[str]) -> str:
    """`broken_ordered_begin_end`: a rule's own number, with another number behind it where the name is taken."""
    name = "_".join(("broken", rule.word, *(re.sub(r"\W+", "_", one) for one in columns_of_rule(rule))))
    return next(one for one in chain([name], (f"{name}_{number}" for number in count(2))) if one not in taken)


def _both(asked: Asked) -> tuple[Cells, Cells]:
    return data_of(asked, "train"), data_of(asked, asked.split)


def closest_record(samples: Cells, train: Cells, held_out: Cells, *, quantile: float) -> Estimate:
    """The quantile of the samples' distances to the nearest training row over that of held-out rows' distances.

    1 is as near as rows that were never seen, below 1 is nearer. Where that quantile of the held-out rows is 0, so many
    stand in the training rows themselves that no sample can be nearer, and this is 1."""
    space = space_of(train)
    rows, others = space.rows(train), space.rows(held_out.of(np.arange(min(len(held_out), MOST_ROWS))))
    distances = nearest(space.rows(samples), rows)
    usual = float(np.quantile(nearest(others, rows), quantile)) if len(others) else float("nan")

    def taken(values: Any) -> float:
        return float(np.quantile(values, quantile)) / usual if usual else 1.0

    def resample(random: np.random.Generator) -> float:
        return taken(distances[random.integers(0, len(distances), len(distances))])

    return Estimate(taken(distances), resample, times=_RESAMPLES)


def _resampled(taken: Callable[[Cells], float], samples: Cells) -> Estimate:
    def resample(random: np.random.Generator) -> float:
        return taken(samples.of(random.integers(0, len(samples), len(samples))))

    return Estimate(taken(samples), resample, times=_RESAMPLES)


SCORES: Mapping[str, Callable[[Asked], dict[str, Estimate]]] = {
    "column_shapes": _shapes,
    "column_pairs": _pairs,
    "utility": _utility,
    "detection": _detection,
    "closest_record": _closest_record,
    "broken_rules": _broken_rules,
}
HELD_OUT = ("utility", "detection", "closest_record")


def refuse_unscorable(call: Call, dataset: Any, field: str) -> None:
    """UserError for a score that a field's rows can never have: before training starts."""
    table = table_under(dataset, field)
    if call.word == "column_pairs" and len(table.columns) < 2:
        raise UserError("`column_pairs` compares columns, and the table has one", "score `column_shapes` alone")
    if call.word == "utility":
        target, names = str(call.arguments["target"]), [column.name for column in table.columns]
        if target not in names:
            told = f"its columns are {', '.join(map(name_text, names[:30]))}"
            meant = did_you_mean(target, names)
            raise UserError(f"the table has no column `{target}` to predict", f"{meant}; {told}" if meant else told)
        if len(names) < 2:
            raise UserError("`utility` predicts a column from others, and the table has one", "take it out")


def refuse_too_few(held_out: int | None, samples: int | None) -> None:
    """UserError for `detection` where a side has fewer rows than its folds take."""
    for many, what, mend in (
        (held_out, "held-out rows", "keep more, as in `split train: 80%, test: 20%`, or score `column_shapes`"),
        (samples, "samples", f"write `samples: {100 * LEAST_ROWS}`"),
    ):
        if many is not None and many < LEAST_ROWS:
            raise UserError(f"`detection` needs {LEAST_ROWS} {what}, and there are {many}", mend)
