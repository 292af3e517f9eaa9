"""A loaded model in, the application that serves it out: TensorFlow Serving's API, the page, and nothing else."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from gendsl.serve.drawing import Drawing, on_page
from gendsl.serve.page import CARD_POLICY, Page
from gendsl.serve.rest import Rest
from gendsl.serve.showing import archive
from gendsl.serve.signatures import Refused
from gendsl.serve.tensors import parsed

_JSON, _HTML = "application/json", "text/html; charset=utf-8"


def application(name: str, rest: Rest, drawing: Drawing, page: Page, card: bytes | None) -> Router:
    """The application, as ASGI; it raises Refused for what it does not answer.

    All that it gives away is in memory: no path of a request leads to a file."""

    async def api(request: Request) -> Response:
        if not request.scope["path"].lower().startswith("/v1/"):  # the API's paths are in either case
            raise Refused(404, "there is nothing here: the page is at /, the API below /v1/models/")
        found = await rest.answer(request.method, request.scope["path"], await request.body())
        return Response(found if isinstance(found, bytes) else _written(found), media_type=_JSON)

    async def start(request: Request) -> Response:
        return Response(page.content, headers={"content-security-policy": page.policy}, media_type=_HTML)

    async def draw(request: Request) -> Response:
        chosen = parsed(await request.body())
        outputs = await drawing.samples(chosen)
        if chosen.get("as") != "zip":
            return Response(on_page(outputs), media_type=_JSON)
        called = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
        disposition = {"content-disposition": f'attachment; filename="{called}.zip"'}
        return Response(archive(outputs), headers=disposition, media_type="application/zip")

    async def shown_card(request: Request) -> Response:
        if card is None:
            raise Refused(404, "there is no model card beside this model")
        return Response(card, headers={"content-security-policy": CARD_POLICY}, media_type=_HTML)

    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Router(
        routes=[
            Route("/", start, methods=["GET"]),
            Route("/draw", draw, methods=["POST"]),
            Route("/card", shown_card, methods=["GET"]),
            Route("/{rest:path}", api, methods=every),
        ],
        redirect_slashes=False,
    )


def _written(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
