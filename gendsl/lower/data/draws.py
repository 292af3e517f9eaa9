"""A seed and counters in, uniform and normal numbers out: draws for each example by itself, however it is batched.

TensorFlow's stateless draws take one seed for a whole tensor; an example's augmentation must depend on its own (epoch,
index) only. So this is Philox4x32-10 over tensors of counters, in int64 arithmetic.
Source: Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3, section 4.3.
"""

import hashlib
import math
from typing import Any

import numpy as np
import tensorflow as tf

_LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LANES = 16  # numbers that a processor computes at once, at most

# What the data is (its splits, what is left out, how cells are encoded, what scores compare with) is drawn by this seed
# and not by the run's: runs of several seeds learn from the same examples and are scored on the same.
DATA_SEED = 0


def place_key(seed: int, place: str) -> tuple[int, int]:
    """Two 32-bit words of key for the draws at a place of a run with a seed."""
    digest = hashlib.blake2b(f"{seed}:{place}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


def stream_key(seed: int, place: str = "") -> int:
    """A 64-bit word of key for NumPy's Philox: the seed itself, or a word of its own for a place."""
    if not place:
        return seed % (1 << 64)
    return int.from_bytes(hashlib.blake2b(f"{seed}:{place}".encode(), digest_size=8).digest(), "little")


def permutation(key: int, number: int, count: int) -> np.ndarray:
    """The `number`-th permutation (count,) int64 of a key."""
    bits = np.random.Philox(key=np.array([key, number % (1 << 64)], np.uint64)).random_raw(count)
    return np.argsort(bits, kind="stable")


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Four words of 32 bits, as int64 tensors, of four counter words (int64 tensors below 2^32, broadcast)."""
    first, second, third, fourth = counter
    low, high = key
    for _ in range(_ROUNDS):
        # the product of two words wraps into the sign bit, and the mask takes the right bits out again
        left, right = first * _MULTIPLIERS[0], third * _MULTIPLIERS[1]
        first, second, third, fourth = (
            _xor(_xor(_high(right), second), low),
            _and(right, _LOW),
            _xor(_xor(_high(left), fourth), high),
            _and(left, _LOW),
        )
        low, high = (low + _WEYL[0]) & _LOW, (high + _WEYL[1]) & _LOW
    return first, second, third, fourth


def uniforms(key: tuple[int, int], epoch: Any, index: Any, blocks: int) -> Any:
    """Uniform float32 (n, blocks, 4) in [0, 1) of examples' epochs and indexes (n,) int64."""
    block = tf.range(blocks, dtype=tf.int64)[None, :]
    zero = tf.zeros_like(epoch)[:, None] + tf.zeros_like(block)
    words = philox(
        (
            _and(index, _LOW)[:, None] + zero,
            _and(tf.bitwise.right_shift(index, tf.constant(32, tf.int64)), _LOW)[:, None] + zero,
            _and(epoch, _LOW)[:, None] + zero,
            block + zero,
        ),
        key,
    )
    top = [tf.cast(tf.bitwise.right_shift(word, tf.constant(8, tf.int64)), tf.float32) for word in words]
    return tf.stack(top, axis=-1) * (1.0 / (1 << 24))


def normals(key: tuple[int, int], epoch: Any, index: Any, count: int) -> Any:
    """Standard normal float32 (n, count) of examples' epochs and indexes (n,) int64, by Box and Muller's transform."""
    blocks = -(-count // (4 * _LANES)) * _LANES  # whole lanes, or the last numbers are rounded as their place says
    uniform = tf.reshape(uniforms(key, epoch, index, blocks), (-1, 2 * blocks, 2))
    radius = tf.sqrt(-2.0 * tf.math.log(1.0 - uniform[..., 0]))  # 1 - u lies in (0, 1]
    angle = (2 * math.pi) * uniform[..., 1]
    pair = tf.stack([radius * tf.cos(angle), radius * tf.sin(angle)], axis=-1)
    return tf.reshape(pair, (-1, 4 * blocks))[:, :count]


def _high(value: Any) -> Any:
    return _and(tf.bitwise.right_shift(value, tf.constant(32, tf.int64)), _LOW)


def _and(value: Any, mask: int) -> Any:
    return tf.bitwise.bitwise_and(value, tf.constant(mask, tf.int64))


def _xor(value: Any, other: Any) -> Any:
    return tf.bitwise.bitwise_xor(value, tf.cast(other, tf.int64))
