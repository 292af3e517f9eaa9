"""Real text, music and speech through their sources: counts that are known, memory that stays flat, what comes back."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import symusic
import tensorflow as tf

from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.data.music import remi_from
from gendsl.lower.data.tokenizers import tokenizer_from
from tests.lower.data_plans import call_of, plan_of
from tests.real_data import real

SHARES = {"train": 0.9, "test": 0.1}


def text_of(name: str, glob: str, tokenizer: str, *, window: int = 64, **options: Any) -> Dataset:
    arguments = {key: options.pop(key) for key in ("vocabulary", "lowercase") if key in options}
    source = call_of("source", "text", glob=glob, tokenizer=call_of("tokenizer", tokenizer, **arguments))
    plan = plan_of(source, str(real(name)), window=window, batch=12, split=SHARES, **options)
    return dataset_of(plan, str(real(name)))


def entropy(text: bytes) -> float:
    counts = np.bincount(np.frombuffer(text, np.uint8))
    shares = counts[counts > 0] / len(text)
    return float(-(shares * np.log2(shares)).sum())


@pytest.mark.slow
def test_the_bible_in_bytes() -> None:
    data = text_of("bible", "bible.txt", "bytes")
    text = (real("bible") / "bible.txt").read_bytes()
    source = data.manifest["sources"][0]
    sizes = {split: told["tokens"] for split, told in source["tokens"].items()}
    assert sum(sizes.values()) == len(text) == sum(told["bytes"] for told in source["tokens"].values())
    assert sizes["test"] == pytest.approx(len(text) / 10, abs=4)
    assert data.sizes == {split: (size - 1) // 64 for split, size in sizes.items()}
    assert source["tokens"]["train"]["bits_per_token"] == pytest.approx(entropy(text), abs=0.02)
    assert source["tokens"]["train"]["most_frequent"][0][0] == " "
    windows = np.asarray(data.split("test")["text"]).astype(np.uint8).tobytes()
    assert windows in text  # one span, its windows one behind the other


@pytest.mark.slow
def test_the_python_documentation_at_a_stride_of_one_takes_little_memory() -> None:
    """Eleven million windows of 256 tokens would be 11 GiB."""
    script = (
        "import time, numpy as np, tensorflow as tf\n"
        "from tests.lower.test_real_sequences import text_of\n"
        "tf.constant(0)\n"
        "before = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "data = text_of('python_docs', '**/*.rst.txt', 'bytes', window=256, stride=1)\n"
        "fetch = tf.function(data.fetch, input_signature=[tf.TensorSpec((1, 12, 2), tf.int64)])\n"
        "for step in (0, 5, 10**6):\n"
        "    batch = fetch(tf.constant(data.addresses(step, 1)[0]))\n"
        "    assert (batch['text'].numpy()[..., 1:] == batch['text.next'].numpy()[..., :-1]).all()\n"
        "after = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "print(data.sizes['train'], (after - before) // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    windows, mebibytes = map(int, done.stdout.split())
    size = sum(path.stat().st_size for path in real("python_docs").rglob("*.rst.txt"))
    files = sum(1 for _ in real("python_docs").rglob("*.rst.txt"))
    assert 0.9 * size - 256 * (files + 1) <= windows <= 0.9 * size
    assert mebibytes < 1_024


@pytest.mark.slow
def test_the_python_documentation_in_characters() -> None:
    data = text_of("python_docs", "**/*.rst.txt", "characters")
    source = data.manifest["sources"][0]
    assert source["files"] == 497
    tokens = source["tokens"]
    assert 100 < source["vocabulary"] < 1_000 and tokens["train"]["unknown"] == 0
    assert 0 <= tokens["test"]["unknown"] < 0.001 * tokens["test"]["tokens"]
    tokenizer = tokenizer_from(source["tokenizer"])
    for path in sorted(real("python_docs").rglob("*.rst.txt"))[::50]:
        text = path.read_bytes()
        found = tokenizer.encode(text)
        assert len(found) == len(text.decode())
        assert (found == 0).any() or tokenizer.decode(found) == text


@pytest.mark.slow
@pytest.mark.parametrize(("tokenizer", "least"), [("bpe", 3.0), ("sentencepiece", 2.8)])
def test_learned_tokenizers_on_the_bible(tokenizer: str, least: float) -> None:
    data = text_of("bible", "bible.txt", tokenizer, vocabulary=2_000)
    source = data.manifest["sources"][0]
    test = source["tokens"]["test"]
    assert source["vocabulary"] == 2_000 and test["unknown"] == 0
    assert test["bytes"] / test["tokens"] > least  # bytes a token: it has learned words
    text = (real("bible") / "bible.txt").read_bytes()[-100_000:]
    learned = tokenizer_from(source["tokenizer"])
    assert learned.decode(learned.encode(text)) == text
    windows = np.asarray(data.split("test")["text"][:20])
    assert all(learned.decode(window) in (real("bible") / "bible.txt").read_bytes() for window in windows)


@pytest.mark.slow
def test_the_chorales_in_their_keys() -> None:
    tokenizer = call_of("tokenizer", "remi", vocabulary=512)
    source = call_of("source", "midi", glob="*.mid", tokenizer=tokenizer)
    augment = (call_of("augment", "transpose", semitones=(-5, 6)),)
    plan = plan_of(source, str(real("chorales")), window=256, batch=16, split=SHARES, augment=augment)
    data = dataset_of(plan, str(real("chorales")))
    told = data.manifest["sources"][0]
    assert told["files"] == 371 and told["vocabulary"] == 512 and set(told["dropped"]) <= {"shorter than a window"}
    assert {split: of["sequences"] for split, of in told["tokens"].items()} == {"train": 334, "test": 37}
    assert data.split("train")["text"].starts.shape[0] == 12
    remi = remi_from(told["tokenizer"])
    batch = data.fetch(tf.constant(data.addresses(0, 1)[0]))["text"].numpy()[0]
    scores = [symusic.Score.from_midi(remi.decode(window)) for window in batch]
    assert np.median([len(score.tracks) for score in scores]) == 4  # a few are with instruments
    assert min(sum(len(track.notes) for track in score.tracks) for score in scores) > 20


@pytest.mark.slow
def test_speech() -> None:
    folder = real("spoken")
    source = call_of("source", "audio", glob="*.wav", rate=16_000, seconds=0.5)
    data = dataset_of(plan_of(source, str(folder), batch=4), str(folder))
    rows = data.split("train")["row"]
    assert data.manifest["sources"][0]["files"] == 9 and rows.shape == (27, 8_000)
    assert 0.1 < np.abs(rows).max() <= 1 and np.abs(rows.mean()) < 0.01
    pictures = call_of("source", "audio", glob="*.wav", rate=16_000, seconds=0.5, mel=64)
    found = dataset_of(plan_of(pictures, str(folder), batch=4), str(folder)).split("train")["image"]
    assert found.shape == (27, 64, 32, 1) and 0.1 < found.mean() < 0.8
    assert math.isclose(found.max(), 1, abs_tol=0.5)


SPEC = """
experiment words
data { source text("*.txt"), tokenizer: bpe(512); window 32; split train: 90%, test: 10%; batch 12 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 32 | gru 64, sequences: on | dense text.vocabulary
}
train {
  update model, with: adam(3e-3) { minimize mean(nll(model(text), text)) }
  steps 150
}
sample { text = mode(model(text)) }
"""


@pytest.mark.slow
def test_a_run_on_the_bible_ends_and_another_is_the_same(tmp_path: Path) -> None:
    import json

    (tmp_path / "bible.txt").write_bytes((real("bible") / "bible.txt").read_bytes())
    (tmp_path / "words.gen").write_text(SPEC)
    told = []
    for out in ("one", "two"):
        command = [sys.executable, "-m", "gendsl", "run", "words.gen", "--out", out]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        told.append([json.loads(line) for line in (tmp_path / out / "metrics.jsonl").read_text().splitlines()])
        data = json.loads((tmp_path / out / "data.json").read_text())
        assert data["sources"][0]["vocabulary"] == 512
    losses = [[line.get("model/loss") for line in lines if "model/loss" in line] for lines in told]
    assert losses[0] and losses[0] == losses[1] and losses[0][-1] < 0.7 * losses[0][0]
