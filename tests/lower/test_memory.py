"""Less memory by declaration: a batch in parts, activations computed again; each measured in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from gendsl.run.loading import load_tensorflow
load_tensorflow()
from gendsl import api
from gendsl.lower.data import dataset_of
from gendsl.lower.training import experiment_of
from gendsl.run.loop import EMPTY, Stepper
plan = api.loads(sys.argv[1])
dataset = dataset_of(plan, ".", overfit=False)
stepper = Stepper(experiment_of(plan, examples=dataset.sizes["train"]), dataset)
before = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])
stepper.run(0, 2, EMPTY)
print((int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) - before) / 1024)
"""
SPEC = """
experiment deep
data { source digits(); image resize: 32x32, range: -1..1; batch 256 }
network generator(z: normal(16)) -> image {
  dense 32*32*8 | reshape 32, 32, 8
  repeat 12 { conv 24 | swish }
  conv 1 | tanh
}
train {
  update generator, with: adam(1e-4) { minimize l2(generator(), image) }
  steps 10
}
"""


def grown(text: str) -> float:
    """MiB by which training a spec makes a process grow."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, text],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


@pytest.mark.slow
def test_parts_and_recomputed_networks_take_less_memory() -> None:
    whole = grown(SPEC)
    assert grown(SPEC.replace("-> image {", "-> image, recompute: on {")) < 0.7 * whole
    assert grown(SPEC.replace("  steps 10", "  accumulate 8\n  steps 10")) < 0.5 * whole
