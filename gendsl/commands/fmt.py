"""A source in, its formatted text out; and a text in, a file replaced whole or not at all."""

import os

from gendsl.diagnostics import Problems
from gendsl.source import Source
from gendsl.syntax.format import formatted
from gendsl.syntax.parse import parse


def formatted_text(source: Source, problems: Problems) -> str | None:
    """The canonical text; None where the source does not parse (the problems say why)."""
    spec = parse(source, problems)
    return None if problems.failed else formatted(spec)


def difference(source: Source, text: str) -> str:
    """A unified difference between a source and its formatted text; empty if there is none."""
    from difflib import unified_diff

    lines = unified_diff(
        source.text.split("\n"), text.split("\n"), source.path, f"{source.path} (formatted)", lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def replace(path: str, text: str) -> None:
    """Writes a file beside the old one and puts it in its place; a link stays one. Raises OSError."""
    real = os.path.realpath(path)
    temporary = f"{real}.{os.getpid()}.tmp"
    try:
        with open(temporary, "x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, os.stat(real).st_mode & 0o7777)
        os.replace(temporary, real)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
