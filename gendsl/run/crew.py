"""The processes of a run in, what they have in common out: what to do next, and the chief's state and records.

A run has one process, or one on each of several machines. All call the same methods in the same order. They talk by
TensorFlow's own collectives alone: what the chief has is a sum to which the others add zeros, over integers, so that
the bits stay.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError
from gendsl.run.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes next: so many steps (0 at the end, `TURN` for another course), or a signal that ends it (0: none)."""

    count: int
    stop: int


_REFUSED = -1  # in place of a count: the chief cannot go on
TURN = -2  # the chief goes on from elsewhere, or otherwise, which its next record says


class Crew:
    """The only process of a run: it agrees with itself, and shares with nobody."""

    index = 0
    size = 1

    @property
    def chief(self) -> bool:
        """Whether this process decides and writes."""
        return self.index == 0

    def agree(self, decision: Decision) -> Decision:
        """One decision for all: the count is the chief's, stop is the first signal that any process got.

        Raises the UserError that ended the chief's `training`.
        """
        return decision

    def share(self, state: Mapping[str, Any]) -> None:
        """Gives every process the values of the chief's variables, bit for bit."""

    def share_record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The chief's record, as it is read back from JSON. Raises the UserError that ended the chief's `leading`."""
        return dict(record)

    @contextmanager
    def leading(self, *, training: bool = False) -> Iterator[None]:
        """What the chief does while the others wait for its next record: if a UserError ends it, it ends all.

        In `training` they wait for the next decision instead.
        """
        yield

    def compare(self, what: str, content: str) -> None:
        """Raises UserError, in all processes, if one has other content than the chief."""


ALONE = Crew()


class Workers(Crew):
    """One of several processes, each with its replicas of one strategy."""

    def __init__(self, replicas: Any, cluster: Cluster) -> None:
        import tensorflow as tf

        self._cluster = cluster
        self.index, self.size = replicas.worker, replicas.workers
        strategy = replicas.strategy
        local = replicas.count // replicas.workers

        def mine(values: Any) -> Any:
            context = tf.distribute.get_replica_context()
            first = tf.equal(context.replica_id_in_sync_group % local, 0)  # of this worker's replicas, one adds
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.where(first, values, tf.zeros_like(values)))

        def summed(values: Any) -> Any:
            return strategy.experimental_local_results(strategy.run(mine, (values,)))[0]

        signature = [tf.TensorSpec([None], tf.int64)]
        self._summed = tf.function(summed, input_signature=signature, autograph=False)

    def agree(self, decision: Decision) -> Decision:
        """As of one; each process waits here for the others."""
        import numpy as np

        told = np.zeros([1 + self.size], np.int64)
        if self.chief:
            told[0] = decision.count
        told[1 + self.index] = decision.stop
        count, *stops = (int(value) for value in self._sum(told))
        if count == _REFUSED and not self.chief:
            self.share_record({})
        return Decision(count, next((stop for stop in stops if stop), 0))

    def share(self, state: Mapping[str, Any]) -> None:
        """As of one; the variables are the same on all, in this order."""
        import numpy as np

        values = [variable.numpy() for variable in state.values()]
        lengths = [-(-value.nbytes // 8) for value in values]
        words = np.zeros([sum(lengths)], np.int64)
        ends = np.cumsum(lengths)
        if self.chief:
            for value, length, end in zip(values, lengths, ends, strict=True):
                words[end - length : end].view(np.uint8)[: value.nbytes] = np.frombuffer(value.tobytes(), np.uint8)
        words = self._sum(words)
        if self.chief:
            return
        for variable, value, length, end in zip(state.values(), values, lengths, ends, strict=True):
            content = words[end - length : end].tobytes()[: value.nbytes]
            variable.assign(np.frombuffer(content, value.dtype).reshape(value.shape))

    def share_record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """As of one; the others' own records are not looked at."""
        shared = self._shared({"given": record})
        if "refused" in shared:
            message, help = shared["refused"]
            raise UserError(f"the chief, {self._cluster.named(0)}, cannot go on: {message}", help)
        given: dict[str, Any] = shared["given"]
        return given

    def _shared(self, record: Mapping[str, Any]) -> dict[str, Any]:
        import numpy as np

        content = json.dumps(record).encode() if self.chief else b""
        size = int(self._sum(np.array([len(content)], np.int64))[0])
        words = np.zeros([-(-size // 8)], np.int64)
        words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
        shared: dict[str, Any] = json.loads(self._sum(words).tobytes()[:size])
        return shared

    @contextmanager
    def leading(self, *, training: bool = False) -> Iterator[None]:
        """As of one."""
        try:
            yield
        except UserError as error:
            if training:
                self.agree(Decision(_REFUSED, 0))
            self._shared({"refused": [error.message, error.help]})
            raise

    def compare(self, what: str, content: str) -> None:
        """As of one."""
        import numpy as np

        digests = np.zeros([self.size], np.int64)
        digests[self.index] = int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "little", signed=True)
        chief, *others = self._sum(digests)
        for index, other in enumerate(others, start=1):
            if other != chief:
                raise UserError(
                    f"{self._cluster.named(index)} has other {what} than the chief", "all workers need the same"
                )

    def _sum(self, words: Any) -> Any:
        return self._summed(words).numpy()
