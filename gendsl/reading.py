"""A path (or `-`) in, its text as a `Source` out, or a diagnostic: nothing beyond 2 MiB is ever read."""

import os
import stat

from gendsl import rules
from gendsl.diagnostics import Problems
from gendsl.rules import Rule
from gendsl.source import Source, Span

SIZE = 2 * 1024 * 1024  # bytes
STDIN = "<stdin>"

_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "gzip", b"PK": "zip", b"\x89P": "PNG"}


def read(path: str, problems: Problems) -> Source | None:
    """The text of a file, or of standard input for `-`; None after a diagnostic. A byte order mark is left out."""
    shown = STDIN if path == "-" else path
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as file:
            found = os.fstat(file.fileno())
            if stat.S_ISREG(found.st_mode) and found.st_size > SIZE:
                _too_large(shown, f"{found.st_size / 2**20:,.1f} MiB", problems)
                return None
            content = file.read(SIZE + 1)
    except (OSError, ValueError) as error:  # a path with a NUL character is a ValueError
        _refused(shown, error, problems)
        return None
    return decoded(content, shown, problems)


def decoded(content: bytes, path: str, problems: Problems) -> Source | None:
    """The text of a file's bytes; None after a diagnostic: more than 2 MiB, not UTF-8, or a NUL character."""
    if len(content) > SIZE:
        _too_large(path, "more than 2 MiB", problems)
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8", errors="replace")
        start = len(content[: error.start].decode("utf-8", errors="replace"))
        what = _MARKS.get(content[:2])
        place = Span(Source(path, text if what is None else ""), start, start + 1)
        byte = f"byte 0x{content[error.start]:02X} is no part of a UTF-8 text"
        message = f"`{path}` is not UTF-8 text" + (f" but {what}" if what else "")
        problems.add(rules.not_text, place, message, note=byte, help="save the file as UTF-8")
        return None
    place_of_nul = text.find("\0")
    if place_of_nul >= 0:
        problems.add(
            rules.not_text,
            Span(Source(path, text), place_of_nul, place_of_nul + 1),
            f"`{path}` holds a NUL character",
            note="here",
            help="a spec is plain text; was it written as UTF-16, or cut off by a crash?",
        )
        return None
    return Source(path, text)


def _refused(path: str, error: OSError | ValueError, problems: Problems) -> None:
    if isinstance(error, FileNotFoundError):
        message, help = f"there is no file `{path}`", _near(path)
    elif isinstance(error, IsADirectoryError):
        message, help = f"`{path}` is a folder", f"name its files: `gendsl check {os.path.join(path, '*.gen')}`"
    elif isinstance(error, PermissionError):
        message, help = f"`{path}` may not be read", f"give yourself the right: `chmod u+r {path}`"
    else:
        message = f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}"
        help = "name a file of the language, or `-` for standard input"
    _say(rules.unreadable, path, message, help, problems)


def _near(path: str) -> str:
    """What was probably meant by a path that is not there."""
    folder, name = os.path.split(path)
    try:
        there = [found for found in os.listdir(folder or ".") if found.endswith(".gen")]
    except OSError:
        return f"there is no folder `{folder}`"
    from gendsl.spelling import suggestion

    found = f"{name}.gen" if f"{name}.gen" in there else suggestion(name, there)
    if found:
        return f"did you mean `{os.path.join(folder, found)}`?"
    return f"`gendsl new {name.removesuffix('.gen') or 'my_gan'}` writes a first one" if not folder else ""


def _too_large(path: str, size: str, problems: Problems) -> None:
    _say(
        rules.too_large,
        path,
        f"`{path}` is {size}; a spec has at most 2 MiB",
        "was a data file meant? Data is named in the spec by `source`",
        problems,
    )


def _say(rule: Rule, path: str, message: str, help: str, problems: Problems) -> None:
    problems.add(rule, Span(Source(path, ""), 0, 0), message, help=help)
