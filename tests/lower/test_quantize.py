"""The codebook of `quantize` against NumPy: lookups, gradients, moving averages, resets; and what of it a run keeps."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.parts.keys import Key, Share, drawing
from gendsl.parts.quantize import Quantize
from tests.check.specs import codes, spec
from tests.lower.test_specs import batches, changed, made, step, values

KEY = Key(0, "test", 3)


def vectors(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def layer_of(counts: Any, book: np.ndarray, **options: Any) -> Quantize:
    """A layer with a codebook of some codes, used so often."""
    layer = Quantize(len(book), name="quantize", **options)
    layer.build((None, book.shape[1]))
    layer.counts.assign(np.asarray(counts, "float32"))
    layer.sums.assign(np.asarray(counts, "float32")[:, None] * book)
    return layer


def trained(layer: Quantize, given: Any, key: Key = KEY) -> np.ndarray:
    with drawing(key):
        return np.asarray(layer(given, training=True))


def nearest(given: np.ndarray, book: np.ndarray) -> np.ndarray:
    return ((given[:, None] - book) ** 2).sum(-1).argmin(1)


def followed(counts: np.ndarray, sums: np.ndarray, given: np.ndarray, decay: float) -> tuple[np.ndarray, np.ndarray]:
    """The averages of appendix A.1 after a step, code by code."""
    chosen = nearest(given, sums / counts[:, None])
    counts, sums = counts.copy(), sums.copy()
    for code in range(len(counts)):
        own = given[chosen == code]
        counts[code] = decay * counts[code] + (1 - decay) * len(own)
        sums[code] = decay * sums[code] + (1 - decay) * own.sum(0)
    return counts, sums


def test_each_vector_becomes_its_nearest_code() -> None:
    book, given = vectors(6, 3), vectors(4, 2, 2, 3, seed=1)
    found = np.asarray(layer_of(np.linspace(0.5, 4, 6), book)(given))
    expected = book[nearest(given.reshape(-1, 3), book)].reshape(given.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_passes_straight_through() -> None:
    layer = layer_of(np.ones(4), vectors(4, 3))
    given = tf.Variable(vectors(5, 3, seed=1))
    weights = vectors(5, 3, seed=2)
    with drawing(KEY), tf.GradientTape() as tape:
        found = tf.reduce_sum(layer(given, training=True) * weights)
    np.testing.assert_allclose(tape.gradient(found, given), weights, rtol=1e-6)
    assert not layer.trainable_variables


def test_a_commitment_loss_draws_vectors_to_their_codes_alone() -> None:
    book, start = vectors(4, 3), vectors(5, 3, seed=1)
    layer, given = layer_of(np.ones(4), book), tf.Variable(start)
    with drawing(KEY), tf.GradientTape() as tape:
        loss = 0.25 * tf.reduce_mean(tf.square(given - tf.stop_gradient(layer(given, training=True))))
    expected = 0.25 * 2 * (start - book[nearest(start, book)]) / start.size
    np.testing.assert_allclose(tape.gradient(loss, given), expected, rtol=1e-4, atol=1e-7)


def test_the_codebook_follows_by_moving_averages() -> None:
    counts, book = np.array([3.0, 1.0, 0.5, 2.0]), vectors(4, 3)
    layer = layer_of(counts, book, decay=0.9)
    sums = counts[:, None] * book
    for seed in range(3):
        given = vectors(4, 5, 3, seed=seed + 1)
        before = np.asarray(layer.codebook)
        found = trained(layer, given)
        np.testing.assert_allclose(  # the step's vectors meet the codes from before it
            found, before[nearest(given.reshape(-1, 3), before)].reshape(given.shape), rtol=1e-5, atol=1e-6
        )
        counts, sums = followed(counts, sums, given.reshape(-1, 3).astype("float64"), 0.9)
        np.testing.assert_allclose(layer.counts.numpy(), counts, rtol=1e-5)
        np.testing.assert_allclose(layer.codebook, sums / counts[:, None], rtol=1e-4, atol=1e-5)


def test_a_code_that_is_not_used_stays_where_it_is_however_long() -> None:
    book = np.array([[0.0, 0.0], [100.0, 50.0]], "float32")
    layer = layer_of([1.0, 1.0], book, decay=0.5)
    for _ in range(200):
        trained(layer, vectors(8, 2))
    np.testing.assert_allclose(np.asarray(layer.codebook)[1], book[1], rtol=1e-5)
    assert 0 < float(layer.counts.numpy()[1]) < 1e-5


def test_dead_codes_become_vectors_of_the_batch() -> None:
    book = np.array([[0.0, 0.0], [50.0, 50.0], [-50.0, 50.0]], "float32")
    layer = layer_of([4.0, 0.3, 0.9], book, decay=0.9, reset=0.5)
    given = vectors(8, 2)
    trained(layer, given)
    found = np.asarray(layer.codebook)
    assert min(np.abs(given - found[1]).sum(1)) < 1e-6, "the dead one lies on a vector"
    np.testing.assert_allclose(found[2], book[2], rtol=1e-6)
    np.testing.assert_allclose(layer.counts.numpy(), [0.9 * 4 + 0.1 * 8, 0.5, 0.81], rtol=1e-6)
    again = layer_of([4.0, 0.3, 0.9], book, decay=0.9, reset=0.5)
    trained(again, given)
    np.testing.assert_array_equal(again.codebook, found)
    other = layer_of([4.0, 0.3, 0.9], book, decay=0.9, reset=0.5)
    others = set()
    for moment in range(12):
        other.counts.assign([4.0, 0.3, 0.9])
        trained(other, given, Key(0, "test", moment))
        others.add(float(np.asarray(other.codebook)[1, 0]))
    assert len(others) > 3


@pytest.mark.parametrize("reset", [0, 0.5])
def test_parts_of_a_batch_give_the_whole(reset: float) -> None:
    book, counts = vectors(5, 3), [2.0, 0.1, 1.0, 0.2, 3.0]
    given = vectors(8, 2, 3, seed=1)
    whole = layer_of(counts, book, reset=reset)
    outputs = trained(whole, given)
    parts = []
    for index in range(4):
        part = layer_of(counts, book, reset=reset)
        own = given[2 * index : 2 * index + 2]
        found = trained(part, own, Key(0, "test", 3, Share(index, 4)))
        np.testing.assert_allclose(found, outputs[2 * index : 2 * index + 2], rtol=1e-6)
        parts.append((part.counts.numpy(), part.sums.numpy()))
    np.testing.assert_allclose(np.mean([one for one, _ in parts], axis=0), whole.counts.numpy(), rtol=1e-5)
    np.testing.assert_allclose(np.mean([one for _, one in parts], axis=0), whole.sums.numpy(), rtol=1e-4, atol=1e-6)


def test_perplexity_and_the_frequencies_of_drawn_codes() -> None:
    counts, book = np.array([6.0, 1.0, 0.0, 3.0]), vectors(4, 3)
    layer = layer_of(np.maximum(counts, 1e-30), book)
    shares = counts[counts > 0] / counts.sum()
    assert float(layer.perplexity) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-5)
    drawn = np.asarray(layer.drawn(KEY.uniform([10_000, 2])))
    assert drawn.shape == (10_000, 2, 3)
    seen = np.bincount(nearest(drawn.reshape(-1, 3), book), minlength=4) / 20_000
    np.testing.assert_allclose(seen, counts / 10, atol=0.01)


NETWORKS = """
  network encoder(x: image) -> 4x4x6 {
    conv 8, kernel: 4, stride: 2 | relu | conv 6, kernel: 1 as code
    quantize 10, reset: 0.5
  }
  network decoder(e: 4x4x6) -> image { up_conv 1, kernel: 4, stride: 2 }
