"""A spec of music and runs of it in; how well n-grams of its tokens say the held-out pieces, and how well the runs do.

    python benchmarks/music.py chorales.gen runs/chorales/… [--order 3]

All in nats a token: of interpolated n-grams (see ngrams.py) counted on the training pieces as they are written, and on
those in every key that the spec's `transpose` gives them; and of each run, the logarithm of its `perplexity` on all
windows of the held-out pieces. An n-gram says each token from those before it in its piece, a run from those in its
window, which is the harder task at a window's beginning.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ngrams import KneserNey

import gendsl


def pieces(windows: Any, split: str, *, keys: bool) -> list[np.ndarray]:
    """The token sequences of a split, as they are written or in every key."""
    bounds = (windows.in_all if keys else windows.sequences)[split]
    return [np.asarray(windows.tokens[start:end]) for start, end in bounds]


def by_run(run: str) -> float:
    """Nats a token of a run's held-out windows."""
    command = [sys.executable, "-m", "gendsl", "evaluate", run, "--scores", "perplexity", "--format", "json"]
    said = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    )
    scores = json.loads(said.stdout)["scores"].values()
    return math.log(next(score["value"] for score in scores if score["name"] == "perplexity"))


def main() -> None:
    """Prints a line for each."""
    parser = argparse.ArgumentParser(description="Nats a token of held-out music: runs beside n-grams.")
    parser.add_argument("spec", type=Path)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--order", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from gendsl.lower.data import dataset_of

    plan = gendsl.load(options.spec)
    dataset = dataset_of(plan, str(options.spec.parent))
    windows = {split: dataset.split(split)["text"] for split in ("train", "test")}
    test = pieces(windows["test"], "test", keys=False)
    vocabulary = 1 + max(int(one.tokens.max()) for one in windows.values())
    for told, keys in (("as written", False), ("in every key", True)):
        train = pieces(windows["train"], "train", keys=keys)
        nats = KneserNey(train, order=options.order, vocabulary=vocabulary).nats(test)
        print(f"{options.order}-gram, {told}: {nats:.4f} ({sum(map(len, train)):,} tokens)", flush=True)
    for run in options.runs:
        print(f"{run}: {by_run(run):.4f}", flush=True)


if __name__ == "__main__":
    main()
