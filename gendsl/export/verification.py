"""An exported folder in, whether it is as it was exported, and whether its run still is, out; without TensorFlow.

The run is looked at where the folder still lies in it. That it has gone on since is no fault; that what the model was
made from now reads otherwise is.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gendsl.export.chain import (
    chained_folders,
    checkpoint_hash,
    environment_hash,
    faults,
    file_hash,
    head_of,
    links_of,
)
from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError
from gendsl.run.folder import RunFolder, read_json


@dataclass(frozen=True, slots=True)
class Sealed:
    """A folder with a chain: what is wrong with it, the last hash of the chain, how many files it lists, with what the
    export was let pass; what is wrong with the run that it came from, and what of it cannot be told any more."""

    folder: Path
    faults: tuple[str, ...]
    head: str
    files: int
    notes: tuple[str, ...]
    differs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    run: Path | None = None


def verified(path: Path) -> list[Sealed]:
    """All chains of an export: `path` is a version's folder, a model's, `RUN/export`, or `RUN`.

    Raises UserError where there is no such folder, or a run that was never exported."""
    if not path.is_dir():
        raise UserError(f"there is no folder {path}", "give the folder of an export, such as RUN/export/NAME/1")
    if (path / "plan.json").is_file():
        if not (path / "export").is_dir():
            raise UserError(f"the run in {path} was never exported", f"`gendsl export {path}` does that")
        path = path / "export"
    run = _run_of(path)
    return [_sealed(folder, run) for folder in chained_folders(path)]


def _sealed(folder: Path, run: RunFolder | None) -> Sealed:
    # A folder below is another chain's: here only what this one lists counts.
    own = [fault for fault in faults(folder) if not _of_another(folder, fault)]
    links = links_of(folder)
    last = links.get("export", {})
    listed, notes = last.get("files"), last.get("notes")
    differs, unknown = _against(run, links) if run is not None and not own else ((), ())
    return Sealed(
        folder,
        tuple(own),
        head_of(folder),
        len(listed) if isinstance(listed, Mapping) else 0,
        tuple(map(str, notes)) if isinstance(notes, list) else (),
        tuple(differs),
        tuple(unknown),
        run.path if run is not None else None,
    )


def _of_another(folder: Path, fault: str) -> bool:
    others = [one.relative_to(folder).as_posix() for one in chained_folders(folder) if one != folder]
    return any(fault.startswith(f"{other}/") for other in others)


def _run_of(path: Path) -> RunFolder | None:
    """The run's folder around an export, if it is still there."""
    for place in list(path.resolve().parents)[:3]:
        if (place / "plan.json").is_file() and path.resolve().is_relative_to(place / "export"):
            return RunFolder(place)
    return None


def _against(run: RunFolder, links: Mapping[str, Mapping[str, Any]]) -> tuple[Sequence[str], Sequence[str]]:
    """What of a run is not what a chain names, and what cannot be told."""
    differs: list[str] = []
    unknown: list[str] = []
    hashes = {name: str(link.get("sha256", "")) for name, link in links.items()}
    for name, place in (("spec", run.spec), ("plan", run.plan), ("data", run.data)):
        # A run that goes on with a changed spec keeps the earlier one as spec-1.gen.
        there = [place, *sorted(run.path.glob(f"{place.stem}-*{place.suffix}"))]
        found = [file_hash(path) for path in there if path.is_file()]
        if not found:
            unknown.append(f"{place.name} is no longer there")
        elif hashes[name] not in found:
            differs.append(f"{place.name} is not the one that the model was made from")
    if environment_hash(run) != hashes["environment"]:
        unknown.append("environment.json tells of another environment or other options: the run has gone on since")
    step = links["checkpoint"].get("step")
    folder = run.checkpoints / f"step-{step}"
    if not (folder / "manifest.json").is_file():
        unknown.append(f"the checkpoint of step {step} is no longer there")
    elif checkpoint_hash(folder) != hashes["checkpoint"]:
        differs.append(f"{folder.name} is not the checkpoint that the model was made from")
    else:
        files = (read_json(folder / "manifest.json") or {}).get("files")
        for name, told in sorted(files.items() if isinstance(files, dict) else ()):
            if Path(name).name != name or not isinstance(told, dict) or file_hash(folder / name) != told.get("sha256"):
                differs.append(f"{folder.name}/{name} does not have the content that was written")
    return differs, unknown
