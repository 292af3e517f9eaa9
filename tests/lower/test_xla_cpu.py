"""What is written for XLA on processors gives what Keras gives: values, gradients, and the gradients of gradients."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.data import dataset_of
from gendsl.lower.training import experiment_of
from gendsl.parts.activation import Function
from gendsl.parts.gated import Gated
from gendsl.parts.projections import add_projections, projected_at_once
from gendsl.parts.xla_cpu import (
    SAME,
    Dense,
    LayerNormalization,
    RMSNormalization,
    compiled_for_processors,
    global_norm,
    linear,
    softmax,
)
from gendsl.run.loop import EMPTY, Stepper
from gendsl.source import Source
from tests.lower import drawn


def numbers(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(drawn.numbers(*shape, seed=seed))


class AtOnce(keras.layers.Layer):
    """Three maps by one product."""

    use_bias = True
    kernel_initializer = keras.initializers.GlorotUniform(seed=1)

    def build(self, shape: Any) -> None:
        add_projections(self, {"a": (shape[-1], 4), "b": (shape[-1], 2), "c": (shape[-1], 6)})

    def call(self, inputs: Any) -> Any:
        first, second, third = projected_at_once(self, inputs, ("a", "b", "c"))
        return tf.concat([first * 2.0, tf.square(second), third], -1)


class Softmax(keras.layers.Layer):
    """The softmax of the last axis."""

    def call(self, inputs: Any) -> Any:
        return softmax(inputs)


def layers() -> Iterator[Any]:
    for units in (3, 6, 11):  # fewer, as many and more than come in
        for bias in (True, False):
            yield pytest.param(Dense, {"units": units, "use_bias": bias}, id=f"dense-{units}-{bias}")
    yield pytest.param(Dense, {"units": 5, "activation": "tanh"}, id="dense-tanh")
    for scale in (True, False):
        for center in (True, False):
            yield pytest.param(LayerNormalization, {"scale": scale, "center": center}, id=f"layer-{scale}-{center}")
    yield pytest.param(RMSNormalization, {"epsilon": 1e-5}, id="rms")
    yield pytest.param(Function, {"function": "gelu", "arguments": {}}, id="gelu")
    yield pytest.param(Function, {"function": "gelu", "arguments": {"approximate": True}}, id="gelu-tanh")
    yield pytest.param(Gated, {"gate": "gelu"}, id="glu-gelu")
    yield pytest.param(Softmax, {}, id="softmax")
    yield pytest.param(AtOnce, {}, id="at-once")


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """By XLA, as a training step is."""
    return tf.function(compiled_for_processors()(function), jit_compile=True, autograph=False)


@pytest.mark.parametrize("shape", [(7, 6), (2, 5, 6)], ids=str)
@pytest.mark.parametrize(("cls", "options"), [*layers()])
def test_values_and_gradients_are_those_of_keras(cls: Any, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    layer, inputs = cls(**options), numbers(*shape)
    layer.build(inputs.shape)
    for number, variable in enumerate(layer.trainable_variables):
        variable.assign(numbers(*variable.shape, seed=10 + number))
    weights = [variable.value for variable in layer.trainable_variables]
    other = numbers(*layer(inputs).shape, seed=1)

    def all_of_it(inputs: tf.Tensor) -> Any:
        """The result, its gradients, and those of a penalty of the inputs' gradient (Gulrajani et al. 2017)."""
        with tf.GradientTape() as outer:
            outer.watch([inputs, *weights])
            with tf.GradientTape() as tape:
                tape.watch([inputs, *weights])
                result = layer(inputs)
                score = tf.reduce_sum(tf.sin(result) * other)
            slopes = tape.gradient(score, [inputs, *weights])
            penalty = tf.reduce_sum(tf.square(slopes[0])) + sum(tf.reduce_sum(slope**3) for slope in slopes[1:])
        return result, slopes, outer.gradient(penalty, [inputs, *weights])

    wanted = tf.nest.flatten(tf.function(all_of_it, autograph=False)(inputs))
    found = tf.nest.flatten(compiled(all_of_it)(inputs))
    for one, two in zip(found, wanted, strict=True):
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, rtol=2e-4, atol=2e-4 * float(tf.reduce_max(tf.abs(two))))
    assert cls in (AtOnce, Function, Gated, Softmax) or cls in SAME.values()


