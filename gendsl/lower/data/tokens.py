"""Windows of tokens and the transforms of `augment { }` in, what a model is given and what it is to say out, in graph.

Each example's draws are its own, by (seed, epoch, index), however it is batched.
"""

from typing import Any

import tensorflow as tf

from gendsl.lower.data.draws import uniforms
from gendsl.lower.data.windows import HeldWindows
from gendsl.plan.plan import Call, Field

_TRANSPOSE = 0x7472616E  # a stream of its own beside those of the calls


def augmented(
    windows: HeldWindows, field: Field, calls: tuple[Call, ...], key: tuple[int, int], epoch: Any, index: Any
) -> tuple[Any, Any]:
    """int32 (k, length) twice, at examples' epochs and indexes (k,) int64: the tokens, and those that follow each.

    Music comes in one of its keys; what `token_dropout` replaces stays as it was in what is to be said.
    """
    variant = None
    if windows.variants > 1:
        drawn = uniforms((key[0] ^ _TRANSPOSE, key[1]), epoch, index, 1)[:, 0, 0]
        variant = tf.minimum(tf.cast(drawn * windows.variants, tf.int64), windows.variants - 1)
    found = windows.at(index, variant)
    given, said = found[:, :-1], found[:, 1:]
    for number, call in enumerate(calls):
        if call.word == "token_dropout":
            own = (key[0] ^ (number + 1), key[1])
            given = _dropped(given, float(call.arguments["share"]), field.classes, own, epoch, index)
    return given, said


def _dropped(tokens: Any, share: float, vocabulary: Any, key: tuple[int, int], epoch: Any, index: Any) -> Any:
    """Tokens (k, length), a share of them replaced by others, each of the vocabulary as likely."""
    length = tokens.shape[1]
    drawn = tf.reshape(uniforms(key, epoch, index, -(-length // 2)), (-1, 2, 2 * -(-length // 2)))[:, :, :length]
    others = tf.minimum(tf.cast(drawn[:, 1] * float(vocabulary), tf.int32), vocabulary - 1)
    return tf.where(drawn[:, 0] < share, others, tokens)
