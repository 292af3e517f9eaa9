"""What lies beside exported models: warm-up requests and clients, used with TensorFlow Serving's own package."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from gendsl.export.command import export

SIGNATURES = ["serving_default", "png", "labelled", "labelled_png", "truncated", "truncated_png", "from_prior"]


@pytest.fixture(scope="module")
def place(conditional: Path) -> Path:
    """`export/` of a run, with a model `served`."""
    (found,) = export(conditional, replace=True)
    return found.path.parent.parent


@pytest.fixture(scope="module")
def model(place: Path) -> Any:
    return tf.saved_model.load(str(place / "served" / "1"))


def called(model: Any, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    signature = model.signatures[name]
    specs = signature.structured_input_signature[1]
    assert set(specs) == set(inputs), "a server takes no call with too little or too much"
    return signature(**{one: tf.constant(value, specs[one].dtype) for one, value in inputs.items()})


def test_each_signature_has_a_warm_up_request_that_it_answers(place: Path, model: Any) -> None:
    path = place / "served" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    logs = [prediction_log_pb2.PredictionLog.FromString(one.numpy()) for one in tf.data.TFRecordDataset(str(path))]
    assert [log.predict_log.request.model_spec.signature_name for log in logs] == SIGNATURES
    for log in logs:
        request = log.predict_log.request
        assert request.model_spec.name == "served" and log.WhichOneof("log_type") == "predict_log"
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        specs = model.signatures[request.model_spec.signature_name].structured_input_signature[1]
        assert {name: value.dtype for name, value in inputs.items()} == {
            name: spec.dtype.as_numpy_dtype for name, spec in specs.items()
        }
        (answer,) = called(model, request.model_spec.signature_name, inputs).values()
        assert len(answer) == 1


def test_the_server_is_configured(place: Path) -> None:
    config = text_format.Parse((place / "models.config").read_text(), model_server_config_pb2.ModelServerConfig())
    (one,) = config.model_config_list.config
    assert (one.name, one.base_path, one.model_platform) == ("served", "/models/served", "tensorflow")
    # tensorflow_serving/config has no message of batching parameters in its package: all are whole numbers.
    lines = [line for line in (place / "batching.config").read_text().splitlines() if not line.startswith("#")]
    assert all(line.split(" { value: ")[1].rstrip(" }").isdigit() for line in lines) and len(lines) == 4
    readme = (place / "README.md").read_text()
    assert "--model_config_file=/models/models.config" in readme and "| `labelled_png` |" in readme
    assert "for each sample: `from_prior` of `served`" in readme
    assert "--enable_model_warmup=false" in (place / "compose.yaml").read_text()


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """TensorFlow Serving's service on a model in Python."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def Predict(self, request: Any, context: Any) -> Any:
        assert request.model_spec.name == "served"
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        answer = predict_pb2.PredictResponse()
        for name, value in called(self._model, request.model_spec.signature_name, inputs).items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return answer


def test_the_python_client_calls_every_signature(place: Path, model: Any, tmp_path: Path) -> None:
    server = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(model), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        command = [sys.executable, str(place / "client.py"), f"127.0.0.1:{port}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    finally:
        server.stop(None)
    assert done.returncode == 0, done.stderr
    shown = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert shown == [f"served {name}" for name in SIGNATURES]
    assert "served serving_default: image float32 (4, 8, 8, 1)" in done.stdout
    _same_pictures(model, tmp_path)


@pytest.fixture
def rest(model: Any) -> Iterator[str]:
    """TensorFlow Serving's REST paths on a model in Python: the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"model_version_status": [{"version": "1", "state": "AVAILABLE"}]})

        def do_POST(self) -> None:
            assert self.path == "/v1/models/served:predict"
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = called(model, asked["signature_name"], asked["inputs"])
            (values,) = [value.numpy().tolist() for value in found.values()]  # an only output stands without its name
            (name,) = found
            if name.endswith("_bytes"):
                values = [{"b64": base64.b64encode(one).decode()} for one in values]
            self._answer({"outputs": values})

        def _answer(self, content: Any) -> None:
            body = json.dumps(content, indent=4).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.mark.skipif(which("curl") is None, reason="there is no curl")
def test_the_shell_client_calls_every_signature(place: Path, model: Any, rest: str, tmp_path: Path) -> None:
    command = ["sh", str(place / "client.sh"), rest]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "AVAILABLE" in done.stdout
    for name in SIGNATURES:
        outputs = json.loads((tmp_path / f"served-{name}.json").read_text())["outputs"]
        assert len(outputs) == (1 if name.startswith(("labelled", "truncated", "from_prior")) else 4)
    _same_pictures(model, tmp_path)


def _same_pictures(model: Any, folder: Path) -> None:
    (expected,) = called(model, "png", {"n": 4, "seed": 0}).values()
    files = [folder / f"served-png-{number}.png" for number in range(4)]
    np.testing.assert_array_equal(expected.numpy(), [file.read_bytes() for file in files])
