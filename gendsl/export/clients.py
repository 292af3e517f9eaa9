"""Models in, programs that call them out: a shell script over REST, and one in Python over gRPC."""

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl.export.models import Endpoint, Model

_SHELL = """\
#!/bin/sh
# Calls each signature of the models here over REST: sh client.sh [HOST:PORT]
# Answers are written into the folder that it is called in.
set -eu
server="http://${1:-localhost:8501}"

# call MODEL SIGNATURE INPUTS: the answer as JSON
call() {
  curl -sSf -d "{\\"signature_name\\": \\"$2\\", \\"inputs\\": $3}" "$server/v1/models/$1:predict" > "$1-$2.json"
  echo "$1-$2.json"
}

# files NAME ENDING: the pictures or texts in NAME.json
files() {
  number=0
  grep -o '"b64": *"[^"]*"' "$1.json" | cut -d '"' -f 4 | while read -r content; do
    printf %s "$content" | base64 -d > "$1-$number.$2"
    echo "$1-$number.$2"
    number=$((number + 1))
  done
}
"""

_PYTHON = '''\
"""Calls each signature of the models here over gRPC: python client.py [HOST:PORT]

Needs `pip install tensorflow-serving-api`. Pictures and texts are written into the folder that it is called in.
"""

import sys
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

# gRPC takes no answer above 4 MB unless it is told to.
channel = grpc.insecure_channel(
    sys.argv[1] if len(sys.argv) > 1 else "localhost:8500", options=[("grpc.max_receive_message_length", -1)]
)
service = prediction_service_pb2_grpc.PredictionServiceStub(channel)


def call(model, signature, inputs):
    """The outputs of a signature by name, as arrays; each input by its name is a value and its type."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, (value, dtype) in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value, dtype))
    answer = service.Predict(request, timeout=120)
    return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}


def show(model, signature, outputs, ending):
    """Tells of the outputs, and writes those that are files."""
    for name, values in outputs.items():
        print(f"{model} {signature}: {name} {values.dtype} {values.shape}")
        if name.endswith("_bytes"):
            for number, content in enumerate(values):
                Path(f"{model}-{signature}-{number}.{ending}").write_bytes(content)

'''


def shell(models: Sequence["Model"]) -> str:
    """A script for `sh`, with curl."""
    lines = [_SHELL]
    for model in models:
        lines.append(f'curl -sSf "$server"/v1/models/{_quoted(model.name)}; echo')
        for one in _shown(model):
            lines.append(f"call {_quoted(model.name)} {_quoted(one.name)} {_quoted(json.dumps(one.example))}")
            if one.files:
                lines.append(f"files {_quoted(f'{model.name}-{one.name}')} {one.files}")
    return "\n".join([*lines, ""])


def python(models: Sequence["Model"]) -> str:
    """A program in Python, with tensorflow-serving-api."""
    lines = [_PYTHON]
    for model in models:
        for one in _shown(model):
            inputs = {name: ((one.example or {})[name], dtype) for name, dtype, _ in one.inputs}
            named = f"{model.name!r}, {one.name!r}"
            lines.append(f"show({named}, call({named}, {inputs!r}), {one.files!r})")
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """Whatever stands in the folder of a stranger, it is no program."""
    return shlex.quote(text)


def _shown(model: "Model") -> list["Endpoint"]:
    return [one for one in model.signatures if one.example is not None]
