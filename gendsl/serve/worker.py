"""Calls of a model in, their results out: one at a time in a thread of its own, behind a queue that has an end."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from gendsl.serve.signatures import Refused

T = TypeVar("T")
_Job = tuple[Callable[[], Any], "Future[Any]"]


class Worker:
    """Runs what it is given one after the other: a call uses all cores already, and two would hold memory twice."""

    def __init__(self, *, waiting: int, seconds: float) -> None:
        """`waiting` calls may wait for the one that runs; each is given `seconds`, its wait included."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._free = threading.BoundedSemaphore(waiting + 1)
        self._seconds = seconds
        # A daemon: a call of TensorFlow cannot be broken off, and is not to hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    async def result(self, call: Callable[[], T]) -> T:
        """What the call gives. Raises Refused: 503 where too many wait already, 504 where it takes too long; and what
        the call raises."""
        if not self._free.acquire(blocking=False):
            raise Refused(503, "too many requests wait already; try again in a moment", retry=True)
        future: Future[T] = Future()
        future.add_done_callback(lambda _: self._free.release())
        self._jobs.put((call, future))
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(future)  # given up, it is cancelled if it has not begun
        except TimeoutError:
            raise Refused(
                504,
                f"this took more than {self._seconds:g} seconds: ask for less, or start the server with another "
                "--timeout",
            ) from None

    def stop(self, *, patience: float) -> None:
        """Ends when the call that runs has ended, or after `patience` seconds without it."""
        self._jobs.put(None)
        self._thread.join(patience)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del job, call, future  # what it held is not to be held until the next one comes
