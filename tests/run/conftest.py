"""A tiny experiment on drawn points, trained once in this process, for the tests of what a run leaves behind."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Plan
from gendsl.run.command import Outcome, run
from gendsl.run.order import Order, Where
from gendsl.source import Source

TINY = """experiment tiny

param length = 60 steps

data {
  source gaussians(grid: 2x2, spacing: 2, std: 0.05)
  batch 16
}

network generator(z: normal(2)) -> point {
  dense 16 | batch_norm | relu
  dense 2
}

network discriminator(x: point) -> logits(1) {
  dense 16 | leaky_relu 0.2 | dropout 20%
  dense 1
}

train {
  objective gan(loss: nonsaturating)
  optimizer adam(linear_decay(1e-3, 0), beta_1: 0.5)
  steps length
  ema generator, decay: 0.9
  checkpoint every: 20 steps, keep: 2
}

evaluate every: 30 steps, samples: 100 {
  fid
  modes within: 3
  diversity
}
"""


def planned(text: str) -> Plan:
    """The plan of a spec that has no mistakes."""
    problems = Problems()
    plan = check(Source("tiny.gen", text), problems)
    assert plan is not None, [problem.message for problem in problems]
    return plan


def trained(text: str, out: Path, **options: Any) -> tuple[Outcome, str]:
    """Runs a spec in this process; gives how it went and what was said."""
    console = Console(record=True, width=200, file=io.StringIO())
    wishes = {name: options.pop(name) for name in ("resume", "fresh", "allow_changes", "ask") if name in options}
    order = Order(planned(text), text, str(out.parent / "tiny.gen"), str(out.parent), **options)
    outcome = run(order, Where(out, **wishes), console=console)
    return outcome, console.export_text()


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
