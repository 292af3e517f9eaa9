"""Plans of networks in, Keras models out: names, inputs, counts, saving, depth, and Keras's own layers."""

from typing import Any

import keras
import numpy as np
import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.lower.networks import model_of
from gendsl.parts.keys import Key, drawing
from gendsl.parts.spectral_norm import SpectralNorm, layers_of
from gendsl.plan.plan import Layer, Network, Output
from gendsl.source import Source
from gendsl.vocabulary.layers.keras_layers import TABLE, keras_layer, keras_layer_names
from gendsl.vocabulary.types import Distribution, Tensor
from tests.lower.networks import call, features, label, network_of

FRAME = """
experiment test
param width = 4
data {{ source digits(); image range: -1..1; split train: 90%, test: 10%; batch 8 }}
{text}
network discriminator(x: image) -> logits(1) {{ flatten | dense 1 }}
train {{ objective gan(loss: nonsaturating); optimizer adam(2e-4); steps 10 }}
"""


def planned(text: str) -> Network:
    """The network `generator` of a text, checked."""
    problems = Problems()
    plan = check(Source("test.gen", FRAME.format(text=text)), problems)
    assert plan is not None, [diagnostic.message for diagnostic in problems]
    return plan.network("generator")


def counts(model: Any) -> tuple[int, int]:
    """Trainable numbers and others."""
    return tuple(
        sum(int(np.prod(variable.shape)) for variable in variables)
        for variables in (model.trainable_variables, model.non_trainable_variables)
    )


def test_a_model_reads_like_its_spec() -> None:
    network = planned("""
    block up(filters) { up_conv filters, kernel: 4, stride: 2 | batch_norm | relu }
    network generator(z: normal(64)) -> image {
      dense 2*2*4*width | batch_norm | relu as first | reshape 2, 2, 4*width
      up 2*width
      up width
      conv image.channels, kernel: 3 | tanh
    }""")
    model = model_of(network, labels=("first",))
    assert model.name == "generator"
    assert [layer.name for layer in model.layers] == ["z", *(layer.name for layer in network.layers)]
    assert [layer.name for layer in model.layers][1:4] == ["dense", "batch_norm", "first"]
    assert model.input_shape == (None, 64)
    assert model.output_shape == [(None, 8, 8, 1), (None, 64)]
    assert counts(model) == (network.weights, network.state)
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert all(layer.name[:12] in "\n".join(lines) for layer in network.layers)


CIFAR = """
experiment cifar
data { source tfds("cifar10"); image range: -1..1; batch 64 }
block up(filters) {
  parallel merge: add {
    path { batch_norm | relu | upsample 2 | conv filters, kernel: 3 | batch_norm | relu | conv filters, kernel: 3 }
    path { upsample 2 | conv filters, kernel: 1 }
  }
}
network generator(z: normal(128)) -> image {
  dense 4*4*256 | reshape 4, 4, 256
  repeat 3 { up 256 }
  batch_norm | relu | conv image.channels, kernel: 3 | tanh
}
network critic(x: image) -> logits(1) {
  parallel merge: add {
    path { conv 128, kernel: 3 | relu | conv 128, kernel: 3 | average_pool 2 }
    path { average_pool 2 | conv 128, kernel: 1 }
  }
  parallel merge: add {
    path { relu | conv 128, kernel: 3 | relu | conv 128, kernel: 3 | average_pool 2 }
    path { conv 128, kernel: 1 | average_pool 2 }
  }
  repeat 2 { residual { relu | conv 128, kernel: 3 | relu | conv 128, kernel: 3 } }
  relu | global_sum_pool | dense 1
}
train { objective wgan_gp(critic: critic); optimizer adam(2e-4); steps 10 }
"""


@pytest.mark.parametrize(("name", "weights"), [("generator", 4_276_739), ("critic", 1_053_825)])
def test_the_counts_of_wgan_gp(name: str, weights: int) -> None:
    """The residual networks of Miyato et al. 2018 for 32x32 pictures."""
    problems = Problems()
    plan = check(Source("cifar.gen", CIFAR), problems)
    assert plan is not None, [diagnostic.message for diagnostic in problems]
    network = plan.network(name)
    assert network.weights == weights
    assert counts(model_of(network)) == (weights, network.state)


