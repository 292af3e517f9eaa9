"""The signatures of a model in, the page to try it out: one HTML that needs nothing beside it, and forbids itself more.

The form is described by JSON in the page, and a script of our own makes it; every text of the model is set as text.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import orjson

from gendsl import __version__
from gendsl.frozen import dataclass
from gendsl.serve.description import Input
from gendsl.serve.drawing import EACH, Sheet, classes_of
from gendsl.serve.finding import Found
from gendsl.serve.limits import Limits

CARD_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups"
)
_MOST_SHOWN = 64  # samples that the form asks for
_AT_FIRST = 16
_SEEDS = 999  # of the slider; the field beside it takes any
_TITLES = {"prompt": "From a beginning", "truncation": "Truncated", "label": "By class"}  # by an input's kind
_BEGINNING = "The text that each sample begins with."  # here it is no tokens
_SCALES = {"truncation": (0.05, 3.0, 1.0), "temperature": (0.0, 2.0, 1.0)}  # of a slider: its ends, and at first


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the policy that goes with it: its own script and style, this server, no other address."""

    content: bytes
    policy: str


def page_of(
    found: Found,
    record: Mapping[str, Any],
    sheets: Mapping[str, Sheet],
    limits: Limits,
    *,
    card: bool,
    faults: Sequence[str],
) -> Page:
    """The page of a model; `faults` of its chain are told at its top."""
    script, style = _part("script.js"), _part("style.css")
    form = {
        "model": found.name,
        "limit": min(limits.samples, _MOST_SHOWN),
        "first": min(limits.samples, _AT_FIRST),
        "each": EACH,
        "signatures": [_signature(sheet) for sheet in sheets.values()],
    }
    told = [*faults]
    for sheet in sheets.values():
        told += [fault for fault in sheet.faults if fault not in told]
    values = {
        "name": escape(found.name),
        "version": str(found.version),
        "experiment": escape(str(record.get("experiment") or found.name)),
        "family": escape(str(record.get("family") or "model")),
        "gendsl": escape(__version__),
        "broken": _broken(faults),
        "problems": "".join(f"<p>{escape(one)}</p>" for one in told if one not in faults),
        "card": '<a href="/card">model card</a>' if card else "",
        "style": style,
        "script": script,
        "form": orjson.dumps(form).decode().replace("<", "\\u003c"),
    }
    html = _part("page.html")
    for name, value in values.items():
        html = html.replace(f"<!--{name}-->", value)
    policy = (
        f"default-src 'none'; script-src {_hashed(script)}; style-src {_hashed(style)}; img-src data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(html.encode(), policy)


def _broken(faults: Sequence[str]) -> str:
    if not faults:
        return ""
    listed = "".join(f"<li>{escape(one)}</li>" for one in faults[:20])
    return (
        '<section class="broken" role="alert"><h2>The chain of this model is broken</h2><p>So nobody can '
        f"say that these files are what was exported, and where its samples come from:</p><ul>{listed}</ul></section>"
    )


def _signature(sheet: Sheet) -> dict[str, Any]:
    kinds = [one.kind for one in sheet.described.inputs]
    counted = next((one.tensor.name for one in sheet.described.inputs if one.kind == "count"), "")
    title = next((title for kind, title in _TITLES.items() if kind in kinds), "From a seed")
    return {
        "name": sheet.described.name,
        "title": title,
        "doc": _plain(sheet.described.doc),
        "counted": counted,
        "many": bool(counted) or any(one.batched for one in sheet.described.inputs),
        "inputs": [_input(one, sheet) for one in sheet.described.inputs if one.kind != "count"],
    }


def _input(one: Input, sheet: Sheet) -> dict[str, Any]:
    least, most, first = _SCALES.get(one.kind, (0, _SEEDS, 0))
    if type(one.default) in (int, float):
        first = one.default
    if one.kind in _SCALES:  # a slider for what is sensible, within what the model takes
        least = least if one.least is None else max(least, one.least)
        most = most if one.most is None else min(most, one.most)
    return {
        "name": one.tensor.name,
        "kind": one.kind,
        "least": least,
        "most": max(most, first, least),
        "default": first if one.kind in ("seed", *_SCALES) else one.default,
        "names": _names(one) if one.kind == "label" else [],
        "doc": _BEGINNING if one.kind == "prompt" and sheet.tokenizer is not None else _plain(one.doc),
        "text": sheet.tokenizer is not None,
    }


def _plain(sentence: str) -> str:
    return sentence.replace("`", "")  # names that a form says stand beside their fields


def _names(one: Input) -> list[str]:
    """The names of classes; their numbers where they have none."""
    return list(one.names) or [str(number) for number in range(classes_of(one))]


def _part(name: str) -> str:
    return files("gendsl.serve").joinpath(name).read_text(encoding="utf-8")


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
