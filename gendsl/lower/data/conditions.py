"""A fitted table and its codes in, conditions out: what each example's can be, and which a training step draws.

A condition is a vector of as many numbers as the condition columns have categories, all 0 but one: the 1 stands at a
category, in its column's part. Source: Xu et al. 2019, Modeling Tabular Data using Conditional GAN, section 4.3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from gendsl.lower.data.columns import gatherer
from gendsl.lower.data.draws import DATA_SEED, stream_key
from gendsl.lower.errors import DataError
from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.encoding import Codes
from gendsl.lower.tables.one_hot import OneHot
from gendsl.lower.tables.table import Table
from gendsl.plan.columns import name_text
from gendsl.plan.plan import Field

_WORDS = 4  # of 64 bits, that one count of Philox gives


@dataclass(frozen=True)
class Conditions:
    """The conditions of a table's examples.

    `widths` says by column how many categories it has, `titles` (width,) what each place of the vector is; `places`
    (n, columns) int32 where in the vector each example's categories stand, `own` (n,) the column that its condition is
    of where none is drawn for it: any with the same probability, by the row.
    """

    widths: Mapping[str, int]
    titles: tuple[str, ...]
    places: np.ndarray
    own: np.ndarray

    @property
    def width(self) -> int:
        """How many numbers a condition has."""
        return len(self.titles)

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """The conditions (m, width) float32 of the examples at some rows, each of the column that is its own."""
        out = np.zeros((len(rows), self.width), np.float32)
        out[np.arange(len(rows)), self.places[rows, self.own[rows]]] = 1
        return out

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """How many of the examples at some rows have each category (width,): the frequencies of `own` conditions."""
        return np.bincount(self.places[rows].ravel(), minlength=self.width)

    def gatherer(self, rows: np.ndarray) -> Callable[[Any], Any]:
        """A function of indexes (n,) int64 that `Sampling` draws among the rows; gives their conditions (n, width)."""
        places, count, width = gatherer(self.places, rows), len(rows), self.width

        def gathered(index: Any) -> Any:
            with tf.device("cpu"):
                place = tf.gather(places(index % count), index // count, batch_dims=1, axis=1)
                return tf.one_hot(place, width)

        return gathered


def conditions_of(names: Sequence[str], table: Table | None, codes: Codes) -> Conditions:
    """The conditions on the columns of those names, of a table with the codes (n, columns).

    DataError for a column that the table does not have, or that is not categorical."""
    known = {column.name: place for place, column in enumerate(table.columns)} if table is not None else {}
    widths: dict[str, int] = {}
    titles: list[str] = []
    places = np.empty((len(codes), len(names)), np.int32)
    for number, name in enumerate(names):
        column = table.columns[known[name]] if table is not None and name in known else None
        if column is None or not isinstance(column.encoding, OneHot) or not isinstance(column.cells, Categories):
            raise DataError(
                f"the table has no categorical column `{name}` for `condition`",
                f"declare it: `column {name_text(name)}, categorical`; or take it out of `condition`",
            )
        places[:, number] = len(titles) + column.encoding.places(codes[:, known[name]])
        widths[name] = column.encoding.width
        titles += [f"{name}: {title}" for title in _titles(column.encoding, column.cells)]
    random = np.random.Generator(np.random.Philox(key=stream_key(DATA_SEED, "condition/own")))
    return Conditions(widths, tuple(titles), places, random.integers(0, len(names), len(codes)))


def refuse_other_width(field: Field, conditions: Conditions) -> None:
    """DataError where the conditions are not as wide as the plan was made for."""
    if field.shape == (conditions.width,):
        return
    known = isinstance(field.shape[0], int)
    told = f"; the plan was made for {field.shape[0]}" if known else ", which the plan cannot know"
    columns = "; ".join(f"`column {name_text(name)}, categorical, categories: N`" for name in conditions.widths)
    raise DataError(
        f"`{field.name}` is {conditions.width} numbers wide{told}",
        f"say how many categories its columns have ({columns}), and `missing: on` where cells are missing",
    )


def _titles(encoding: OneHot, cells: Categories) -> list[str]:
    """What the places of a one-hot are, for people: those beyond the categories that there are, too."""
    free = encoding.width - len(cells.names) - encoding.missing
    return [*cells.names, *["(none)"] * free, *["(missing)"] * encoding.missing]


class Sampling:
    """Training by sampling, in place of the epochs' permutations: the condition and the row of each position.

    A position draws a column of `places` (count, columns), all with the same probability; a category of it, each with a
    probability as log(1 + how many rows have it); a row, any that has it. The draws are counted by the seed and the
    position, so that any can be had without those before it. An index is column * count + row.
    """

    def __init__(self, places: np.ndarray, seed: int) -> None:
        self.count, self._columns = places.shape
        self._key = stream_key(seed, "condition")
        self._sorted, self._starts, self._counts, self._bounds = [], [], [], []
        for own in places.T:
            values, counts = np.unique(own, return_counts=True)
            chances = np.cumsum(np.log1p(counts))
            self._sorted.append(np.argsort(own, kind="stable"))
            self._starts.append(np.cumsum(counts) - counts)
            self._counts.append(counts)
            self._bounds.append(chances / chances[-1] if len(values) else chances)

    def at(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The epochs and the indexes, both (count,) int64, of the positions from `first` on."""
        epochs = np.arange(first, first + count, dtype=np.int64) // self.count
        uniform = self._uniform(first, count)
        columns = _below(uniform[:, 0], self._columns)
        rows = np.empty(count, np.int64)
        for column in range(self._columns):
            here = columns == column
            category = np.searchsorted(self._bounds[column], uniform[here, 1], side="right")
            within = _below(uniform[here, 2], self._counts[column][category])
            rows[here] = self._sorted[column][self._starts[column][category] + within]
        return epochs, columns * self.count + rows

    def _uniform(self, first: int, count: int) -> np.ndarray:
        """Numbers (count, 4) in [0, 1) of the positions from `first` on."""
        random = np.random.Philox(key=np.array([self._key, 0], np.uint64), counter=first)
        words = random.random_raw(_WORDS * count).reshape(count, _WORDS)
        uniform: np.ndarray = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return uniform


def _below(uniform: np.ndarray, counts: Any) -> np.ndarray:
    """Whole numbers (n,) below counts, of numbers in [0, 1)."""
    found: np.ndarray = np.minimum((uniform * counts).astype(np.int64), counts - 1)  # the product may be rounded up
    return found
