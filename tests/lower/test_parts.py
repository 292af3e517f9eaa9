"""The layers of `parts/` against NumPy, finite differences and the papers' formulas."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.parts.adain import Adain
from gendsl.parts.attention import Attention, rotary
from gendsl.parts.batch_norm import BatchNorm
from gendsl.parts.blur import Blur
from gendsl.parts.clipping import clip_layer, clip_weights
from gendsl.parts.conditional_batch_norm import ConditionalBatchNorm
from gendsl.parts.dropout import Dropout
from gendsl.parts.film import Film
from gendsl.parts.gaussian_noise import GaussianNoise
from gendsl.parts.keys import Key, Share, drawing
from gendsl.parts.minibatch_stddev import MinibatchStddev
from gendsl.parts.pack import Pack
from gendsl.parts.pixel_norm import PixelNorm
from gendsl.parts.pixel_shuffle import PixelShuffle
from gendsl.parts.position_embed import PositionEmbed
from gendsl.parts.project import Project
from gendsl.parts.rectifier import Rectifier
from gendsl.parts.spectral_norm import SPECTRAL, power_iteration
from gendsl.parts.time_embed import TimeEmbed


def numbers(*shape: int, seed: int = 0) -> Any:
    """Normal numbers, float32."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def spectral(cls: Any, *inputs: Any, **options: Any) -> Any:
    """A built layer of spectral norm whose vectors have settled."""
    layer = SPECTRAL[cls](**options)
    layer(*inputs)
    for _ in range(300):
        layer.power_iteration()
    return layer


LABELS = np.array([0, 2, 1, 2], "int32")


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


def test_clip_weights() -> None:
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(5), keras.layers.Dense(5)])
    clip_layer(model.layers[0], 0.01)
    clip_weights(model)
    assert np.abs(model.layers[0].get_weights()[0]).max() <= 0.01
    assert np.abs(model.layers[1].get_weights()[0]).max() > 0.01


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_conditional_batch_norm_is_batch_norm_with_an_affine_a_class(dtype: str) -> None:
    value = numbers(4, 3, 3, 2) * 3 + 1
    ours, keras_own = ConditionalBatchNorm(3, dtype=dtype), keras.layers.BatchNormalization(scale=False, center=False)
    for _ in range(2):
        plain = np.array(keras_own(value, training=True))
        found = np.array(tf.cast(ours(value, LABELS, training=True), tf.float32))
    close = {"atol": 2e-5} if dtype == "float32" else {"atol": 3e-2}
    np.testing.assert_allclose(found, plain, **close)
    np.testing.assert_allclose(ours.moving_mean, keras_own.moving_mean, atol=1e-2 if dtype != "float32" else 1e-6)
    assert [v.dtype for v in ours.variables] == ["float32"] * 4
    gain, bias = numbers(3, 2, seed=1), numbers(3, 2, seed=2)
    ours.gamma.assign(gain)
    ours.beta.assign(bias)
    plain = np.array(keras_own(value, training=False))
    expected = plain * gain[LABELS][:, None, None] + bias[LABELS][:, None, None]
    np.testing.assert_allclose(
        tf.cast(ours(value, LABELS, training=False), tf.float32), expected, atol=10 * close["atol"]
    )


def test_instance_norm_of_keras() -> None:
    """`instance_norm` is Keras's group norm with one channel a group."""
    value = numbers(2, 4, 5, 3) * 2 + 3
    found = keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)(value)
    mean, variance = value.mean((1, 2), keepdims=True), value.var((1, 2), keepdims=True)
    np.testing.assert_allclose(found, (value - mean) / np.sqrt(variance + 1e-5), atol=1e-5)


def test_pixel_norm() -> None:
    value = numbers(2, 4, 4, 3)
    expected = value / np.sqrt((value**2).mean(-1, keepdims=True) + 1e-8)
    np.testing.assert_allclose(PixelNorm()(value), expected, rtol=1e-5)


