"""Samples or examples of a field in, the form that scores are taken of out: bytes of pictures, tokens, numbers of all
else.

Pictures are clipped to their range and rounded to 256 levels, real and generated alike: that is what a picture's file
would hold, and a spec in 0..1 can be compared with one in -1..1. What rounding does to FID: Parmar et al. 2022.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.augment import span_of
from gendsl.plan.plan import Field


def taken(values: NDArray[Any], field: Field) -> NDArray[Any]:
    """Bytes (n, h, w, c) of pictures, int32 (n, length) of text, float32 (n, …) of anything else; what is no finite
    number counts as 0."""
    if field.kind == "text":
        return np.asarray(values, np.int32)
    levels = np.asarray(levelled(np.asarray(values, np.float32), field))
    levels = np.nan_to_num(levels, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(np.rint(levels.clip(0, 255)), np.uint8) if field.kind == "image" else levels


def levelled(values: Any, field: Field) -> Any:
    """Pictures brought from their range to 0..255, not rounded; anything else as it is. Of arrays and tensors."""
    if field.kind != "image":
        return values
    low, high = span_of(field)
    return (values - low) * (255.0 / (high - low))


def unfinite(values: NDArray[Any]) -> int:
    """How many of n values (n, …) hold what is no finite number."""
    if not np.issubdtype(values.dtype, np.floating):
        return 0
    return int((~np.isfinite(values).reshape(len(values), -1).all(axis=1)).sum())
