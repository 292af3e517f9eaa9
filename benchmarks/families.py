"""Specs of several families on one set of pictures in, their scores by the same features out, beside two baselines.

python benchmarks/families.py SPEC[:VARIANT]… [--seeds N] [--samples N] [--out DIR]

Each spec is trained by `gendsl run`, with `kid` and `memorized` by the classifier's features appended to it,
so the scores have one fingerprint: the same held-out pictures, features and number of samples. The baselines are scored
by the same evaluator: the first spec's networks before any step, and a Gaussian with the mean and the covariance of the
training split's pixels. Exits 1 where a family is not below a quarter of the Gaussian and of the untrained one.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gendsl
from gendsl.evaluate.sampler import Sampler

SCORES = "kid features: classifier; memorized features: classifier"
FAR = 4.0  # times below the baselines


def main() -> int:
    """Prints a line for each spec, seed and baseline; 1 where a family is too near a baseline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="+", metavar="SPEC[:VARIANT]")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each spec")
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=Path("runs/families"), help="where the runs go")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    named = [one.partition(":") for one in options.specs]
    specs = [(scored(Path(spec), options.samples, options.out), variant) for spec, _, variant in named]
    bar = min(baselines(specs[0][0])) / FAR
    missed = False
    for spec, variant in specs:
        for seed in range(options.seeds):
            missed |= trained(spec, variant, seed, options.out / f"{spec.stem}-{seed}") > bar
    return int(missed)


def scored(spec: Path, samples: int, folder: Path) -> Path:
    """A copy of the spec, whose own scores give way to those that are compared, at the end of the run."""
    text = re.sub(r"^evaluate [^{]*\{.*?^\}\n|^evaluate [^{]*\{.*\}\n", "", spec.read_text(), flags=re.M | re.S)
    copy = folder / spec.name
    copy.write_text(f"{text}\nevaluate samples: {samples} {{ {SCORES} }}\n")
    return copy


def trained(spec: Path, variant: str, seed: int, out: Path) -> float:
    """The kernel distance of a run to its end."""
    command = [sys.executable, "-m", "gendsl", "run", str(spec), "--set", f"seed={seed}", "--out", str(out)]
    command += ["--variant", variant] if variant else []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return told(f"{spec.stem}, seed {seed}", next(line for line in reversed(lines) if named(line)))


class Gaussian(Sampler):
    """Draws pictures whose pixels have the mean and the covariance of the given ones (examples, height, width, c)."""

    def __init__(self, name: str, pictures: NDArray[Any]) -> None:
        flat = pictures.reshape(len(pictures), -1)
        self._name, self._shape = name, pictures.shape[1:]
        self._mean, self._covariance = flat.mean(0), np.cov(flat, rowvar=False)

    def chunks(
        self, count: int, *, seed: int, fields: Mapping[str, NDArray[Any]] | None = None
    ) -> Iterator[dict[str, NDArray[Any]]]:
        drawn = np.random.default_rng(seed).multivariate_normal(self._mean, self._covariance, count)
        yield {self._name: drawn.reshape(count, *self._shape).astype(np.float32)}


def baselines(spec: Path) -> list[float]:
    """The kernel distances of the networks before any step, and of the Gaussian."""
    from gendsl.evaluate.scores import Evaluator
    from gendsl.lower.data import dataset_of

    plan = gendsl.load(spec)
    dataset = dataset_of(plan, str(spec.parent))
    experiment = gendsl.experiment(plan, examples=dataset.sizes["train"])
    experiment.class_counts = dataset.class_counts
    image = next(field.name for field in plan.data.fields if field.kind == "image")
    samplers = {
        f"{spec.stem}, untrained": Sampler(experiment, place="evaluate"),
        "Gaussian of the pixels": Gaussian(image, np.asarray(dataset.split("train")[image])),
    }
    found = []
    for name, sampler in samplers.items():
        evaluator = Evaluator(plan, experiment, dataset, sampler, lambda count: {})
        found.append(told(name, evaluator.scores(len(plan.evaluations) - 1).values))
    return found


def named(values: Mapping[str, Any]) -> dict[str, float]:
    """The two scores by their names, without fingerprints; none where they were not taken."""
    return {key.split("_")[0]: value for key, value in values.items() if key.startswith(("kid_", "memorized_"))}


def told(name: str, values: Mapping[str, Any]) -> float:
    """Prints a line of the table; the kernel distance."""
    scores = named(values)
    print(f"{name:<32} kid {scores['kid']:8.2f}   memorized {scores['memorized']:6.1%}", flush=True)
    return scores["kid"]


if __name__ == "__main__":
    sys.exit(main())
