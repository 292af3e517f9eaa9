"""A plan in, what is told of its memory out: a warning before training, and an answer where there was not enough.

On a processor the system ends a process that takes too much, without a word from it: so the warning comes first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan import machine
from gendsl.plan.cost import cost_of
from gendsl.plan.fitting import fitting
from gendsl.plan.plan import Plan
from gendsl.plan.show import size

_ROOM = 0.9  # of the memory may be counted on where the estimate has been seen to be too small


def warning(plan: Plan, replicas: Any) -> str | None:
    """What to tell before training that by the estimate does not fit; None where it does, or nobody knows."""
    gpu = _gpu()
    room = machine.free_memory() if gpu is None else gpu * replicas.count
    total = cost_of(plan).total
    if room is None or not isinstance(total, int) or total <= room:
        return None
    where = "this machine has" if gpu is None else "there is GPU memory of"
    free = " free" if gpu is None else ""
    return f"by the plan's estimate a step takes {size(total)}, and {where} {size(room)}{free}: {fitting(plan, room)}"


@contextmanager
def answered(plan: Plan) -> Iterator[None]:
    """Whatever ends in it for want of memory ends in a UserError that says what would fit."""
    try:
        yield
    except Exception as error:
        if not _ran_out(error):
            raise
        raise explained(plan) from error


def explained(plan: Plan) -> UserError:
    """What a person is told when there was not enough memory."""
    cost = cost_of(plan)
    gpu = _gpu()
    have = machine.memory() if gpu is None else gpu
    told = f"memory ran out: the plan estimates {size(cost.total)} a step"
    if isinstance(cost.activations, int):
        told += f", {size(cost.activations)} of it for the activations of a batch of {plan.data.batch:,}"
    if have is None or not isinstance(cost.total, int):
        return UserError(told, "take a smaller `batch`, or `precision mixed_bfloat16`")
    room = int(_ROOM * have)
    beyond = max(1.0, (room + 1) / cost.total)  # it did not fit, whatever the estimate says
    more = "; it took more than that" if beyond > 1 else ""
    where = "this machine has" if gpu is None else "the GPU has"
    return UserError(f"{told}; {where} {size(have)}{more}", fitting(plan, room, beyond=beyond))


def _ran_out(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return True
    text = str(error)
    return any(sign in text for sign in ("RESOURCE_EXHAUSTED", "OUT_OF_MEMORY", "std::bad_alloc"))


def _gpu() -> int | None:
    """Bytes that TensorFlow may take of the smallest GPU; None without one."""
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU"):
        return None
    from tensorflow.python.client import device_lib

    limits = [int(device.memory_limit) for device in device_lib.list_local_devices() if device.device_type == "GPU"]
    return min(limits)
