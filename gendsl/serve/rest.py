"""The path and the body of a request to TensorFlow Serving's REST API in, its answer out, errors by its status codes.

After https://www.tensorflow.org/tfx/serving/api_rest: the status of a model, its metadata, and `predict`. Models that
gendsl exports have no `classify` or `regress`.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from gendsl.serve.description import Described
from gendsl.serve.finding import Found
from gendsl.serve.limits import Limits
from gendsl.serve.signatures import Arrays, Model, Refused
from gendsl.serve.tensors import answer_of, arrays_of, chosen, parsed
from gendsl.serve.worker import Worker

_MODEL = r"(?i:/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?)"
_STATUS = re.compile(_MODEL + r"(?i:/(?P<metadata>metadata))?")
_VERB = re.compile(_MODEL + r"(?i::(?P<verb>classify|regress|predict))")
_SMALL = 64 * 1024  # bytes of a body that is read between two other requests, in a millisecond or so


class Rest:
    """The API of one version of one model."""

    def __init__(
        self, found: Found, model: Model, described: Mapping[str, Described], worker: Worker, limits: Limits
    ) -> None:
        self._found, self._model, self._described = found, model, described
        self._worker, self._limits = worker, limits

    async def answer(self, method: str, path: str, body: bytes) -> Any:
        """What is there under a path: the bytes of JSON, or a document to be written as such. Raises Refused."""
        if method == "GET" and (asked := _STATUS.fullmatch(path)):
            return self._metadata(asked) if asked["metadata"] else self._status(asked)
        if method == "POST" and (asked := _VERB.fullmatch(path)):
            self._check_model(asked)
            if asked["verb"].lower() != "predict":
                raise Refused(400, f"the model answers to :predict, not to :{asked['verb']}")
            return await self._predicted(body)
        raise Refused(400, f"Malformed request: {method} {path}")

    async def call(self, name: str, arrays: Arrays) -> Arrays:
        """The outputs of a signature, behind the queue. Raises Refused."""
        self._check(name, arrays)
        return await self._worker.result(lambda: self._model.call(name, arrays))

    async def _predicted(self, body: bytes) -> bytes:
        name, arrays, by_row = self._read(body) if len(body) < _SMALL else await asyncio.to_thread(self._read, body)
        self._check(name, arrays)
        return await self._worker.result(lambda: answer_of(self._model.call(name, arrays), by_row=by_row))

    def _read(self, body: bytes) -> tuple[str, Arrays, bool]:
        document = parsed(body)
        signature = chosen(document, self._model.signatures)
        arrays, by_row = arrays_of(document, signature)
        return signature.name, arrays, by_row

    def _check(self, name: str, arrays: Arrays) -> None:
        self._described[name].check(arrays, self._limits)

    def _check_model(self, asked: re.Match[str]) -> None:
        """Raises Refused where another model, version or label is asked for, in TensorFlow Serving's words."""
        model, version, label = asked["model"], asked["version"], asked["label"]
        if label is not None:
            raise Refused(400, f"Unrecognized servable version label: {label}")
        if version is not None and (model != self._found.name or int(version) != self._found.version):
            raise Refused(404, f"Servable not found for request: Specific({model}, {version}){self._there()}")
        if model != self._found.name:
            raise Refused(404, f"Servable not found for request: Latest({model}){self._there()}")

    def _there(self) -> str:
        return f"; here is {self._found.name}, version {self._found.version}"

    def _status(self, asked: re.Match[str]) -> Mapping[str, Any]:
        if asked["label"] is None and asked["model"] != self._found.name:
            raise Refused(404, f"Could not find any versions of model {asked['model']}{self._there()}")
        if asked["version"] is not None and int(asked["version"]) != self._found.version:
            raise Refused(404, f"Could not find version {asked['version']} of model {asked['model']}{self._there()}")
        self._check_model(asked)
        status = {"error_code": "OK", "error_message": ""}
        one = {"version": str(self._found.version), "state": "AVAILABLE", "status": status}
        return {"model_version_status": [one]}

    def _metadata(self, asked: re.Match[str]) -> Mapping[str, Any]:
        self._check_model(asked)
        return {
            "model_spec": {"name": self._found.name, "signature_name": "", "version": str(self._found.version)},
            "metadata": {"signature_def": {"signature_def": self._model.metadata}},
        }
