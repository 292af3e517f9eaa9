"""A graph and another runtime's answers in, how far they are from TensorFlow's out; too far is an error."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.export.portable import Portable
from gendsl.lower.errors import UserError

# Of the largest number that TensorFlow answers: rounding, in another order of sums; and what smaller weights cost.
TOLERANCE = {None: 1e-4, "float16": 1e-2, "int8": 0.25}


Answers = Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]


def parity(portable: Portable, load: Callable[[], Answers], runtime: str, quantize: str | None) -> dict[str, Any]:
    """How what `load` gives answers, beside TensorFlow: the batches that were compared, the greatest difference to one
    figure, and what is allowed. Raises UserError.

    A difference is a share of the largest number of an output. Whole numbers, the likeliest of several, may differ in
    one of a hundred, where two are as good as equally likely; with quantized weights, in as many as the share says."""
    allowed, batches = TOLERANCE[quantize], []
    worst, whole, differ = 0.0, 0, 0
    answers: Answers | None = None
    for given in portable.examples():
        expected = portable.answers(given)
        try:
            answers = load() if answers is None else answers
            found = answers(given)
        except Exception as error:  # each runtime has its own kinds of error
            raise UserError(
                f"{runtime} cannot compute the model: {str(error).strip().splitlines()[0][:200]}",
                "leave this form out of `export`; `saved_model` serves this model",
            ) from None
        batches.append(len(next(iter(given.values()))))
        for name, right in expected.items():
            got = np.asarray(found[name])
            if got.shape != right.shape:
                raise _unlike(runtime, f"`{name}` has the shape {got.shape}, not {right.shape}")
            if right.dtype.kind in "iub":
                whole, differ = whole + right.size, differ + int((got != right).sum())
                continue
            if not np.isfinite(got).all():
                raise _unlike(runtime, f"`{name}` is not finite")
            worst = max(worst, float(np.abs(got - right).max() / max(np.abs(right).max(), 1e-6)))
    if worst > allowed:
        raise _unlike(runtime, f"they differ by {worst:.0%} of the largest" if worst > 0.01 else f"by {worst:.0e}")
    if differ > whole * max(0.01, allowed if quantize else 0.0):
        raise _unlike(runtime, f"{differ} of {whole} whole numbers are others")
    told = {"batches": batches, "difference": float(f"{worst:.0e}"), "allowed": allowed}
    return {"parity": told | ({"whole_numbers": whole, "other": differ} if whole else {})}


def _unlike(runtime: str, how: str) -> UserError:
    return UserError(
        f"{runtime} does not answer as TensorFlow does: {how}",
        "without `quantize` it is closer; else leave this form out of `export`",
    )
