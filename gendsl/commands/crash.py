"""A mistake of ours in, a log with its traceback on disk out: what a user can send us."""

import os
import sys
import tempfile
import traceback

from gendsl import __version__


def logged(error: Exception, given: list[str]) -> str:
    """Writes the log; gives its path, or why there is none."""
    report = f"gendsl {__version__}, Python {sys.version}, {sys.platform}\ngendsl {' '.join(given)}\n\n"
    report += "".join(traceback.format_exception(error))
    try:
        descriptor, where = tempfile.mkstemp(prefix="gendsl-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(report)
    except OSError as failure:
        return f"no file ({failure.strerror}); it was a {type(error).__name__}: {error}"
    return where
