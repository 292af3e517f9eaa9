"""Layers of spectral norm against the singular values and gradients of NumPy and finite differences."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.parts.film import Film
from gendsl.parts.project import Project
from gendsl.parts.spectral_norm import SPECTRAL, power_iteration
from tests.lower.drawn import LABELS, numbers


def spectral(cls: Any, *inputs: Any, **options: Any) -> Any:
    """A built layer of spectral norm whose vectors have settled."""
    layer = SPECTRAL[cls](**options)
    layer(*inputs)
    for _ in range(300):
        layer.power_iteration()
    return layer


@pytest.mark.parametrize(
    ("cls", "options", "inputs", "output_axes"),
    [
        (keras.layers.Dense, {"units": 5}, (numbers(4, 7),), (-1,)),
        (keras.layers.Conv1D, {"filters": 5, "kernel_size": 3}, (numbers(4, 8, 3),), (-1,)),
        (keras.layers.Conv2D, {"filters": 5, "kernel_size": 3}, (numbers(4, 8, 8, 3),), (-1,)),
        (keras.layers.Conv3D, {"filters": 5, "kernel_size": 3}, (numbers(4, 4, 4, 4, 3),), (-1,)),
        (keras.layers.Conv2DTranspose, {"filters": 5, "kernel_size": 3}, (numbers(4, 4, 4, 3),), (-2,)),
        (keras.layers.DepthwiseConv2D, {"kernel_size": 3, "depth_multiplier": 2}, (numbers(4, 8, 8, 3),), (-2, -1)),
        (keras.layers.Embedding, {"input_dim": 3, "output_dim": 5}, (LABELS,), (-1,)),
        (Project, {"classes": 3}, (numbers(4, 7), LABELS), (-1,)),
        (Film, {}, (numbers(4, 6), numbers(4, 7)), (-1,)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_spectral_norm_divides_by_the_largest_singular_value(
    cls: Any, options: dict[str, Any], inputs: Any, output_axes: Any
) -> None:
    layer = spectral(cls, *inputs, **options)
    kernel = layer.trainable_variables[0]
    matrix = kernel.numpy()
    axes = [axis % matrix.ndim for axis in output_axes]
    order = [axis for axis in range(matrix.ndim) if axis not in axes] + sorted(axes)
    width = int(np.prod([matrix.shape[axis] for axis in axes]))
    sigma = np.linalg.svd(matrix.transpose(order).reshape(-1, width), compute_uv=False)[0]
    np.testing.assert_allclose(layer.norms()[0], sigma, rtol=1e-4)
    plain = cls(**options)
    plain(*inputs)
    plain.set_weights([matrix / sigma, *layer.get_weights()[1 : len(plain.weights)]])
    np.testing.assert_allclose(layer(*inputs), plain(*inputs), rtol=1e-4, atol=1e-5)


def test_a_call_under_spectral_norm_changes_nothing() -> None:
    layer = spectral(keras.layers.Dense, numbers(4, 7), units=5)
    before = layer.get_weights()
    layer(numbers(4, 7), training=True)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    layer.kernel.assign(numbers(7, 5, seed=3))
    layer.power_iteration()
    assert not np.array_equal(before[2], layer.get_weights()[2])


@pytest.mark.parametrize("settled", [True, False])
def test_the_gradient_flows_through_sigma(settled: bool) -> None:
    """Against finite differences of w / (vᵀ w u) with u and v held: Miyato et al. 2018, equation 12."""
    value = numbers(4, 7)
    # With the vectors of another kernel sigma may be next to nothing; of this one it is not.
    layer = spectral(keras.layers.Dense, value, units=5, kernel_initializer=keras.initializers.GlorotUniform(seed=1))
    kernel = layer.kernel
    if not settled:
        kernel.assign(numbers(7, 5, seed=5))

    def loss() -> Any:
        return tf.reduce_sum(tf.sin(layer(value)) * numbers(4, 5, seed=1))

    with tf.GradientTape() as tape:
        found = loss()
    gradient = tape.gradient(found, kernel.value).numpy()
    base = kernel.numpy()
    for place in [(0, 0), (3, 2), (6, 4)]:
        change = np.zeros_like(base)
        change[place] = 1e-2
        kernel.assign(base + change)
        above = loss()
        kernel.assign(base - change)
        assert gradient[place] == pytest.approx(float(above - loss()) / 2e-2, rel=2e-2, abs=2e-3)
        kernel.assign(base)


def test_spectral_norm_in_a_graph_in_bfloat16() -> None:
    inputs = keras.Input((7,))
    layer = SPECTRAL[keras.layers.Dense](5, dtype="mixed_bfloat16")
    model = keras.Model(inputs, layer(inputs))

    @tf.function
    def step(value: Any) -> Any:
        power_iteration(model)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(model(value, training=True), tf.float32))
        return tape.gradient(loss, model.trainable_variables)

    for _ in range(100):
        gradients = step(numbers(4, 7))
    assert model(numbers(4, 7)).dtype == tf.bfloat16
    assert [variable.dtype for variable in model.variables] == ["float32"] * 4
    assert gradients[0].dtype == tf.float32
    sigma = np.linalg.svd(layer.kernel.numpy(), compute_uv=False)[0]
    np.testing.assert_allclose(layer.norms()[0], sigma, rtol=1e-4)


def test_power_iteration_leaves_models_inside_a_model_alone() -> None:
    inner = keras.Sequential([keras.Input((7,)), SPECTRAL[keras.layers.Dense](5)])
    inputs = keras.Input((7,))
    outer = SPECTRAL[keras.layers.Dense](3)
    model = keras.Model(inputs, outer(inner(inputs)))
    before = [weight.numpy() for weight in inner.non_trainable_variables]
    held = [weight.numpy() for weight in outer.non_trainable_variables]
    power_iteration(model)
    for old, weight in zip(before, inner.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, weight.numpy())
    assert any((old != weight.numpy()).any() for old, weight in zip(held, outer.non_trainable_variables, strict=True))