@pytest.mark.parametrize(("batch", "group"), [(8, 4), (6, 4), (5, 4), (2, 4)])
def test_minibatch_stddev(batch: int, group: int) -> None:
    value = numbers(batch, 3, 3, 2)
    size = max(divisor for divisor in range(1, group + 1) if batch % divisor == 0)
    grouped = value.reshape(size, batch // size, 3, 3, 2)
    average = np.sqrt(grouped.var(0) + 1e-8).mean((1, 2, 3))  # (groups,)
    found = np.array(MinibatchStddev(group)(value))
    np.testing.assert_allclose(found[..., :2], value)
    for example in range(batch):
        np.testing.assert_allclose(found[example, :, :, 2], average[example % (batch // size)], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_blur(kernel: int, stride: int) -> None:
    value = numbers(2, 7, 6, 3)
    taps = np.array([math.comb(kernel - 1, tap) for tap in range(kernel)]) / 2 ** (kernel - 1)
    before = (kernel - 1) // 2
    padded = np.pad(value, [(0, 0), (before, kernel // 2), (before, kernel // 2), (0, 0)], mode="reflect")
    expected = sum(
        padded[:, row : row + 7, column : column + 6] * taps[row] * taps[column]
        for row in range(kernel)
        for column in range(kernel)
    )
    np.testing.assert_allclose(Blur(kernel, stride)(value), expected[:, ::stride, ::stride], atol=1e-5)
    np.testing.assert_allclose(Blur(kernel)(np.ones((1, 6, 6, 1), "float32")), 1.0, atol=1e-6)


def test_project_is_an_inner_product() -> None:
    features, layer = numbers(4, 7), Project(3)
    found = layer(features, LABELS)
    table = layer.embeddings.numpy()
    np.testing.assert_allclose(found[:, 0], (features * table[LABELS]).sum(-1), rtol=1e-5, atol=1e-6)


def test_film_and_adain() -> None:
    value, features = numbers(2, 4, 4, 3), numbers(2, 5)
    film, adain = Film(), Adain()
    found, styled = film(value, features), adain(value, features)
    for layer, result, base in (
        (film, found, value),
        (adain, styled, (value - value.mean((1, 2), keepdims=True)) / np.sqrt(value.var((1, 2), keepdims=True) + 1e-5)),
    ):
        both = features @ layer.kernel.numpy()
        scale, shift = both[:, None, None, :3], both[:, None, None, 3:]
        np.testing.assert_allclose(result, (1 + scale) * base + shift, atol=1e-4)
    moved = Film(scale=False)
    found = moved(value, features)
    assert moved.kernel.shape == (5, 3)
    np.testing.assert_allclose(found, value + (features @ moved.kernel.numpy())[:, None, None, :], atol=1e-5)


def softmax(value: Any) -> Any:
    """Along the last axis."""
    exponential = np.exp(value - value.max(-1, keepdims=True))
    return exponential / exponential.sum(-1, keepdims=True)


def attended(
    layer: Any, value: Any, context: Any, *, causal: bool, turn: Any = lambda x: x, window: int | None = None
) -> Any:
    """Vaswani et al. 2017, equation 1, a head at a time, for (batch, places, channels)."""
    weights = {name: getattr(layer, f"{name}_kernel").numpy() for name in ("query", "key", "value", "output")}
    bias = {name: getattr(layer, f"{name}_bias").numpy() for name in weights}
    query, key, mixed = (
        source @ weights[name] + bias[name] for source, name in ((value, "query"), (context, "key"), (context, "value"))
    )
    width = query.shape[-1] // layer.heads
    heads = []
    for head in range(layer.heads):
        part = slice(head * width, (head + 1) * width)
        group = head * layer.groups // layer.heads  # neighbouring heads share one head of keys and values
        shared = slice(group * width, (group + 1) * width)
        scores = turn(query[..., part]) @ turn(key[..., shared]).transpose(0, 2, 1) / math.sqrt(width)
        for one in range(scores.shape[1]):
            for other in range(scores.shape[2]):
                if (causal and other > one) or (window is not None and abs(one - other) >= window):
                    scores[:, one, other] = -np.inf
        heads.append(softmax(scores) @ mixed[..., shared])
    return np.concatenate(heads, -1) @ weights["output"] + bias["output"]


def turned(value: Any) -> Any:
    """Su et al. 2021, equation 34, for (batch, places, width)."""
    out = np.empty_like(value)
    for place in range(value.shape[1]):
        for pair in range(value.shape[2] // 2):
            angle = place * 10_000 ** (-2 * pair / value.shape[2])
            x, y = value[:, place, 2 * pair], value[:, place, 2 * pair + 1]
            out[:, place, 2 * pair] = x * math.cos(angle) - y * math.sin(angle)
            out[:, place, 2 * pair + 1] = x * math.sin(angle) + y * math.cos(angle)
    return out


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("position", ["none", "rotary"])
def test_attention(causal: bool, position: str) -> None:
    value = numbers(2, 5, 8)
    layer = Attention(heads=2, causal=causal, position=position)
    found = layer(value)
    turn = turned if position == "rotary" else (lambda x: x)
    np.testing.assert_allclose(found, attended(layer, value, value, causal=causal, turn=turn), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "causal"),
    [
        ({"groups": 2}, True),
        ({"groups": 1}, False),  # multi-query: Shazeer 2019
        ({"window": 3}, True),
        ({"window": 2}, False),
        ({"groups": 2, "window": 2, "position": "rotary"}, True),
    ],
)
def test_attention_with_groups_and_windows(options: dict[str, Any], causal: bool) -> None:
    value = numbers(2, 6, 16)
    layer = Attention(heads=4, causal=causal, **options)
    found = layer(value)
    turn = turned if "position" in options else (lambda x: x)
    expected = attended(layer, value, value, causal=causal, turn=turn, window=options.get("window"))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert layer.key_kernel.shape == layer.value_kernel.shape == (16, 4 * options.get("groups", 4))


@pytest.mark.parametrize("stretch", [1, 3])
@pytest.mark.parametrize("options", [{}, {"groups": 2, "window": 3, "position": "rotary"}])
def test_attention_goes_place_by_place(options: dict[str, Any], stretch: int) -> None:
    """With a cache of the keys and values of earlier places, and room behind, it gives what a whole call does."""
    value = numbers(2, 6, 16)
    layer = Attention(heads=4, causal=True, **options)
    whole = layer(value).numpy()
    cache = [np.full((2, 9, layer.groups, 4), 7, "float32") for _ in range(2)]
    for first in range(0, 6, stretch):
        given = value[:, first : first + stretch]
        for held, new in zip(cache, layer.keys_and_values(given, first=tf.constant(first)), strict=True):
            held[:, first : first + stretch] = new
        found = layer.attend(given, *map(tf.constant, cache), first=tf.constant(first))
        np.testing.assert_allclose(found, whole[:, first : first + stretch], atol=1e-5)


def test_dropout_of_attention_is_of_its_weights_and_keyed() -> None:
    value = numbers(64, 8, 4)
    layer = Attention(heads=2, dropout=0.25, name="attention")
    whole = layer(value).numpy()

    def found(moment: int) -> Any:
        with drawing(Key(0, "train", moment)):
            return layer(value, training=True).numpy()

    np.testing.assert_array_equal(found(0), found(0))
    assert not np.array_equal(found(0), found(1))
    np.testing.assert_array_equal(layer(value), whole)  # none outside training
    mean = np.mean([found(moment) for moment in range(300)], 0)
    assert np.abs(mean - whole).mean() < 0.05 * np.abs(whole).mean()  # a weight is worth the same on average


def test_sinusoidal_positions() -> None:
    """Vaswani et al. 2017, section 3.5; a later stretch of a sequence has the vectors of its own places."""
    layer = PositionEmbed("sinusoidal")
    found = layer(np.zeros((1, 7, 5), "float32")).numpy()[0]
    for place in range(7):
        for number in range(5):
            angle = place / 10_000 ** (number // 2 * 2 / 5)
            wave = math.cos if number % 2 else math.sin
            assert found[place, number] == pytest.approx(wave(angle), abs=1e-6)
    assert not layer.weights
    late = layer.placed(tf.zeros((1, 2, 5)), first=tf.constant(4))
    np.testing.assert_allclose(late[0], found[4:6], atol=1e-6)
    learned = PositionEmbed()
    whole = learned(np.zeros((1, 7, 5), "float32"))
    np.testing.assert_array_equal(learned.placed(tf.zeros((1, 2, 5)), first=tf.constant(4))[0], whole[0, 4:6])


def test_attention_to_a_context_and_on_images() -> None:
    value, context = numbers(2, 3, 4, 8), numbers(2, 6, 5)
    layer = Attention(heads=2, width=3)
    found = layer(value, context)
    expected = attended(layer, value.reshape(2, 12, 8), context, causal=False)
    np.testing.assert_allclose(found, expected.reshape(2, 3, 4, 8), atol=1e-5)


def test_rotary_scores_depend_on_distances_only() -> None:
    """Su et al. 2021, equation 16; on images the rows turn one half of the width, the columns the other."""
    value = np.broadcast_to(numbers(1, 1, 1, 8), (1, 12, 1, 8))
    turned_value = np.array(rotary(tf.constant(value), (3, 4)))[0, :, 0]
    scores = turned_value @ turned_value.T
    np.testing.assert_allclose(scores[0, 1], scores[5, 6], rtol=1e-4)  # one to the right
    np.testing.assert_allclose(scores[0, 5], scores[6, 11], rtol=1e-4)  # one down and one to the right
    assert abs(scores[0, 1] - scores[0, 4]) > 1e-3


def test_causal_attention_sees_no_later_place() -> None:
    value = numbers(1, 6, 8)
    layer = Attention(heads=2, causal=True, position="rotary", dtype="mixed_bfloat16")
    changed = value.copy()
    changed[:, 4:] += 1
    before, after = tf.cast(layer(value), tf.float32).numpy(), tf.cast(layer(changed), tf.float32).numpy()
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert not np.array_equal(before[:, 4:], after[:, 4:])


def test_time_embed() -> None:
    time = np.array([0.0, 1.0, 999.0], "float32")
    found = tf.cast(TimeEmbed(8, dtype="mixed_bfloat16")(time), tf.float32).numpy()
    angles = time[:, None] * 10_000 ** (-np.arange(4) / 3)
    np.testing.assert_allclose(found, np.concatenate([np.sin(angles), np.cos(angles)], -1), atol=5e-3)


def test_pixel_shuffle_and_pack() -> None:
    value = numbers(4, 2, 2, 8)
    found = np.array(PixelShuffle(2)(value))
    for row in range(4):
        for column in range(4):
            first = (row % 2 * 2 + column % 2) * 2
            np.testing.assert_array_equal(found[:, row, column], value[:, row // 2, column // 2, first : first + 2])
    packed = np.array(Pack(2)(value))
    np.testing.assert_array_equal(packed[0], np.concatenate([value[0], value[1]], -1))
    np.testing.assert_array_equal(packed[1], np.concatenate([value[2], value[3]], -1))


@pytest.mark.parametrize("layer", [Dropout(0.3, name="noisy"), GaussianNoise(0.5, name="noisy")])
def test_draws_are_functions_of_the_key(layer: Any) -> None:
    value = np.ones((64, 64), "float32")

    def drawn(key: Key) -> Any:
        with drawing(key):
            return np.array(layer(value, training=True))

    first = drawn(Key(1, "train", 5))
    np.testing.assert_array_equal(first, drawn(Key(1, "train", 5)))
    for other in (Key(2, "train", 5), Key(1, "sample", 5), Key(1, "train", 6)):
        assert not np.array_equal(first, drawn(other))
    np.testing.assert_array_equal(value, layer(value, training=False))
    assert first.mean() == pytest.approx(1, abs=0.05)
    with pytest.raises(RuntimeError, match="drawing"):
        layer(value, training=True)


def test_dropout_drops_its_share() -> None:
    layer = Dropout(0.3)
    with drawing(Key(0, "train", 0)):
        found = np.array(layer(np.ones((100, 100), "float32"), training=True))
    assert (found == 0).mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(found[found != 0], 1 / 0.7, rtol=1e-5)


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.0), (1e-9, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_dropout_at_its_ends(rate: float, share: float) -> None:
    with drawing(Key(0, "train", 0)):
        found = np.array(Dropout(rate)(np.ones((64, 5, 3), "float32"), training=True))
    assert (found == 0).mean() == pytest.approx(share, abs=0.05)
    np.testing.assert_array_equal(found[found != 0], np.full((found != 0).sum(), 1 / (1 - share) if share < 1 else 0))


def test_words_are_uniform_and_a_part_draws_its_part() -> None:
    whole = Key(3, "train", 7)
    drawn = whole.words([64, 7, 9]).numpy()
    assert drawn.dtype == np.uint16 and drawn.shape == (64, 7, 9)
    assert np.abs(np.histogram(drawn, 16, (0, 2**16))[0] / drawn.size * 16 - 1).max() < 0.2
    assert len(np.unique(drawn)) > 0.95 * len(np.unique(np.random.default_rng(0).integers(0, 2**16, drawn.size)))
    parts = [Key(3, "train", 7, Share(index, 4)).words([16, 7, 9]).numpy() for index in range(4)]
    np.testing.assert_array_equal(np.concatenate(parts), drawn)


@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_rectifier_is_keras_s_to_the_second_gradient(slope: float, dtype: str) -> None:
    own = Rectifier(slope, dtype=dtype)
    other = keras.layers.LeakyReLU(slope, dtype=dtype) if slope else keras.layers.ReLU(dtype=dtype)
    point, weights = tf.constant(numbers(6, 5)), tf.Variable(numbers(5, 5, seed=1))

    def derivatives(layer: Any) -> tuple[Any, ...]:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(point)
                value = tf.cast(layer(tf.matmul(point, weights), training=True), tf.float32)
                total = tf.reduce_sum(tf.sin(value))
            gradient = inner.gradient(total, point)
            penalty = tf.reduce_sum(tf.square(gradient))
        return value, gradient, outer.gradient(penalty, weights)

    for mine, theirs in zip(derivatives(own), derivatives(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("shape", [(16, 8, 8, 32), (16, 4096), (16, 8, 3), (16, 5)])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_is_keras_s_and_its_second_gradient_is_right(shape: tuple[int, ...], affine: bool) -> None:
    own = BatchNorm(scale=affine, center=affine, momentum=0.5)
    other = keras.layers.BatchNormalization(scale=affine, center=affine, momentum=0.5)
    given = tf.constant(2 * numbers(*shape) + 1)
    np.testing.assert_allclose(own(given, training=True), other(given, training=True), atol=2e-5)
    for mine, theirs in zip(own.variables, other.variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(own(given, training=False), other(given, training=False), atol=2e-5)

    def second(layer: Any, point: Any, direction: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(point)
            with tf.GradientTape() as inner:
                inner.watch(point)
                total = tf.reduce_sum(tf.tanh(layer(point, training=True)) * direction)
            length = tf.reduce_sum(tf.square(inner.gradient(total, point)))
        return length, outer.gradient(length, point)

    direction, along = tf.constant(numbers(*shape, seed=3)), tf.constant(numbers(*shape, seed=4))
    along /= tf.norm(along)
    step = 0.02
    ahead, behind = (second(own, given + sign * step * along, direction)[0] for sign in (1, -1))
    found = float(tf.reduce_sum(second(own, given, direction)[1] * along))
    assert found == pytest.approx(float((ahead - behind) / (2 * step)), rel=1e-2, abs=1e-2 + 4e-6 * float(ahead) / step)
