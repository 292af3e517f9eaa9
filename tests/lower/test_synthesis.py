"""The layers of large image GANs, the equalised learning rate and the kernels' penalty against NumPy."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.parts.equalized import EQUALIZED
from gendsl.parts.film import Film
from gendsl.parts.inject_noise import InjectNoise
from gendsl.parts.kernels import kernels_of, orthogonality
from gendsl.parts.keys import Key, drawing
from gendsl.parts.learned_constant import LearnedConstant
from gendsl.parts.maxout import Maxout
from gendsl.parts.modulated_conv import ModulatedConv
from gendsl.parts.scale import Scale
from gendsl.parts.self_attention import SelfAttention
from gendsl.parts.slice import Slice
from gendsl.parts.spectral_norm import SPECTRAL


def numbers(*shape: int, seed: int = 0) -> Any:
    """Normal numbers, float32."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def filled(layer: Any, *inputs: Any) -> Any:
    """A layer, built, with random weights."""
    layer(*inputs)
    layer.set_weights([numbers(*weight.shape, seed=7 + place) for place, weight in enumerate(layer.get_weights())])
    return layer


def softmax(scores: Any) -> Any:
    shifted = np.exp(scores - scores.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def pooled(images: Any, size: int) -> Any:
    batch, height, width, channels = images.shape
    return images.reshape(batch, height // size, size, width // size, size, channels).max((2, 4))


@pytest.mark.parametrize("pool", [1, 2])
def test_self_attention_is_sagans(pool: int) -> None:
    images = numbers(2, 4, 4, 8)
    layer = filled(SelfAttention(reduce=4, values=2, pool=pool, use_bias=True), images)
    held = {weight.name: weight.numpy() for weight in layer.weights}
    query, key, value = (images @ held[f"{name}_kernel"] + held[f"{name}_bias"] for name in ("query", "key", "value"))
    key, value = pooled(key, pool), pooled(value, pool)
    weights = softmax(query.reshape(2, 16, 2) @ key.reshape(2, -1, 2).transpose(0, 2, 1))
    seen = (weights @ value.reshape(2, -1, 4)) @ held["output_kernel"] + held["output_bias"]
    expected = images + held["gamma"] * seen.reshape(images.shape)
    np.testing.assert_allclose(layer(images), expected, rtol=1e-4, atol=1e-5)


def test_self_attention_begins_as_the_identity() -> None:
    images = numbers(2, 4, 4, 8)
    np.testing.assert_array_equal(SelfAttention()(images), images)


def convolved(image: Any, kernel: Any) -> Any:
    """A convolution (h, w, filters) of one image, padded by zeros to keep its size."""
    size, (height, width) = kernel.shape[0], image.shape[:2]
    before = (size - 1) // 2
    padded = np.pad(image, ((before, size - 1 - before), (before, size - 1 - before), (0, 0)))
    out = np.zeros((height, width, kernel.shape[-1]))
    for row in range(size):
        for column in range(size):
            out += padded[row : row + height, column : column + width] @ kernel[row, column]
    return out


@pytest.mark.parametrize(("kernel_size", "demodulate"), [(3, True), (1, False), (3, False)])
def test_a_modulated_convolution_scales_each_examples_kernel(kernel_size: int, demodulate: bool) -> None:
    images, style = numbers(2, 5, 4, 3), numbers(2, 6, seed=1)
    layer = filled(ModulatedConv(4, kernel_size=kernel_size, demodulate=demodulate), images, style)
    held = {weight.name: weight.numpy() for weight in layer.weights}
    scales = 1 + style @ held["style_kernel"] + held["style_bias"]
    for number in range(2):
        own = held["kernel"] * scales[number][None, None, :, None]
        if demodulate:
            own = own / np.sqrt((own**2).sum((0, 1, 2)) + 1e-8)
        expected = convolved(images[number], own) + held["bias"]
        np.testing.assert_allclose(layer(images, style)[number], expected, rtol=1e-4, atol=1e-5)


def test_a_modulated_upsampling_is_a_convolution_of_the_widened_image_and_a_blur() -> None:
    images, style = numbers(1, 4, 3, 2), np.zeros((1, 5), "float32")
    layer = ModulatedConv(3, upsample=2, demodulate=False, use_bias=False)
    layer(images, style)
    kernel = layer.kernel.numpy()
    wide = np.zeros((8 + 8, 6 + 8, 2))  # zeros between the pixels, and a margin for both filters
    wide[4:-4:2, 4:-4:2] = images[0]
    grown = convolved(wide, kernel)
    line = np.array([1, 3, 3, 1]) / 4
    blur = line[:, None] * line
    expected = np.zeros((8, 6, 3))
    for row in range(4):
        for column in range(4):
            expected += blur[row, column] * grown[row + 2 : row + 10, column + 2 : column + 8]
    np.testing.assert_allclose(layer(images, style)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 8])
def test_an_upsampled_constant_stays_one_inside(size: int) -> None:
    layer = ModulatedConv(1, size, upsample=2, demodulate=False, use_bias=False)
    images, style = np.ones((1, 12, 12, 1), "float32"), np.zeros((1, 2), "float32")
    layer(images, style)
    layer.kernel.assign(np.ones((size, size, 1, 1)) / size**2)
    found = layer(images, style)
    assert found.shape == (1, 24, 24, 1)
    np.testing.assert_allclose(found[0, 6:-6, 6:-6], 1, rtol=1e-5)


def test_injected_noise_is_one_number_a_place_in_training_and_out_of_it() -> None:
    images = numbers(2, 4, 4, 3)
    layer = InjectNoise(name="noise")
    with drawing(Key(0, "test", 0)):
        np.testing.assert_array_equal(layer(images), images)
        layer.strength.assign(2.0)
        first, second = layer(images, training=True), layer(images, training=False)
    np.testing.assert_array_equal(first, second)
    noise = (first.numpy() - images) / 2
    np.testing.assert_allclose(noise, np.repeat(noise[..., :1], 3, -1), atol=1e-5)
    expected = Key(0, "test", 0).at("noise").normal([2, 4, 4, 1])
    np.testing.assert_allclose(noise[..., :1], expected, atol=1e-5)
    with pytest.raises(RuntimeError, match="draws outside"):
        layer(images, training=True)
    np.testing.assert_array_equal(layer(images), images)


def test_small_layers() -> None:
    given = numbers(3, 5, 6)
    np.testing.assert_array_equal(Slice(2, start=3)(given), given[..., 3:5])
    np.testing.assert_array_equal(Maxout(3)(given), given.reshape(3, 5, 2, 3).max(-1))
    np.testing.assert_allclose(Scale(1.5)(given), 1.5 * given)
    constant = LearnedConstant((2, 2, 4))
    np.testing.assert_array_equal(constant(given), np.broadcast_to(constant.constant.numpy(), (3, 2, 2, 4)))


def test_film_without_a_bias_is_linear_in_its_features() -> None:
    given, features = numbers(4, 6), numbers(4, 7, seed=1)
    layer = filled(Film(use_bias=False), given, features)
    (kernel,) = layer.get_weights()
    scale, shift = np.split(features @ kernel, 2, axis=-1)
    np.testing.assert_allclose(layer(given, features), (1 + scale) * given + shift, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rate", [1.0, 0.01])
@pytest.mark.parametrize(
    ("cls", "options", "shapes", "fan_in"),
    [
        (keras.layers.Dense, {"units": 5}, [(7,)], 7),
        (keras.layers.Conv2D, {"filters": 5, "kernel_size": 3}, [(8, 8, 3)], 27),
        (keras.layers.Conv2DTranspose, {"filters": 5, "kernel_size": 3}, [(4, 4, 3)], 27),
        (keras.layers.DepthwiseConv2D, {"kernel_size": 3, "depth_multiplier": 2}, [(8, 8, 3)], 9),
        (Film, {}, [(6,), (7,)], 7),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_equalised_kernels_are_multiplied_by_rate_over_root_fan_in(
    cls: Any, options: Any, shapes: Any, fan_in: int, rate: float
) -> None:
    inputs = [numbers(4, *shape, seed=place) for place, shape in enumerate(shapes)]
    layer = filled(EQUALIZED[cls](rate=rate, **options), *inputs)
    kernel, bias = layer.get_weights()
    plain = cls(**options)
    plain(*inputs)
    plain.set_weights([kernel * rate / np.sqrt(fan_in), bias * rate])
    np.testing.assert_allclose(layer(*inputs), plain(*inputs), rtol=1e-4, atol=1e-5)
    assert layer.kernel is not None and np.array_equal(layer.get_weights()[0], kernel), "a call changes nothing"
    again = type(layer).from_config(layer.get_config())
    assert again.rate == rate


def test_adam_moves_an_equalised_layer_at_one_pace() -> None:
    """A step of Adam changes a kernel by the rate of learning times rate / sqrt(fan_in), whatever its gradient."""
    moved = []
    for rate in (1.0, 0.01):
        layer = EQUALIZED[keras.layers.Dense](4, rate=rate)
        given = numbers(8, 9)
        layer(given)
        before = layer.kernel.numpy() * rate / 3
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(given))
        optimizer = keras.optimizers.Adam(1e-3)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables, strict=True)
        )
        moved.append(np.abs(layer.kernel.numpy() * rate / 3 - before).max())
    np.testing.assert_allclose(moved, [1e-3 / 3, 1e-5 / 3], rtol=1e-2)


def test_orthogonality_is_brocks_equation_3() -> None:
    inputs = keras.Input((4, 4, 3))
    value = keras.layers.Conv2D(5, 3, name="conv")(inputs)
    value = SPECTRAL[keras.layers.Conv2DTranspose](2, 3, name="up")(value)
    value = keras.layers.Flatten()(value)
    value = keras.layers.Dense(4, name="dense")(value)
    label = keras.Input((), dtype="int32")
    model = keras.Model([inputs, label], [value, keras.layers.Embedding(3, 2)(label)])
    expected = 0.0
    for name, axis in (("conv", -1), ("up", -2), ("dense", -1)):
        kernel = model.get_layer(name).trainable_variables[0].numpy()
        columns = np.moveaxis(kernel, axis, -1).reshape(-1, kernel.shape[axis])
        products = columns.T @ columns
        expected += ((products * (1 - np.eye(len(products)))) ** 2).sum()
    assert float(orthogonality(model)) == pytest.approx(expected, rel=1e-5)
    assert len(list(kernels_of(model))) == 3, "an embedding is no kernel"


def test_orthogonal_kernels_have_no_penalty() -> None:
    layer = keras.layers.Dense(4, kernel_initializer=keras.initializers.Orthogonal(gain=3.0, seed=1))
    model = keras.Sequential([keras.Input((6,)), layer])
    assert float(orthogonality(model)) < 1e-9
    layer.kernel.assign(np.ones((6, 4)))
    assert float(orthogonality(model)) == pytest.approx(12 * 36)
