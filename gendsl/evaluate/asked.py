"""A score, samples and data in, what the score is computed from out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.extractor import Extractor
from gendsl.evaluate.gathered import Gathered
from gendsl.evaluate.real import Real
from gendsl.plan.plan import Call, Plan


@dataclass(frozen=True, slots=True)
class Asked:
    """A score of one output: its call, the samples with the labels that they were drawn with, and the data."""

    call: Call
    plan: Plan
    experiment: Any
    output: str
    gathered: Gathered
    fields: Mapping[str, NDArray[Any]]
    label: str | None
    real: Real
    split: str
    extractor: Extractor | None
    averaged: bool

    @property
    def rows(self) -> NDArray[np.float32]:
        """The samples' features."""
        assert self.extractor is not None
        return self.gathered.extracted[self.extractor.key].rows

    @property
    def real_rows(self) -> NDArray[np.float32]:
        """The examples' features: as many as there are of samples, where there are more."""
        assert self.extractor is not None
        rows = self.real.rows(self.extractor, self.split)
        return rows if len(rows) <= len(self.rows) else rows[_drawn(len(rows), len(self.rows))]


def _drawn(many: int, count: int) -> NDArray[np.int64]:
    return np.sort(np.random.Generator(np.random.Philox(key=0)).permutation(many)[:count])
