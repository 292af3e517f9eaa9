"""The weights of EfficientNet-Lite0 by their names in PyTorch in, its Keras model out: features and logits of pictures.

EfficientNet (Tan & Le 2019) without squeeze-and-excitation and with relu6, its stem and head unscaled: inverted
bottlenecks (Sandler et al. 2018), each an expansion, a depthwise convolution and a projection.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

# repeats, kernel, stride, expansion, channels out: table 1 of the paper
_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
           (1, 3, 1, 6, 320))  # fmt: skip
_EPSILON = 1e-3
Weights = Mapping[str, NDArray[Any]]


def lite0_model(weights: Weights) -> keras.Model:
    """A model of pictures (n, side, side, 3) in (x - 127) / 128: [features (n, 1280), logits (n, 1000)].

    Raises KeyError or ValueError where the weights are not those of this network.
    """
    inputs = keras.Input((None, None, 3), dtype="float32")
    x = _relu(_normed(_convolution(inputs, weights["_conv_stem.weight"], 2), weights, "_bn0"))
    number, channels = 0, 32
    for repeats, kernel, stride, expansion, out in _STAGES:
        for repeat in range(repeats):
            x = _bottleneck(x, weights, f"_blocks.{number}", kernel, stride if repeat == 0 else 1, expansion, out)
            number, channels = number + 1, out
    assert channels == 320
    x = _relu(_normed(_convolution(x, weights["_conv_head.weight"], 1), weights, "_bn1"))
    features = keras.layers.GlobalAveragePooling2D(dtype="float32")(x)
    head = keras.layers.Dense(1000, dtype="float32")
    logits = head(features)
    head.set_weights([weights["_fc.weight"].T, weights["_fc.bias"]])
    return keras.Model(inputs, [features, logits], name="lite0", trainable=False)


def _bottleneck(x: Any, weights: Weights, name: str, kernel: int, stride: int, expansion: int, out: int) -> Any:
    before = x
    if expansion > 1:
        x = _relu(_normed(_convolution(x, weights[f"{name}._expand_conv.weight"], 1), weights, f"{name}._bn0"))
    depthwise = keras.layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, dtype="float32")
    x = depthwise(x)
    depthwise.set_weights([weights[f"{name}._depthwise_conv.weight"].transpose(2, 3, 0, 1)])
    x = _relu(_normed(x, weights, f"{name}._bn1"))
    x = _normed(_convolution(x, weights[f"{name}._project_conv.weight"], 1), weights, f"{name}._bn2")
    return keras.layers.Add(dtype="float32")([x, before]) if stride == 1 and before.shape[-1] == out else x


def _convolution(x: Any, weight: NDArray[Any], stride: int) -> Any:
    """TensorFlow's "same" padding: the weights were trained with it."""
    layer = keras.layers.Conv2D(
        weight.shape[0], weight.shape[2:], stride, padding="same", use_bias=False, dtype="float32"
    )
    y = layer(x)
    layer.set_weights([weight.transpose(2, 3, 1, 0)])
    return y


def _normed(x: Any, weights: Weights, name: str) -> Any:
    layer = keras.layers.BatchNormalization(epsilon=_EPSILON, dtype="float32")
    y = layer(x)
    parts = ("weight", "bias", "running_mean", "running_var")
    layer.set_weights([np.asarray(weights[f"{name}.{part}"], np.float32) for part in parts])
    return y


def _relu(x: Any) -> Any:
    return keras.layers.ReLU(6.0, dtype="float32")(x)
