"""A folder of pictures in, ratios out: gendsl's feeding of data against the best tf.data pipeline for the same work.

python benchmarks/pipeline.py [FOLDER] [--rounds N]

Both sides decode, resize, bring to -1..1, shuffle and batch; `memory` and `scratch` are what `cache` and `cache off` do
against a pipeline that caches what it has decoded in memory, and in a file; `decoding` is an epoch from the files, to
the last picture: theirs is a pass of a pipeline that caches nothing, ours the loading of a run, with its checksums and
curation. `waiting` is the share of a step of `specs/digits_gan.gen` that is spent on data: batches fetched alone, over
whole steps. Windows alternate, and given are the medians of the ratios. Without a FOLDER, 3,786 PNGs of 64x64 are made.
Exits 1 when a bar is missed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gendsl.run.loading import load_tensorflow

load_tensorflow(deterministic=False)  # which the hand-written pipelines need for their speed

import tensorflow as tf  # noqa: E402

from gendsl import api  # noqa: E402
from gendsl.lower.data import Dataset, dataset_of  # noqa: E402
from gendsl.lower.training import experiment_of  # noqa: E402
from gendsl.run.loop import EMPTY, Stepper  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
COUNT, SIDE, BATCH = 3_786, 64, 64
SECONDS = 1.0  # of a window, about
FASTER, WAITING = 1.0, 0.03  # at least, at most
SPEC = """experiment pipeline
data {{
  source images("**/*.png")
  image resize: 48x48, channels: 3, range: -1..1
  batch {batch}
  cache {cache}
}}
network generator(z: normal(4)) -> image {{ dense 48*48*3 | tanh | reshape 48, 48, 3 }}
train {{ update generator, with: adam(1e-3) {{ minimize l2(generator(), image) }}; steps 10 }}
"""

Window = Callable[[int], Any]  # takes so many batches
Times = tuple[float, float]  # seconds of the clock, and of processors


def main() -> int:
    """Prints the figures; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of PNGs")
    parser.add_argument("--rounds", type=int, default=15, help="windows of each side")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = options.folder or made(Path(scratch) / "pictures")
        count = sum(1 for _ in folder.rglob("*.png"))
        print(
            f"{count:,} pictures, {BATCH} a batch: images/s of gendsl and of tf.data, the median of their ratio, and of"
        )
        print("the processor time of tf.data over that of gendsl, which says more on a busy machine")
        ratios = [decoding(folder, count, max(3, options.rounds // 5))]
        for name, cache, where in (("memory", "on", ""), ("scratch", "off", f"{scratch}/cached")):
            data = dataset_of(api.loads(SPEC.format(batch=BATCH, cache=cache), folder=str(folder)), str(folder))
            ratios.append(compared(name, ours(data), theirs(folder, where), options.rounds))
    share = waiting(options.rounds)
    return int(min(ratios) < FASTER or share > WAITING)


def made(folder: Path) -> Path:
    """A folder of soft colour pictures, as large as emoji of that size."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), np.uint8))
        small.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{number:04}.png")
    return folder


def ours(data: Dataset) -> Window:
    """Batches of gendsl, fetched in a loop in one graph call, as a run does."""
    read = reader(data)
    step = 0

    def window(batches: int) -> Any:
        nonlocal step
        step += batches
        return read(tf.constant(data.addresses(step - batches, batches), tf.int64)).numpy()

    return window


def reader(data: Dataset) -> Any:
    """A graph that fetches the batches of addresses (steps, times, batch, 2) and looks at every value."""

    @tf.function(reduce_retracing=True)
    def read(addresses: Any) -> Any:
        total = tf.zeros(())
        for step in tf.range(tf.shape(addresses)[0]):
            batch = data.fetch(addresses[step])
            total += tf.add_n([tf.reduce_sum(tf.cast(values, tf.float32)) for values in batch.values()])
        return total

    return read


def pipeline(folder: Path, cached: str | None) -> Any:
    """The hand-written one: `cached` is a file, "" for memory, None for nowhere."""
    paths = sorted(map(str, folder.rglob("*.png")))

    def decode(path: Any) -> Any:
        image = tf.io.decode_png(tf.io.read_file(path), channels=3)
        small = tf.image.resize(image, (48, 48), method="bicubic", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(small), 0, 255), tf.uint8)

    data = tf.data.Dataset.from_tensor_slices(paths)
    data = data.shuffle(len(paths)) if cached is None else data
    data = data.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
    if cached is not None:
        data = data.cache(cached).shuffle(len(paths)).repeat()
    data = data.batch(BATCH, drop_remainder=cached is not None)
    scaled = data.map(lambda images: tf.cast(images, tf.float32) / 127.5 - 1, num_parallel_calls=tf.data.AUTOTUNE)
    return scaled.prefetch(tf.data.AUTOTUNE)


def theirs(folder: Path, cached: str) -> Window:
    """Batches of the pipeline, read in a loop in one graph call too."""
    iterator = iter(pipeline(folder, cached))

    @tf.function(reduce_retracing=True)
    def read(batches: Any) -> Any:
        total = tf.zeros(())
        for _ in tf.range(batches):
            total += tf.reduce_sum(next(iterator))
        return total

    return lambda batches: read(tf.constant(batches)).numpy()


def compared(name: str, ours: Window, theirs: Window, rounds: int) -> float:
    """Windows of both sides in turns; the median of the ratios of images/s."""
    batches = COUNT // BATCH
    for window in (ours, theirs, ours, theirs):
        window(batches)
    batches = max(batches, int(batches * SECONDS / timed(lambda: theirs(batches))[0]))
    pairs = [(timed(lambda: ours(batches)), timed(lambda: theirs(batches))) for _ in range(rounds)]
    return told(name, batches * BATCH, pairs)


def decoding(folder: Path, count: int, rounds: int) -> float:
    """An epoch from the files, of both in turns; the median of the ratios of images/s."""
    plan = api.loads(SPEC.format(batch=BATCH, cache="on"), folder=str(folder))
    passes = [
        (timed(lambda: dataset_of(plan, str(folder))), timed(lambda: [batch for batch in pipeline(folder, None)][-1]))
        for _ in range(rounds + 1)
    ]
    return told("decoding", count, passes[1:])


def told(name: str, images: int, pairs: list[tuple[Times, Times]]) -> float:
    """Prints a row, and gives the median of the ratios of images/s."""
    ratio, work = (statistics.median(other[of] / one[of] for one, other in pairs) for of in (0, 1))
    one, other = (images / statistics.median(times[0] for times in side) for side in zip(*pairs, strict=True))
    print(f"{name:<10}{one:>12,.0f}{other:>12,.0f}{ratio:>8.2f}{work:>8.2f}", flush=True)
    return ratio


def waiting(rounds: int) -> float:
    """The share of a step of digits_gan that fetching its batch takes."""
    plan = api.load(ROOT / "specs/digits_gan.gen")
    data = dataset_of(plan, str(ROOT / "specs"))
    stepper = Stepper(experiment_of(plan, examples=data.sizes["train"]), data)
    fetch, steps, first = ours(data), 30, 0

    def train() -> None:
        nonlocal first
        stepper.run(first, steps, EMPTY)
        first += steps

    train()
    fetch(20 * steps)
    shares = [timed(lambda: fetch(20 * steps))[0] / 20 / timed(train)[0] for _ in range(rounds)]
    share = statistics.median(shares)
    print(f"waiting   {100 * share:.2f} % of a step of digits_gan")
    return share


def timed(work: Callable[[], Any]) -> Times:
    """What it takes."""
    began, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - busy


if __name__ == "__main__":
    sys.exit(main())
