"""Bytes of pictures in, what a network of pictures takes out: three channels, a size, a range."""

from typing import Any

import tensorflow as tf


def colour(pictures: Any) -> Any:
    """Pictures (n, h, w, c) with three channels: grey is repeated, the alpha of a fourth one is left out."""
    channels = pictures.shape[-1]
    if channels in (1, 2):
        return tf.repeat(pictures[..., :1], 3, axis=-1)
    return pictures[..., :3]


def sized(pictures: Any, side: int) -> Any:
    """Float32 pictures (n, side, side, c), resized bilinearly; what becomes smaller is smoothed first."""
    pictures = tf.cast(pictures, tf.float32)
    if tuple(pictures.shape[1:3]) == (side, side):
        return pictures
    return tf.image.resize(pictures, (side, side), antialias=True)
