"""What every feature extractor is: values of examples in, features out, and all that a score's contract says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = tuple[NDArray[np.float32], NDArray[np.float32] | None]


@dataclass(frozen=True, slots=True)
class Extractor:
    """An extractor of `width` features, which sees `classes` classes if it judges any.

    `digest` is the SHA-256 of its weights, `resizing` and `range` say what is done to pictures before. `compute` turns
    values (n, …) into features (n, width) and probabilities (n, classes); pictures are bytes (n, h, w, c), see
    `values.py`. `costly` ones are worth keeping the features of.
    """

    name: str
    digest: str
    width: int
    compute: Callable[[NDArray[Any]], Features]
    resizing: str = "none"
    range: str = "as given"
    classes: int = 0
    costly: bool = True

    @property
    def key(self) -> str:
        """What its features are known by: two `.keras` files have one name."""
        return f"{self.name} {self.digest} {self.resizing}"

    def features(self, values: NDArray[Any], *, at_once: int = 64) -> Features:
        """Features (n, width) float32 and probabilities (n, classes), or None, of values (n, …)."""
        parts = [self.compute(values[start : start + at_once]) for start in range(0, len(values), at_once)]
        if not parts:
            return np.zeros((0, self.width), np.float32), None
        chances = [part for _, part in parts if part is not None]
        return np.concatenate([part for part, _ in parts]), np.concatenate(chances) if chances else None
