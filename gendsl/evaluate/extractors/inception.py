"""TF-GAN's Inception module on disk in, the extractor that the literature's FID is taken with out.

The module is the SavedModel tfgan/eval/inception/1 of TensorFlow Hub: 2,048 pooled features and the logits of 1,008
classes, of pictures of 299x299 in -1..1 (Heusel et al. 2017 as TF-GAN computes it). It is never downloaded here.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from gendsl.evaluate.cache import cache_folder
from gendsl.evaluate.extractor import Extractor, Features
from gendsl.evaluate.extractors.pictures import colour, sized
from gendsl.lower.errors import UserError

_HANDLE = "https://tfhub.dev/tensorflow/tfgan/eval/inception/1"
_SIDE = 299


def inception() -> Extractor:
    """The extractor. Raises UserError where the module is not on this machine, or is another one."""
    folder = module_folder()
    try:
        module: Any = tf.saved_model.load(str(folder))
    except Exception as error:  # whatever TensorFlow meets in a folder
        raise UserError(f"{folder} is no SavedModel that can be loaded: {error}", _help()) from error

    def judged(pictures: tf.Tensor) -> Any:
        return module((sized(colour(pictures), _SIDE) - 127.5) / 127.5)

    graph = tf.function(judged, reduce_retracing=True)

    try:
        found = graph(tf.zeros((1, 8, 8, 3), tf.uint8))
        width, classes = int(found["pool_3"].shape[-1]), int(found["logits"].shape[-1])
    except Exception as error:
        raise UserError(f"the module in {folder} is not TF-GAN's Inception: {error}", _help()) from error

    def compute(values: NDArray[Any]) -> Features:
        out = graph(tf.constant(values))
        return tf.reshape(out["pool_3"], (len(values), -1)).numpy(), tf.nn.softmax(out["logits"]).numpy()

    resizing = f"bilinear to {_SIDE}x{_SIDE}"
    return Extractor("inception", _digest(folder), width, compute, resizing, "bytes to -1..1", classes=classes)


def module_folder() -> Path:
    """Where the module lies: `$GENDSL_INCEPTION`, TensorFlow Hub's cache, or gendsl's. Raises UserError elsewhere."""
    found = next((folder for folder in _places() if (folder / "saved_model.pb").is_file()), None)
    if found is None:
        raise UserError("the Inception module is not on this machine, and nothing is downloaded unasked", _help())
    return found


def _places() -> Iterator[Path]:
    if own := os.environ.get("GENDSL_INCEPTION"):
        yield Path(own)
        return
    hub = os.environ.get("TFHUB_CACHE_DIR")
    if hub:
        yield Path(hub) / hashlib.sha1(_HANDLE.encode()).hexdigest()
    yield cache_folder() / "inception"


def _help() -> str:
    return (
        f"download {_HANDLE}?tf-hub-format=compressed, unpack it into {cache_folder() / 'inception'} (or any folder "
        "that the variable GENDSL_INCEPTION names); or write `features: lite0`, whose score is not called FID"
    )


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "fingerprint.pb":
            found.update(str(path.relative_to(folder)).encode())
            found.update(path.read_bytes())
    return found.hexdigest()
