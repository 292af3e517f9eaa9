"""What protects the server: sizes, numbers, time, hosts, and what a browser is told to forbid."""

import asyncio
import threading
import time
from typing import Any

import pytest
from servers import Answer, Echo, Server, sampler, signature

from gendsl.serve.limits import Limits

PREDICT = "/v1/models/toy:predict"
ONE = signature("serving_default", {"x": ("int32", (None,))}, {})


@pytest.fixture(scope="module")
def server() -> Server:
    return Server(sampler())


def test_a_gigabyte_is_refused_before_it_is_read(server: Server) -> None:
    answer = server.ask(PREDICT, b"", headers={"content-length": str(10**9), "expect": "100-continue"}, method="POST")
    assert (answer.status, answer.read) == (413, 0)
    assert answer.error == "the request is longer than 8 MB, the most that is read here"
    assert answer.headers["connection"] == "close"


def test_without_a_length_it_is_refused_as_soon_as_it_is_too_long() -> None:
    server, answer, sent = Server(sampler()), Answer(), 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": bytes(1024**2), "more_body": sent < 20}

    scope = {"type": "http", "method": "POST", "path": PREDICT, "root_path": "", "query_string": b"",
             "headers": [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]}  # fmt: skip
    asyncio.run(server.app(scope, receive, answer.take))
    assert answer.status == 413 and answer.ended
    assert sent == 20, "what came behind was thrown away, so that the sender hears the answer"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:8501", 200), ("127.0.0.1:9", 200), ("127.1.2.3", 200), ("[::1]:8501", 200),
        ("LOCALHOST.", 200), ("model.localhost:1", 200), ("evil.example", 403), ("evil.example:8501", 403), ("", 403),
        ("localhost.evil.example", 403), ("192.168.0.7:8501", 403), ("127.0.0.1.evil.example", 403),
    ],
)  # fmt: skip
def test_on_loopback_only_names_of_this_machine_are_answered(server: Server, host: str, status: int) -> None:
    assert server.ask("/v1/models/toy", headers={"host": host}).status == status
    assert Server(sampler(), loopback=False).ask("/v1/models/toy", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    ("origin", "status"), [("http://127.0.0.1:8501", 200), ("http://127.0.0.1:80", 403), ("https://evil.example", 403),
                           ("null", 403)]
)  # fmt: skip
def test_a_page_from_elsewhere_cannot_use_a_visitors_browser(server: Server, origin: str, status: int) -> None:
    answer = server.ask(PREDICT, {"inputs": {"n": 1, "seed": 1}}, headers={"origin": origin})
    assert answer.status == status
    assert "access-control-allow-origin" not in answer.headers


def test_every_answer_has_the_headers_that_protect_a_browser(server: Server) -> None:
    for path in ("/", "/v1/models/toy", "/nothing", "/v1/models/other"):
        headers = server.ask(path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]


def test_beyond_the_queue_it_is_503_and_the_rest_is_answered() -> None:
    go, began = threading.Event(), threading.Event()

    def slow(given: Any) -> Any:
        began.set()
        assert go.wait(30)
        return given

    server = Server(Echo(ONE, serving_default=slow), limits=Limits(waiting=2, requests=8))

    async def all_at_once() -> list[Answer]:
        asked = [asyncio.create_task(server.answer(PREDICT, {"inputs": [number]})) for number in range(20)]
        while sum(one.done() for one in asked) < 17:
            await asyncio.sleep(0.01)
        assert began.is_set()
        go.set()
        return await asyncio.gather(*asked)

    answers = asyncio.run(all_at_once())
    assert sorted(one.status for one in answers) == [200] * 3 + [503] * 17
    assert [one.json for one in answers if one.status == 200] == [{"outputs": [number]} for number in range(3)]
    for one in answers:
        if one.status == 503:
            assert one.headers["retry-after"] == "1" and "try again" in one.error
    assert server.ask(PREDICT, {"inputs": [1]}).status == 200, "and afterwards it is free"


def test_what_takes_too_long_is_504_and_what_waited_behind_it_is_not_begun() -> None:
    go = threading.Event()
    model = Echo(ONE, serving_default=lambda given: (go.wait(30), given)[1])
    server = Server(model, limits=Limits(seconds=0.2))

    async def two() -> list[Answer]:
        return await asyncio.gather(*(server.answer(PREDICT, {"inputs": [number]}) for number in (1, 2)))

    answers = asyncio.run(two())
    assert [one.status for one in answers] == [504, 504] and "0.2 seconds" in answers[0].error
    go.set()
    assert server.ask(PREDICT, {"inputs": [3]}).status == 200
    assert [int(call["x"][0]) for call in model.calls] == [1, 3]


def test_the_bytes_in_memory_have_a_limit() -> None:
    server = Server(sampler(), limits=Limits(held=4000))
    assert server.ask(PREDICT, {"inputs": {"n": 1, "seed": 1}}).status == 200
    assert server.ask(PREDICT, {"inputs": {"n": 900, "seed": 1}}).status == 503
    assert server.ask(PREDICT, {"inputs": {"n": 1, "seed": 1}}).status == 200, "what was held is let go"


def test_a_client_that_sends_nothing_is_given_up() -> None:
    server, answer = Server(sampler(), limits=Limits(seconds=0.1)), Answer()
    scope = {"type": "http", "method": "POST", "path": PREDICT, "root_path": "", "query_string": b"",
             "headers": [(b"host", b"localhost"), (b"content-length", b"5")]}  # fmt: skip

    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    start = time.monotonic()
    asyncio.run(server.app(scope, never, answer.take))
    assert answer.status == 408 and time.monotonic() - start < 30


def test_a_client_that_takes_no_answer_is_given_up() -> None:
    server = Server(sampler(), limits=Limits(seconds=0.1))
    scope = {"type": "http", "method": "GET", "path": "/v1/models/toy", "root_path": "", "query_string": b"",
             "headers": [(b"host", b"localhost")]}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def take(message: Any) -> None:
        await asyncio.sleep(60)

    start = time.monotonic()
    asyncio.run(server.app(scope, receive, take))
    assert time.monotonic() - start < 30 and not server.failures
    assert server.ask("/v1/models/toy").status == 200
