"""A model's signatures and the gendsl.json beside it in, what each input and output is for a person out.

Without a gendsl.json the names and the types tell: `n` is how many, `seed` the seed, int32 of one axis are labels.
Nothing in a folder is believed: it may come from a stranger, and what does not fit the signatures is left out.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.frozen import dataclass
from gendsl.serve.limits import Limits
from gendsl.serve.signatures import Arrays, Refused, Signature, Tensor

KINDS = ("count", "seed", "label", "truncation", "temperature", "prompt", "prior", "field", "switch")
SHOWN = ("image", "png", "tokens", "text", "row", "points", "array", "score")
_LONGEST = 500  # characters of a sentence
_NAMED = {"n": "count", "seed": "seed", "truncation": "truncation", "temperature": "temperature", "prompt": "prompt"}


@dataclass(frozen=True, slots=True)
class Input:
    """An input: its tensor, what kind of thing it is, the least and most that it takes, what it is without a choice,
    the names of classes, a sentence."""

    tensor: Tensor
    kind: str
    least: float | None = None
    most: float | None = None
    default: Any = None
    names: tuple[str, ...] = ()
    doc: str = ""

    @property
    def batched(self) -> bool:
        """Whether its first axis counts samples."""
        return bool(self.tensor.shape) and self.tensor.shape is not None and self.tensor.shape[0] is None


@dataclass(frozen=True, slots=True)
class Output:
    """An output: its tensor, what it is shown as, the range of its values, and the record that it came with."""

    tensor: Tensor
    kind: str
    range: tuple[float, float] | None
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """A signature, described."""

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    doc: str = ""

    def check(self, arrays: Arrays, limits: Limits) -> None:
        """Raises Refused where an input is outside its range, or the request asks for too much."""
        samples = 1
        for one in self.inputs:
            given, name = arrays[one.tensor.name], one.tensor.name
            if one.kind == "count" and given.ndim == 0:
                if given < 0:
                    raise Refused(400, f"`{name}` is {given}: it counts samples, and has to be 0 or more")
                samples = max(samples, int(given))
            elif one.batched:
                samples = max(samples, len(given))
            if given.size and one.kind not in ("field", "prior"):
                _check_range(one, given)
        if samples > limits.samples:
            raise Refused(
                400,
                f"{samples:,} samples are asked for, and a request gets {limits.samples:,} at most: ask several times, "
                "or start the server with another --limit",
            )
        for output in self.outputs:
            numbers = samples
            for size in (output.tensor.shape or ())[1:]:
                numbers *= size or 1
            if numbers > limits.numbers:
                raise Refused(
                    400,
                    f"the answer would have {numbers:,} numbers, more than {limits.numbers:,}: ask for fewer samples",
                )


def _check_range(one: Input, given: NDArray[Any]) -> None:
    low = False if one.least is None else given < one.least
    high = False if one.most is None else given > one.most
    wrong = given[np.logical_or(low, high)]
    if wrong.size:
        ends = [f"at least {one.least:g}"] if one.least is not None else []
        ends += [f"at most {one.most:.10g}"] if one.most is not None else []
        raise Refused(400, f"`{one.tensor.name}` is {wrong.flat[0]:.10g}: it has to be {' and '.join(ends)}")


def described(signatures: Mapping[str, Signature], record: Mapping[str, Any]) -> dict[str, Described]:
    """Each signature, described by the record of a gendsl.json, which may be empty."""
    told = _part(record, "signatures")
    return {name: _described(one, _part(told, name)) for name, one in signatures.items()}


def _described(signature: Signature, told: Mapping[str, Any]) -> Described:
    inputs = [_input(one, _part(_part(told, "inputs"), name)) for name, one in signature.inputs.items()]
    outputs = [_output(one, _part(_part(told, "outputs"), name)) for name, one in signature.outputs.items()]
    return Described(signature.name, tuple(inputs), tuple(outputs), _doc(told))


def _input(tensor: Tensor, told: Mapping[str, Any]) -> Input:
    kind, names, default = told.get("kind"), told.get("names"), told.get("default")
    return Input(
        tensor,
        str(kind) if kind in KINDS else _kind_of_input(tensor),
        *_ends(told.get("range")),
        default if isinstance(default, int | float | str) else None,
        tuple(map(str, names)) if isinstance(names, list) else (),
        _doc(told),
    )


def _kind_of_input(tensor: Tensor) -> str:
    scalar, whole = tensor.shape == (), tensor.dtype in ("int32", "int64")
    named = _NAMED.get(tensor.name, "")
    if scalar and (whole if named in ("count", "seed") else named in ("truncation", "temperature")):
        return named
    if named == "prompt" and whole and tensor.shape is not None and len(tensor.shape) == 2:
        return named
    if scalar and tensor.dtype == "bool":
        return "switch"
    return "label" if whole and tensor.shape == (None,) else "field"


def _output(tensor: Tensor, told: Mapping[str, Any]) -> Output:
    kind = told.get("kind")
    least, most = _ends(told.get("range"))
    bounds = None if least is None or most is None else (least, most)
    return Output(tensor, str(kind) if kind in SHOWN else _kind_of_output(tensor), bounds, told)


def _kind_of_output(tensor: Tensor) -> str:
    shape = tensor.shape or ()
    if tensor.dtype == "string":
        return "png" if tensor.name.endswith("_bytes") else "text"
    if len(shape) == 4 and shape[-1] in (1, 3, 4):
        return "image"
    if len(shape) == 2 and tensor.dtype in ("int32", "int64"):
        return "tokens"
    return "points" if len(shape) == 2 and shape[1] == 2 else "array"


def _ends(value: Any) -> tuple[float | None, float | None]:
    """The ends of a range, None for one that is open, or that says nothing."""
    if not isinstance(value, list) or len(value) != 2:
        return None, None
    least, most = (one if type(one) in (int, float) else None for one in value)
    return (least, most) if least is None or most is None or least < most else (None, None)


def _doc(told: Mapping[str, Any]) -> str:
    return str(told.get("doc") or "")[:_LONGEST]


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, dict) else {}
