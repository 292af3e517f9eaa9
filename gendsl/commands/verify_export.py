"""The options of `gendsl verify-export` in, what holds and what does not said, and an exit code out."""

import argparse
from typing import TYPE_CHECKING

from gendsl.commands.output import FINE, WRONG, say
from gendsl.commands.parsing import Command

if TYPE_CHECKING:
    from gendsl.export.verification import Sealed


def verify_export(options: argparse.Namespace) -> int:
    """`gendsl verify-export`."""
    from pathlib import Path

    from gendsl.export.verification import verified

    found = verified(Path(options.folder))
    say(_json(found) if options.format == "json" else "".join(map(_text, found)))
    return WRONG if any(one.faults or one.differs for one in found) else FINE


def _text(one: "Sealed") -> str:
    from gendsl.render import visible

    lines = [f"{one.folder}: {'changed since it was exported' if one.faults else f'{one.files:,} files, as exported'}"]
    lines += [f"  {fault}" for fault in one.faults]
    if not one.faults:
        lines.append(f"  chain {one.head}")
    lines += [f"  exported against the gate: {note}" for note in one.notes]
    lines += [f"  run {one.run}: {told}" for told in (*one.differs, *one.unknown)]
    if one.run is not None and not (one.faults or one.differs or one.unknown):
        lines.append(f"  run {one.run}: spec, plan, data manifest, environment and checkpoint are those of the export")
    return "".join(f"{visible(line)}\n" for line in lines)


def _json(found: "list[Sealed]") -> str:
    import json

    records = [
        {
            "folder": str(one.folder),
            "holds": not one.faults,
            "faults": one.faults,
            "chain": one.head,
            "files": one.files,
            "against_the_gate": one.notes,
            "run": None if one.run is None else str(one.run),
            "run_differs": one.differs,
            "run_unknown": one.unknown,
        }
        for one in found
    ]
    return json.dumps(records, indent=2) + "\n"


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="DIR", help="a version's folder, a model's, RUN/export with all of them, or RUN"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


VERIFY_EXPORT = Command(
    "verify-export",
    "tell whether an export is as it was written",
    "Checks the chain of hashes in an export's provenance.json, offline: which file was changed, "
    "added or is missing; and, where the run's folder is still around it, whether its spec, plan, data manifest and "
    "checkpoint are those that the model was made from. Exits 1 if anything differs. The chain is not signed: compare "
    "its last hash with one that you got another way.",
    (
        ("gendsl verify-export runs/a/export", "all models of a run"),
        ("gendsl verify-export models/digits/3", "a version, wherever it was copied to"),
        ("gendsl verify-export models/digits --format json", "for a program"),
    ),
    _options,
)
