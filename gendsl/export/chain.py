"""A run, a checkpoint and a folder in, `provenance.json` out: what it came from and what is in it, chained by SHA-256.

Each link names the hash of what it is of and that of the link before it, and is hashed itself; the last one lists every
file. So no part can be changed alone. Nothing is signed: who writes all links anew has another chain, which its last
hash tells. Nothing here loads TensorFlow, and nothing in a folder is believed: it may come from a stranger.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gendsl import __version__
from gendsl.frozen import dataclass
from gendsl.run.folder import RunFolder, open_run, plan_in, read_json, write_json

PROVENANCE = "provenance.json"
FORMAT = 1
PARTS = ("spec", "plan", "data", "environment", "checkpoint")  # the links that a model has before its export
_EXPORT = "export"
_OF_A_PLACE = ("command", "spec", "project", "project_from_here")  # of environment.json: where it lay, not what it was
_MOST_BYTES = 64 * 1024**2  # of a provenance.json; a real one has 150 for each file


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model comes from: its experiment, the step of its checkpoint, and the SHA-256 of what it was made from.

    `spec`, `plan` and `data` (data.json) are hashes of files, as `sha256sum` gives them; `environment` that of what
    environment.json tells but for paths, `checkpoint` that of what a checkpoint's manifest tells of its variables and
    files. A hash is empty where the file is not there. `gendsl` is the version that writes; `drawn` says of samples
    how they were drawn: `seed 3`.
    """

    experiment: str
    gendsl: str
    step: int
    spec: str
    plan: str
    data: str
    environment: str
    checkpoint: str
    drawn: str = ""

    @property
    def links(self) -> tuple[Mapping[str, Any], ...]:
        """The links of the chain up to the checkpoint."""
        made: list[Mapping[str, Any]] = []
        for part in PARTS:
            more: dict[str, Any] = {"spec": {"experiment": self.experiment}, "checkpoint": {"step": self.step}}
            made.append(_link(part, {"sha256": getattr(self, part)} | more.get(part, {}), made))
        return tuple(made)

    @property
    def head(self) -> str:
        """The hash of the last of these links, which stands for all of them."""
        return str(self.links[-1]["hash"])


def origin_of(run_folder: Path, checkpoint_folder: Path) -> Origin:
    """The origin of a model with the weights of a checkpoint `RUN/checkpoints/step-N`. Raises UserError where
    `run_folder` is not the folder of a run."""
    folder = open_run(run_folder)
    step = checkpoint_folder.name.removeprefix("step-")
    return Origin(
        experiment=plan_in(folder).experiment,
        gendsl=__version__,
        step=int(step) if step.isdecimal() else 0,
        spec=file_hash(folder.spec),
        plan=file_hash(folder.plan),
        data=file_hash(folder.data),
        environment=environment_hash(folder),
        checkpoint=checkpoint_hash(checkpoint_folder),
    )


def environment_hash(folder: RunFolder) -> str:
    """That of what environment.json tells of versions, devices and options; the same wherever the run lies."""
    record = read_json(folder.environment)
    return "" if record is None else _hash({name: one for name, one in record.items() if name not in _OF_A_PLACE})


def checkpoint_hash(folder: Path) -> str:
    """That of the step, the variables and the files (each by its own SHA-256) in a checkpoint's manifest; what the
    loop wrote into it for itself is left out."""
    manifest = read_json(folder / "manifest.json")
    parts = ("step", "plan", "variables", "files")
    return "" if manifest is None else _hash({name: manifest.get(name) for name in parts})


