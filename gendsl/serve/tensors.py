"""JSON as TensorFlow Serving's REST API writes tensors in, arrays out; and arrays in, such JSON out.

After https://www.tensorflow.org/tfx/serving/api_rest: rows are `instances` and `predictions`, columns `inputs` and
`outputs`, bytes `{"b64": …}`, and an output whose name ends in `_bytes` is bytes. Two things are stricter than there,
since no model answers them with sense: NaN and infinities are refused, and so are sizes that do not fit the signature.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from gendsl.serve.signatures import Arrays, Refused, Signature, Tensor

_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_REAL = ("float16", "bfloat16", "float32", "float64")
_DEEPEST = 32  # axes of an input whose rank is open
_LONGEST = 60  # characters of a value that a message shows


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused."""
    if not body:
        raise Refused(400, "JSON Parse error: the body is empty; it has to be a JSON object")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise Refused(400, f"the body has to be a JSON object, not {_kind(document)}")
    return document


def chosen(document: Mapping[str, Any], signatures: Mapping[str, Signature]) -> Signature:
    """The signature that a request is for. Raises Refused."""
    name = document.get("signature_name", "serving_default")
    if not isinstance(name, str):
        raise Refused(400, f"`signature_name` has to be a text, not {_kind(name)}")
    found = signatures.get(name or "serving_default")
    if found is None:
        listed = ", ".join(signatures)
        raise Refused(400, f'Serving signature name: "{shown(name)}" not found in signature def; it has {listed}')
    return found


def arrays_of(document: Mapping[str, Any], signature: Signature) -> tuple[Arrays, bool]:
    """The inputs of a request by name, and whether they were given row by row. Raises Refused."""
    by_row, by_column = "instances" in document, "inputs" in document
    if by_row and by_column:
        raise Refused(400, "give either `instances` (rows) or `inputs` (columns), not both")
    if by_row:
        return _of_rows(document["instances"], signature), True
    if by_column:
        return _of_columns(document["inputs"], signature), False
    raise Refused(400, "Missing 'inputs' or 'instances' key: the body is {\"inputs\": {…}} or {\"instances\": […]}")


def _of_rows(rows: Any, signature: Signature) -> Arrays:
    if not isinstance(rows, list) or not rows:
        raise Refused(400, "`instances` has to be a list with at least one row")
    names = list(signature.inputs)
    scalar = next((one for one in signature.inputs.values() if one.shape == ()), None)
    if scalar is not None:
        raise Refused(
            400,
            f"input `{scalar.name}` is a scalar, and rows have no place for one: `instances` gives each input a batch "
            'axis. Use columns, {"inputs": {…}}',
        )
    named = isinstance(rows[0], dict) and not _is_bytes(rows[0])
    if not named and len(names) > 1:
        raise Refused(400, f"each of `instances` has to be an object with {_listed(names)}")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for number, row in enumerate(rows):
        if (isinstance(row, dict) and not _is_bytes(row)) is not named:
            raise Refused(400, f"element {number} of `instances` is {_kind(row)}, unlike the first")
        values = row if named else {names[0]: row}
        if set(values) != set(names):
            raise Refused(400, f"the keys of element {number} of `instances` have to be {_listed(names)}")
        for name in names:
            columns[name].append(values[name])
    return {name: array_of(column, signature.inputs[name]) for name, column in columns.items()}


def _of_columns(columns: Any, signature: Signature) -> Arrays:
    names = list(signature.inputs)
    if not isinstance(columns, dict) or _is_bytes(columns):
        if len(names) > 1:
            raise Refused(400, f"`inputs` has to be an object with {_listed(names)}, not {_kind(columns)}")
        columns = {names[0]: columns}
    for name in names:
        if name not in columns:
            raise Refused(400, f"Missing named input: {name} in 'inputs' object; it needs {_listed(names)}")
    return {name: array_of(columns[name], signature.inputs[name]) for name in names}


def array_of(value: Any, tensor: Tensor) -> NDArray[Any]:
    """The array of nested lists, by its tensor's type. Raises Refused where one does not fit the other."""
    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        if len(shape) > (_DEEPEST if tensor.shape is None else len(tensor.shape)):
            raise Refused(400, f"input `{tensor.name}` is {tensor.shown}, and is given lists {len(shape)} or more deep")
        inner = inner[0] if inner else None
    flat: list[Any] = []
    _gather(value, shape, 0, tensor, flat)
    missing = 0 if tensor.shape is None else len(tensor.shape) - len(shape)
    if 0 in shape and missing > 0:  # an empty list does not say how deep it would be
        assert tensor.shape is not None
        shape += [size or 0 for size in tensor.shape[len(shape) :]]
    if not fits(shape, tensor):
        raise Refused(400, f"input `{tensor.name}` is {tensor.shown}, and is given {_sizes(shape)}")
    return _typed(flat, tensor).reshape(shape)


def fits(shape: Sequence[int], tensor: Tensor) -> bool:
    """Whether an array of a shape can be given to a tensor."""
    if tensor.shape is None:
        return True
    pairs = zip(shape, tensor.shape, strict=False)
    return len(shape) == len(tensor.shape) and all(wanted in (None, size) for size, wanted in pairs)


