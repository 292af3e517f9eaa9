"""Order and addresses: every example once an epoch, any step without the steps before it, any chunking."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.lower.data import dataset_of
from gendsl.lower.data.draws import philox, uniforms
from gendsl.lower.data.order import Order
from tests.lower.data_plans import call_of, plan_of

COUNTS = st.integers(1, 40)
SEEDS = st.integers(0, 2**63 - 1)


@settings(max_examples=100, deadline=None)
@given(COUNTS, SEEDS, st.integers(0, 500), st.booleans())
def test_every_index_once_an_epoch(count: int, seed: int, epoch: int, shuffle: bool) -> None:
    epochs, indexes = Order(count, seed, shuffle).at(epoch * count, 3 * count)
    np.testing.assert_array_equal(epochs, np.repeat(np.arange(epoch, epoch + 3), count))
    for number in range(3):
        part = indexes[number * count : (number + 1) * count]
        np.testing.assert_array_equal(np.sort(part), np.arange(count))
        assert shuffle or (part == np.arange(count)).all()


@settings(max_examples=100, deadline=None)
@given(COUNTS, SEEDS, st.integers(0, 1000), st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_any_start_and_any_chunks(count: int, seed: int, first: int, chunks: list[int]) -> None:
    whole = np.stack(Order(count, seed).at(first, sum(chunks)))
    order, parts, at = Order(count, seed), [], first
    for chunk in chunks:
        parts.append(np.stack(order.at(at, chunk)))
        at += chunk
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    from_zero = np.stack(Order(count, seed).at(0, first + sum(chunks)))
    np.testing.assert_array_equal(from_zero[:, first:], whole)


def test_the_order_is_philoxs() -> None:
    _, indexes = Order(100, 7).at(200, 100)
    expected = np.argsort(np.random.Philox(key=[7, 2]).random_raw(100), kind="stable")
    np.testing.assert_array_equal(indexes, expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 300), st.integers(1, 9), st.integers(1, 3))
def test_addresses_of_any_step(step: int, steps: int, times: int) -> None:
    data = dataset_of(plan_of(call_of("source", "digits"), batch=50, times=times, seed=3))
    some = data.addresses(step, steps)
    assert some.shape == (steps, times, 50, 2)
    assert some.dtype == np.int64
    one_by_one = np.concatenate([data.addresses(step + k, 1) for k in range(steps)])
    np.testing.assert_array_equal(some, one_by_one)
    positions = np.stack(Order(1797, 3).at(step * times * 50, steps * times * 50), axis=-1)
    np.testing.assert_array_equal(some.reshape(-1, 2), positions)


def test_philox_gives_the_published_words() -> None:
    """The known answers of Random123 (Salmon et al. 2011), kat_vectors, philox4x32-10."""
    import tensorflow as tf

    def words(counter: tuple[int, ...], key: tuple[int, int]) -> list[int]:
        a, b, c, d = (tf.constant([word], tf.int64) for word in counter)
        return [int(word[0]) for word in philox((a, b, c, d), key)]

    assert words((0, 0, 0, 0), (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    most = 0xFFFFFFFF
    assert words((most,) * 4, (most, most)) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert words(pi, (0xA4093822, 0x299F31D0)) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def test_draws_are_uniform() -> None:
    import tensorflow as tf

    index = tf.range(20_000, dtype=tf.int64)
    drawn = uniforms((1, 2), tf.zeros_like(index) + 5, index, 2).numpy()
    assert drawn.shape == (20_000, 2, 4)
    assert drawn.min() >= 0 and drawn.max() < 1
    for column in drawn.reshape(20_000, 8).T:
        counts = np.histogram(column, 10, (0, 1))[0]
        assert ((counts - 2000) ** 2 / 2000).sum() < 33  # chi-square, 9 degrees, p = 1e-4
    assert np.abs(np.corrcoef(drawn.reshape(20_000, 8).T) - np.eye(8)).max() < 0.04
