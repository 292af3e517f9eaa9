"""A network that writes text, trained on one replica, on two and by two workers: what it writes is the same."""

import json
from pathlib import Path

import pytest
from test_processes import finished

pytestmark = pytest.mark.slow

SPEC = """experiment words
data { source text("*.txt"), tokenizer: bytes(); window 16; split train: 75%, test: 25%; batch 8 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 16 | position_embed
  residual { layer_norm | attention heads: 2, causal: on }
  layer_norm | dense text.vocabulary
}
train {
  objective language_model
  optimizer sgd(0.02)
  steps 12
  checkpoint every: 12 steps
}
sample { text = generate(model, prompt: "the ", length: 40, temperature: 0.8, top_k: 8) }
evaluate every: 12 steps, samples: 16 { bits_per_byte; distinct ngram: 2 }
"""
WORDS = "the cat sat on the mat and the dog lay on the rug; the hen hid in the hay. "


def written(folder: Path) -> dict[str, str]:
    """The texts that a run leaves behind, by file."""
    return {path.name: path.read_text() for path in (folder / "samples").glob("*.txt")}


def scored(folder: Path) -> dict[str, float]:
    """The last number of each score."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    found = {key: value for line in lines for key, value in line.items() if "#" in key}
    assert {key.partition("#")[0] for key in found} >= {"bits_per_byte", "distinct"}, found
    return found


def test_replicas_and_workers_write_what_one_writes(tmp_path: Path) -> None:
    (tmp_path / "words.gen").write_text(SPEC)
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text(WORDS[number:] * 12)
    for out, words in {
        "one": ("run", "words.gen", "--strategy", "one"),
        "replicas": ("run", "words.gen", "--strategy", "mirrored(2)"),
        "workers": ("launch", "words.gen", "-n", "2"),
    }.items():
        code, said = finished(*words, "--out", out, folder=tmp_path)
        assert code == 0, said
    texts = written(tmp_path / "one")
    assert len(texts) >= 2 and all("the " in text for text in texts.values()), texts
    for out in ("replicas", "workers"):
        assert written(tmp_path / out) == texts
        assert scored(tmp_path / out) == pytest.approx(scored(tmp_path / "one"), rel=1e-4)