def file_hash(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def write_chain(folder: Path, origin: Origin, *, notes: Sequence[str] = (), whole: bool = True) -> Path:
    """Writes `provenance.json` over every other file of a folder, and gives its path. Raises UserError.

    `notes` are sentences that stay with the export, such as the reason why a gate was overridden. Without `whole` only
    the files directly in the folder count: its folders have chains of their own.
    """
    files = {name: _described(path) for name, path in _files(folder, whole=whole).items()}
    links = list(origin.links)
    content = {"gendsl": origin.gendsl, "whole": whole, "notes": list(notes), "files": files}
    links.append(_link(_EXPORT, content, links))
    path = folder / PROVENANCE
    write_json(path, {"format": FORMAT, "links": links})
    return path


def head_of(folder: Path) -> str:
    """The last hash of a folder's chain, which stands for all of it; empty where there is none that can be read."""
    links = (_read(folder / PROVENANCE) or {}).get("links")
    last = links[-1] if isinstance(links, list) and links else None
    return str(last.get("hash", "")) if isinstance(last, dict) else ""


def links_of(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The links of a folder's chain by name, as far as they can be read."""
    links = (_read(folder / PROVENANCE) or {}).get("links")
    found = links if isinstance(links, list) else []
    return {str(link["link"]): link for link in found if isinstance(link, dict) and "link" in link}


def is_version(name: str) -> bool:
    """Whether a folder of that name holds a version of a model, as TF Serving has it: a number of 64 bits."""
    return name.isascii() and name.isdecimal() and len(name) <= 18


def chained_folders(folder: Path) -> list[Path]:
    """The folders that have, or should have, a chain of their own: a version; the versions of a model's folder; those
    of all models in `RUN/export`, and that folder itself where files lie in it."""
    if (folder / "saved_model.pb").exists():
        return [folder]
    if versions := _versions(folder):
        return versions
    if is_version(folder.name) or not folder.is_dir():
        return [folder]
    models = [
        path for path in sorted(folder.iterdir()) if path.name[0] != "." and path.is_dir() and not path.is_symlink()
    ]
    nested = [version for model in models for version in _versions(model)]
    own = (folder / PROVENANCE).exists() or bool(_files(folder, whole=False)) or not nested
    return ([folder] if own else []) + nested


def faults(folder: Path) -> list[str]:
    """What is wrong with the chains of an export: each a sentence that says which file and what; empty where all hold.

    The folder may be that of a version, of a model with its versions, or `RUN/export` with all models."""
    if not folder.is_dir():
        return [f"there is no folder {folder}"]
    found: list[str] = []
    for one in chained_folders(folder):
        prefix = "" if one == folder else f"{one.relative_to(folder)}/"
        found += [f"{prefix}{fault}" for fault in _faults(one)]
    return found


def _faults(folder: Path) -> list[str]:
    path = folder / PROVENANCE
    if not path.is_file() or path.is_symlink():
        return [f"{PROVENANCE} is missing: nothing tells what the folder held when it was exported"]
    record = _read(path)
    links = (record or {}).get("links")
    if record is None or record.get("format") != FORMAT or set(record) != {"format", "links"}:
        return [f"{PROVENANCE} cannot be read: it was changed, or written by another version of gendsl"]
    if not isinstance(links, list) or [_name(link) for link in links] != [*PARTS, _EXPORT]:
        return [f"{PROVENANCE} was changed: its links are not {', '.join((*PARTS, _EXPORT))}"]
    previous = ""
    for link in links:
        content = {name: value for name, value in link.items() if name != "hash"}
        if link.get("previous") != previous or link.get("hash") != _hash(content):
            return [f"{PROVENANCE} was changed: its chain is broken at the link `{link['link']}`"]
        previous = str(link["hash"])
    files = links[-1].get("files")
    if not isinstance(files, dict):
        return [f"{PROVENANCE} was changed: it lists no files"]
    return list(_differences(files, _files(folder, whole=links[-1].get("whole") is not False)))


def _differences(told: Mapping[str, Any], there: Mapping[str, Path]) -> Iterable[str]:
    for name in sorted({*told, *there}):
        if name not in there:
            yield f"{name} is missing"
        elif name not in told:
            yield f"{name} was added: no file of the export has that name"
        elif there[name].is_symlink() or not there[name].is_file():
            yield f"{name} was changed: it is no file any more but a link to one, or something else"
        elif _described(there[name]) != told[name]:
            yield f"{name} was changed: its content is not what was exported"


def _files(folder: Path, *, whole: bool) -> dict[str, Path]:
    """All files (and links) of a folder by their paths in it, but the chain itself."""
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder):
        inside = Path(place)
        linked = [name for name in folders if (inside / name).is_symlink()]
        for name in (*names, *(linked if whole else ())):
            path = inside / name
            shown = path.relative_to(folder).as_posix()
            if shown != PROVENANCE:
                found[shown] = path
        if not whole:
            break
    return dict(sorted(found.items()))


def _described(path: Path) -> dict[str, Any]:
    try:
        return {"bytes": path.stat().st_size, "sha256": file_hash(path)}
    except OSError:
        return {}


def _versions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if is_version(path.name) and path.is_dir() and not path.is_symlink()]
    return sorted(found, key=lambda path: (int(path.name), path.name))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return read_json(path) if path.stat().st_size <= _MOST_BYTES else None
    except OSError:
        return None


def _name(link: Any) -> Any:
    return link.get("link") if isinstance(link, dict) else None


def _link(name: str, content: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    previous = str(before[-1]["hash"]) if before else ""
    link = {"link": name, **content, "previous": previous}
    return {**link, "hash": _hash(link)}


def _hash(value: Any) -> str:
    """The SHA-256 of a value's JSON, its names in order, without spaces, in UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
