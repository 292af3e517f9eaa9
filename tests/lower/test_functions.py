"""The functions and distributions of the equations against NumPy and SciPy; the types against what is computed."""

from typing import Any

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from gendsl.lower.distributions import Bernoulli, Categorical, Normal, Uniform, distribution_of, divergence, standard
from gendsl.lower.functions import BUILT, aligned, function_of
from gendsl.lower.memories import MovingAverage
from gendsl.lower.replay import Replay
from gendsl.parts.keys import Key
from gendsl.plan.plan import Call
from gendsl.vocabulary import generation, sequences, types
from gendsl.vocabulary.functions import WORDS, FunctionWord, broadcast, condition
from gendsl.vocabulary.word import Mismatch

RANDOM = np.random.default_rng(0)
X, Y = (RANDOM.normal(size=(5, 3, 2)).astype("float32") for _ in range(2))
POSITIVE = np.abs(X) + 0.1


def run(word: str, *values: Any, **options: Any) -> np.ndarray:
    given = [tf.constant(value) if isinstance(value, np.ndarray | float) else value for value in values]
    return np.asarray(function_of(word, given, options))


def word(name: str) -> FunctionWord:
    return next(one for one in WORDS if one.name == name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("exp", np.exp(X)),
        ("abs", np.abs(X)),
        ("square", X**2),
        ("softplus", np.log1p(np.exp(X))),
        ("sigmoid", 1 / (1 + np.exp(-X))),
        ("tanh", np.tanh(X)),
        ("relu", np.maximum(X, 0)),
        ("sign", np.sign(X)),
        ("sin", np.sin(X)),
        ("cos", np.cos(X)),
        ("stop_gradient", X),
        ("positive", np.mean(X > 0)),
        ("mean", X.mean()),
        ("sum", X.sum((1, 2))),
    ],
)
def test_functions_of_one_tensor(name: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(run(name, X), expected, rtol=1e-5, atol=1e-6)


def test_functions_of_positive_numbers() -> None:
    np.testing.assert_allclose(run("log", POSITIVE), np.log(POSITIVE), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run("sqrt", POSITIVE), np.sqrt(POSITIVE), rtol=1e-5)


def test_functions_of_two_tensors() -> None:
    np.testing.assert_allclose(run("l1", X, Y), np.abs(X - Y).mean(), rtol=1e-5)
    np.testing.assert_allclose(run("l2", X, Y), ((X - Y) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(run("feature_matching", X, Y), ((X.mean(0) - Y.mean(0)) ** 2).sum(), rtol=1e-5)
    np.testing.assert_allclose(run("consistency", X, Y), ((X - Y) ** 2).sum((1, 2)).mean(), rtol=1e-5)
    np.testing.assert_allclose(run("maximum", X, Y), np.maximum(X, Y))
    np.testing.assert_allclose(run("minimum", X, 0.0), np.minimum(X, 0))
    np.testing.assert_allclose(run("clip", X, low=-0.5, high=0.25), np.clip(X, -0.5, 0.25))
    np.testing.assert_allclose(run("concat", X, Y), np.concatenate([X, Y], -1))
    share = np.linspace(0, 1, 5, dtype="float32")
    np.testing.assert_allclose(run("mix", X, Y, share), X + share[:, None, None] * (Y - X), rtol=1e-5, atol=1e-6)
    target = np.abs(np.tanh(Y))
    expected = (np.logaddexp(0, X) - X * target).mean()
    np.testing.assert_allclose(run("binary_cross_entropy", X, target), expected, rtol=1e-5)


def test_functions_of_classes() -> None:
    label = np.array([0, 1, 1, 0, 1])
    logits = X[:, 0]
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    np.testing.assert_allclose(run("cross_entropy", logits, label), -logs[np.arange(5), label].mean(), rtol=1e-5)
    np.testing.assert_allclose(run("accuracy", logits, label), (logits.argmax(-1) == label).mean(), rtol=1e-6)
    np.testing.assert_allclose(run("one_hot", label, classes=3), np.eye(3)[label])


def test_the_batch_broadcasts_from_the_left() -> None:
    left, right = aligned(tf.constant([1.0, 2.0]), tf.ones((2, 3, 4)))
    np.testing.assert_allclose(left * right, np.array([1.0, 2.0])[:, None, None] * np.ones((2, 3, 4)))


def test_normal_against_scipy() -> None:
    mean, logs, other, other_logs = (RANDOM.normal(size=(4, 3)).astype("float32") for _ in range(4))
    value = RANDOM.normal(size=(4, 3)).astype("float32")
    q, p = Normal(tf.constant(mean), tf.constant(logs)), Normal(tf.constant(other), tf.constant(other_logs))
    frozen = scipy.stats.norm(mean, np.exp(logs / 2))
    np.testing.assert_allclose(run("log_prob", q, value), frozen.logpdf(value).sum(1), rtol=1e-5)
    np.testing.assert_allclose(run("nll", q, value), -frozen.logpdf(value).sum(1), rtol=1e-5)
    np.testing.assert_allclose(run("entropy", q), frozen.entropy().sum(1), rtol=1e-5)
    np.testing.assert_allclose(run("mean", q), mean)
    expected = 0.5 * (np.exp(logs - other_logs) + (mean - other) ** 2 / np.exp(other_logs) - 1 + other_logs - logs)
    np.testing.assert_allclose(run("kl", q, p), expected.sum(1), rtol=1e-4)
    unit = standard("normal", 4, [3], bounds=(-1, 1))
    np.testing.assert_allclose(divergence(q, unit), 0.5 * (np.exp(logs) + mean**2 - 1 - logs).sum(1), rtol=1e-4)


def test_bernoulli_against_scipy() -> None:
    logits, other = (RANDOM.normal(size=(4, 3)).astype("float32") for _ in range(2))
    chance = 1 / (1 + np.exp(-logits))
    value = (RANDOM.random((4, 3)) < 0.5).astype("float32")
    q = Bernoulli(tf.constant(logits))
    np.testing.assert_allclose(run("nll", q, value), -scipy.stats.bernoulli(chance).logpmf(value).sum(1), rtol=1e-5)
    np.testing.assert_allclose(run("entropy", q), scipy.stats.bernoulli(chance).entropy().sum(1), rtol=1e-4)
    np.testing.assert_allclose(run("mean", q), chance, rtol=1e-5)
    there = 1 / (1 + np.exp(-other))
    expected = chance * np.log(chance / there) + (1 - chance) * np.log((1 - chance) / (1 - there))
    np.testing.assert_allclose(run("kl", q, Bernoulli(tf.constant(other))), expected.sum(1), rtol=1e-4, atol=1e-6)


def test_categorical_against_scipy() -> None:
    logits, other = (RANDOM.normal(size=(4, 6, 5)).astype("float32") for _ in range(2))
    chances = scipy.special.softmax(logits, -1)
    value = RANDOM.integers(0, 5, (4, 6))
    q = Categorical(tf.constant(logits))
    taken = np.take_along_axis(chances, value[..., None], -1)[..., 0]
    np.testing.assert_allclose(run("nll", q, tf.constant(value)), -np.log(taken).sum(1), rtol=1e-5)
    np.testing.assert_allclose(run("entropy", q), scipy.stats.entropy(chances, axis=-1).sum(1), rtol=1e-5)
    expected = scipy.stats.entropy(chances, scipy.special.softmax(other, -1), axis=-1).sum(1)
    np.testing.assert_allclose(run("kl", q, Categorical(tf.constant(other))), expected, rtol=1e-4)
    np.testing.assert_array_equal(run("mode", q), logits.argmax(-1))


def test_uniform_against_scipy() -> None:
    u = Uniform(tf.fill((4, 2), -1.0), tf.fill((4, 2), 3.0))
    value = np.array([[0, 1], [-0.5, 2.5], [3, 3], [2, 4]], "float32")
    np.testing.assert_allclose(run("log_prob", u, value), scipy.stats.uniform(-1, 4).logpdf(value).sum(1), rtol=1e-6)
    np.testing.assert_allclose(run("entropy", u), 2 * np.log(4), rtol=1e-6)


def test_a_networks_numbers_split_into_mean_and_log_variance() -> None:
    parameters = tf.constant(RANDOM.normal(size=(2, 3, 4)).astype("float32"))
    normal = distribution_of("normal", parameters)
    assert isinstance(normal, Normal)
    np.testing.assert_array_equal(normal.mean, parameters[..., :2])
    np.testing.assert_array_equal(normal.log_variance, parameters[..., 2:])


def test_draws_have_their_moments_and_their_gradients() -> None:
    key = Key(0, "x", 1)
    mean, logs = tf.Variable(tf.fill((20_000, 1), 2.0)), tf.Variable(tf.fill((20_000, 1), float(np.log(9.0))))
    with tf.GradientTape() as tape:
        drawn = Normal(mean.read_value(), logs.read_value()).draw(key)
    assert float(tf.reduce_mean(drawn)) == pytest.approx(2, abs=0.1)
    assert float(tf.math.reduce_std(drawn)) == pytest.approx(3, abs=0.1)
    to_mean, to_logs = tape.gradient(drawn, [mean, logs])
    np.testing.assert_allclose(to_mean, 1)
    np.testing.assert_allclose(to_logs, 0.5 * (drawn - 2.0), rtol=1e-3, atol=1e-4)
    chances = np.array([0.2, 0.5, 0.3], "float32")
    classes = Categorical(tf.tile(tf.math.log(chances)[None], (20_000, 1))).draw(key)
    np.testing.assert_allclose(np.bincount(classes, minlength=3) / 20_000, chances, atol=0.02)
    coins = Bernoulli(tf.fill((20_000, 1), 1.0)).draw(key)
    assert float(tf.reduce_mean(coins)) == pytest.approx(1 / (1 + np.exp(-1)), abs=0.02)


def _played(
    size: int, batches: list[np.ndarray], swaps: list[np.ndarray], places: list[np.ndarray]
) -> list[list[float]]:
    """CycleGAN's pool, one example after the other."""
    pool: list[float] = []
    given = []
    for batch, swap, place in zip(batches, swaps, places, strict=True):
        row = []
        for value, other, at in zip(batch[:, 0], swap, place, strict=True):
            if len(pool) < size:
                pool.append(value)
                row.append(value)
            elif other:
                row.append(pool[at])
                pool[at] = value
            else:
                row.append(value)
        given.append(row)
    return given


def test_replay_follows_cyclegans_rule_example_by_example() -> None:
    replay = Replay(5, [1])
    batches = [np.arange(4 * k, 4 * k + 4, dtype="float32")[:, None] for k in range(12)]
    keys = [Key(0, "pool", k) for k in range(12)]
    swaps = [tf.random.stateless_uniform([4], key.at("swap").pair(), alg="philox").numpy() < 0.5 for key in keys]
    places = [
        tf.random.stateless_uniform([4], key.at("place").pair(), maxval=5, dtype=tf.int64, alg="philox").numpy()
        for key in keys
    ]
    found = [list(replay(tf.constant(batch), key).numpy()[:, 0]) for batch, key in zip(batches, keys, strict=True)]
    assert found == _played(5, batches, swaps, places)
    assert any(row != list(batch[:, 0]) for row, batch in zip(found, batches, strict=True))


def test_every_function_that_runs_is_built_and_no_other() -> None:
    assert {one.name for one in (*WORDS, *generation.WORDS, *sequences.WORDS) if one.runs} == set(BUILT)


def test_operators_broadcast_by_type() -> None:
    tensor, each, scalar = types.Tensor((3, 2)), types.Tensor(()), types.Scalar()
    assert broadcast(tensor, tensor) == tensor
    assert broadcast(each, tensor) == tensor and broadcast(tensor, each) == tensor
    assert broadcast(scalar, each) == each and broadcast(scalar, scalar) == scalar
    assert isinstance(broadcast(tensor, types.Tensor((2,))), Mismatch)
    assert isinstance(broadcast(tensor, types.NetworkType("d")), Mismatch)
    assert isinstance(broadcast(types.Distribution("normal", (2,)), scalar), Mismatch)
    assert broadcast(types.Unknown(), types.NetworkType("d")) == types.Unknown()
    assert condition(scalar, scalar) == types.Truth()
    assert isinstance(condition(tensor, scalar), Mismatch)


IMAGE, LABEL, NORMAL = (
    types.Tensor((8, 8, 1), "image"),
    types.Tensor((), "label", True),
    types.Distribution("normal", (8, 8, 1)),
)


@pytest.mark.parametrize(
    ("name", "given", "options", "expected"),
    [
        ("mean", (IMAGE,), {}, types.Scalar()),
        ("mean", (NORMAL,), {}, types.Tensor((8, 8, 1))),
        ("sum", (IMAGE,), {}, types.Tensor(())),
        ("l1", (IMAGE, IMAGE), {}, types.Scalar()),
        ("nll", (NORMAL, IMAGE), {}, types.Tensor(())),
        ("kl", (NORMAL, NORMAL), {}, types.Tensor(())),
        ("softplus", (types.Scalar(),), {}, types.Scalar()),
        ("exp", (LABEL,), {}, types.Tensor((), "label")),
        ("one_hot", (LABEL,), {"classes": 10}, types.Tensor((10,))),
        ("concat", (types.Tensor((3,)), types.Tensor((4,))), {}, types.Tensor((7,))),
        ("cross_entropy", (types.Tensor((10,)), LABEL), {}, types.Scalar()),
        ("stop_gradient", (NORMAL,), {}, NORMAL),
        ("replay", (IMAGE,), {"size": 50}, IMAGE),
        ("mix", (IMAGE, IMAGE, types.Tensor(())), {}, IMAGE),
        ("l1", (IMAGE, types.Unknown()), {}, types.Unknown()),
    ],
)
def test_types_of_functions(name: str, given: tuple[Any, ...], options: dict[str, Any], expected: Any) -> None:
    assert word(name).result(given, options) == expected


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("l1", (IMAGE, types.Tensor((8, 8, 3)))),
        ("l1", (IMAGE, types.Scalar())),
        ("mean", (types.NetworkType("d"),)),
        ("mean", (types.Several((("a", IMAGE),)),)),
        ("sum", (types.Tensor(()),)),
        ("nll", (IMAGE, NORMAL)),
        ("nll", (NORMAL, LABEL)),
        ("kl", (NORMAL, types.Distribution("normal", (4,)))),
        ("kl", (NORMAL, types.Distribution("bernoulli", (8, 8, 1)))),
        ("kl", (NORMAL, IMAGE)),
        ("exp", (NORMAL,)),
        ("cross_entropy", (LABEL, LABEL)),
        ("one_hot", (IMAGE,)),
        ("entropy", (IMAGE,)),
    ],
)
def test_mismatches_of_functions(name: str, given: tuple[Any, ...]) -> None:
    found = word(name).result(given, {"classes": 10})
    assert isinstance(found, Mismatch) and found.message


def test_truncated_normal_against_scipy() -> None:
    limit = 0.7
    truncated = standard("truncated_normal", 5, [3, 2], bounds=(-limit, limit))
    theirs = scipy.stats.truncnorm(-limit, limit)
    value = np.clip(X, -0.69, 0.69)
    np.testing.assert_allclose(truncated.log_prob(tf.constant(value)), theirs.logpdf(value).sum((1, 2)), rtol=1e-4)
    np.testing.assert_allclose(truncated.entropy(), np.full(5, 6 * theirs.entropy()), rtol=1e-4)
    assert np.isneginf(truncated.log_prob(tf.constant(value + 5))).all()
    drawn = standard("truncated_normal", 4_000, [2], bounds=(-limit, limit)).draw(Key(0, "z", 0)).numpy()
    assert np.abs(drawn).max() <= limit
    assert scipy.stats.kstest(drawn.ravel(), theirs.cdf).pvalue > 0.01


@pytest.mark.parametrize(("share", "kept"), [(0.4, 2), (0.5, 3), (0.01, 1), (1.0, 5), (3.0, 5)])
def test_top_k_weighs_the_largest_scores(share: float, kept: int) -> None:
    scores = np.array([[0.3], [-1.0], [2.0], [0.3], [0.1]], "float32")
    weights = run("top_k", scores, tf.constant(share))
    chosen = np.argsort(-scores[:, 0], kind="stable")[:kept]
    expected = np.zeros((5, 1))
    expected[chosen] = 5 / kept
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose((weights * scores).mean(), scores[chosen].mean(), rtol=1e-5)


def test_a_moving_average_takes_in_one_number_a_call() -> None:
    numbers = [3.0, 5.0, float("nan"), -1.0]
    key = Key(0, "average", 0)
    begun, from_zero = MovingAverage(0.9), MovingAverage(0.9, start=0.0)
    found = [float(begun(tf.constant(number), key)) for number in numbers]
    np.testing.assert_allclose(found, [3.0, 3.2, 3.2, 0.9 * 3.2 - 0.1], rtol=1e-6)
    found = [float(from_zero(tf.constant(number), key)) for number in numbers]
    np.testing.assert_allclose(found, [0.3, 0.77, 0.77, 0.9 * 0.77 - 0.1], rtol=1e-6)
    assert {name: float(value) for name, value in begun.state.items()} == pytest.approx({"average": 2.78, "seen": 3})


FLIP = Call("flip", {"axis": "horizontal", "probability": 1.0})
SCORE = types.Tensor((1,), "logits")


@pytest.mark.parametrize(
    ("name", "given", "options", "said"),
    [
        ("moving_average", (SCORE,), {}, "takes one number"),
        ("moving_average", (types.NetworkType("d"),), {}, "takes a tensor"),
        ("top_k", (IMAGE, types.Scalar()), {}, "takes one score an example"),
        ("top_k", (SCORE, SCORE), {}, "takes one share"),
        ("top_k", (types.Scalar(), types.Scalar()), {}, "takes a tensor"),
        ("augmented", (SCORE,), {"transforms": (FLIP,)}, "transforms pictures"),
        ("augmented", (IMAGE,), {"transforms": (Call("mixup", {}),)}, "cannot do `mixup`"),
    ],
)
def test_what_the_words_of_gans_do_not_take(name: str, given: Any, options: Any, said: str) -> None:
    found = word(name).result(given, options)
    assert isinstance(found, Mismatch) and found.message.startswith(said)


def test_types_of_the_words_of_gans() -> None:
    assert word("moving_average").result((types.Scalar(),), {"decay": 0.9}) == types.Scalar()
    assert word("top_k").result((SCORE, types.Scalar()), {}) == types.Tensor((1,))
    assert word("augmented").result((IMAGE,), {"transforms": (FLIP,)}) == IMAGE
