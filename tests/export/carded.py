"""A run's folder as training leaves it, written by hand in a moment, for tests of gate, card and chain."""

import hashlib
import json
from pathlib import Path
from typing import Any

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.plan.record import record_of
from gendsl.source import Source

SPEC = """experiment carded

data {
  source digits()
  split train: 90%, test: 10%
  batch 64
}

network generator(z: normal(8)) -> image { dense 64 | reshape 8, 8, 1 | sigmoid }
network critic(x: image) -> logits(1) { flatten | dense 1 }

train {
  objective gan(loss: hinge, discriminator: critic)
  optimizer adam(1e-3)
  steps 30
}

evaluate every: 10 steps, samples: 100, features: pixels {
  diversity
  memorized
}

EXPORT
CARD
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def run_folder(
    folder: Path, *, export: str = "", card: str = "", scores: dict[int, dict[str, float]] | None = None, **data: Any
) -> Path:
    """The folder of a run of 30 steps with checkpoints at 20 and 30; `scores` by step."""
    text = SPEC.replace("EXPORT", export and f"export {{ {export} }}").replace("CARD", card and f"card {{ {card} }}")
    problems = Problems()
    plan = check(Source("carded.gen", text), problems)
    assert plan is not None, [problem.message for problem in problems]
    folder.mkdir(parents=True)
    (folder / "spec.gen").write_text(text)
    _write(folder / "plan.json", record_of(plan) | {"training": "t"})
    source = {"word": "digits", "examples": 1797, "sha256": "5" * 64, "licence": "CC BY 4.0", "dropped": {"damaged": 2}}
    manifest = {
        "sources": [source],
        "sizes": {"train": 1617, "test": 180},
        "class_names": ["0", "1"],
        "class_counts": [900, 717],
    }
    _write(folder / "data.json", manifest | data)
    environment = {
        "gendsl": "0.1",
        "python": "3.11",
        "packages": {"keras": "3.15"},
        "devices": ["CPU"],
        "replicas": 1,
        "project": str(folder.parent),
        "options": {},
    }
    _write(folder / "environment.json", environment)
    _write(folder / "scores.json", {"contracts": {"aa": {"extractor": "pixels", "samples": 100, "split": "test"}}})
    for step in (20, 30):
        place = folder / "checkpoints" / f"step-{step}"
        place.mkdir(parents=True)
        (place / "state.index").write_bytes(b"%d" % step)
        told = {"bytes": 2, "sha256": hashlib.sha256(b"%d" % step).hexdigest()}
        _write(place / "manifest.json", {"step": step, "plan": "t", "variables": {}, "files": {"state.index": told}})
    (folder / "samples").mkdir()
    (folder / "samples" / "step-20.png").write_bytes(PNG)
    (folder / "samples" / "grid-final.png").write_bytes(PNG)
    lines = [{"step": step, "evaluation": 0} | values for step, values in (scores or {}).items()]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    events = [
        {"step": 0, "event": "started", "time": "2026-01-01T00:00:00Z"},
        {"step": 30, "event": "finished", "cpu_seconds": 99.5, "time": "2026-01-01T00:01:10Z"},
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in events))
    return folder


def _write(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record))
