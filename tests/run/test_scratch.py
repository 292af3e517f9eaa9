"""A run whose pictures lie in a scratch file: the bits of one in memory, on one replica and on two, and resumed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_processes import bits

from gendsl.run.command import Outcome

ROOT = Path(__file__).parents[2]
SPEC = """experiment pictures

data {
  source images("pictures/**/*.png"), label: folder
  image resize: 8x8, range: -1..1
  batch 8
  cache
}

augment { flip horizontal; noise 0.1 }

network encoder(x: image) -> normal(4) { flatten | dense 8 }
network decoder(z: normal(4), y: label) -> image {
  from y | one_hot as kind
  from z | concat kind
  dense 16 | tanh | dense 192 | reshape 8, 8, 3
}

train {
  update encoder, decoder, times: 2, with: adam(1e-2) {
    q = encoder(image)
    z ~ q
    minimize l2(decoder(z, label), image) + 0.01 * kl(q, normal(4))
  }
  steps 12
  checkpoint every: 6 steps
}

sample { made = decoder() }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    for number in range(40):
        path = tmp_path / "pictures" / "ab"[number % 2] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (10, 10, 3), np.uint8)).save(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_run_gone_on_with_from_memory(folder: Path, run_tiny: Callable[..., tuple[Outcome, str]]) -> None:
    _, said = run_tiny(SPEC, folder / "held")
    assert "\ndata         40 pictures, 7.7 KiB, in memory\n" in said
    scratch = SPEC.replace("  cache\n", "  cache off\n")
    _, said = run_tiny(scratch, folder / "part", steps=6)
    assert f"\ndata         40 pictures, 7.7 KiB, in a scratch file in {folder}\n" in said
    assert bits(folder / "part", 6) == bits(folder / "held", 6)
    _, said = run_tiny(SPEC, folder / "part", resume=True)
    assert "cache off -> on" in said and "40 pictures, 7.7 KiB, in memory" in said
    assert bits(folder / "part", 12) == bits(folder / "held", 12)


PROGRAM = """
import sys
from gendsl.run.loading import load_tensorflow
load_tensorflow(cpus=2)
from tests.lower.replicas import trained
spec = open("spec.gen").read()
held, scratch = (trained(spec.replace("  cache", "  cache " + on), 2) for on in ("on", "off"))
assert held.keys() == scratch.keys()
for name in held:
    assert held[name].tobytes() == scratch[name].tobytes(), name
"""


def test_the_same_bits_on_two_replicas(folder: Path) -> None:
    (folder / "spec.gen").write_text(SPEC.replace("steps 12", "steps 20"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
