"""A drawn source in (gaussians, ring, swiss_roll), a function from a seed and a shape to points of the plane out."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gendsl.plan.plan import Call

DRAWN = ("gaussians", "ring", "swiss_roll")


def modes_of(call: Call) -> np.ndarray | None:
    """The centres (modes, 2) float32 of a source that is a mixture of Gaussians; None of one that is not."""
    arguments = call.arguments
    if call.word == "gaussians" and arguments.get("grid") is not None:
        across, down = arguments["grid"]
        columns = (np.arange(across) - (across - 1) / 2) * float(arguments["spacing"])
        rows = (np.arange(down) - (down - 1) / 2) * float(arguments["spacing"])
        return np.stack(np.meshgrid(columns, rows, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)
    if call.word in ("gaussians", "ring"):
        count = arguments["ring"] if call.word == "gaussians" else arguments["modes"]
        angle = 2 * math.pi * np.arange(count) / count
        return (float(arguments["radius"]) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).astype(np.float32)
    return None


def points_of(call: Call) -> Callable[[Any, Any], Any]:
    """A function of a seed (2,) int64 and a shape (k,) that gives points (*shape, 2) float32, in graph."""
    table = modes_of(call)
    if table is not None:
        std = float(call.arguments["std"])

        def mixture(seed: Any, shape: Any) -> Any:
            # two draws need two seeds: one and the same would tie the noise to the mode
            which = tf.random.stateless_uniform(shape, seed, maxval=len(table), dtype=tf.int32, alg="philox")
            noise = tf.random.stateless_normal(
                tf.concat([shape, [2]], 0), seed + tf.constant([1, 0], tf.int64), alg="philox"
            )
            return tf.gather(tf.constant(table), which) + std * noise

        return mixture

    noise_std = float(call.arguments["noise"])

    def roll(seed: Any, shape: Any) -> Any:
        uniform = tf.random.stateless_uniform(shape, seed, alg="philox")
        turn = 1.5 * math.pi * (1 + 2 * uniform)
        place = tf.stack([turn * tf.cos(turn), turn * tf.sin(turn)], axis=-1) / 7.5
        noise = tf.random.stateless_normal(
            tf.concat([shape, [2]], 0), seed + tf.constant([1, 0], tf.int64), alg="philox"
        )
        return place + noise_std * noise

    return roll
