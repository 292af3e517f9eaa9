"""A loaded source and its splits in, the values of its fields out: of whole splits, and gathered in a graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gendsl.lower.data.columns import gatherer
from gendsl.lower.data.conditions import Conditions, Sampling
from gendsl.lower.data.loaded import Loaded
from gendsl.lower.data.order import Order
from gendsl.lower.data.store import read
from gendsl.lower.data.windows import Windows
from gendsl.lower.tables.table import Table


@dataclass(frozen=True)
class Stored:
    """A source that is loaded, with its splits: `rows` are indexes by split, `order` is that of the training split."""

    name: str
    loaded: Loaded
    rows: Mapping[str, np.ndarray]
    order: Order | Sampling
    table: Table | None = None  # what encoded its rows, if it is a table
    conditions: Conditions | None = None  # of a table's rows, if the spec has them

    def values(self, kind: str, rows: np.ndarray) -> Any:
        """The values (m, …) of a kind of field at some rows; of text `Windows`."""
        if kind == "condition" and self.conditions is not None:
            return self.conditions.vectors(rows)
        values = self.loaded.columns[kind]
        return values[rows] if isinstance(values, Windows) else read(values, rows)

    def gatherer(self, kind: str) -> Callable[[Any], Any]:
        """A function of indexes (n,) int64 that the order gives; it gives the values (n, …) of a kind of field."""
        if kind == "condition" and self.conditions is not None:
            return self.conditions.gatherer(self.rows["train"])
        return gatherer(self.loaded.columns[kind], self.rows["train"])
