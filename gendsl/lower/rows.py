"""Generated rows and conditions in, the loss of those that do not have what was asked for out."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from gendsl.lower.errors import UserError

_LEAST = 1e-30  # of a probability, whose logarithm is finite


def unknown_columns(word: str) -> UserError:
    """That a word reads a row's layout, which the plan does not have."""
    return UserError(
        f"`{word}` needs to know what each number of a row is, and the plan does not know all columns",
        "declare every column of the table, its categories and `missing:` too; `gendsl data` tells what they are",
    )


def condition_loss(row: Any, condition: Any, places: Sequence[tuple[int, int]]) -> Any:
    """Minus the log of what a row (batch, width) gives to the category that its condition (batch, n) chose, (batch).

    `places` (start, width) are where in the row the condition's columns stand, in its order. Source: Xu et al. 2019,
    Modeling Tabular Data using Conditional GAN, section 4.3."""
    if not places:
        raise unknown_columns("condition_loss")
    given = tf.concat([row[:, start : start + width] for start, width in places], axis=1)
    chosen = tf.reduce_sum(tf.cast(given, tf.float32) * tf.cast(condition, tf.float32), axis=1)
    return -tf.math.log(tf.maximum(chosen, _LEAST))
