"""An application in, the same one out behind what protects it: its hosts, sizes, numbers, and headers for browsers.

It stands before any routing, so that nothing of a request is read which is refused: ASGI 3, without a framework.
"""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from gendsl.serve.limits import Limits
from gendsl.serve.signatures import Refused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_PART = 256 * 1024  # bytes that are handed over at once: a slow reader then holds us up instead of our memory
_DRAINED = 2.0  # seconds in which the rest of a refused body is thrown away, so that its sender hears why
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}


def error_body(message: str) -> bytes:
    """An error as TensorFlow Serving writes one."""
    return orjson.dumps({"error": message}) + b"\n"


class _NotTakenError(Exception):
    """A client asks and does not read the answer."""


class Guard:
    """Lets a request through to an application, or says why not."""

    def __init__(self, app: App, limits: Limits, *, loopback: bool, failed: Callable[[Exception], None]) -> None:
        """With `loopback` only those are answered who call it by a name of this machine: a page on the web that lets
        its own name lead to 127.0.0.1 (DNS rebinding) calls it by that one. `failed` is told of our own mistakes."""
        self._app, self._limits, self._loopback, self._failed = app, limits, loopback, failed
        self._under_way = self._held = 0
        self.answered = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":  # no other protocol is served
            return
        headers = dict(scope["headers"])
        load = _Load(self)
        answer = _Answer(send, load, self._limits.seconds)
        self._under_way += 1
        try:
            try:
                await self._answered(scope, headers, receive, answer, load)
                self.answered += 1
            except Refused as refusal:
                await answer.refused(refusal)
                if refusal.status == 413 and b"expect" not in headers:
                    await _drain(receive)
                await answer.end()
        except _NotTakenError:
            return  # the server closes the connection of who does not take an answer
        finally:
            self._under_way -= 1
            load.free()

    def hold(self, size: int) -> None:
        """Counts bytes of requests and answers in memory. Raises Refused where they become too many."""
        self._held += size
        if self._held > self._limits.held and size > 0:
            raise Refused(503, "the server has its hands full; try again in a moment", retry=True)

    async def _answered(
        self, scope: Any, headers: dict[bytes, bytes], receive: Receive, answer: "_Answer", load: "_Load"
    ) -> None:
        if self._under_way > self._limits.requests:
            raise Refused(503, "too many requests are under way already; try again in a moment", retry=True)
        if self._loopback:
            _check_host(headers)
        _check_origin(headers)
        body = await _body(headers, receive, self._limits, load)
        handed = False

        async def receive_whole() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self._app(scope, receive_whole, answer)
        except (Refused, _NotTakenError):
            raise
        except Exception as error:
            self._failed(error)
            raise Refused(500, f"sorry, this is a mistake in gendsl ({type(error).__name__})") from None


def _check_host(headers: dict[bytes, bytes]) -> None:
    host = headers.get(b"host", b"").decode("latin-1")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower().rstrip(".") == "localhost" or name.lower().endswith(".localhost"):
        return
    try:
        if ipaddress.ip_address(name.strip("[]")).is_loopback:
            return
    except ValueError:
        pass
    raise Refused(
        403,
        "this server answers those only who call it localhost or 127.0.0.1; `gendsl serve --host` opens it to others",
    )


def _check_origin(headers: dict[bytes, bytes]) -> None:
    """A page from elsewhere may not use a visitor's browser to ask us."""
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2] != headers.get(b"host", b""):
        raise Refused(403, "pages of other addresses may not ask this server")


class _Load:
    """The bytes that one request holds in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._size = guard, 0

    def add(self, size: int) -> None:
        """Counts some more. Raises Refused where all requests hold too much."""
        self._size += size
        self._guard.hold(size)

    def free(self) -> None:
        """It holds nothing any more."""
        self._guard.hold(-self._size)
        self._size = 0


async def _body(headers: dict[bytes, bytes], receive: Receive, limits: Limits, load: _Load) -> bytes:
    """The body of a request. One that is too long is refused before it is read, without a length once it is."""
    told = headers.get(b"content-length", b"0")
    if told.isdigit() and int(told) > limits.body:
        raise _too_long(limits)
    parts, size = [], 0
    try:
        async with asyncio.timeout(limits.seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(400, "the request broke off")
                part = message.get("body", b"")
                size += len(part)
                if size > limits.body:
                    raise _too_long(limits)
                load.add(len(part))
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(408, f"the request was not there after {limits.seconds:g} seconds") from None


def _too_long(limits: Limits) -> Refused:
    return Refused(413, f"the request is longer than {limits.body / 1024**2:g} MB, the most that is read here")


async def _drain(receive: Receive) -> None:
    end = time.monotonic() + _DRAINED
    try:
        async with asyncio.timeout(_DRAINED):
            while time.monotonic() < end:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


class _Answer:
    """Sends an answer with our headers, piece by piece; it is begun only when its content is there."""

    def __init__(self, send: Send, load: _Load, seconds: float) -> None:
        self._to, self._load, self._seconds = send, load, seconds
        self._start: Message | None = None
        self._begun = self._ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            own = dict(message.get("headers", ()))
            headers = [*own.items(), *((name, value) for name, value in _HEADERS.items() if name not in own)]
            self._start = {**message, "headers": headers}
            return
        body = memoryview(message.get("body", b""))
        self._load.add(len(body))
        if self._start is not None and not self._begun:
            self._begun = True
            await self._send(self._start)
        for start in range(0, len(body), _PART):
            await self._send({**message, "body": bytes(body[start : start + _PART]), "more_body": True})
        if not message.get("more_body", False):
            await self.end()

    async def refused(self, refusal: Refused) -> None:
        """Begins and all but ends the answer to a refused request."""
        if self._begun:  # half of another answer is out: the server breaks it off
            return
        self._load.free()
        body = error_body(refusal.message)
        retry = [(b"retry-after", b"1")] if refusal.retry else []
        close = [(b"connection", b"close")] if refusal.status in (408, 413, 503) else []
        length = (b"content-length", str(len(body)).encode())
        headers = [(b"content-type", b"application/json"), length, *retry, *close]
        self._start = None
        self._begun = True
        named = [*headers, *((name, value) for name, value in _HEADERS.items())]
        await self._send({"type": "http.response.start", "status": refusal.status, "headers": named})
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """Waits until the reader has taken what was sent, and ends."""
        if not self._ended:
            self._ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._to(message)
        except TimeoutError:
            raise _NotTakenError from None
