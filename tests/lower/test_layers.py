"""Every layer word with random arguments: what `infer` says of it against what Keras builds of it.

The normal run takes 300 cases; `pytest -m slow tests/lower/test_layers.py` takes 2,000.
"""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, assume, given, settings

from gendsl.lower.networks import model_of
from gendsl.parts.keys import Key, drawing
from gendsl.plan.plan import Input, Layer, Network, Output
from gendsl.vocabulary.dimensions import product
from gendsl.vocabulary.types import Tensor
from gendsl.vocabulary.word import Inferred, Mismatch, Reference
from tests.lower.layer_cases import LAYERS, Case, cases

BATCH = 12  # a multiple of every pack

# What the language refuses although something could be computed: the word, and how the refusal begins.
STRICT = (
    ("embed", "takes a label"),  # an image of whole numbers is no label and no text
    ("one_hot", "takes a label"),
    ("one_hot", "codes a class, but"),  # without a number of classes there is nothing to build
    ("project", "embeds a class, but"),
    ("conditional_batch_norm", "embeds a class, but"),
    ("attention", "cannot be causal"),  # places of two sequences have no common order
    ("attention", "turns queries"),
    ("attention", "takes a sequence"),
    ("attention", "shares"),  # Keras's own rounds down; the channels would shrink unseen
    ("attention", "sees a window"),
    ("position_embed", "takes a sequence"),
    ("position_embed", "has sines"),
    ("add", "adds values"),  # Keras spreads channels and missing axes; that is more often a mistake
    ("multiply", "multiplies values"),
    ("fade", "fades from"),
    ("concat", "joins channels"),  # single numbers: the batch axis itself would be joined
    ("film", "is steered by"),
    ("adain", "is steered by"),
    ("lstm", "has no spectral norm"),
    ("gru", "has no spectral norm"),
    ("bidirectional", "has no spectral norm"),
    ("modulated_conv", "is steered by"),
    *((word, "has no equalised learning rate") for word in ("lstm", "gru", "bidirectional")),
    ("self_attention", "divides the channels"),  # nothing would be seen, and nothing said
    ("self_attention", "pools"),
    ("inject_noise", "adds noise to channels"),
    ("slice", "takes channels"),  # fewer would be given, unseen
    ("blur", "reflects"),
    ("minibatch_stddev", "averages over"),
    ("time_embed", "has as many"),
    ("upsample", "is bilinear"),
    ("pad", "takes"),  # features have no border
    ("bidirectional", "reads both ways"),
    ("depthwise_conv", "cannot have both"),  # Keras documents the two as incompatible, and does not check
    ("separable_conv", "cannot have both"),
    ("average_pool", "has sizes"),  # sizes for other axes than there are
    ("max_pool", "has sizes"),
    ("upsample", "has"),
    ("crop", "has"),
    ("pad", "has"),
    ("prelu", "learns a slope"),  # a single number has no channels
    ("global_sum_pool", "takes"),
    ("project", "takes features"),
    ("row_activation", "takes a table's row"),  # along the last of several axes there is no row
)


def planned(case: Case, inferred: Inferred | None) -> Network:
    """A network of the one layer, as the checker would plan it, whether or not it is sound."""
    inputs = tuple(
        Input(f"in_{place}", "features", None, shape, integer=place in case.word.integers)
        for place, shape in enumerate(case.shapes)
    )
    shape = inferred.shape if inferred else ()
    layer = Layer("layer", case.word.name, case.arguments, tuple(range(len(inputs))), shape, 0, 0, 0)
    type = Tensor(shape) if inferred else None
    return Network("network", inputs, (layer,), (Output("", len(inputs), type),), {})


def arrays_of(case: Case, seed: int) -> list[Any]:
    """A batch for each input; whole numbers stay within the classes."""
    numbers = np.random.default_rng(seed)
    classes = case.arguments.get("classes") or case.arguments.get("vocabulary") or 1
    return [
        numbers.integers(0, classes, (BATCH, *shape)).astype("int32")
        if place in case.word.integers
        else numbers.normal(size=(BATCH, *shape)).astype("float32")
        for place, shape in enumerate(case.shapes)
    ]


def called(model: Any, arrays: list[Any], *, training: bool = False) -> Any:
    """The model's value for a batch."""
    with drawing(Key(0, "test", 0)):
        return model(arrays if len(arrays) > 1 else arrays[0], training=training)


def agrees(case: Case, inferred: Inferred) -> None:
    """Asserts that Keras builds and computes what was inferred."""
    model = model_of(planned(case, inferred))
    counted = {
        kind: sum(int(np.prod(v.shape)) for v in getattr(model, kind))
        for kind in ("trainable_variables", "non_trainable_variables")
    }
    expected = {
        "trainable_variables": sum(product(w.shape) for w in inferred.weights if w.trainable),
        "non_trainable_variables": sum(product(w.shape) for w in inferred.weights if not w.trainable),
    }
    assert counted == expected, case
    shapes = sorted(tuple(variable.shape) for variable in model.variables)
    assert shapes == sorted(tuple(weight.shape) for weight in inferred.weights), case
    assert model.output_shape[1:] == inferred.shape, case
    assert isinstance(inferred.flops, int) and inferred.flops >= 0, case
    for training in (False, True):
        value = called(model, arrays_of(case, 0), training=training)
        batch = BATCH // case.arguments["samples"] if case.word.name == "pack" else BATCH
        assert tuple(value.shape) == (batch, *inferred.shape), case
        assert np.isfinite(value).all(), case


