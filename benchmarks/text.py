"""A folder of text in, bits per byte of its held-out part out: gendsl, the plain PyTorch loop and n-grams side by side.

python benchmarks/text.py FOLDER [--spec SPEC] [--steps 2000] [--order 5] [--seeds 1] [--only gendsl,torch,ngrams]

FOLDER holds `*.txt`. gendsl runs specs/text_transformer.gen as `gendsl run` does; the loop of
handwritten/torch/text_transformer.py trains the same architecture on the same windows from weights drawn alike, along
the same schedule; both are scored on all windows of the held-out tenth. The n-grams (see ngrams.py) are counted on the
same training bytes and say each held-out byte from those before it. The last line is gendsl's over the loop's.
"""

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ngrams import KneserNey

SPEC = Path(__file__).resolve().parent.parent / "specs/text_transformer.gen"
SIDES = ("gendsl", "torch", "ngrams")


def project(original: Path, folder: Path, place: Path, steps: int) -> Path:
    """A spec beside the text, as it stands but for its length, what it writes and its scores."""
    shutil.copytree(folder, place / "corpus")
    text = re.sub(r"steps [\d_]+\n", f"steps {steps}\n", original.read_text(encoding="utf-8"))
    text = re.sub(r'text\("[^"]*"\)', 'text("corpus/*.txt")', text)
    text = re.sub(r"(?ms)^sample \{.*", "", text)
    text += "sample { text = mode(model(text)) }\nevaluate { bits_per_byte }\n"
    spec = place / "text_transformer.gen"
    spec.write_text(text, encoding="utf-8")
    return spec


def by_gendsl(spec: Path, seed: int) -> float:
    """Bits per byte after `gendsl run`, as the run itself scores them."""
    out = spec.parent / f"run-{seed}"
    command = [sys.executable, "-m", "gendsl", "run", str(spec), "--set", f"seed={seed}", "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"})
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    found = [value for line in lines for key, value in _flat(json.loads(line)) if key.startswith("bits_per_byte")]
    return float(found[-1])


def _flat(record: dict[str, Any]) -> list[tuple[str, Any]]:
    """The numbers of a record, those inside others too; of a key the last part."""
    found = []
    for key, value in record.items():
        found += _flat(value) if isinstance(value, dict) else [(key.rsplit("/", 1)[-1], value)]
    return found


def by_torch(windows: Path, steps: int, seed: int) -> float:
    """Bits per byte of a file's windows (n, 65) after the hand-written loop, in a process of its own: TensorFlow and
    PyTorch do not go well together in one."""
    command = [sys.executable, __file__, str(windows), "--steps", str(steps), "--torch", str(seed)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def trained_by_torch(windows: Path, steps: int, seed: int) -> float:
    """What that process does."""
    import torch
    from handwritten.torch import text_transformer as program
    from torch.nn.functional import cross_entropy

    with np.load(windows) as read:
        train, test = (torch.from_numpy(read[split].astype(np.int64)) for split in ("train", "test"))
    torch.manual_seed(seed)
    model = program.networks()["model"]
    for step, _ in enumerate(
        program.losses(model, program.optimizer_of(model), program.batches_of(train, 12), steps), 1
    ):
        if step == steps:
            break
    nats = 0.0
    with torch.no_grad():
        for some in test.split(256):
            nats += float(cross_entropy(model(some[:, :-1]).flatten(0, 1), some[:, 1:].flatten(), reduction="sum"))
    return nats / (test.shape[0] * (test.shape[1] - 1)) / math.log(2)


def main() -> None:
    """Trains, and prints a line for each side."""
    parser = argparse.ArgumentParser(description="Bits per byte of held-out text: gendsl, PyTorch, n-grams.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spec", type=Path, default=SPEC, help="another spec of text, for gendsl and the n-grams")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds each side is trained with")
    parser.add_argument("--only", default=",".join(SIDES), help=f"of {','.join(SIDES)} (all)")
    parser.add_argument("--torch", type=int, help=argparse.SUPPRESS)  # the seed, in the process of `by_torch`
    options = parser.parse_args()
    if options.torch is not None:
        print(trained_by_torch(options.folder, options.steps, options.torch))
        return
    sides = options.only.split(",")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with tempfile.TemporaryDirectory() as name:
        spec = project(options.spec, options.folder, Path(name), options.steps)
        import gendsl
        from gendsl.lower.data import dataset_of

        plan = gendsl.load(spec)
        dataset = dataset_of(plan, name)
        windows = {split: dataset.split(split)["text"] for split in ("train", "test")}
        whole = {
            split: np.concatenate([np.asarray(one), np.asarray(one.followed())[:, -1:]], axis=1)
            for split, one in windows.items()
        }
        kept = Path(name) / "windows.npz"
        np.savez(kept, **whole)
        texts = {
            split: [one.tokens[start:end] for start, end in one.sequences[split]] for split, one in windows.items()
        }
        print(f"{options.folder}: {sum(map(len, texts['train'])):,} bytes for training, ", end="")
        print(f"{sum(map(len, texts['test'])):,} held out; {options.steps:,} steps", flush=True)
        scores: dict[str, float] = {}
        for side in sides:
            began = time.perf_counter()
            seeds = range(options.seeds)
            if side == "ngrams":
                model = KneserNey(texts["train"], order=options.order, vocabulary=256)
                values = [model.nats(texts["test"]) / math.log(2)]
            elif side == "torch":
                values = [by_torch(kept, options.steps, seed) for seed in seeds]
            else:
                values = [by_gendsl(spec, seed) for seed in seeds]
            scores[side] = statistics.fmean(values)
            told = " ".join(f"{value:.4f}" for value in values)
            print(
                f"{side:<8}{scores[side]:.4f} bits per byte ({told}; {time.perf_counter() - began:.0f} s)", flush=True
            )
        if {"gendsl", "torch"} <= set(scores):
            print(f"gendsl / torch: {scores['gendsl'] / scores['torch']:.4f}")


if __name__ == "__main__":
    main()
