"""Mutants that `check` accepted in, whether they train two steps out: in one process, eagerly, with small sizes."""

import json
import os
import random
import select
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.source import Source
from mutation.good import Mutant
from mutation.verdicts import Verdict

SCRIPT = Path(__file__).resolve().parent.parent / "mutants.py"  # what a worker starts

# What makes a spec small enough to train two steps at once; a text that a mutation has touched stays as it is.
SMALL: dict[str, tuple[tuple[str, str], ...]] = {
    "digits_gan": (("param width = 32", "param width = 4"), ("  batch 64", "  batch 4")),
    "grid_gan": (("param width = 128", "param width = 8"), ("  batch 512", "  batch 8")),
    "fashion_sngan": (("param width = 64", "param width = 2"), ("  batch 64", "  batch 2")),
    "fashion_vae": (("  batch 128", "  batch 4"),),
    "cifar_wgan_gp": (
        ("  batch 64", "  batch 2"),
        ("4*4*256", "4*4*16"),
        ("4, 4, 256", "4, 4, 16"),
        ("up 256", "up 16"),
        ("conv 128", "conv 8"),
        ("  strategy mirrored\n", "\n"),
        ("times: 5", "times: 2"),
    ),
    "emoji_gan": (
        ("  batch 64", "  batch 4"),
        ("4*4*256", "4*4*16"),
        ("4, 4, 256", "4, 4, 16"),
        ("conv 128 /", "conv 16 /"),
        ("conv 32 *", "conv 4 *"),
        ("both ada(target: 0.6, speed: 100_000) {", "both {"),
        ("    drop corrupt\n", "\n"),
        ("    drop duplicates, within: 4           # perceptual-hash distance\n", "\n"),
        ("    drop smaller: 48x48\n", "\n"),
        ("    drop blank\n", "\n"),
        ("  curate {\n\n\n\n\n  }\n", "\n\n\n\n\n\n"),
    ),
    "unpaired_cyclegan": (
        ("translator 6", "translator 1"),
        ("conv 64,", "conv 4,"),
        ("conv 128,", "conv 8,"),
        ("conv 256,", "conv 8,"),
        ("res 256", "res 8"),
    ),
}
ORDER = ("grid_gan", "digits_gan", "fashion_vae", "emoji_gan", "cifar_wgan_gp", "fashion_sngan", "unpaired_cyclegan")
UNCLEAR = ("slow", "died", "small", "nan", "unbuilt")
NOT_BUILT = ("data", "curate", "column", "augment", "layer", "function", "process", "source", "tokenizer", "control")


def make_data(folder: Path) -> None:
    """Small files of the kinds that the specs read."""
    import gzip
    import struct

    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(0)
    fashion = folder / "data" / "fashion-mnist"
    fashion.mkdir(parents=True)
    for split, count in (("train", 200), ("t10k", 40)):
        images = draw.integers(0, 255, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, array in ((f"{split}-images-idx3-ubyte.gz", images), (f"{split}-labels-idx1-ubyte.gz", labels)):
            header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
            (fashion / name).write_bytes(gzip.compress(header + array.tobytes()))
    for place, side in (("emoji/one", 64), ("emoji/two", 64), ("a", 80), ("b", 80)):
        (folder / "data" / place).mkdir(parents=True)
        for number in range(90 if "emoji" in place else 12):
            pixels = draw.integers(0, 255, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "data" / place / f"{number}.png")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "a.txt").write_text(
        "The quick brown fox jumps over the lazy dog. " * 1_200
    )  # `bpe(50257)` takes as many bytes
    rows = ["age,income,job,city,id"]
    rows += [f"{20 + n % 40},{1000 + 37 * n % 900},{'abc'[n % 3]},{'xyzw'[n % 4]},{n}" for n in range(700)]
    (folder / "data" / "table.csv").write_text("\n".join(rows) + "\n")


def small(spec: str, text: str) -> str:
    """A mutant with the sizes that train quickly."""
    for old, new in SMALL.get(spec, ()):
        text = text.replace(old, new)
    return text