def _gather(value: Any, shape: Sequence[int], level: int, tensor: Tensor, flat: list[Any]) -> None:
    """Appends the innermost values in order. It goes as deep as the shape, which the tensor's rank or the parser's
    limit bounds."""
    if level == len(shape):
        if isinstance(value, list):
            raise Refused(400, f"the lists of input `{tensor.name}` are not all equally deep")
        flat.append(value)
        return
    if not isinstance(value, list) or len(value) != shape[level]:
        raise Refused(400, f"the lists of input `{tensor.name}` are not all of one length and depth")
    if level == len(shape) - 1 and list not in map(type, value):
        flat.extend(value)
        return
    for one in value:
        _gather(one, shape, level + 1, tensor, flat)


def _typed(flat: list[Any], tensor: Tensor) -> NDArray[Any]:
    if tensor.dtype == "string":
        return np.array([_bytes_of(one, tensor) for one in flat], object)
    if tensor.dtype == "bool":
        _refuse_others(flat, tensor, lambda kind: kind is bool, "true or false")
        return np.array(flat, bool)
    if tensor.dtype in _WHOLE:
        _refuse_others(flat, tensor, lambda kind: kind is int, "a whole number")
        return _within(flat, tensor, np.dtype(tensor.dtype))
    if tensor.dtype in _REAL:
        _refuse_others(flat, tensor, lambda kind: kind is int or kind is float, "a number")
        # TensorFlow makes half precision of float32; NumPy has no bfloat16
        given = np.array(flat, np.float64)
        found = given.astype(np.float64 if tensor.dtype == "float64" else np.float32)
        if not np.isfinite(found).all():
            large = given[~np.isfinite(found)][0]
            raise Refused(400, f"input `{tensor.name}` is {tensor.dtype}, and {large} is beyond its range")
        return found
    raise Refused(501, f"input `{tensor.name}` is {tensor.dtype}, which JSON has no form for")


def _refuse_others(flat: list[Any], tensor: Tensor, allowed: Callable[[type], bool], what: str) -> None:
    wrong = [kind for kind in set(map(type, flat)) if not allowed(kind)]
    if wrong:
        value = next(one for one in flat if type(one) is wrong[0])
        raise Refused(
            400,
            f"input `{tensor.name}` is {tensor.dtype}, and is given {shown(value)}, {_kind(value)}, not {what}",
        )


def _within(flat: list[Any], tensor: Tensor, dtype: np.dtype[Any]) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    for value in flat and (min(flat), max(flat)):
        if not limits.min <= value <= limits.max:
            raise Refused(400, f"input `{tensor.name}` is {tensor.dtype}, and {value} is beyond its range")
    return np.array(flat, dtype)


def _bytes_of(value: Any, tensor: Tensor) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not _is_bytes(value):
        raise Refused(400, f'input `{tensor.name}` takes texts or {{"b64": …}}, and is given {_kind(value)}')
    try:
        return base64.b64decode(value["b64"], altchars=b"-_" if set(value["b64"]) & {"-", "_"} else None, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, f"the `b64` of input `{tensor.name}` is not base64") from None


def _is_bytes(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def answer_of(outputs: Mapping[str, NDArray[Any]], *, by_row: bool) -> bytes:
    """The answer to a request, as JSON. Raises Refused where outputs asked for by row have no batch in common."""
    named = {name: _plain(name, value) for name, value in sorted(outputs.items())}
    finite = all(np.isfinite(value).all() for value in outputs.values() if value.dtype.kind == "f")
    alone = next(iter(named.values())) if len(named) == 1 else None
    if not by_row:
        return _json({"outputs": named if alone is None else alone}, finite=finite)
    sizes = {value.shape[:1] for value in outputs.values()}
    if len(sizes) > 1 or () in sizes:
        raise Refused(400, 'the outputs have no batch axis in common: ask by columns, {"inputs": {…}}')
    ((count,),) = sizes
    rows = [{name: value[row] for name, value in named.items()} for row in range(count)] if alone is None else alone
    return _json({"predictions": rows}, finite=finite)


def _plain(name: str, value: NDArray[Any]) -> Any:
    """What the writer of JSON takes: arrays of numbers as they are, texts and bytes as lists."""
    if value.dtype.kind in "OSU":
        return _texts(value.tolist(), name.endswith("_bytes"))
    return np.ascontiguousarray(value) if value.ndim else value[()]


def _texts(value: Any, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_texts(one, as_bytes) for one in value]
    data = value if isinstance(value, bytes) else str(value).encode()
    if as_bytes:
        return {"b64": base64.b64encode(data).decode()}
    return data.decode(errors="replace")


def _json(document: Mapping[str, Any], *, finite: bool) -> bytes:
    if finite:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"
    # The slower writer has NaN and Infinity, as TensorFlow Serving, where the faster one has null.
    return json.dumps(document, default=lambda one: one.tolist(), ensure_ascii=False).encode() + b"\n"


def shown(value: Any) -> str:
    """A value as a message shows it: short, in one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a whole number" if isinstance(value, int) else "a number")


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _sizes(shape: Sequence[int]) -> str:
    return "one value" if not shape else f"{'×'.join(map(str, shape))} values"
