"""TensorFlow Serving's REST API: what its documentation says is answered, and rubbish is refused with a sentence."""

import base64
import json
import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from servers import Echo, Server, sampler, signature

from gendsl.serve.limits import Limits
from gendsl.serve.signatures import Refused, Tensor
from gendsl.serve.tensors import answer_of, array_of, parsed

PREDICT = "/v1/models/toy:predict"


@pytest.fixture(scope="module")
def server() -> Server:
    return Server(sampler())


def test_status_and_metadata_are_those_of_tensorflow_serving(server: Server) -> None:
    for path in ("/v1/models/toy", "/v1/models/toy/versions/3", "/V1/Models/toy"):
        answer = server.ask(path)
        status = {"error_code": "OK", "error_message": ""}
        assert answer.json == {"model_version_status": [{"version": "3", "state": "AVAILABLE", "status": status}]}
    for path in ("/v1/models/toy/metadata", "/v1/models/toy/versions/3/metadata"):
        found = server.ask(path).json
        assert found["model_spec"] == {"name": "toy", "signature_name": "", "version": "3"}
        assert found["metadata"]["signature_def"]["signature_def"] == Echo.metadata


def test_columns_are_answered_by_columns_and_rows_by_rows(server: Server) -> None:
    inputs = {"n": 2, "seed": 7}
    for path in (PREDICT, "/v1/models/toy/versions/3:predict"):
        answer = server.ask(path, {"inputs": inputs})
        assert answer.status == 200 and np.shape(answer.json["outputs"]) == (2, 4, 4, 1)
    assert answer.body == server.ask(PREDICT, {"inputs": inputs, "signature_name": "serving_default"}).body

    two = Echo(signature("serving_default", {"a": ("float32", (None, 2)), "b": ("string", (None,))}, {}))
    rows = [{"a": [1, 2.5], "b": "x"}, {"a": [3, 4], "b": {"b64": "w6k="}}]
    assert Server(two).ask(PREDICT, {"instances": rows}).json == {
        "predictions": [{"a": [1.0, 2.5], "b": "x"}, {"a": [3.0, 4.0], "b": "é"}]
    }
    columns = {"a": [[1, 2.5], [3, 4]], "b": ["x", "é"]}
    assert Server(two).ask(PREDICT, {"inputs": columns}).json == {"outputs": columns}


def test_one_input_and_one_output_need_no_name() -> None:
    one = Server(Echo(signature("serving_default", {"x": ("float32", (None,))}, {})))
    assert one.ask(PREDICT, {"instances": [1.0, 2.0, 5.0]}).body == b'{"predictions":[1.0,2.0,5.0]}\n'
    assert one.ask(PREDICT, {"inputs": [1.0]}).json == {"outputs": [1.0]}
    assert one.ask(PREDICT, {"instances": [{"x": 3}]}).json == {"predictions": [3.0]}


def test_an_output_that_ends_in_bytes_is_base64() -> None:
    files = np.array([b"\x89PNG", b"\xff"], object)
    assert json.loads(answer_of({"image_bytes": files}, by_row=True)) == {
        "predictions": [{"b64": base64.b64encode(one).decode()} for one in files]
    }
    assert json.loads(answer_of({"text": files}, by_row=False)) == {"outputs": ["\ufffdPNG", "\ufffd"]}


def test_numbers_that_json_has_not_are_written_as_tensorflow_serving_does() -> None:
    values = np.array([1.5, math.nan, math.inf, -math.inf], np.float32)
    assert answer_of({"x": values}, by_row=False) == b'{"outputs": [1.5, NaN, Infinity, -Infinity]}\n'


def test_scalars_have_no_place_in_rows(server: Server) -> None:
    answer = server.ask(PREDICT, {"instances": [{"n": 1, "seed": 1}]})
    assert answer.status == 400 and "`n` is a scalar" in answer.error and '{"inputs": {…}}' in answer.error


@given(arrays.arrays(st.sampled_from([np.int32, np.int64, np.float32, np.uint8, np.bool_]),
                     arrays.array_shapes(min_dims=0, max_dims=4, max_side=4),
                     elements={"allow_nan": False, "allow_infinity": False}))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_what_is_answered_can_be_asked(value: np.ndarray) -> None:
    """An array comes back from its own JSON, every bit of it."""
    told = parsed(answer_of({"x": value}, by_row=False))["outputs"]
    back = array_of(told, Tensor("x", value.dtype.name, (None,) * value.ndim))
    assert back.dtype == value.dtype and back.shape == value.shape and back.tobytes() == value.tobytes()


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@given(st.recursive(PLAIN, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one)),
       st.sampled_from(["int32", "float32", "string", "bool", "bfloat16"]),
       st.sampled_from([(), (None,), (None, 2), None]))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_anything_becomes_an_array_of_the_signature_or_is_refused(value: Any, dtype: str, shape: Any) -> None:
    try:
        found = array_of(value, Tensor("x", dtype, shape))
    except Refused as refusal:
        assert refusal.status == 400 and "`x`" in refusal.message
        return
    assert shape is None or len(found.shape) == len(shape)


