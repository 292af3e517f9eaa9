"""An exported model and inputs in, its outputs out: by a C program against the libraries in TensorFlow's wheel."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

_TYPES = {"int32": "i", "int64": "l", "float32": "f", "uint8": "b"}

Request = tuple[str, str, Mapping[str, Any]]  # a signature, an output, the inputs


class Refused(Exception):
    """What a model said of a request."""


def compiled(folder: Path) -> Path:
    """The program `serve`."""
    home, program = Path(tf.__file__).parent, folder / "serve"
    command = ["gcc", str(Path(__file__).with_name("serve.c")), "-o", str(program), f"-I{home}/include", f"-L{home}"]
    command += ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{home}"]
    subprocess.run(command, check=True, timeout=300)
    return program


class Server:
    """Calls endpoints through the C++ loader, which TF Serving uses: a Python reload proves nothing."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def __call__(self, model: Path, name: str, output: str, **inputs: Any) -> Any:
        """An output of an endpoint, an array or a list of bytes. Raises Refused."""
        (answer,) = self.all(model, [(name, output, inputs)])
        if isinstance(answer, Refused):
            raise answer
        return answer

    def all(self, model: Path, requests: Sequence[Request]) -> list[Any]:
        """The answers to requests of a model that is loaded once; a Refused in the place of one that is refused."""
        saved = saved_model_pb2.SavedModel()
        saved.ParseFromString((model / "saved_model.pb").read_bytes())
        signatures = saved.meta_graphs[0].signature_def
        words = [str(self._program), str(model)]
        for place, (name, output, inputs) in enumerate(requests):
            found = signatures[name]
            assert set(found.inputs) == set(inputs), "a client sends them all"
            words += ["--"] * (place > 0) + [found.outputs[output].name]
            for one, value in inputs.items():
                array = np.asarray(value)
                words += [found.inputs[one].name, _TYPES[tf.as_dtype(found.inputs[one].dtype).name]]
                words += [",".join(map(str, array.shape)), ",".join(repr(float(number)) for number in array.flat)]
        done = subprocess.run(words, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr.decode()
        content, answers = done.stdout, []
        for name, output, _ in requests:
            size = int.from_bytes(content[1:9], "little")
            answers.append(_answer(content[:1], content[9 : 9 + size], signatures[name].outputs[output]))
            content = content[9 + size :]
        return answers


def _answer(letter: bytes, content: bytes, told: Any) -> Any:
    if letter == b"e":
        return Refused(content.decode())
    if letter == b"s":
        return _strings(content)
    sizes = [one.size for one in told.tensor_shape.dim]
    numbers = np.frombuffer(content, tf.as_dtype(told.dtype).as_numpy_dtype)
    return numbers.reshape([0 if size < 0 else size for size in sizes] if not len(numbers) else sizes)


def _strings(content: bytes) -> list[bytes]:
    found = []
    while content:
        length = int.from_bytes(content[:8], "little")
        found.append(content[8 : 8 + length])
        content = content[8 + length :]
    return found
