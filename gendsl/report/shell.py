"""The parts of a page in, the page out: HTML in gendsl's look that needs nothing beside it and may do nothing.

It forbids itself scripts and requests, so that a text of a stranger can do nothing in it; what stands in the parts is
escaped by those who make them.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from gendsl.report.marking import safe

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def shell(title: str, head: str, sections: Mapping[str, str], footer: str) -> str:
    """A page of its head, its sections by their titles (empty ones are left out) and its footer, all but the titles
    HTML."""
    shown = {name: content for name, content in sections.items() if content}
    links = "".join(f'<a href="#{_place(name)}">{safe(name)}</a>' for name in shown)
    body = "".join(
        f'<section id="{_place(name)}"><h2>{safe(name)}</h2>{content}</section>' for name, content in shown.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{safe(title)}</title><style>{_style()}</style></head>\n"
        f"<body><header>{head}<nav>{links}</nav></header>\n<main>{body}</main>\n"
        f"<footer>{footer}</footer></body></html>\n"
    )


def _place(title: str) -> str:
    return "".join(one if one.isalnum() else "_" for one in title.lower())


@cache
def _style() -> str:
    return files("gendsl.report").joinpath("style.css").read_text(encoding="utf-8")
