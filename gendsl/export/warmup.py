"""The signatures of a model in, the requests that TF Serving sends to itself when it loads it out.

TF Serving reads them from `assets.extra/tf_serving_warmup_requests`: TFRecords of its message `PredictionLog`. Its
Python package has that message, and nothing else that is needed here, so three small messages are written by hand, by
the numbers of their fields (tensorflow_serving/apis: prediction_log.proto, predict.proto, model.proto).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from gendsl.export.ports import Given, Signature

_LENGTH_DELIMITED = 2
_PREDICT_LOG = 6  # of PredictionLog
_REQUEST = 1  # of PredictLog
_MODEL_SPEC, _INPUTS = 1, 2  # of PredictRequest
_NAME, _SIGNATURE_NAME = 1, 3  # of ModelSpec
_KEY, _VALUE = 1, 2  # of an entry of a map


def write(folder: Path, model: str, signatures: Sequence[Signature]) -> None:
    """Writes a request for each signature, of one sample, into a version's folder."""
    extra = folder / "assets.extra"
    extra.mkdir()
    with tf.io.TFRecordWriter(str(extra / "tf_serving_warmup_requests")) as writer:
        for signature in signatures:
            writer.write(request(model, signature))


def request(model: str, signature: Signature) -> bytes:
    """A `PredictionLog` of one call of an endpoint."""
    named = _field(_NAME, model.encode()) + _field(_SIGNATURE_NAME, signature.name.encode())
    inputs = (
        _field(_INPUTS, _field(_KEY, one.name.encode()) + _field(_VALUE, _tensor(one)))
        for one in sorted(signature.inputs, key=lambda one: one.name)
    )
    asked = _field(_MODEL_SPEC, named) + b"".join(inputs)
    return _field(_PREDICT_LOG, _field(_REQUEST, asked))


def example_of(one: Given) -> np.ndarray:
    """What an input is given for one sample."""
    dtype = one.spec.dtype.as_numpy_dtype
    if one.kind == "count":
        return np.asarray(1, dtype)
    if one.default is not None:
        return np.asarray(one.default, dtype)
    return np.zeros([1 if size is None else size for size in one.spec.shape.as_list()], dtype)


def _tensor(one: Given) -> bytes:
    encoded: bytes = tf.make_tensor_proto(example_of(one)).SerializeToString(deterministic=True)
    return encoded


def _field(number: int, content: bytes) -> bytes:
    return bytes(_varint(number << 3 | _LENGTH_DELIMITED)) + bytes(_varint(len(content))) + content


def _varint(value: int) -> Iterable[int]:
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value
