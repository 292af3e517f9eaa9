"""A tiny experiment on drawn points, and specs run in this process."""

import io
from pathlib import Path
from typing import Any

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
