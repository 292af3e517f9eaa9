"""A run, a file for another runtime and its graph in, the JSON beside that file out: what it takes, gives and is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl import __version__
from gendsl.export.answers import TABLE, TOKENS, answers_of, family_of, outputs_of
from gendsl.export.chain import Origin, origin_of
from gendsl.export.description import FORMAT
from gendsl.export.marks import SOURCE_TYPE
from gendsl.export.ports import Answer
from gendsl.export.sampled import columns_of
from gendsl.run.folder import read_json, write_json

if TYPE_CHECKING:
    from gendsl.export.portable import Entry, Portable
    from gendsl.run.rebuild import Rebuilt

SIGNATURE = "from_prior"
_FILES = {"vocabulary file": TOKENS, "table file": TABLE}  # they lie beside a SavedModel, and in the run


def told_of(run: "Rebuilt", name: str, portable: "Portable", made: dict[str, Any], path: Path) -> None:
    """Writes what `gendsl.json` says of a SavedModel of this one, how it was made and compared, and from what."""
    sample = run.plan.sample
    assert sample is not None
    outputs = outputs_of(run.plan, sample)
    answers = answers_of(outputs, "float32", columns_of(run, outputs))
    given = {name: answers.get(name, Answer("array")) for name in portable.outputs}
    names = (read_json(run.folder.data) or {}).get("class_names") or None
    record = {
        "format": FORMAT,
        "model": name,
        "experiment": run.plan.experiment,
        "gendsl": __version__,
        "family": family_of(run.plan, outputs),
        "signatures": {
            SIGNATURE: {
                "doc": portable.doc,
                "inputs": {entry.name: _input(entry, names) for entry in portable.entries},
                "outputs": {name: _output(portable, name, answer) for name, answer in given.items()},
            }
        },
        "made": made,
        "origin": origin_in(run),
    }
    write_json(path, record)


def origin_in(run: "Rebuilt") -> dict[str, Any]:
    """Where a model comes from, and that what it makes is made by a model (IPTC's digital source type)."""
    origin: Origin = origin_of(run.folder.path, run.folder.checkpoints / f"step-{run.step}")
    hashes = {part: getattr(origin, part) for part in ("spec", "plan", "data", "environment", "checkpoint")}
    return {"step": origin.step, **hashes, "chain": origin.head, "digital_source_type": SOURCE_TYPE}


def _input(entry: "Entry", names: Any) -> dict[str, Any]:
    bounds = (0, entry.below - 1) if entry.below is not None else entry.bounds
    found: dict[str, Any] = {
        "kind": entry.kind,
        "dtype": entry.dtype.name,
        "shape": list(entry.shape),
        "range": None if bounds is None else list(bounds),
        "default": None,
        "names": list(names) if entry.kind == "label" and names and len(names) == entry.below else None,
        "doc": entry.doc,
    }
    return found | ({"draw": entry.draw} if entry.draw else {})


def _output(portable: "Portable", name: str, answer: Answer) -> dict[str, Any]:
    tensor = portable.traced.structured_outputs[name]
    return {
        "kind": answer.kind,
        "dtype": tensor.dtype.name,
        "shape": tensor.shape.as_list(),
        "range": None if answer.bounds is None else list(answer.bounds),
        **{key: value for key, value in answer.more.items() if key not in _FILES},
    }