def test_the_global_norm_is_tensorflows() -> None:
    gradients = [numbers(6, 5), numbers(5, seed=1), numbers(2, 3, 4, seed=2), numbers(seed=3)]
    norm = tf.linalg.global_norm(gradients)
    for chosen in (gradients, gradients[::2], gradients[1:2]):
        with compiled_for_processors():
            found = global_norm(chosen)
        np.testing.assert_allclose(found, tf.linalg.global_norm(chosen), rtol=1e-6)
    assert global_norm(gradients) is None, "outside of XLA it is TensorFlow's own"
    with compiled_for_processors():
        assert global_norm([gradients[0], tf.cast(gradients[1], tf.bfloat16)]) is None
    assert float(norm) > 0


def test_a_kernels_gradient_goes_along_no_left_factor_that_lies_across() -> None:
    """XLA's program transposes before it multiplies: that is what makes it faster."""
    inputs, kernel, bias = numbers(64, 16), numbers(16, 32), numbers(32)

    def slopes(inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([kernel, bias])
            result = tf.reduce_sum(tf.sin(linear(inputs, kernel, bias)))
        return tape.gradient(result, [kernel, bias])

    def products(function: Any) -> list[str]:
        text = function.experimental_get_compiler_ir(inputs, kernel, bias)(stage="optimized_hlo")
        return [line for line in text.splitlines() if " dot(" in line]

    plainly = tf.function(slopes, jit_compile=True, autograph=False)
    assert any("lhs_contracting_dims={0}" in line for line in products(plainly))
    found = products(compiled(slopes))
    assert len(found) == 2
    assert all("lhs_contracting_dims={1}" in line for line in found)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64])
def test_other_numbers_take_the_way_of_keras(dtype: tf.DType) -> None:
    inputs, kernel = tf.cast(numbers(4, 3), dtype), tf.cast(numbers(3, 2), dtype)
    with compiled_for_processors():
        assert linear(inputs, kernel).dtype == dtype
        assert softmax(inputs).dtype == dtype
    np.testing.assert_array_equal(linear(inputs, kernel), tf.matmul(inputs, kernel))


def test_what_is_traced_elsewhere_is_not_written_for_xla() -> None:
    with compiled_for_processors():
        pass
    text = str(tf.function(lambda value: softmax(value)).get_concrete_function(numbers(3, 4)).graph.as_graph_def())
    assert "MatMul" not in text


SPEC = """experiment words
data { source text("*.txt"); window 8; batch 4 }
network model(tokens: text) -> categorical(text.vocabulary)RECOMPUTE {
  embed text.vocabulary, 16 as table | position_embed
  LAYERS
}
train {
  update model, with: sgd(1e-1) { minimize next_token(model, text) }
  clip norm: 0.5
  steps 9
  SETTINGS
}
sample { text = mode(model(text)) }
"""
GPT = "residual { layer_norm | attention heads: 2, causal: on } | residual { layer_norm | dense 64 | gelu | dense 16 }"
LLAMA = "residual { rms_norm | attention heads: 4, groups: 2, causal: on, position: rotary, bias: off } | rms_norm"


@pytest.mark.parametrize(
    ("settings", "recompute"), [("", ""), ("accumulate 2", ", recompute: on")], ids=["", "in parts"]
)
@pytest.mark.parametrize(
    "layers", [f"{GPT} | layer_norm | unembed table", f"{LLAMA} | glu gelu | dense text.vocabulary"]
)
def test_transformers_learn_the_same(tmp_path: Path, layers: str, settings: str, recompute: str) -> None:
    (tmp_path / "a.txt").write_text("some words, and some words more. " * 20)

    def trained(jit: str) -> dict[str, np.ndarray]:
        text = (
            SPEC.replace("LAYERS", layers)
            .replace("SETTINGS", f"{settings}\n  jit {jit}")
            .replace("RECOMPUTE", recompute)
        )
        problems = Problems()
        plan = check(Source("words.gen", text), problems, folder=str(tmp_path))
        assert plan is not None, [*problems]
        dataset = dataset_of(plan, str(tmp_path))
        experiment = experiment_of(plan, examples=dataset.sizes["train"])
        Stepper(experiment, dataset).run(0, 3, EMPTY)
        return {name: value.numpy() for name, value in experiment.state().items()}

    plainly, by_xla = trained("off"), trained("on")
    for name, value in plainly.items():
        np.testing.assert_allclose(by_xla[name], value, rtol=1e-4, atol=2e-6, err_msg=name)