RUBBISH = {
    "nothing": (b"", "empty"),
    "no JSON": (b"hello", "JSON Parse error"),
    "not UTF-8": (b'{"inputs": "\xff"}', "JSON Parse error"),
    "a list": (b"[]", "has to be a JSON object, not a list"),
    "deep nesting": (b"[" * 100_000, "depth limit"),
    "deep nesting inside": (b'{"inputs": {"n": ' + b"[" * 900 + b"]" * 900 + b', "seed": 1}}', "`n` is one int32"),
    "neither": (b"{}", "Missing 'inputs' or 'instances'"),
    "both": (b'{"inputs": {}, "instances": []}', "not both"),
    "NaN": (b'{"inputs": {"n": NaN, "seed": 1}}', "JSON Parse error"),
    "null": (b'{"inputs": {"n": null, "seed": 1}}', "null, not a whole number"),
    "a text": (b'{"inputs": {"n": "4", "seed": 1}}', "a text, not a whole number"),
    "true": (b'{"inputs": {"n": true, "seed": 1}}', "true or false, not a whole number"),
    "a fraction": (b'{"inputs": {"n": 1.5, "seed": 1}}', "a number, not a whole number"),
    "a list for a number": (b'{"inputs": {"n": [4], "seed": 1}}', "`n` is one int32"),
    "too large": (b'{"inputs": {"n": 4294967296, "seed": 1}}', "beyond its range"),
    "far too large": (b'{"inputs": {"n": 4, "seed": 1e400}}', "infinity"),
    "missing input": (b'{"inputs": {"n": 4}}', "Missing named input: seed"),
    "unknown signature": (b'{"signature_name": "x", "inputs": {}}', '"x" not found in signature def'),
    "signature of a wrong type": (b'{"signature_name": 3, "inputs": {}}', "has to be a text"),
    "negative": (b'{"inputs": {"n": -1, "seed": 1}}', "0 or more"),
    "a billion": (b'{"inputs": {"n": 1000000000, "seed": 1}}', "1,000,000,000 samples are asked for"),
    "no rows": (b'{"signature_name": "labelled", "instances": []}', "at least one row"),
    "wrong axes": (b'{"signature_name": "labelled", "inputs": {"label": 3, "seed": 1}}', "`label` is int32 any"),
    "ragged": (b'{"signature_name": "labelled", "inputs": {"label": [1, [2]], "seed": 1}}', "equally deep"),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_refused_with_a_sentence(server: Server, name: str) -> None:
    body, part = RUBBISH[name]
    answer = server.ask(PREDICT, body, headers={"content-length": str(len(body))}, method="POST")
    assert answer.status == 400 and part in answer.error, answer.error
    assert not server.failures


@pytest.mark.parametrize(
    ("method", "path", "status", "part"),
    [
        ("GET", "/v1/models/other", 404, "Could not find any versions of model other"),
        ("GET", "/v1/models/toy/versions/4", 404, "Could not find version 4 of model toy"),
        ("GET", "/v1/models/other/metadata", 404, "Servable not found for request: Latest(other)"),
        ("POST", "/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        ("POST", "/v1/models/toy/versions/9:predict", 404, "Specific(toy, 9)"),
        ("GET", "/v1/models/toy/labels/stable", 400, "Unrecognized servable version label: stable"),
        ("POST", "/v1/models/toy:classify", 400, ":predict"),
        ("GET", "/v1/models", 400, "Malformed request: GET /v1/models"),
        ("POST", "/v1/models/toy", 400, "Malformed request"),
        ("DELETE", "/v1/models/toy", 400, "Malformed request"),
        ("GET", "/v1/../../etc/passwd", 400, "Malformed request"),
        ("GET", "/etc/passwd", 404, "nothing here"),
        ("GET", "/card", 404, "no model card"),
        ("GET", "//etc/passwd", 404, "nothing here"),
        ("GET", "/v1/models/toy/versions/99999999999999999999999", 404, "Could not find version"),
    ],
)
def test_a_wrong_path_is_refused(server: Server, method: str, path: str, status: int, part: str) -> None:
    answer = server.ask(path, b"{}", method=method)
    assert answer.status == status and part in answer.error


def test_a_request_may_ask_for_so_many_samples_and_numbers() -> None:
    server = Server(sampler(), limits=Limits(samples=4, numbers=50))
    assert server.ask(PREDICT, {"inputs": {"n": 3, "seed": 1}}).status == 200
    assert "50: ask for fewer" in server.ask(PREDICT, {"inputs": {"n": 4, "seed": 1}}).error
    many = {"signature_name": "labelled", "inputs": {"label": [0] * 5, "seed": 1}}
    assert "5 samples are asked for, and a request gets 4" in server.ask(PREDICT, many).error


def test_what_gendsl_json_says_of_an_input_is_kept_to() -> None:
    told = {"signatures": {"labelled": {"inputs": {"label": {"kind": "label", "range": [0, 9]}}}}}
    server = Server(sampler(), record=told)
    for label, status in ((9, 200), (10, 400), (-1, 400)):
        answer = server.ask(PREDICT, {"signature_name": "labelled", "inputs": {"label": [label], "seed": 1}})
        assert answer.status == status
    assert answer.error == "`label` is -1: it has to be at least 0 and at most 9"


def test_a_refusal_of_the_model_is_told_and_a_mistake_of_ours_is_ours() -> None:
    def refuse(given: Any) -> Any:
        raise Refused(400, "the model does not take this: too cold")

    def fail(given: Any) -> Any:
        raise ZeroDivisionError("oh")

    one = signature("serving_default", {"x": ("int32", (None,))}, {})
    other = signature("other", {"x": ("int32", (None,))}, {})
    server = Server(Echo(one, other, serving_default=refuse, other=fail))
    assert server.ask(PREDICT, {"inputs": [1]}).error.endswith("too cold")
    answer = server.ask(PREDICT, {"inputs": [1], "signature_name": "other"})
    assert answer.status == 500 and answer.error == "sorry, this is a mistake in gendsl (ZeroDivisionError)"
    assert [type(one) for one in server.failures] == [ZeroDivisionError]


def test_the_server_loads_no_tensorflow() -> None:
    """All but the model itself works without it; these tests show it, where no other has loaded it before."""
    import subprocess

    script = "import sys, gendsl.serve.application, gendsl.serve.server; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
