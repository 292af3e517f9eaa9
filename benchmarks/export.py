"""Times what an exported model answers against its Keras network called by hand, and `gendsl sample` as a command.

`python benchmarks/export.py [--turns N] [--only served,sample] [--counts 10000,100000]`

`served`: the generators of digits_gan and of a DCGAN (2.3 million weights), each trained for a step and exported by
`gendsl export`. The SavedModel's `from_prior`, and `serving_default`, which also draws the prior, are called beside the
Keras network, in one process and in turns, with batches of 1, 16 and 64: by hand is `generator(z, training=False)` on
the same draws, and for `serving_default` on draws of `tf.random.normal`, as a program has it; as a `tf.function` too,
for comparison. The median of the ratios of images/s is to be at least 1.

`sample`: `gendsl sample -n N` of digits_gan as a process, its start included: seconds and the most memory that it held.
10,000 are to be there in 20 seconds. Exits 1 when a bar is missed.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LEAST, SECONDS, FIRST = 1.0, 20.0, 10_000
BATCHES = (1, 16, 64)
_WINDOW = 0.25  # seconds of calls, then it is the other's turn
ROOT = Path(__file__).parents[1]
DCGAN = """experiment dcgan
data { source digits(); image resize: 28x28, range: -1..1; batch 16 }
network generator(z: normal(100)) -> image {
  dense 7*7*256, bias: off | batch_norm | leaky_relu 0.3
  reshape 7, 7, 256
  up_conv 128, kernel: 5, bias: off | batch_norm | leaky_relu 0.3
  up_conv 64, kernel: 5, stride: 2, bias: off | batch_norm | leaky_relu 0.3
  up_conv image.channels, kernel: 5, stride: 2, bias: off | tanh
}
network discriminator(x: image) -> logits(1) { conv 16, stride: 2 | leaky_relu 0.2 | flatten | dense 1 }
train { objective gan; optimizer adam(1e-4); steps 1 }
"""


def main() -> int:
    """0 where the bars are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--only", default="served,sample")
    parser.add_argument("--counts", default="10000,100000", help="of `sample`")
    options = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: _trained(Path(folder), name, text) for name, text in _specs().items()}
        if "sample" in options.only:
            for count in map(int, options.counts.split(",")):
                seconds, memory = _sampled(runs["digits_gan"], Path(folder) / f"samples_{count}", count)
                print(
                    f"sample  digits_gan  {count:>9,} in {seconds:6.1f} s, at most {memory / 2**20:,.0f} MiB",
                    flush=True,
                )
                missed |= count == FIRST and seconds > SECONDS
        if "served" in options.only:
            for name, run in runs.items():
                missed |= min(_served(name, run, options.turns)) < LEAST
    return int(missed)


def _specs() -> dict[str, str]:
    digits = (ROOT / "specs" / "digits_gan.gen").read_text().replace("steps 2_000", "steps 1")
    return {"digits_gan": digits[: digits.index("evaluate every")], "dcgan": DCGAN}


def _trained(folder: Path, name: str, text: str) -> Path:
    """The folder of a run of one step, exported."""
    spec, run = folder / f"{name}.gen", folder / name
    spec.write_text(text)
    _command("run", spec, "--out", run)
    _command("export", run)
    return run


def _command(*arguments: Any) -> None:
    command = [sys.executable, "-m", "gendsl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _sampled(run: Path, out: Path, count: int) -> tuple[float, int]:
    """Seconds, and the largest resident memory in bytes, of a process of its own that draws so many samples."""
    program = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, code)"
    )
    command = [sys.executable, "-m", "gendsl", "sample", str(run), "-n", str(count), "--seed", "3", "-o", str(out)]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    memory, code = map(int, done.stdout.split())
    if code:
        raise SystemExit(f"gendsl sample failed: {done.stderr}")
    return seconds, memory * (1 if sys.platform == "darwin" else 1024)


def _served(name: str, run: Path, turns: int) -> list[float]:
    """The ratios of images/s, of both endpoints and all batches."""
    from gendsl.run.loading import load_tensorflow

    load_tensorflow()
    import tensorflow as tf

    from gendsl.run.rebuild import rebuilt

    (version,) = (run / "export" / name).glob("1")
    served = tf.saved_model.load(str(version)).signatures
    generator = rebuilt(run).experiment.networks["generator"]
    graph = tf.function(lambda z: generator(z, training=False), autograph=False)
    width = int(generator.inputs[0].shape[-1])
    found = []
    for n in BATCHES:
        z = tf.random.normal([n, width], seed=1)
        ways: dict[str, Callable[[int], Any]] = {
            "by hand": lambda turn, z=z: generator(z, training=False),
            "from_prior": lambda turn, z=z: served["from_prior"](z=z),
            "as a tf.function": lambda turn, z=z: graph(z),
            "drawn by hand": lambda turn, n=n: generator(tf.random.normal([n, width]), training=False),
            "serving_default": lambda turn, n=n: served["serving_default"](
                n=tf.constant(n), seed=tf.constant(turn % 1000, tf.int64)
            ),
        }
        rates = _alternating(ways, n, turns)
        for endpoint, hand in (("from_prior", "by hand"), ("serving_default", "drawn by hand")):
            ratio = _ratio(rates[endpoint], rates[hand])
            of_graph = _ratio(rates[endpoint], rates["as a tf.function"])
            print(
                f"served  {name:<10}  batch {n:>2}  {endpoint:<15} "
                f"{statistics.median(rates[endpoint]):>9,.0f} images/s, "
                f"{ratio:.2f} of by hand ({statistics.median(rates[hand]):,.0f}), {of_graph:.2f} of a tf.function",
                flush=True,
            )
            found.append(ratio)
    return found


def _alternating(ways: dict[str, Callable[[int], Any]], n: int, turns: int) -> dict[str, list[float]]:
    """Images/s of each way in each of its turns; what a call gives is waited for."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        for turn in range(3):  # traced and warm
            _waited(call(turn))
    for _ in range(turns):
        for name, call in ways.items():
            calls, began = 0, time.perf_counter()
            while (spent := time.perf_counter() - began) < _WINDOW:
                _waited(call(calls))
                calls += 1
            rates[name].append(calls * n / spent)
    return rates


def _waited(value: Any) -> None:
    (next(iter(value.values())) if isinstance(value, dict) else value).numpy()


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    sys.exit(main())
