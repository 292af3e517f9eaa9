"""A cluster in, its processes joined to one run out, and a lost one named: how several workers begin and end."""

import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.run.barrier import meet
from gendsl.run.cluster import Cluster, strategy_of
from gendsl.run.crew import ALONE, Crew, Workers
from gendsl.run.watch import begun_within, unreachable

SECONDS_TO_WAIT = 300.0  # for workers that are not there yet
_SECONDS_TO_BEGIN = 60.0
_SECONDS_TO_END = 30


def joined(
    call: Any,
    cluster: Cluster | None,
    *,
    batch: int,
    plan: Mapping[str, str],
    seconds: float,
    waiting: Callable[[str], None],
) -> tuple[Any, Crew]:
    """The replicas of a strategy and the crew that they make, once all workers of the cluster are there.

    `plan` says by name what this worker is about to do; all must say the same. TensorFlow must not have computed
    anything yet in a process that has others. Raises UserError.
    """
    from gendsl.lower.replicas import replicas_of

    call = strategy_of(call, cluster)
    if cluster is None or len(cluster.addresses) == 1:
        os.environ.pop("TF_CONFIG", None)
        return replicas_of(call, batch=batch), ALONE
    meet(cluster, plan, seconds=seconds, waiting=waiting)
    os.environ["TF_CONFIG"] = cluster.tf_config
    with begun_within(_SECONDS_TO_BEGIN, cluster):
        replicas = replicas_of(call, batch=batch)
    # TensorFlow's server takes SIGTERM for a notice of preemption that nobody listens to: it is ours again.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    return replicas, Workers(replicas, cluster)


@contextmanager
def losses_named(cluster: Cluster | None) -> Iterator[None]:
    """What TensorFlow says of a lost worker becomes a UserError that names it; and the process will end."""
    if cluster is None or len(cluster.addresses) == 1:
        yield
        return
    try:
        yield
    except Exception as error:
        import tensorflow as tf

        lost = lost_workers(str(error), cluster) if isinstance(error, tf.errors.OpError) else []
        if not lost:
            raise
        # Whatever TensorFlow's threads still wait for, the system ends this process.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_SECONDS_TO_END)
        raise UserError(
            f"{' and '.join(map(cluster.named, lost))} was lost: it has ended, was stopped, or cannot be reached",
            "its own messages may say why; start all workers again with --resume to go on from the last checkpoint",
        ) from error


def lost_workers(message: str, cluster: Cluster) -> list[int]:
    """Whom a message of TensorFlow is about: those it names, else those that do not answer, else its coordinator."""
    named = {int(number) for number in re.findall(r"/job:worker(?:/replica:\d+)?/task:(\d+)", message)}
    named -= {cluster.index}
    found = sorted(index for index in named if index < len(cluster.addresses)) or unreachable(cluster)
    if not found and "CoordinationService" in message and cluster.index != 0:
        return [0]
    return found
