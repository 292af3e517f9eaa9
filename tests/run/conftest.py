"""A tiny experiment, trained once in this process, for the tests of what a run leaves behind."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gendsl.run.command import Outcome
from tests.run.tiny_runs import TINY, trained


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a finished run of 60 steps, and what was said while it ran."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    outcome, said = trained(TINY, folder)
    assert outcome.finished and outcome.exit_code == 0 and outcome.step == 60
    return folder, said


@pytest.fixture
def run_tiny() -> Callable[..., tuple[Outcome, str]]:
    """Runs the tiny spec, or another text, in a folder."""
    return trained


@pytest.fixture
def tiny_text() -> str:
    """The tiny spec."""
    return TINY
