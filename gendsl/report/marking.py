"""A text of a run in, the same as HTML out: escaped, control characters made visible, a spec's words told apart."""

import re
from html import escape

from gendsl.render import visible

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<text>"(?:\\.|[^"\\\n])*"?)
      | (?P<number>(?<![\w.])\d[\w.%]*)
      | (?P<head>(?<=^)[ \t]*[a-z_]\w*(?=[^\n=~:]*(?:\{|$)))""",
    re.VERBOSE | re.MULTILINE,
)
_LONGEST = 400_000  # characters of a listing


def safe(text: str) -> str:
    """A text that is shown as it is written, whatever it holds: nothing in it is markup, nothing turns the line."""
    lines = (visible(line.replace("\t", "    ")) for line in text.split("\n"))
    return escape("\n".join(lines), quote=True)


def listing(text: str) -> str:
    """A spec with its comments, texts, numbers and the first words of its statements marked."""
    if len(text) > _LONGEST:
        return safe(text[:_LONGEST]) + "\n…"
    found, end = [], 0
    for token in _TOKEN.finditer(text):
        found.append(safe(text[end : token.start()]))
        found.append(f'<span class="{token.lastgroup}">{safe(token[0])}</span>')
        end = token.end()
    return "".join([*found, safe(text[end:])])
