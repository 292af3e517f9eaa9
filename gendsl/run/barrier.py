"""The workers of a run in, all of them there at once out: TensorFlow would wait for a missing one for ever.

Each listens on its own address and calls all others; each call begins with a greeting from either side. Who has all
greetings says so on its calls, and who has heard that from all others may go: nobody needs it to listen any more. So
every pair of addresses was tried, both ways, on the ports that TensorFlow is about to use.
"""

import asyncio
import contextlib
import errno
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.run.cluster import Cluster, host_and_port

_SECONDS_A_CALL = 5.0
_SECONDS_BETWEEN_CALLS = 0.25
_LONGEST_GREETING = 65_536
_CONTENT = b"content\n"


def meet(
    cluster: Cluster,
    greeting: Mapping[str, str],
    *,
    seconds: float,
    waiting: Callable[[str], None] = lambda text: None,
) -> None:
    """Returns when all workers are there and their greetings, which say what they are about to do, are the same.

    `waiting` is told now and then for whom. Raises UserError for a worker that is not there after so many seconds, and
    for one that is about to do something else.
    """
    if len(cluster.addresses) > 1:
        asyncio.run(_Meeting(cluster, greeting, seconds, waiting).held())


class _Meeting:
    def __init__(
        self, cluster: Cluster, greeting: Mapping[str, str], seconds: float, waiting: Callable[[str], None]
    ) -> None:
        self._cluster = cluster
        self._seconds = seconds
        self._waiting = waiting
        self._others = [index for index in range(len(cluster.addresses)) if index != cluster.index]
        self._greetings = {cluster.index: dict(greeting)}
        self._calls: dict[int, asyncio.StreamWriter] = {}  # that this worker makes
        self._answers: set[asyncio.Task[None]] = set()  # to those of others
        self._content: set[int] = set()  # have all greetings, as they have told
        self._hindrances: dict[int, str] = {}

    async def held(self) -> None:
        server = await self._listening()
        callers = [asyncio.ensure_future(self._call(index)) for index in self._others]
        try:
            async with asyncio.timeout(self._seconds):
                await self._until(lambda: len(self._greetings) == len(self._cluster.addresses), callers)
                for writer in self._calls.values():
                    writer.write(_CONTENT)
                    await writer.drain()
                await self._until(lambda: len(self._content) == len(self._others), callers)
        except TimeoutError:
            raise self._too_late() from None
        finally:
            server.close()
            for writer in self._calls.values():
                writer.close()
            lines = (*callers, *self._answers)
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)
        self._compare()

    async def _until(self, condition: Callable[[], bool], callers: Sequence["asyncio.Future[None]"]) -> None:
        said = 0.0
        while not condition():
            for caller in callers:
                if caller.done():
                    caller.result()  # raises what ended it
            if time.monotonic() - said >= 1:
                said = time.monotonic()
                self._waiting(self._awaited())
            await asyncio.sleep(0.02)

    def _awaited(self) -> str:
        missing = [self._cluster.named(index) for index in self._others if index not in self._greetings]
        return f"waiting for {' and '.join(missing)}" if missing else "all workers are there"

    def _too_late(self) -> UserError:
        for index in self._others:
            if index not in self._greetings:
                return UserError(
                    f"{self._cluster.named(index)} has not come within {self._seconds:g} seconds"
                    f" ({self._hindrances.get(index, 'no answer')})",
                    "start it there, look whether its own messages say more, or wait longer with --wait SECONDS",
                )
        index = next(index for index in self._others if index not in self._content)
        return UserError(
            f"{self._cluster.named(index)} is there, but did not find all others within {self._seconds:g} seconds",
            "every worker must reach every other: look at its own message, and at firewalls",
        )

    def _compare(self) -> None:
        """Refuses to begin if somebody is about to do something else than the chief; all find the same."""
        chief = self._greetings[0]
        for index in sorted(self._greetings):
            for name in sorted({*chief, *self._greetings[index]}):
                here, there = chief.get(name, "none"), self._greetings[index].get(name, "none")
                if here != there:
                    raise UserError(
                        f"{self._cluster.named(index)} has {name} {there}, and the chief {here}",
                        "give all workers the same spec, options, data and versions",
                    )

    async def _listening(self) -> asyncio.Server:
        host, port = host_and_port(self._cluster.addresses[self._cluster.index])
        try:
            # TensorFlow listens on all of a machine's addresses too: a published port may have another one outside.
            return await asyncio.start_server(self._receive, "::" if ":" in host else "0.0.0.0", port)
        except OSError as error:
            reason = (
                "another process listens there" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            )
            raise UserError(
                f"{self._cluster.named(self._cluster.index)} cannot listen on its port: {reason}",
                "end what is left of an earlier run, or give another port to all workers",
            ) from None

    # What is said

    @property
    def _hello(self) -> bytes:
        said = {
            "gendsl": 1,
            "worker": self._cluster.index,
            "workers": self._cluster.addresses,
            "greeting": self._greetings[self._cluster.index],
        }
        return json.dumps(said).encode() + b"\n"

    async def _heard(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        """What the other side says first. Raises ValueError if that is no greeting of ours."""
        line = await asyncio.wait_for(reader.readline(), _SECONDS_A_CALL)
        said = json.loads(line)
        if not isinstance(said, dict) or said.get("gendsl") != 1 or not isinstance(said.get("greeting"), dict):
            raise ValueError("no greeting")
        return said

    def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._answer(reader, writer))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves another worker's call; strangers are sent away."""
        try:
            said = await self._heard(reader)
            writer.write(self._hello)
            await writer.drain()
            if await reader.readline() == _CONTENT and said["worker"] in self._others:
                self._content.add(said["worker"])
                await reader.read()  # hanging up would say that this worker is gone
        except (OSError, ValueError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _call(self, index: int) -> None:
        """Calls until a worker answers; then stays on the line."""
        host, port = host_and_port(self._cluster.addresses[index])
        while True:
            try:
                async with asyncio.timeout(_SECONDS_A_CALL):
                    reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST_GREETING)
                    self._calls[index] = writer
                    writer.write(self._hello)
                    said = await self._heard(reader)
                break
            except TimeoutError:
                self._hindrances[index] = "no answer"
            except OSError as error:
                self._hindrances[index] = _reason(error)
            except ValueError:
                self._hindrances[index] = "something else answers there"
            if index in self._calls:
                self._calls.pop(index).close()
            await asyncio.sleep(_SECONDS_BETWEEN_CALLS)
        self._recognise(index, said)
        self._greetings[index] = {str(name): str(value) for name, value in said["greeting"].items()}
        with contextlib.suppress(OSError):
            await reader.read()  # until it hangs up
        await asyncio.sleep(1)  # who was content may hang up; its last word comes on another line
        if index not in self._content:
            raise UserError(
                f"{self._cluster.named(index)} came and went before the run began", "its own messages say why"
            )

    def _recognise(self, index: int, said: Mapping[str, Any]) -> None:
        if said.get("worker") != index:
            raise UserError(
                f"{self._cluster.named(index)} says that it is worker {said.get('worker')}",
                "give each worker its own number by --worker, or its own `task` in TF_CONFIG",
            )
        if said.get("workers") != list(self._cluster.addresses):
            raise UserError(
                f"{self._cluster.named(index)} was started with other workers: {', '.join(said.get('workers') or ())}",
                "give all of them the same list, in the same order",
            )


def _reason(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "nobody listens there"
    return (error.strerror or str(error)).lower()
