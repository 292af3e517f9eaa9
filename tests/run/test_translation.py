"""Translation learns: pix2pix and CycleGAN, small, on two folders of pictures of digits, against what does nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from test_processes import finished

# The digits, 32x32, and their outlines: from the outline a digit's strokes are to be filled.
PAIRED = """experiment outlines
data {
  source a: images("data/a/*.png"), b: images("data/b/*.png"), pairs: name
  image channels: 1, range: -1..1
  split train: 90%, test: 10%
  batch 8
}
block down(filters) { leaky_relu 0.2 | conv filters, kernel: 4, stride: 2, bias: off | batch_norm }
block up(filters) { relu | up_conv filters, kernel: 4, stride: 2, bias: off | batch_norm }
network generator(x: b) -> a, init: normal(0, 0.02) {
  conv 16, kernel: 4, stride: 2, bias: off; push
  down 32; push
  down 64; push
  leaky_relu 0.2 | conv 64, kernel: 4, stride: 2, bias: off
  up 64; concat pop
  up 32; concat pop
  up 16; concat pop
  relu | up_conv 1, kernel: 4, stride: 2 | tanh
}
network discriminator(x: b, y: a) -> logits(8x8x1), init: normal(0, 0.02) {
  from x | concat y | conv 16, kernel: 4, stride: 2 | leaky_relu 0.2
  conv 32, kernel: 4, stride: 2, bias: off | batch_norm | leaky_relu 0.2 | conv 1, kernel: 4
}
train {
  update discriminator, with: adam(2e-4, beta_1: 0.5) {
    minimize 0.5 * nonsaturating.discriminator(discriminator(b, a), discriminator(b, generator(b)))
  }
  update generator, with: adam(2e-4, beta_1: 0.5) {
    fake = generator(b)
    minimize nonsaturating.generator(discriminator(b, fake)) + 100 * l1(fake, a)
  }
  steps 800
}
sample { fake = generator(b) }
evaluate every: 800 steps {
  error = l1(generator(b), a)
  untouched = l1(b, a)
}
"""


def pictures(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / "data" / name).mkdir(parents=True)
    for number, digit in enumerate(load_digits().images[:600]):
        large = Image.fromarray((digit * 15.9).astype(np.uint8)).resize((32, 32), Image.Resampling.BICUBIC)
        array = np.asarray(large).astype(float)
        slopes = np.hypot(*np.gradient(array))
        outline = Image.fromarray(np.where(slopes > 20, 255, 0).astype(np.uint8))
        large.save(folder / "data/a" / f"{number:04}.png")
        outline.save(folder / "data/b" / f"{number:04}.png")


@pytest.mark.slow
def test_pix2pix_fills_outlines(tmp_path: Path) -> None:
    """On held-out digits the error is far below that of the outlines themselves, and of the digits' mean."""
    pictures(tmp_path)
    (tmp_path / "outlines.gen").write_text(PAIRED)
    code, said = finished("run", "outlines.gen", "--out", "run", folder=tmp_path)
    assert code == 0, said
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    scores = next(line for line in reversed(lines) if "evaluation" in line)
    error, untouched = (
        next(v for name, v in scores.items() if name.split("#")[0] == key) for key in ("error", "untouched")
    )
    filled = np.stack([np.asarray(Image.open(path)) for path in (tmp_path / "data/a").iterdir()]) / 127.5 - 1
    mean = np.abs(filled - filled.mean(0)).mean()
    assert error < 0.35 * untouched and error < 0.7 * mean, (scores, mean)