def refused_rightly(case: Case, mismatch: Mismatch) -> None:
    """Asserts that what `infer` refuses cannot be built, fails when it is called, or says nothing of its input."""
    assert mismatch.message and mismatch.message[0].islower() and not mismatch.message.endswith("."), mismatch
    if any(case.word.name == word and mismatch.message.startswith(start) for word, start in STRICT):
        return
    try:
        model = model_of(planned(case, None))
        arrays = arrays_of(case, 0)
        first = np.asarray(called(model, arrays, training=True))
        second = np.asarray(called(model, [*arrays_of(case, 1)[:1], *arrays[1:]], training=True))
    except Exception:  # whatever it is, it was told beforehand
        return
    alone = [array.copy() for array in arrays_of(case, 0)]
    for place, array in enumerate(alone):
        if place not in case.word.integers:
            array[1:] += 1.0
    mixed = np.asarray(called(model, alone, training=True))
    constant = first.size == 0 or np.allclose(first, second, atol=1e-2)
    coupled = not case.word.batch_coupled and (mixed.shape != first.shape or not np.allclose(mixed[0], first[0]))
    assert constant or coupled or first.shape[0] != BATCH, f"{case} is refused: {mismatch.message}"


def check(case: Case) -> None:
    """One case."""
    match case.word.infer(case.arguments, case.shapes):
        case Inferred() as inferred:
            agrees(case, inferred)
        case mismatch:
            refused_rightly(case, mismatch)


OPTIONS: Any = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@settings(max_examples=300, derandomize=True, **OPTIONS)
@given(cases())
def test_infer_agrees_with_keras(case: Case) -> None:
    check(case)


@settings(max_examples=60, derandomize=True, **OPTIONS)
@given(cases())
def test_layers_are_read_back_from_their_config(case: Case) -> None:
    inferred = case.word.infer(case.arguments, case.shapes)
    assume(isinstance(inferred, Inferred))
    model = model_of(planned(case, inferred if isinstance(inferred, Inferred) else None))
    again = type(model).from_config(model.get_config())
    again.set_weights(model.get_weights())
    arrays = arrays_of(case, 0)
    np.testing.assert_array_equal(called(again, arrays), called(model, arrays))


@pytest.mark.slow
@settings(max_examples=2_000, **OPTIONS)
@given(cases())
def test_infer_agrees_with_keras_in_2000_cases(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("word", LAYERS, ids=lambda word: word.name)
def test_every_word_is_told(word: Any) -> None:
    """Each word has its doc, its source and an example, and every parameter a doc."""
    assert word.doc and word.source and word.example
    assert all(parameter.doc for parameter in word.parameters)
    assert word.name in word.example
    assert set(word.renames) <= {p.name for p in word.parameters if not isinstance(p.kind, Reference)}


@pytest.mark.parametrize(
    ("word", "arguments", "shape", "flops"),
    [
        ("dense", {"units": 3, "bias": True}, (5,), 2 * 5 * 3 + 3),
        ("dense", {"units": 3, "bias": False}, (7, 5), 7 * 2 * 5 * 3),
        # Each of 4x4 results of 8 filters takes 3x3x2 multiplications and additions.
        (
            "conv",
            {"filters": 8, "kernel": 3, "stride": 2, "padding": "same", "dilation": 1, "groups": 1, "bias": False},
            (8, 8, 2),
            4 * 4 * 8 * 2 * 3 * 3 * 2,
        ),
        # Each of the 4x4x2 numbers given is spread over 3x3x8.
        (
            "up_conv",
            {"filters": 8, "kernel": 3, "stride": 2, "padding": "same", "bias": False},
            (4, 4, 2),
            4 * 4 * 2 * 2 * 3 * 3 * 8,
        ),
        ("relu", {}, (4, 4, 2), 32),
    ],
)
def test_flops(word: str, arguments: dict[str, Any], shape: tuple[int, ...], flops: int) -> None:
    entry = next(layer for layer in LAYERS if layer.name == word)
    inferred = entry.infer(arguments, (shape,))
    assert isinstance(inferred, Inferred)
    assert inferred.flops == flops


def test_flops_of_convolution_are_tensorflows() -> None:
    """TensorFlow's own profiler counts the same for a convolution without a bias."""
    from tensorflow.python.profiler import model_analyzer, option_builder

    kernel = tf.ones((3, 3, 2, 8))
    graph = (
        tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
        .get_concrete_function(tf.TensorSpec((1, 8, 8, 2)))
        .graph
    )
    options = option_builder.ProfileOptionBuilder(option_builder.ProfileOptionBuilder.float_operation())
    total = model_analyzer.profile(graph, options=options.with_empty_output().build()).total_float_ops
    entry = next(layer for layer in LAYERS if layer.name == "conv")
    arguments = {"filters": 8, "kernel": 3, "stride": 1, "padding": "same", "dilation": 1, "groups": 1, "bias": False}
    inferred = entry.infer(arguments, ((8, 8, 2),))
    assert isinstance(inferred, Inferred) and inferred.flops == total
