"""What changes in the course of a run goes on after an interruption with the same bits."""

from pathlib import Path

import numpy as np

from gendsl.run import checkpoints
from tests.run.tiny_runs import trained

SPEC = """experiment changing
data { source gaussians(grid: 2x2, spacing: 2, std: 0.05); batch 16 }
network generator(z: normal(2)) -> point {
  dense 2 as low
  from z | dense 16 | relu as body | dense 2 | fade low, share: ramp(0, 1, after: 6 steps, over: 6 steps)
}
network discriminator(x: point) -> logits(1) { dense 16 | leaky_relu 0.2; dense 1 }
train {
  optimizer adam(1e-2)
  update discriminator, times: 2, when: accuracy < 60% and generator_fooled < 90% {
    real = discriminator(point)
    fake = discriminator(generator())
    accuracy = 0.5 * positive(real) + 0.5 * positive(-fake)
    minimize nonsaturating.discriminator(real, fake)
  }
  update generator {
    judged = discriminator(generator())
    fooled = positive(judged)
    minimize nonsaturating.generator(judged)
  }
  phase small, steps: 6
  phase growing, steps: 6 { freeze discriminator, layers: ["dense"] }
  phase large, steps: 8 { learning_rate linear_decay(1e-2, 0) }
  ema generator, decay: 0.9
}
monitor { alarm idle, when: discriminator_held > 2 and discriminator_accuracy > 2, do: warn }
"""


def content(run: Path, step: int) -> dict[str, np.ndarray]:
    return checkpoints.content(run / "checkpoints" / f"step-{step}")


def test_interrupted_while_it_grows_it_ends_at_the_same_bits(tmp_path: Path) -> None:
    trained(SPEC, tmp_path / "whole")
    whole = content(tmp_path / "whole", 20)
    assert {"signals/discriminator/accuracy", "signals/generator/fooled"} <= set(whole)
    trained(SPEC, tmp_path / "part", steps=9)
    trained(SPEC, tmp_path / "part", resume=True)
    part = content(tmp_path / "part", 20)
    assert set(part) == set(whole)
    assert all(np.array_equal(whole[name], part[name]) for name in whole)
    held = [
        line for line in (tmp_path / "whole/metrics.jsonl").read_text().splitlines() if '"held/discriminator"' in line
    ]
    assert held
