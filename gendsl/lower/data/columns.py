"""A column of examples and the rows of a split in, a function that gathers them in a graph out: from memory or file."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gendsl.lower.data.store import let_go

_MOST_MAPPED = 1 << 24  # bytes of a file that are read before they are let go; they come in pages, so more are held


def gatherer(values: np.ndarray, rows: np.ndarray) -> Callable[[Any], Any]:
    """A function of indexes (n,) int64 among the rows that gives their values (n, …), on the host."""
    if isinstance(values, np.memmap):
        return _from_file(values, rows)
    # TensorFlow gathers bytes on the host only; made here, they are constants of no graph
    with tf.init_scope(), tf.device("cpu"):
        held = tf.constant(values[rows])

    def gathered(index: Any) -> Any:
        with tf.device("cpu"):
            return tf.gather(held, index)

    return gathered


def _from_file(values: np.ndarray, rows: np.ndarray) -> Callable[[Any], Any]:
    mapped = 0

    def chosen(index: np.ndarray) -> np.ndarray:
        nonlocal mapped
        found = np.asarray(values[rows[index]])
        mapped += found.nbytes
        if mapped > _MOST_MAPPED:
            let_go(values)
            mapped = 0
        return found

    def gathered(index: Any) -> Any:
        with tf.device("cpu"):
            found = tf.numpy_function(chosen, [index], values.dtype, stateful=False)
        return tf.ensure_shape(found, (index.shape[0], *values.shape[1:]))

    return gathered
