"""A command in a pseudo terminal in, what a person sees there out: keys are typed, the window is resized."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

# The child makes the terminal its own, so that a typed Ctrl-C reaches it as a signal.
_START = "import os, sys; os.login_tty(0); os.execv(sys.executable, [sys.executable, '-m', *sys.argv[1:]])"
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"

CTRL_C = "\x03"


class Terminal:
    """`python -m MODULE WORD…` in a terminal of so many columns."""

    def __init__(self, *words: str, folder: Path, columns: int) -> None:
        self._screen, inside = pty.openpty()
        self.resize(columns)
        # Nothing of the terminal around the tests may shine through, and TensorFlow is not told to be quiet.
        hidden = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TF_CPP_MIN_LOG_LEVEL")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *words],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in hidden}
            | {"CUDA_VISIBLE_DEVICES": "-1", "TERM": "xterm-256color"},
            stdin=inside,
            stdout=inside,
            stderr=inside,
        )
        os.close(inside)
        self.written = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._screen)

    def resize(self, columns: int) -> None:
        """Makes the window so wide; the kernel tells the process by SIGWINCH."""
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def until(self, pattern: str, *, since: int = 0, seconds: float = 120) -> re.Match[str]:
        """Reads on until the text, without colors, holds the pattern behind `since`."""
        end = time.monotonic() + seconds
        while (found := re.compile(pattern).search(self.text, since)) is None:
            assert time.monotonic() < end, f"no {pattern!r} in {seconds} s of:\n{self.text}"
            assert self._read(0.2), f"no {pattern!r} in all of:\n{self.text}"
        return found

    def end(self, seconds: float = 60) -> int:
        """Reads to the end; gives the exit code."""
        last = time.monotonic() + seconds
        while self._read(0.2):
            assert time.monotonic() < last, f"not ended in {seconds} s:\n{self.text}"
        return self._process.wait(timeout=10)

    @property
    def text(self) -> str:
        """All that was written so far, without colors and moves of the cursor."""
        return _ESCAPE.sub("", self.written)

    @property
    def shows_its_cursor(self) -> bool:
        """Whether the cursor, which a bar or a spinner may have hidden, is there again."""
        return self.written.rfind(_SHOW) >= self.written.rfind(_HIDE)

    @property
    def frames(self) -> list[str]:
        """Each line that was written, and each time that it was written over."""
        return [frame.rstrip() for frame in re.split(r"[\r\n]+", self.text) if frame.strip()]

    def _read(self, seconds: float) -> bool:
        """Reads what is there; False once the process has closed its side."""
        if not select.select([self._screen], [], [], seconds)[0]:
            return self._process.poll() is None
        try:
            content = os.read(self._screen, 65536)
        except OSError:  # so Linux tells that nobody is left to write
            return False
        self.written += content.decode(errors="replace")
        return bool(content)
