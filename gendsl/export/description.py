"""An exported model in, `gendsl.json` beside it out: its signatures, and what it was made from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl import __version__
from gendsl.export.order import Order
from gendsl.plan.plan import Plan
from gendsl.plan.record import hash_of
from gendsl.run.folder import RunFolder, read_json, write_json

if TYPE_CHECKING:
    from gendsl.export.answers import Output
    from gendsl.run.rebuild import Rebuilt

NAME = "gendsl.json"
FORMAT = 1
_LIBRARIES = ("tensorflow", "keras")


def made_from(plan: Plan, folder: RunFolder, step: int, order: Order) -> dict[str, Any]:
    """All that an export depends on: where it is the same, so is the export."""
    manifest = folder.checkpoints / f"step-{step}" / "manifest.json"  # it holds the hashes of the checkpoint's files
    return {
        "plan": hash_of(plan),
        "step": step,
        "checkpoint": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "options": json.loads(json.dumps(dict(order.options))),
        "versions": {"gendsl": __version__} | {name: version(name) for name in _LIBRARIES},
    }


def read(folder: Path) -> dict[str, Any]:
    """What stands beside a model; empty where that cannot be read."""
    return read_json(folder / NAME) or {}


def write(
    run: "Rebuilt", order: Order, folder: Path, outputs: "Sequence[Output]", signatures: Mapping[str, Any]
) -> None:
    """Writes `gendsl.json`, and what rows or tokens are read by."""
    from gendsl.export.answers import TABLE, TOKENS, family_of

    for one in outputs:
        kind = one.field.kind if one.field is not None else ""
        record = (
            _record_of(run.folder, one.field.source, "table" if kind == "row" else "tokenizer") if one.field else None
        )
        if kind in ("row", "text") and record is not None:
            write_json(folder / (TABLE if kind == "row" else TOKENS), record)
    write_json(
        folder / NAME,
        {
            "format": FORMAT,
            "model": order.name,
            "experiment": run.plan.experiment,
            "gendsl": __version__,
            "family": family_of(run.plan, list(outputs)),
            "signatures": signatures,
            "made from": made_from(run.plan, run.folder, run.step, order),
        },
    )


def _record_of(folder: RunFolder, source: str, part: str) -> dict[str, Any] | None:
    """What data.json keeps of a source."""
    sources = (read_json(folder.data) or {}).get("sources")
    found = next((one.get(part) for one in sources or () if one.get("name") == source), None)
    return found if isinstance(found, dict) else None
