"""The shape of examples in, the extractor without a network out: the values themselves, flattened."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.extractor import Extractor, Features


def pixels(shape: tuple[int, ...], *, pictures: bool) -> Extractor:
    """Values (n, *shape) as rows; bytes of pictures become 0..1."""

    def compute(values: NDArray[Any]) -> Features:
        rows = np.asarray(values, np.float32).reshape(len(values), -1)
        return rows / np.float32(255) if values.dtype == np.uint8 else rows, None

    return Extractor(
        "pixels",
        "",
        int(np.prod(shape)),
        compute,
        range="bytes to 0..1" if pictures else "as given",
        costly=False,
    )
