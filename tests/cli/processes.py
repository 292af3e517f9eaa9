"""A command line in, the exit code and the outputs of `gendsl` as a process out."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int
    out: str
    err: str


def gendsl(
    *arguments: str | Path, given: str | bytes = b"", folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> Done:
    """Runs `gendsl` with standard input `given`; no traceback may ever be seen."""
    done = subprocess.run(
        [sys.executable, "-m", "gendsl", *map(str, arguments)],
        input=given.encode() if isinstance(given, str) else given,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **(environment or {})},
        capture_output=True,
        timeout=120,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err, out + err
    return Done(done.returncode, out, err)