def _batches(plan: Any, folder: str) -> Any:
    """The data of a plan; random numbers of the declared shapes where it is not there. (batches of a step, examples)"""
    import numpy as np
    import tensorflow as tf

    from gendsl.lower.data import dataset_of

    if any(source.call.word == "tfds" for source in plan.data.sources):
        draw = np.random.default_rng(0)
        shape = (plan.train.times, plan.data.batch)

        def drawn(step: int) -> dict[str, Any]:
            out = {}
            for field in plan.data.fields:
                if field.kind == "label":
                    out[field.name] = tf.constant(draw.integers(0, 10, shape), tf.int32)
                else:
                    sides = tuple(int(side) for side in field.shape)
                    out[field.name] = tf.constant(draw.uniform(-1, 1, (*shape, *sides)), tf.float32)
            return out

        return drawn, 1000
    dataset = dataset_of(plan, folder)
    return (lambda step: dataset.fetch(tf.constant(dataset.addresses(step, 1)[0]))), dataset.sizes.get("train")


def _train(text: str, spec: str, folder: str) -> str:
    """Lowers a spec and trains two steps; "" or what went wrong."""
    import keras
    import tensorflow as tf

    from gendsl.lower.training import experiment_of

    plan = check(Source(f"{spec}.gen", text), Problems(), folder=folder)
    if plan is None:
        return "small: the small version does not check"
    if any(category in NOT_BUILT for _, category in plan.not_built):
        return f"unbuilt: {', '.join(word for word, category in plan.not_built if category in NOT_BUILT)}"
    keras.backend.clear_session()
    batches, examples = _batches(plan, folder)
    experiment = experiment_of(plan, examples=examples)
    logs: dict[str, Any] = {}
    for step in range(2):
        logs = experiment.step_at(tf.constant(step, tf.int64), batches(step))
    losses = [float(value) for name, value in logs.items() if name.endswith("/loss")]
    return "" if all(abs(loss) < float("inf") for loss in losses) else "nan: a loss is not finite"


def work(folder: str) -> None:
    """The process that trains: mutants as lines of JSON in, {"failure": …} as lines of JSON out."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            failure = _train(asked["text"], asked["spec"], folder)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            failure = f"{type(error).__name__} ({place}): {' '.join(str(error).split())[:300]}"
        print(json.dumps({"failure": failure}), file=answers, flush=True)


class Worker:
    """One process that trains mutant after mutant; it is started again when one takes too long."""

    def __init__(self, folder: str, *, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds
        self._process: subprocess.Popen[str] | None = None

    def failure_of(self, mutant: Mutant) -> str:
        """ "" when it trains two steps, or what went wrong."""
        process = self._process or self._start()
        text = small(mutant.spec, mutant.text)
        assert process.stdin is not None
        process.stdin.write(json.dumps({"text": text, "spec": mutant.spec}) + "\n")
        process.stdin.flush()
        answer = self._answer(process, self._seconds)
        if answer is None:
            died = process.poll() is not None
            self.close()
            return "died: the process ended" if died else "slow: no answer in time"
        return str(answer["failure"])

    def _start(self) -> "subprocess.Popen[str]":
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(SCRIPT), "--worker", self._folder]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        if self._answer(self._process, 180) is None:
            raise SystemExit("TensorFlow does not start")
        return self._process

    @staticmethod
    def _answer(process: "subprocess.Popen[str]", seconds: float) -> Any:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], seconds)
        line = process.stdout.readline() if ready else ""
        return json.loads(line) if line else None

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def sample_of(accepted: list[Verdict], count: int, seed: int) -> list[Verdict]:
    """Accepted mutants to train: runnable ones, the quick specs first, the kinds in turn."""
    draw = random.Random(seed)
    out: list[Verdict] = []
    shares = {name: 0.25 if name in ORDER[:2] else 0.1 for name in ORDER}
    for name in ORDER:
        kinds: dict[str, list[Verdict]] = {}
        for verdict in accepted:
            if verdict.mutant.spec == name:
                kinds.setdefault(verdict.mutant.kind, []).append(verdict)
        for group in kinds.values():
            draw.shuffle(group)
        chosen: list[Verdict] = []
        while any(kinds.values()) and len(chosen) < count * shares[name]:
            chosen += [group.pop() for group in kinds.values() if group]
        out += chosen[: int(count * shares[name]) + 1]
    return out[:count]
