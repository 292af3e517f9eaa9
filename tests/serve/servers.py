"""A model that computes nothing and a request in, the answer of the server around it out: without a socket."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gendsl.export.chain import Origin
from gendsl.serve.application import application
from gendsl.serve.description import described
from gendsl.serve.drawing import Drawing, sheets_of
from gendsl.serve.finding import Found
from gendsl.serve.guard import Guard
from gendsl.serve.limits import Limits
from gendsl.serve.page import page_of
from gendsl.serve.rest import Rest
from gendsl.serve.signatures import Arrays, Refused, Signature, Tensor
from gendsl.serve.worker import Worker


def signature(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Signature:
    def tensors(given: Mapping[str, Any]) -> dict[str, Tensor]:
        return {key: Tensor(key, dtype, shape) for key, (dtype, shape) in sorted(given.items())}

    return Signature(name, tensors(inputs), tensors(outputs))


class Echo:
    """Answers with its inputs, or what is told."""

    metadata: Mapping[str, Any] = {"serving_default": {"method_name": "tensorflow/serving/predict"}}

    def __init__(self, *signatures: Signature, **answers: Any) -> None:
        self.signatures = {one.name: one for one in signatures}
        self.answers = answers
        self.calls: list[Arrays] = []

    def call(self, name: str, inputs: Arrays) -> Arrays:
        self.calls.append(inputs)
        answer = self.answers.get(name, lambda given: given)
        found: Arrays = answer(inputs)
        return found


def sampler() -> Echo:
    """A model as gendsl exports one: pictures from a seed, pictures of labels."""

    def pictures(given: Arrays) -> Arrays:
        count = len(given["label"]) if "label" in given else int(given["n"])
        drawn = np.random.default_rng(int(given["seed"])).random((count, 4, 4, 1), np.float32)
        return {"image": drawn}

    image = {"image": ("float32", (None, 4, 4, 1))}
    return Echo(
        signature("serving_default", {"n": ("int32", ()), "seed": ("int64", ())}, image),
        signature("labelled", {"label": ("int32", (None,)), "seed": ("int64", ())}, image),
        serving_default=pictures,
        labelled=pictures,
    )


class Server:
    """Everything but the socket and TensorFlow."""

    def __init__(
        self,
        model: Echo,
        *,
        limits: Limits | None = None,
        record: Mapping[str, Any] | None = None,
        folder: Path = Path("nowhere"),
        loopback: bool = True,
        faults: tuple[str, ...] = (),
        card: bytes | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.failures: list[Exception] = []
        found, told = Found("toy", 3, folder), described(model.signatures, record or {})
        self.worker = Worker(waiting=self.limits.waiting, seconds=self.limits.seconds)
        rest = Rest(found, model, told, self.worker, self.limits)
        sheets = sheets_of(told, folder)
        self.origin = Origin("toy", "0", 1, *[""] * 5)
        drawing = Drawing(rest, sheets, self.limits, self.origin)
        page = page_of(found, record or {}, sheets, self.limits, card=card is not None, faults=faults)
        app = application("toy", rest, drawing, page, card)
        self.app = Guard(app, self.limits, loopback=loopback, failed=self.failures.append)

    def ask(self, *arguments: Any, **named: Any) -> "Answer":
        return asyncio.run(self.answer(*arguments, **named))

    async def answer(
        self, path: str, document: Any = None, *, method: str = "", headers: Mapping[str, str] | None = None
    ) -> "Answer":
        body = document if isinstance(document, bytes) else b"" if document is None else json.dumps(document).encode()
        parts = [body]
        named = {"host": "127.0.0.1:8501", "content-length": str(len(body)), **(headers or {})}
        answer = Answer()

        async def receive() -> dict[str, Any]:
            answer.read += 1
            if not parts:
                await asyncio.sleep(3600)
            return {"type": "http.request", "body": parts.pop(), "more_body": False}

        scope = {
            "type": "http",
            "method": method or ("GET" if document is None else "POST"),
            "path": path,
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }
        await self.app(scope, receive, answer.take)
        return answer


class Answer:
    """What the server sent."""

    def __init__(self) -> None:
        self.status, self.read = 0, 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ended = False

    async def take(self, message: Any) -> None:
        assert not self.ended
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            assert len(self.headers) == len(message["headers"]), "a header is there twice"
        else:
            self.body += message["body"]
            self.ended = not message["more_body"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The sentence of a refusal, in the form that TensorFlow Serving gives it."""
        assert self.ended and self.headers["content-type"] == "application/json" and set(self.json) == {"error"}
        assert int(self.headers["content-length"]) == len(self.body)
        return str(self.json["error"])


__all__ = ["Answer", "Echo", "Refused", "Server", "sampler", "signature"]
