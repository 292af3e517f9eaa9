"""The spec's `strategy` in, the replicas that a step runs on out: each with a copy of the state, a part of the batch.

Every variable is a copy a replica, equal on all after each step, since all apply the same averaged gradients to it. So
the only thing that replicas tell each other is `averaged`, once an update, and outside a step one copy is enough.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call


@dataclass(frozen=True, slots=True)
class Replicas:
    """`count` replicas of all workers; `kind` is one, mirrored, workers or tpu. `strategy` is None for a lone one."""

    strategy: Any = None
    count: int = 1
    kind: str = "one"
    worker: int = 0
    workers: int = 1

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Inside, each variable is made as a copy for each replica."""
        if self.strategy is None:
            yield
            return
        with self.strategy.scope(), tf.variable_creator_scope(_copied):
            yield

    def run(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """What the function gives on this process's first replica; in graph."""
        if self.strategy is None:
            return function(*arguments)
        given = self.strategy.run(function, arguments)
        return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], given)


ONE = Replicas()


def _copied(creator: Any, **options: Any) -> Any:
    options["synchronization"] = tf.VariableSynchronization.ON_READ
    options["aggregation"] = tf.VariableAggregation.ONLY_FIRST_REPLICA
    return creator(**options)


def replicas_of(call: Call | None, *, batch: int) -> Replicas:
    """The replicas of a `strategy` statement for a global batch; `auto` takes the GPUs that divide it.

    `workers` reads TF_CONFIG; `mirrored(n)` without GPUs takes logical CPU devices. Raises UserError where there are
    too few devices, or the batch does not divide.
    """
    word = "auto" if call is None else call.word
    match word:
        case "one":
            return ONE
        case "auto":
            devices = _devices("GPU")
            count = max((n for n in range(1, len(devices) + 1) if batch % n == 0), default=1)
            return ONE if count == 1 else _mirrored(devices[:count])
        case "mirrored":
            assert call is not None
            devices = _devices("GPU") or _devices("CPU")
            wanted = call.arguments.get("replicas") or len(devices)
            if wanted > len(devices):
                raise UserError(
                    f"`strategy mirrored({wanted})` asks for {wanted} devices, and there are {len(devices)}",
                    f"`strategy mirrored` takes all that there are; `strategy mirrored({len(devices)})` so many",
                )
            _refuse_indivisible(batch, wanted)
            return _mirrored(devices[:wanted])
        case "workers":
            options = tf.distribute.experimental.CommunicationOptions()
            made = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
            _refuse_indivisible(batch, made.num_replicas_in_sync)
            resolver = made.cluster_resolver
            workers = len(resolver.cluster_spec().as_dict().get("worker", ())) or 1
            return Replicas(made, made.num_replicas_in_sync, "workers", int(resolver.task_id or 0), workers)
        case "tpu":
            return _tpu(batch)
        case _:
            raise ValueError(f"no strategy {word}")


def _devices(kind: str) -> list[str]:
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _mirrored(devices: Sequence[str]) -> Replicas:
    if len(devices) == 1:
        return ONE
    # Processors need no collective library; and its groups would forbid a second strategy in the same process.
    on_processors = all(":CPU:" in device for device in devices)
    ops = tf.distribute.ReductionToOneDevice() if on_processors else None
    made = tf.distribute.MirroredStrategy(list(devices), cross_device_ops=ops)
    return Replicas(made, len(devices), "mirrored")


def _tpu(batch: int) -> Replicas:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.tpu.experimental.initialize_tpu_system(resolver)
        made = tf.distribute.TPUStrategy(resolver)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"`strategy tpu` finds no TPU on this machine: {reason}", "`strategy auto` takes what is there"
        ) from error
    _refuse_indivisible(batch, made.num_replicas_in_sync)
    return Replicas(made, made.num_replicas_in_sync, "tpu")


def _refuse_indivisible(batch: int, count: int) -> None:
    if batch % count:
        near = max(count, batch // count * count)
        raise UserError(
            f"a batch of {batch} cannot be shared out among {count} replicas",
            f"`batch {near}` can, or take a number of replicas that divides {batch}",
        )
