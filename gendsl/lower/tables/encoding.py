"""What every encoding of a column does: codes (n,) float64, NaN where missing, to numbers (n, width) and back."""

from dataclasses import fields, is_dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.float64]


class Encoding(Protocol):
    """A fitted encoding: a frozen dataclass of plain values."""

    @property
    def width(self) -> int:
        """How many numbers a code becomes; `gendsl.plan.blocks` says what each means."""

    def encode(self, codes: Codes, uniform: Codes) -> Codes:
        """Numbers (n, width) of codes (n,); what is drawn is drawn by uniform numbers (n,)."""

    def decode(self, values: Codes) -> Codes:
        """Codes (n,) of numbers (n, width), be they a network's."""


def one_hot(places: NDArray[np.integer], width: int) -> Codes:
    """(n, width) with a 1 at each place (n,)."""
    out = np.zeros((len(places), width))
    out[np.arange(len(places)), places] = 1.0
    return out


def best(values: Codes, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place (n,) of the greatest of numbers (n, width) among those allowed (width,); NaN is never the greatest."""
    out: NDArray[np.int64] = np.where(allowed & ~np.isnan(values), values, -np.inf).argmax(axis=1)
    return out


def plain_of(value: Any) -> dict[str, Any]:
    """A frozen dataclass of plain values, which may hold others, as JSON data: `is` names its class."""
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    return {"is": type(value).__name__} | {
        name: plain_of(item) if is_dataclass(item) else list(item) if isinstance(item, tuple) else item
        for name, item in found.items()
    }


def value_of(plain: Any, classes: dict[str, Any]) -> Any:
    """The dataclass of JSON data, one of `classes` by name. Raises KeyError, TypeError or ValueError for other data."""
    kind = classes[plain["is"]]
    found = {name: item for name, item in plain.items() if name != "is"}
    return kind(
        **{
            name: value_of(item, classes) if isinstance(item, dict) else tuple(item) if isinstance(item, list) else item
            for name, item in found.items()
        }
    )
