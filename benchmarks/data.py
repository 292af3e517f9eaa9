"""Fashion-MNIST in, figures out: how long `gendsl data` takes on 60,000 pictures with duplicates, and its memory.

python benchmarks/data.py [FOLDER]     prints the table; exits 1 when a bar is missed

FOLDER holds Fashion-MNIST's four files; without it Debian's dataset-fashion-mnist is taken, and where that is not
installed, made-up pictures of the same size.
"""

import gzip
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from rows import FASHION

ROOT = Path(__file__).resolve().parent.parent
PICTURES, COPIES, SEEN_AGAIN = 60_000, 5_000, 5_000  # of all: copies to the bit, and pictures saved anew as JPEG
SECONDS, GIBIBYTES = 60.0, 1.5

SPEC = """experiment fashion
data {
  source npz("pictures.npz")
  image range: -1..1
  curate {
    drop duplicates, blank, contrast: 1%
    drop duplicates, within: 4
  }
  split train: 90%, test: 10%
  batch 64
}
augment { flip horizontal }
network generator(z: normal(64)) -> image { dense 784 | tanh | reshape 28, 28, 1 }
network discriminator(x: image) -> logits(1) { flatten | dense 1 }
train {
  objective gan()
  optimizer adam(2e-4)
  steps 10
}
"""


def originals(folder: Path | None) -> np.ndarray:
    """50,000 different pictures (n, 28, 28) of bytes."""
    count = PICTURES - COPIES - SEEN_AGAIN
    if folder is None:
        small = np.random.default_rng(0).integers(0, 256, (count, 7, 7), np.uint8)
        return np.stack([np.asarray(Image.fromarray(one).resize((28, 28), Image.Resampling.BICUBIC)) for one in small])
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)[:count]


def as_jpeg(picture: np.ndarray) -> np.ndarray:
    """A picture as it is after it was saved in quality 90."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=90)
    return np.asarray(Image.open(stream))


def write_project(place: Path, folder: Path | None) -> None:
    """The spec, and the pictures in an order drawn at random."""
    images = originals(folder)
    rng = np.random.default_rng(0)
    with ThreadPoolExecutor() as pool:
        again = np.stack(list(pool.map(as_jpeg, images[rng.choice(len(images), SEEN_AGAIN, replace=False)])))
    every = np.concatenate([images, images[rng.choice(len(images), COPIES, replace=False)], again])
    np.savez(place / "pictures.npz", images=every[rng.permutation(len(every))])
    (place / "fashion.gen").write_text(SPEC, encoding="utf-8")


def main() -> int:
    """Prints all figures; 1 when one is beyond its bar."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    folder = given or (FASHION if FASHION.is_dir() else None)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_project(place, folder)
        command = [sys.executable, "-m", "gendsl", "data", "fashion.gen", "--format", "json", "-o", "look"]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        began = time.perf_counter()
        done = subprocess.run(
            command, cwd=place, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, check=True
        )
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # Linux counts in KiB
    record = json.loads(done.stdout)
    print(f"{'pictures':<12}{PICTURES:>9,}  {folder or 'made up'}")
    for reason, count in record["sources"][0]["dropped"].items():
        print(f"{reason:<12}{count:>9,}")
    print(f"{'time':<12}{seconds:>9.1f} s    (at most {SECONDS:g})")
    print(f"{'memory':<12}{memory:>9.2f} GiB  (at most {GIBIBYTES:g})")
    found = record["sources"][0]["dropped"]["duplicates"]
    return int(seconds > SECONDS or memory > GIBIBYTES or found < COPIES)


if __name__ == "__main__":
    sys.exit(main())
