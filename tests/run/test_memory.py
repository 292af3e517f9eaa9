"""Too little memory, as a process meets it: what the plan estimated, what there is, and what would fit."""

import resource
import subprocess
import sys
from pathlib import Path

from test_processes import ENVIRONMENT

WIDE = """experiment wide
data { source gaussians(grid: 2x2, spacing: 2, std: 0.05); batch 65_536 }
network generator(z: normal(2)) -> point { dense 2_048 | relu; dense 2; dense 2_048 | relu; dense 2 }
network discriminator(x: point) -> logits(1) { dense 2_048 | relu; dense 2; dense 2_048 | relu; dense 1 }
train { objective gan(loss: nonsaturating); optimizer adam(1e-3); steps 3 }
"""
GIBIBYTES = 5


def test_out_of_memory_is_foretold_and_answered(tmp_path: Path) -> None:
    (tmp_path / "wide.gen").write_text(WIDE)
    done = subprocess.run(
        [sys.executable, "-m", "gendsl", "run", "wide.gen", "--out", "run"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (GIBIBYTES << 30, GIBIBYTES << 30)),
    )
    said = done.stdout + done.stderr
    assert done.returncode == 3 and "Traceback" not in said, said
    assert "warning: by the plan's estimate a step takes 6.0 GiB, and this machine has" in done.stdout
    assert "memory ran out: the plan estimates 6.0 GiB a step" in done.stderr
    assert "for the activations of a batch of 65,536; this machine has 5.0 GiB" in done.stderr
    assert "`batch 32768` would fit by the estimate; so would the batch of 65,536 with `precision" in done.stderr
