"""A tiny experiment and data set that keep the contract: enough to test the loop without networks or a spec."""

from typing import Any

import numpy as np
import tensorflow as tf

from gendsl.lower.replicas import ONE
from gendsl.parts.keys import WHOLE, Key, Share


class FakeExperiment:
    """Fits two numbers with momentum; each step also draws noise by its key."""

    def __init__(self, *, steps: int = 60, blows_up_at: int | None = None) -> None:
        self.steps, self.times, self.seed = steps, 2, 5
        self.replicas, self.by_xla, self.must_use_xla = ONE, False, False
        self.weights = tf.Variable([0.5, -0.25], name="weights")
        self.momentum = tf.Variable([0.0, 0.0], name="momentum")
        self._blows_up_at = blows_up_at

    def groups_at(self, step: int) -> frozenset[int]:
        return frozenset([0])

    def step_at(
        self, step: tf.Tensor, batches: dict[str, tf.Tensor], groups: frozenset[int] | None = None
    ) -> dict[str, tf.Tensor]:
        total = tf.constant(0.0)
        for k in range(self.times):
            noise = tf.random.stateless_normal([2], Key(self.seed, f"noise/{k}", step).pair(), alg="philox")
            error = self.weights - tf.reduce_mean(batches["point"][k], axis=0) + 0.1 * noise
            self.momentum.assign(0.9 * self.momentum + error)
            self.weights.assign_sub(0.01 * self.momentum)
            total += tf.reduce_sum(tf.square(error))
        if self._blows_up_at is not None:
            total = tf.where(step >= self._blows_up_at, tf.constant(float("nan")), total)
        return {"fit/loss": total, "learning_rate/fit": 0.01 / (1.0 + tf.cast(step, tf.float32))}

    def state(self) -> dict[str, Any]:
        return {"networks/fit/weights": self.weights, "optimizers/fit/momentum": self.momentum}

    def bits(self) -> bytes:
        return b"".join(variable.numpy().tobytes() for variable in self.state().values())


class FakeDataset:
    """A hundred points in memory."""

    def __init__(self) -> None:
        self._points = tf.constant(np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32))

    def addresses(self, first_step: int, steps: int) -> np.ndarray:
        positions = np.arange(first_step * 8, (first_step + steps) * 8, dtype=np.int64)
        return np.stack([positions // 100, positions * 37 % 100], axis=-1).reshape(steps, 2, 4, 2)

    def fetch(self, addresses: tf.Tensor, share: Share = WHOLE) -> dict[str, tf.Tensor]:
        return {"point": tf.gather(self._points, addresses[..., 1])}
