"""The state of an experiment in, checkpoints on disk out, and back: written whole or not at all, read only if intact.

`step-N/` holds the variables as `tf.train.load_checkpoint` reads them and `manifest.json` with the step, the variables,
the size and the SHA-256 of every file. It is written as `step-N.tmp`, made to last by fsync, and then renamed. `best`,
beside the folder of the checkpoints, is a link to the one with the best score.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.run.folder import reason_of, sync_folder, unwritable, write_whole

_FORMAT = 2
_PREFIX = "state/"

Snapshot = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was read back: after how many steps, the loop's own record, the hash of the training that it is of, and what
    was passed over, newest first."""

    step: int
    record: Mapping[str, Any]
    training: str
    path: Path
    damaged: tuple[tuple[str, str], ...]


class Damaged(Exception):
    """Why a checkpoint cannot be read."""


def snapshot(state: Mapping[str, Any]) -> Snapshot:
    """A copy in the host's memory of what the variables hold now; training may go on while it is written."""
    return {name: np.asarray(variable.numpy()) for name, variable in state.items()}


def unfinite(values: Snapshot) -> list[str]:
    """The names of the variables that hold a NaN or an infinity, in their order."""
    return [name for name, value in values.items() if not _finite(value)]


def write(
    folder: Path,
    step: int,
    values: Snapshot,
    *,
    record: Mapping[str, Any],
    keep: int,
    plan_hash: str,
    before: Iterable[Path] = (),
    pinned: Collection[int] = (),
) -> Path:
    """Writes the state after `step` steps, then removes all but the newest `keep`, the best and those of the steps
    `pinned`. Gives its folder.

    `before` are files that must be on disk before it counts. Raises UserError if the disk takes no more; then the
    earlier checkpoints are still there.
    """
    final = folder / f"step-{step}"
    temporary = folder / f"step-{step}.tmp"
    try:
        folder.mkdir(exist_ok=True)  # without parents: a run's folder that was deleted is not brought back by half
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        _write_variables(temporary, values)
        manifest = {
            "format": _FORMAT,
            "step": step,
            "plan": plan_hash,
            "record": dict(record),
            "variables": _described(values),
            "files": {file.name: _fingerprint(file) for file in sorted(temporary.iterdir())},
        }
        (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        for file in (*temporary.iterdir(), *before):
            _sync(file)
        sync_folder(temporary)
        shutil.rmtree(final, ignore_errors=True)
        os.rename(temporary, final)
        sync_folder(folder)
    except (OSError, tf.errors.OpError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise UserError(
            f"the checkpoint of step {step} could not be written: {reason_of(error)}",
            "make room or bring the folder back, then go on with --resume; earlier checkpoints are untouched",
        ) from error
    prune(folder, newest=step, keep=keep, pinned=pinned)
    return final


def restore(
    folder: Path, state: Mapping[str, Any], *, plans: Collection[str], step: int | None = None
) -> Restored | None:
    """Reads the newest intact checkpoint (or that of `step`) into the variables; None if there is none at all.

    `plans` are the hashes of the trainings that the run has been of. Raises UserError if there are checkpoints and none
    can be read.
    """
    damaged: list[tuple[str, str]] = []
    for path in paths(folder):
        if step is not None and path.name != f"step-{step}":
            continue
        try:
            manifest = _verified(path, plans=plans)
            if manifest["variables"] != _described(state):
                missing = sorted(set(manifest["variables"]) ^ set(state))
                raise Damaged("its variables are not those of the model" + (f" ({missing[0]}, …)" if missing else ""))
            values = content(path)
            if _described(values) != _described(state):
                raise Damaged("its variables are not those that its manifest names")
        except Damaged as reason:
            damaged.append((path.name, str(reason)))
            continue
        except (OSError, tf.errors.OpError):  # the run that it belongs to goes on, and keeps newer ones
            damaged.append((path.name, "it was removed while it was read"))
            continue
        for name, value in values.items():
            state[name].assign(value)
        return Restored(int(manifest["step"]), manifest["record"], manifest["plan"], path, tuple(damaged))
    if damaged:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in damaged)
        raise UserError(f"no checkpoint in {folder} can be read ({reasons})", "start anew in another folder")
    if step is not None:
        there = ", ".join(str(_step(path)) for path in reversed(paths(folder))) or "none"
        raise UserError(f"there is no checkpoint of step {step}", f"there are those of: {there}")
    return None


def content(path: Path) -> dict[str, NDArray[Any]]:
    """The variables of a checkpoint by name, as they were written."""
    reader = tf.train.load_checkpoint(str(path / "state"))
    return {
        name.removeprefix(_PREFIX): np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()
    }


def intact(path: Path, *, plans: Collection[str]) -> dict[str, Any]:
    """The manifest of a checkpoint whose files are as they were written. Raises Damaged."""
    try:
        return _verified(path, plans=plans)
    except OSError as error:
        raise Damaged(reason_of(error)) from error


def some(path: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Some variables of an intact checkpoint by name; the rest is not read. Raises Damaged where one is missing."""
    try:
        reader = tf.train.load_checkpoint(str(path / "state"))
        return {name: np.asarray(reader.get_tensor(_PREFIX + name)) for name in names}
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise Damaged("its variables cannot be read") from error


def paths(folder: Path) -> list[Path]:
    """The checkpoints of a folder, the newest first; temporaries are left out."""
    found = [path for path in folder.glob("step-*") if path.is_dir() and path.name[5:].isdigit()]
    return sorted(found, key=_step, reverse=True)


def best(folder: Path) -> int | None:
    """The step of the best checkpoint; None if there is none."""
    path = _best_link(folder).resolve()
    return _step(path) if path.parent == folder.resolve() and path in paths(path.parent) else None


def make_best(folder: Path, step: int) -> None:
    """Points `best` to a checkpoint in one move; the link is relative, so that the run's folder may be moved.

    Raises UserError if the disk takes no more."""
    temporary = folder.parent / f".best.{os.getpid()}.tmp"
    try:
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path(folder.name) / f"step-{step}")
        os.replace(temporary, _best_link(folder))
        sync_folder(folder.parent)
    except OSError as error:
        raise unwritable(_best_link(folder), error) from error


def prune(folder: Path, *, newest: int, keep: int, pinned: Collection[int] = ()) -> None:
    """Removes all but the best, the pinned and the newest `keep` checkpoints up to a step, and what was half written.

    Later ones were passed over as damaged when the run went on from an earlier one. They count for nothing, and are
    written anew when their step comes.
    """
    there = [path for path in paths(folder) if _step(path) <= newest]
    for path in there[keep:]:
        if _step(path) != best(folder) and _step(path) not in pinned:
            shutil.rmtree(path, ignore_errors=True)
    sweep(folder)


def record_anew(folder: Path, step: int, record: Mapping[str, Any]) -> None:
    """Gives the checkpoint of a step another record in one move; its variables stay. Raises UserError."""
    path = folder / f"step-{step}" / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error
    write_whole(path, json.dumps({**manifest, "record": dict(record)}, indent=1))


def remove_after(folder: Path, step: int) -> None:
    """Removes the checkpoints of later steps, the newest first; the run goes on from this one in another way."""
    for path in paths(folder):
        if _step(path) > step:
            shutil.rmtree(path, ignore_errors=True)


def unlink_best(folder: Path) -> None:
    """Removes the link to the best checkpoint, where that one is gone."""
    if best(folder) is None:
        _best_link(folder).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes temporaries; call it only under the run's lock."""
    for path in folder.glob("step-*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def _best_link(folder: Path) -> Path:
    return folder.parent / "best"


def _step(path: Path) -> int:
    return int(path.name[5:])


def _finite(value: NDArray[Any]) -> bool:
    # A NaN is its array's least and greatest element; so nothing of the array's size is made.
    if value.dtype.kind in "iub" or not value.size:
        return True
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(value.min()) and np.isfinite(value.max()))


def _write_variables(folder: Path, values: Snapshot) -> None:
    with tf.device("CPU:0"):
        tf.raw_ops.SaveV2(
            prefix=str(folder / "state"),
            tensor_names=[_PREFIX + name for name in values],
            shape_and_slices=[""] * len(values),
            tensors=[tf.constant(value) for value in values.values()],
        )


def _described(state: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: [list(value.shape), tf.as_dtype(value.dtype).name] for name, value in state.items()}


def _verified(path: Path, *, plans: Collection[str]) -> dict[str, Any]:
    """The manifest of an intact checkpoint of this plan. Raises Damaged."""
    manifest = _manifest_in(path)
    if manifest.get("format") != _FORMAT:
        raise Damaged("it was written by another version of gendsl")
    if manifest.get("plan") not in plans:
        raise Damaged("it belongs to another plan")
    for name, expected in manifest["files"].items():
        file = path / name
        if not file.is_file() or file.stat().st_size != expected["bytes"]:
            raise Damaged(f"{name} is missing or cut short")
        if _fingerprint(file) != expected:
            raise Damaged(f"{name} does not have the content that was written")
    return manifest


def _manifest_in(path: Path) -> dict[str, Any]:
    """What the manifest of a checkpoint says, which may be anything: its parts are of their types. Raises Damaged."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        files, record = manifest["files"], manifest["record"]
        whole = (
            isinstance(manifest["step"], int)
            and manifest["step"] == _step(path)
            and isinstance(manifest["variables"], dict)
            and isinstance(record, dict)
            and _is_window(record.get("window", {}))
            and all(isinstance(length, int) and length >= 0 for length in record.get("lengths", {}).values())
            and isinstance(record.get("alarms", {}), dict)
            and all(Path(name).name == name and set(told) == {"bytes", "sha256"} for name, told in files.items())
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise Damaged("its manifest is missing or damaged")
    return dict(manifest)


def _is_window(record: Mapping[str, Any]) -> bool:
    """Whether a record is that of a `Window`, be it empty."""
    names, sums, last = (record.get(part, []) for part in ("names", "sums", "last"))
    return (
        isinstance(record.get("steps", 0), int)
        and all(isinstance(name, str) for name in names)
        and all(isinstance(value, (int, float)) for value in (*sums, *last))
        and (not record.get("steps") or len(names) == len(sums) == len(last) > 0)
    )


def _fingerprint(file: Path) -> dict[str, Any]:
    with open(file, "rb") as stream:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _sync(file: Path) -> None:
    with open(file, "rb") as stream:
        os.fsync(stream.fileno())
