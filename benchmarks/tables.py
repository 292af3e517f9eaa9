"""A spec of a table, and runs of it, in; the scores of two baselines and of the runs on the same split out.

The baselines are those that a generator of rows has to beat: independent marginals (each column drawn from its own
training cells), and a Gaussian copula (the ranks of all columns, joined by a normal distribution; Patki et al. 2016,
section 3.2). With them the training rows themselves, as many as samples: what a perfect generator scores.

    python benchmarks/tables.py my.gen runs/my/… --target price
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate.tables.alike import averaged, column_pairs, column_shapes
from gendsl.evaluate.tables.cells import Cells, cells_of
from gendsl.evaluate.tables.detection import detection
from gendsl.evaluate.tables.features import space_of
from gendsl.evaluate.tables.scores import closest_record
from gendsl.evaluate.tables.utility import utility
from gendsl.lower.data import dataset_of
from gendsl.reading import read


def marginals(train: Cells, count: int, random: np.random.Generator) -> Cells:
    """Each column by itself: cells of the training rows, drawn with replacement."""
    return Cells(train.table, np.stack([column[random.integers(0, len(column), count)] for column in train.codes.T], 1))


def copula(train: Cells, count: int, random: np.random.Generator) -> Cells:
    """The normal scores of each column's ranks (ties and missing cells spread evenly by chance) have a correlation, by
    which new ones are drawn; each is read back as the training cell of its rank."""
    rows, width = train.codes.shape
    filled = np.where(np.isnan(train.codes), -np.inf, train.codes)
    order = np.lexsort(np.stack([random.random((rows, width)), filled]), axis=0)
    ranks = np.argsort(order, axis=0)
    scores = scipy.stats.norm.ppf((ranks + 0.5) / rows)
    drawn = random.multivariate_normal(np.zeros(width), np.corrcoef(scores.T), count, method="eigh")
    places = np.minimum((scipy.stats.norm.cdf(drawn) * rows).astype(int), rows - 1)
    ordered = np.take_along_axis(train.codes, order, axis=0)
    return Cells(train.table, np.take_along_axis(ordered, places, axis=0))


def of_run(folder: str, table: Any, count: int) -> Cells:
    """Samples of a run, before any constraint."""
    from gendsl.evaluate.sampler import Sampler
    from gendsl.run.rebuild import rebuilt

    samples = Sampler(rebuilt(Path(folder)).experiment, place="evaluate").samples(count, seed=0)
    return cells_of(table, [next(iter(samples.values()))])


def scores_of(samples: Cells, train: Cells, test: Cells, target: str) -> dict[str, float]:
    """All scores of some rows."""
    return {
        "column_shapes": averaged(np.array(list(column_shapes(samples, train).values()))),
        "column_pairs": averaged(column_pairs(samples, train)),
        **utility(samples, train, test, target),
        **detection(samples, test, space_of(train)),
        "closest_record": closest_record(samples, train, test, quantile=0.05).value,
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="scores of runs on a table, beside baselines")
    parser.add_argument("spec")
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--target", required=True, help="the column that `utility` predicts")
    parser.add_argument("--samples", type=int, default=5_000)
    options = parser.parse_args()
    problems = Problems()
    source = read(options.spec, problems)
    folder = str(Path(options.spec).parent)
    plan = check(source, problems, folder=folder) if source is not None else None
    if plan is None:
        print("\n".join(one.message for one in problems), file=sys.stderr)
        return 1
    dataset = dataset_of(plan, folder)
    (name, table), *_ = dataset.tables.items()
    train, test = (cells_of(table, [np.asarray(dataset.split(split)[name])]) for split in ("train", "test"))
    random, count = np.random.default_rng(0), options.samples
    drawn: dict[str, Callable[[], Cells]] = {
        "training rows": lambda: train.of(random.permutation(len(train))[:count]),
        "marginals": lambda: marginals(train, count, random),
        "copula": lambda: copula(train, count, random),
        **{run: partial(of_run, run, table, count) for run in options.runs},
    }
    width = max(map(len, drawn))
    for number, (label, draw) in enumerate(drawn.items()):
        found = scores_of(draw(), train, test, options.target)
        if not number:
            print(" " * width, *(f"{key:>16}" for key in found))
        print(f"{label:<{width}}", *(f"{value:16.3f}" for value in found.values()), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
