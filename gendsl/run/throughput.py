"""A plan and its steps/s in, how much of what the machine can multiply a run achieves out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from gendsl.plan.cost import work_of
from gendsl.plan.plan import Plan
from gendsl.plan.show import short

# Measuring takes about 0.2 s: so late that it is no more than 2 % of the run.
_SECONDS_BEFORE = 10.0
_SECONDS_A_PRODUCT = 0.005
_LARGEST = 16_384
_DTYPES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


@dataclass(slots=True)
class Throughput:
    """FLOPs by the plan's count, against the rate of a large matrix product in the run's precision.

    `machine` is that rate in FLOPs/s, over all devices of the run; None before it is measured.
    """

    plan: Plan
    experiment: Any
    machine: float | None = None
    _achieved: float | None = None
    _work: dict[frozenset[int], Any] = field(default_factory=dict)  # FLOPs a step, by the groups that run in it
    _began: float = field(default_factory=time.monotonic)

    def scalars(self, step: int, steps_per_second: float | None) -> Mapping[str, float]:
        """What TensorBoard shows of a speed, after `step` steps."""
        groups = self.experiment.groups_at(max(step - 1, 0))
        if groups not in self._work:
            # A variant of a group, in which some of it is frozen, is counted as the whole.
            self._work[groups] = work_of(self.plan, {number % len(self.plan.train.groups) for number in groups})
        work = self._work[groups]
        if steps_per_second is None or not isinstance(work, int) or not work:
            return {}
        self._achieved = work * steps_per_second
        if self.machine is None and time.monotonic() - self._began >= _SECONDS_BEFORE:
            self._measure()
        found = {"run/flops_per_second": self._achieved}
        if self.machine is not None:
            found["run/share_of_matmul_rate"] = self._achieved / self.machine
        return found

    def summary(self) -> str | None:
        """`12.3 GFLOP/s, 61 % of this machine's 20.2 GFLOP/s in float32 matmul`; None if no speed was known."""
        if self._achieved is None:
            return None
        if self.machine is None:
            self._measure()
        assert self.machine is not None
        whose = "this machine's" if self.experiment.replicas.workers == 1 else "these machines'"
        share = 100 * self._achieved / self.machine
        shown = f"{share:.0f}" if share >= 10 else f"{share:.2g}"
        return (
            f"{short(round(self._achieved))}FLOP/s, {shown} % of {whose} {short(round(self.machine))}FLOP/s "
            f"in {self._multiplied} matmul"
        )

    @property
    def _multiplied(self) -> str:
        """What the numbers are multiplied in: tensor cores of GPUs take float32 as TF32, which TensorFlow lets them."""
        tf32 = tf.config.list_logical_devices("GPU") and tf.config.experimental.tensor_float_32_execution_enabled()
        return "TF32" if self._dtype == "float32" and tf32 else self._dtype

    @property
    def _dtype(self) -> str:
        precision = self.plan.train.settings.get("precision")
        return "float32" if precision is None else _DTYPES.get(precision.arguments["policy"], "float32")

    def _measure(self) -> None:
        replicas = self.experiment.replicas
        several = replicas.count if tf.config.list_logical_devices("GPU") else replicas.workers
        self.machine = several * matmul_rate(self._dtype)


def matmul_rate(dtype: str) -> float:
    """The FLOPs/s of one device in a square matrix product, the best of three, of a size that takes 5 ms or more."""
    side = 256
    while True:
        matrix = tf.ones([side, side], dtype)
        _seconds_of_product(matrix)  # the first of a size prepares it
        seconds = _seconds_of_product(matrix)
        if seconds >= _SECONDS_A_PRODUCT or side >= _LARGEST:
            best = min(seconds, *(_seconds_of_product(matrix) for _ in range(2)))
            return 2.0 * side**3 / best
        side *= 2


def _seconds_of_product(matrix: tf.Tensor) -> float:
    began = time.perf_counter()
    tf.linalg.matmul(matrix, matrix)[0, 0].numpy()  # waits for the device
    return time.perf_counter() - began
