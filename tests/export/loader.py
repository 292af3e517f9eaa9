"""An exported model and inputs in, an output out: by a C program against the libraries in TensorFlow's wheel."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

_TYPES = {"int32": "i", "int64": "l", "float32": "f", "uint8": "b"}

Served = Callable[..., Any]  # (model, signature, output, **inputs) -> array, or a list of bytes


class Refused(Exception):
    """What the loader said."""


def compiled(folder: Path) -> Path:
    """The program `serve`."""
    home, program = Path(tf.__file__).parent, folder / "serve"
    command = ["gcc", str(Path(__file__).with_name("serve.c")), "-o", str(program), f"-I{home}/include", f"-L{home}"]
    command += ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{home}"]
    subprocess.run(command, check=True, timeout=300)
    return program


def signature(model: Path, name: str) -> Any:
    """A SignatureDef of a model."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((model / "saved_model.pb").read_bytes())
    return saved.meta_graphs[0].signature_def[name]


def served(program: Path, model: Path, name: str, output: str, **inputs: Any) -> Any:
    """An output of an endpoint, an array or a list of bytes. Raises Refused."""
    found = signature(model, name)
    assert set(found.inputs) == set(inputs), "a client sends them all"
    words = [str(program), str(model), found.outputs[output].name]
    for one, value in inputs.items():
        dtype = tf.as_dtype(found.inputs[one].dtype).name
        array = np.asarray(value)
        words += [found.inputs[one].name, _TYPES[dtype], ",".join(map(str, array.shape))]
        words.append(",".join(repr(float(number)) for number in array.flat))
    done = subprocess.run(words, capture_output=True, timeout=120)
    if done.returncode:
        raise Refused(done.stderr.decode())
    info = found.outputs[output]
    if info.dtype == tf.string.as_datatype_enum:
        return _strings(done.stdout)
    sizes = [one.size for one in info.tensor_shape.dim]
    return np.frombuffer(done.stdout, tf.as_dtype(info.dtype).as_numpy_dtype).reshape(sizes)


def _strings(content: bytes) -> list[bytes]:
    found = []
    while content:
        length = int.from_bytes(content[:8], "little")
        found.append(content[8 : 8 + length])
        content = content[8 + length :]
    return found
