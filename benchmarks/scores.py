"""Nothing in, the cost of scores out: the time of the Fréchet distance, the memory of many samples.

python benchmarks/scores.py [--samples 50000,…] [--rounds N] [--only frechet,memory]

`frechet`: two sets of 10,000 features of 2,048 in, the distance out, against NumPy's own time for their covariances and
one `eigh`; in turns, the median of the ratios. `memory`: samples of 32x32 in three colours, drawn by a generator and
scored by `lite0` as a run scores them (`fid`), in a process of its own for each number of samples; its largest resident
memory is to be below 3 GiB, and hardly to grow with the samples. Exits 1 when a bar is missed.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

COUNT, WIDTH = 10_000, 2_048
SLOWER, LARGEST, GROWTH = 1.2, 3 << 30, 1.1  # at most
SPEC = """experiment scoring
data {{
  source npz("data.npz")
  image range: -1..1
  batch 64
}}
network generator(z: normal(64)) -> image {{
  dense 8*8*32 | relu | reshape 8, 8, 32
  up_conv 32, kernel: 4, stride: 2 | relu
  up_conv 3, kernel: 4, stride: 2 | tanh
}}
train {{ update generator, with: adam(1e-3) {{ minimize l2(generator(), image) }}; steps 1 }}
evaluate samples: {samples} {{ fid features: lite0 }}
"""


def main() -> int:
    """Prints the figures; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", default="2000,20000", help="numbers of samples, with commas between")
    parser.add_argument("--rounds", type=int, default=5, help="of each side of `frechet`")
    parser.add_argument("--only", default="frechet,memory", help="which, with commas between")
    parser.add_argument("--score", type=int, help=argparse.SUPPRESS)  # what a process of `memory` does
    options = parser.parse_args()
    if options.score is not None:
        return score(options.score)
    missed = False
    if "frechet" in options.only:
        missed |= frechet(options.rounds)
    if "memory" in options.only:
        missed |= memory([int(one) for one in options.samples.split(",")])
    return int(missed)


def frechet(rounds: int) -> bool:
    """Whether the bar of the time is missed."""
    from gendsl.evaluate.gaussian import frechet_distance, gaussian_of

    random = np.random.default_rng(0)
    mixing = random.normal(size=(WIDTH, WIDTH)).astype(np.float32) / np.sqrt(WIDTH)
    one, other = (np.maximum(random.normal(size=(COUNT, WIDTH)).astype(np.float32) @ mixing, 0) for _ in range(2))

    def ours() -> Any:
        return frechet_distance(gaussian_of(one), gaussian_of(other))

    def numpys() -> Any:
        np.cov(one, rowvar=False)
        return np.linalg.eigh(np.cov(other, rowvar=False))

    ratios, seconds = [], []
    for _ in range(rounds):
        theirs, own = timed(numpys), timed(ours)
        ratios.append(own / theirs)
        seconds.append((own, theirs))
    ratio = statistics.median(ratios)
    own, theirs = (statistics.median(side) for side in zip(*seconds, strict=True))
    print(f"frechet  {ratio:.2f} times NumPy's covariances and eigh ({own:.1f} s against {theirs:.1f} s); bar {SLOWER}")
    return ratio > SLOWER


def timed(function: Callable[[], Any]) -> float:
    """The processor time of a call: others at work on the machine do not count."""
    began = time.process_time()
    function()
    return time.process_time() - began


def memory(numbers: list[int]) -> bool:
    """Whether a bar of the memory is missed."""
    peaks = []
    for samples in numbers:
        done = subprocess.run(
            [sys.executable, __file__, "--score", str(samples)], capture_output=True, text=True, check=True
        )
        peak, seconds, value = done.stdout.split()[-3:]
        peaks.append(int(peak))
        rate = samples / float(seconds)
        print(f"memory   {samples:,} samples: {int(peak) / 2**30:.2f} GiB, {rate:.0f} samples/s, fid_lite0 {value}")
    growth = peaks[-1] / peaks[0]
    if len(peaks) > 1:
        print(f"memory   grows {growth:.2f} times from {numbers[0]:,} to {numbers[-1]:,} samples; bar {GROWTH}")
    return max(peaks) > LARGEST or (len(peaks) > 1 and growth > GROWTH)


def score(samples: int) -> int:
    """Scores so many samples, and prints the largest resident memory in bytes, the seconds and the score."""
    from gendsl.run.loading import load_tensorflow

    load_tensorflow()
    from gendsl import api
    from gendsl.evaluate.sampler import Sampler
    from gendsl.evaluate.scores import Evaluator
    from gendsl.lower.data import dataset_of
    from gendsl.lower.training import experiment_of

    with tempfile.TemporaryDirectory() as folder:
        pictures = np.random.default_rng(0).integers(0, 256, (2_000, 32, 32, 3), dtype=np.uint8)
        np.savez(Path(folder) / "data.npz", images=pictures)
        spec = Path(folder) / "scoring.gen"
        spec.write_text(SPEC.format(samples=samples))
        plan = api.load(spec)
        dataset = dataset_of(plan, folder)
        experiment = experiment_of(plan)
        evaluator = Evaluator(plan, experiment, dataset, Sampler(experiment), lambda count: {}, folder=folder)
        began = time.perf_counter()
        (value,) = evaluator.scores(0).values.values()
        seconds = time.perf_counter() - began
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, f"{seconds:.1f}", f"{value:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