"""
TRAIN = """
  update encoder, decoder, with: sgd(0.05) {
    e = encoder(image)
    minimize l2(decoder(e), image) + 0.25 * l2(e.code, stop_gradient(e))
  }
  steps 5"""
SAMPLE = "sample { image = decoder(draw_codes(encoder)) }"


def test_the_codebook_is_kept_moves_in_training_and_is_told() -> None:
    experiment = made(NETWORKS, TRAIN, SAMPLE)
    state = [name for name in experiment.state() if "quantize" in name]
    assert [name.rpartition("/")[2] for name in state] == ["counts", "sums"]
    before, sampled = values(experiment, "encoder", "quantize"), experiment.sample(3, 1)["image"]
    assert not changed(before, values(experiment, "encoder", "quantize")) and sampled.shape == (3, 8, 8, 1)
    told = step(experiment)
    assert 1 <= told["encoder/quantize/perplexity"] <= 10
    assert changed(before, values(experiment, "encoder", "quantize"))


def test_the_codebook_is_frozen_where_its_network_is_not_trained() -> None:
    train = 'allow untrained_network, because: "the test"\n' + TRAIN.replace(
        "update encoder, decoder", "update decoder"
    )
    experiment = made(NETWORKS, train, SAMPLE)
    before = values(experiment, "encoder")
    step(experiment)
    assert not changed(before, values(experiment, "encoder"))


def test_a_batch_in_parts_trains_the_same_codebook() -> None:
    whole, parts = (made(NETWORKS, TRAIN + more, SAMPLE) for more in ("", "\naccumulate 4"))
    for number in range(3):
        for experiment in (whole, parts):
            experiment.step_at(tf.constant(number, tf.int64), batches(experiment, number))
    for name, value in values(whole, "encoder").items():
        np.testing.assert_allclose(values(parts, "encoder")[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def test_codes_are_drawn_of_a_codebook_only() -> None:
    plain = NETWORKS.replace("quantize 10, reset: 0.5", "")
    for networks, expected in ((NETWORKS, []), (plain, ["type_mismatch"])):
        encoder, _, decoder = networks.partition("network decoder")
        text = spec(SAMPLE, generator=encoder, discriminator="network decoder" + decoder, train=f"train {{{TRAIN}\n}}")
        assert codes(text) == expected


def test_draws_follow_averaged_weights() -> None:
    experiment = made(NETWORKS, TRAIN + "\nema encoder, decay: 0.9", SAMPLE)
    step(experiment, 3)
    averaged = np.asarray(experiment.sample(4, 1)["image"])
    live = np.asarray(experiment.sample(4, 1, averaged=False)["image"])
    assert not np.allclose(averaged, live)
