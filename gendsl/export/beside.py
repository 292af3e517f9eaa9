"""A run, a file for another runtime and its graph in, the JSON beside that file out: what it takes, gives and is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl import __version__
from gendsl.evaluate.inputs import output_field
from gendsl.export.chain import Origin, origin_of
from gendsl.export.marks import SOURCE_TYPE
from gendsl.run.folder import write_json

if TYPE_CHECKING:
    from gendsl.export.portable import Entry, Portable
    from gendsl.run.rebuild import Rebuilt

FORMAT = 1
_FAMILIES = {"image": "image", "text": "text", "music": "music", "row": "table", "point": "points"}


def told_of(
    run: "Rebuilt", name: str, portable: "Portable", signature: str, made: dict[str, Any], path: Path
) -> None:
    """Writes the JSON: the inputs and outputs of the model, how it was made and compared, and where it comes from."""
    outputs = {output: _output(run, portable, output) for output in portable.outputs}
    kinds = {one["kind"] for one in outputs.values()}
    record = {
        "format": FORMAT,
        "model": name,
        "experiment": run.plan.experiment,
        "gendsl": __version__,
        "family": next((family for kind, family in _FAMILIES.items() if kind in kinds), "array"),
        "signatures": {
            signature: {"inputs": {entry.name: _input(entry) for entry in portable.entries}, "outputs": outputs}
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


def _input(entry: "Entry") -> dict[str, Any]:
    found: dict[str, Any] = {"kind": entry.kind, "dtype": entry.dtype.name, "shape": list(entry.shape)}
    found["range"] = [0, entry.below - 1] if entry.below is not None else entry.bounds and list(entry.bounds)
    found["default"] = None
    found["names"] = None
    found["doc"] = entry.doc
    return found | ({"draw": entry.draw} if entry.draw else {})


def _output(run: "Rebuilt", portable: "Portable", name: str) -> dict[str, Any]:
    tensor = portable.function.structured_outputs[name]
    shape = tensor.shape.as_list()
    sizes = tuple(shape[1:])
    field = None if portable.network else output_field(run.plan, name, sizes)
    kinds = {"image": "image", "row": "row", "point": "points", "text": "tokens", "music": "tokens"}
    found: dict[str, Any] = {"kind": kinds.get(field.kind, "array") if field is not None else "array"}
    found |= {"dtype": tensor.dtype.name, "shape": shape}
    bounds = field.arguments.get("range") if field is not None and field.kind == "image" else None
    return found | {"range": [float(end) for end in bounds] if bounds else None}
