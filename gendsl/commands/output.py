"""What there is to say in, text on standard output and standard error out; and the exit codes of the commands.

Exit codes: 0 fine, 1 the spec is wrong, 2 usage, 3 the run failed, 4 its own alarm stopped it, 130 interrupted (143
terminated, 141 the reader of our output went away), 70 a mistake of ours, 74 the output cannot be written.
"""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from gendsl.diagnostics import Diagnostic, Problems

FINE, WRONG, USAGE, FAILED, INTERNAL, UNWRITABLE, INTERRUPTED, PIPE = 0, 1, 2, 3, 70, 74, 130, 141
LIMIT = 100  # diagnostics that are shown as text; JSON holds all


class UsageError(Exception):
    """The command line asks for something that there is not; the message says what there is."""


class OutputError(Exception):
    """Standard output cannot be written."""


def shown(problems: "Problems", *, hints: bool) -> "list[Diagnostic]":
    """The diagnostics that are to be seen: hints only on demand."""
    return [diagnostic for diagnostic in problems if hints or diagnostic.severity != "hint"]


def counts(diagnostics: "Iterable[Diagnostic]") -> str:
    """`2 errors, 1 warning`, or `fine`."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severities.count(severity), severity) for severity in ("error", "warning", "hint")]
    return ", ".join(f"{n} {severity}{'s' if n > 1 else ''}" for n, severity in counts if n) or "fine"


def report(diagnostics: "list[Diagnostic]") -> None:
    """Shows diagnostics on standard error."""
    if diagnostics and sys.stderr is not None:
        from gendsl.render import text

        sys.stderr.write(text(diagnostics, color=colored(sys.stderr), limit=LIMIT))


def colored(stream: TextIO | None) -> bool:
    """Color only where a person looks, and not where `NO_COLOR` is set (no-color.org)."""
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _width(stream: TextIO) -> int | None:
    """The columns of a terminal; None for anything else."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def say(text: str) -> None:
    """Writes to standard output. Raises OutputError where that takes no more."""
    if sys.stdout is None or not text:
        return
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from None


def flush() -> None:
    """Hands over what was said. Raises OutputError."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from None


def silence() -> None:
    """Lets the interpreter's own last flush go to nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None


def tell(line: str) -> None:
    """Passes on what another process of ours has said."""
    if sys.stderr is None:
        return
    from gendsl.render import visible

    try:
        sys.stderr.write(visible(line) + "\n")
    except OSError:
        return


def warn(message: str) -> None:
    """Complains of what ends nothing."""
    complain(f"warning: {message}")


def complain(message: str, *, help: str = "") -> None:
    """Says on standard error what is wrong, and what to do about it."""
    if sys.stderr is None:
        return
    from gendsl.render import visible, wrapped

    head, *listed = message.split("\n  ")  # a list, one indented line each
    lines = [f"gendsl: {head}", *(f"  {line}" for line in listed), *([f"  help: {help}"] if help else [])]
    width = _width(sys.stderr)
    text = "".join(f"{wrapped(visible(line), width, indent=' ' * 8)}\n" for line in lines)
    if colored(sys.stderr):
        text = text.replace("gendsl", "\x1b[1;31mgendsl\x1b[0m", 1)
    try:
        sys.stderr.write(text)
    except OSError:
        return
