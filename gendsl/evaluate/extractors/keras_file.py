"""The path of a `.keras` file in, the extractor that its model is out: its output, flattened."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.evaluate.extractor import Extractor, Features
from gendsl.evaluate.extractors.pictures import colour, sized
from gendsl.lower.errors import UserError


def keras_file(path: Path, shown: str, shape: tuple[int, ...], *, pictures: bool) -> Extractor:
    """The extractor of examples (*shape). Pictures are bytes, 0..255 as float32, resized to what the model takes.

    The file is read in Keras's safe mode: it cannot bring code of its own. Raises UserError where it is no such file,
    or its model takes something else.
    """
    import keras

    help = 'save the model with `model.save("features.keras")`; a model that takes pictures as floats of 0..255'
    try:
        with zipfile.ZipFile(path) as file:
            if "config.json" not in file.namelist():
                raise UserError(f'"{shown}" is an archive, and holds no Keras model', help)
        model: Any = keras.models.load_model(path, compile=False, safe_mode=True)
    except FileNotFoundError:
        raise UserError(f'there is no file "{shown}"', help) from None
    except zipfile.BadZipFile:
        raise UserError(f'"{shown}" is no `.keras` file', help) from None
    except UserError:
        raise
    except Exception as error:  # whatever Keras meets in a file
        raise UserError(f'"{shown}" cannot be loaded: {_first_line(error)}', help) from error
    takes = getattr(model, "input_shape", None)
    if not isinstance(takes, tuple) or len(takes) != len(shape) + 1:
        raise UserError(f'the model in "{shown}" takes {takes}, and an example is {shape}', help)
    side = takes[1] if pictures else None
    three = pictures and takes[-1] == 3

    def judged(values: tf.Tensor) -> tf.Tensor:
        x = colour(values) if three else values
        x = sized(x, side) if side is not None else tf.cast(x, tf.float32)
        out = model(x, training=False)
        out = out[0] if isinstance(out, list | tuple) else out
        return tf.reshape(tf.cast(out, tf.float32), (tf.shape(values)[0], -1))

    graph = tf.function(judged, reduce_retracing=True)

    def compute(values: NDArray[Any]) -> Features:
        return graph(tf.constant(values)).numpy(), None

    try:
        width = int(compute(np.zeros((1, *shape), np.uint8 if pictures else np.float32))[0].shape[1])
    except Exception as error:
        raise UserError(f'the model in "{shown}" cannot take an example: {_first_line(error)}', help) from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    resizing = "none" if side in (None, shape[0]) else f"bilinear to {side}x{side}"
    return Extractor("keras", digest, width, compute, resizing, "bytes as 0..255" if pictures else "as given")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
