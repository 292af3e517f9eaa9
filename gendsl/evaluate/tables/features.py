"""Cells in, columns of numbers for distances and for scikit-learn's models out.

A number is in standard deviations of the training rows from their mean, a missing one at the mean with an indicator
beside it; a category is a one-hot over √2, so that two rows that differ in it are 1 apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.tables.cells import Cells, count_of, is_category, places_of

Rows = NDArray[np.float32]
_UNIT = 1 / math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Space:
    """Where rows of a table lie: for each column of numbers the mean and the deviation of the training rows."""

    means: tuple[float, ...]
    spreads: tuple[float, ...]

    def rows(self, cells: Cells, without: Sequence[str] = ()) -> Rows:
        """The rows (n, width) of cells; columns of the names `without` are left out."""
        parts: list[NDArray[np.floating]] = [np.zeros((len(cells), 0))]
        for place, column in enumerate(cells.columns):
            codes = cells.codes[:, place]
            if column.name in without:
                continue
            if is_category(column):
                hot = np.zeros((len(codes), count_of(column)))
                hot[np.arange(len(codes)), places_of(column, codes)] = _UNIT
                parts.append(hot)
                continue
            missing = np.isnan(codes)
            numbers = (np.where(missing, self.means[place], codes) - self.means[place]) / self.spreads[place]
            parts.append(np.stack([numbers, missing], axis=1))
        return np.concatenate(parts, axis=1).astype(np.float32)


def space_of(train: Cells) -> Space:
    """The space of a table's training rows."""
    means, spreads = [], []
    for place in range(len(train.columns)):
        known = train.codes[:, place][~np.isnan(train.codes[:, place])]
        means.append(float(known.mean()) if len(known) else 0.0)
        spreads.append(float(known.std()) if len(known) and known.std() > 0 else 1.0)
    return Space(tuple(means), tuple(spreads))