def test_a_class_conditional_model_with_spectral_norm_is_saved_and_read_back(tmp_path: Any) -> None:
    network = network_of(
        [features("x", 8, 8, 1), label()],
        [
            ("conv", {"filters": 4, "stride": 2}, [0]),
            ("conditional_batch_norm", {"classes": 3}, [2, 1]),
            ("leaky_relu", {"slope": 0.1}),
            ("dropout", {"rate": 0.3}),
            ("minibatch_stddev", {}),
            ("attention", {"heads": 1, "width": 4, "position": "rotary"}),
            ("global_sum_pool", {}),
            ("dense", {"units": 1}),
            ("project", {"classes": 3}, [8, 1]),
            ("add", {}, [10, 9]),
        ],
        constrain=call("spectral_norm", "constraint"),
    )
    model = model_of(network, precision="mixed_bfloat16")
    assert [tensor.dtype for tensor in model.inputs] == ["float32", "int32"]
    assert model.dtype_policy is not None and model.outputs[0].dtype == "bfloat16"
    assert counts(model) == (network.weights, network.state)
    assert sum(isinstance(layer, SpectralNorm) for layer in layers_of(model)) == 4
    for layer in layers_of(model):
        kernels = [weight for weight in layer.trainable_variables if len(weight.shape) > 1]
        for estimate, weight in zip(getattr(layer, "norms", list)(), kernels, strict=False):
            matrix = weight.numpy().reshape(-1, weight.shape[-1])
            assert float(estimate) == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=0.2)
    inputs = [np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32"), np.array([0, 1, 2, 0])]
    with drawing(Key(0, "train", 0)):
        model(inputs, training=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for old, new in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(keras.ops.cast(model(inputs), "float32"), keras.ops.cast(again(inputs), "float32"))


def test_weights_have_the_same_paths_in_every_model_of_a_process() -> None:
    layer = call("gru", "layer", units=3)
    network = network_of([features("x", 5, 4)], [("bidirectional", {"layer": layer})])
    first, second = ([weight.path for weight in model_of(network).weights] for _ in range(2))
    assert first == second  # a checkpoint knows weights by their path


def test_init_of_a_network_and_of_a_layer() -> None:
    network = network_of(
        [features("x", 400)],
        [("dense", {"units": 400}), ("dense", {"units": 400, "init": call("zeros", "initializer")})],
        init=call("normal", "initializer", mean=0.0, std=0.02),
    )
    first, _, second, _ = model_of(network).get_weights()
    assert first.std() == pytest.approx(0.02, rel=0.05)
    assert not second.any()


def test_one_seed_gives_one_start() -> None:
    network = network_of([features("x", 4, 4, 2)], [("attention", {"heads": 2}), ("conv", {"filters": 3})])
    weights = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        weights.append(model_of(network).get_weights())
    assert all(np.array_equal(one, other) for one, other in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])
    assert not np.array_equal(weights[0][0], weights[0][2])  # queries and keys begin apart


def test_a_thousand_layers(tmp_path: Any) -> None:
    network = network_of([features("x", 2)], [("dense", {"units": 2}), *[("relu", {})] * 999])
    model = model_of(network)
    assert counts(model) == (6, 0)
    again = type(model).from_config(model.get_config())
    assert again.count_params() == 6
    assert model(np.ones((1, 2))).shape == (1, 2)


def test_networks_as_layers_share_their_weights() -> None:
    inner = network_of([features("x", 3)], [("dense", {"units": 3})], name="inner")
    layers = [Layer(f"inner_{n}", "network", {"network": "inner"}, (n,), (3,), 0, 0, 0) for n in range(2)]
    outer = Network("outer", (features("x", 3),), tuple(layers), (Output("", 2, Tensor((3,))),), {})
    shared = model_of(inner)
    model = model_of(outer, networks={"inner": shared})
    assert counts(model) == (12, 0)
    value = np.ones((2, 3), "float32")
    np.testing.assert_allclose(model(value), shared(shared(value)), rtol=1e-6)


def own_keras(word: str, arguments: dict[str, Any], shape: tuple[int, ...], result: Any, *more: Layer) -> Network:
    """A network that begins with a layer of Keras's own."""
    first = Layer("own", f"keras.{word}", arguments, (0,), None, 0, 0, 0)
    return Network("net", (features("x", *shape),), (first, *more), (Output("", 1 + len(more), result),), {})


def test_layers_of_keras() -> None:
    network = own_keras("Conv3D", {"filters": 2, "kernel_size": 3}, (5, 5, 5, 1), Tensor((3, 3, 3, 2)))
    assert model_of(network, precision="mixed_bfloat16").output_shape == (None, 3, 3, 3, 2)
    dense = Layer("dense", "dense", {"units": 3, "bias": True, "init": None, "constrain": None}, (1,), None, 0, 0, 0)
    network = own_keras("Flatten", {}, (2, 2, 1), Distribution("normal", (2,)), dense)
    with pytest.raises(UserError, match="declared to give 4, but its layers give 3"):
        model_of(network)


@pytest.mark.parametrize(
    ("word", "arguments", "shape", "message"),
    [
        ("Conv3D", {"filters": 2, "kernel_size": 3}, (5, 5), "cannot be built for 5x5"),
        ("Dense", {"units": -1}, (5,), "cannot be built"),
        ("Dropout", {"rate": 0.5}, (5,), "draws random numbers"),
        ("LSTM", {"units": 3, "return_state": True}, (5, 2), "does not give one tensor"),
    ],
)
def test_what_keras_cannot_do_is_told(word: str, arguments: dict[str, Any], shape: Any, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        model_of(own_keras(word, arguments, shape, Tensor((3,))))
    assert raised.value.help


def test_a_layer_behind_one_of_keras_is_checked_when_it_is_built() -> None:
    conv = Layer(
        "conv",
        "conv",
        {
            "filters": 2,
            "kernel": 3,
            "stride": 1,
            "padding": "same",
            "dilation": 1,
            "groups": 1,
            "bias": True,
            "init": None,
            "constrain": None,
        },
        (1,),
        None,
        0,
        0,
        0,
    )
    with pytest.raises(UserError, match="takes an image"):
        model_of(own_keras("Flatten", {}, (2, 2, 1), Tensor((2, 2, 2)), conv))


def test_the_table_of_keras_is_fresh() -> None:
    """`python -m gendsl.vocabulary.layers.keras_table` makes it so."""
    import json

    from gendsl.vocabulary.layers.keras_table import table_of_keras

    assert json.loads(TABLE.read_text(encoding="utf-8")) == json.loads(json.dumps(table_of_keras()))
    assert len(keras_layer_names()) > 100
    found = keras_layer("Conv3D")
    assert found is not None and found["arguments"]["filters"] == {"required": True}
    assert found["arguments"]["strides"] == {"required": False, "default": [1, 1, 1]}
    assert keras_layer("Lambda") is None
