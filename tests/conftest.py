"""What all tests share: `pytest --accept` rewrites expected outputs instead of comparing with them."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the files of expected outputs")


def pytest_configure() -> None:
    """Under nohup, or in the background of a script, signals are ignored, by the processes that tests start too."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with a file's; with `--accept` the file is written instead."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--accept"):
            path.write_text(text, encoding="utf-8", newline="")
            return
        assert path.is_file(), f"{path.name} is missing: `pytest --accept` writes it; then read it"
        assert text == path.read_text(encoding="utf-8")

    return compare
