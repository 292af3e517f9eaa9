"""What was written of a model in, its card and the chain of hashes over all of it beside it out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gendsl.export.card.write import write_card
from gendsl.export.chain import Origin, faults, links_of, origin_of, write_chain

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt


def origin_in(run: "Rebuilt") -> Origin:
    """Where the model of a run comes from."""
    return origin_of(run.folder.path, run.folder.checkpoints / f"step-{run.step}")


def seal_version(run: "Rebuilt", folder: Path, notes: Sequence[str]) -> None:
    """Writes `card.md`, `card.html` and, last, `provenance.json` into the folder of a version, whose files are all
    there. `notes` are what it was let pass with. Raises UserError."""
    origin = origin_in(run)
    write_card(run.folder, folder, origin=origin, notes=notes)
    write_chain(folder, origin, notes=notes)


def seal_place(run: "Rebuilt", export: Path, notes: Sequence[str]) -> None:
    """Writes the chain over the files that lie directly in `RUN/export`: those of other forms, and what serves them."""
    write_chain(export, origin_in(run), notes=notes, whole=False)


def untouched(folder: Path, notes: Sequence[str]) -> bool:
    """Whether a version is as it was exported, and was let pass with the same."""
    return not faults(folder) and links_of(folder)["export"]["notes"] == list(notes)
