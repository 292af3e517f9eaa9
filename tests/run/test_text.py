"""A model of text as a user meets it: `gendsl run` on files of text, its score, killed and gone on with."""

import json
from pathlib import Path

import pytest
from test_processes import bits, finished, gendsl, reaches

SPEC = """experiment words
data { source text("corpus/*.txt"), tokenizer: bytes(); window 16; split train: 90%, test: 10%; batch 8 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 16 as table
  position_embed | residual { layer_norm | attention heads: 2, causal: on, dropout: 10% } | unembed table
}
train {
  update model, with: adamw(cosine(1e-2, 1e-3, warmup: 5 steps), weight_decay: 0.1) { minimize next_token(model, text) }
  clip norm: 1.0
  steps 200
  checkpoint every: 20 steps
}
sample { text = mode(model(text)) }
evaluate every: 100 steps { bits_per_byte; perplexity }
"""


@pytest.mark.slow
def test_a_killed_run_of_text_ends_at_the_same_bits_and_scores(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.txt").write_text("the quick brown fox jumps over the lazy dog. " * 200)
    (tmp_path / "words.gen").write_text(SPEC)
    code, said = finished("run", "words.gen", "--out", "whole", folder=tmp_path)
    assert code == 0 and "bits_per_byte" in said, said
    process = gendsl("run", "words.gen", "--out", "killed", folder=tmp_path)
    reaches(tmp_path / "killed", 40, process)
    process.kill()
    process.wait()
    code, said = finished("run", "words.gen", "--out", "killed", "--resume", folder=tmp_path)
    assert code == 0, said
    assert bits(tmp_path / "killed", 200) == bits(tmp_path / "whole", 200)
    lines = [json.loads(line) for line in (tmp_path / "whole/metrics.jsonl").read_text().splitlines()]
    scores = [value for line in lines for key, value in line.items() if key.startswith("scores/bits_per_byte#")]
    scores = scores or [v for line in lines for k, v in line.items() if "bits_per_byte" in k]
    assert len(scores) == 2 and scores[1] < scores[0] < 8  # it learns
