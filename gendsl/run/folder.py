"""A plan and a place in, the folder of a run out: its files, each written whole or not at all, and the lock on it."""

import errno
import fcntl
import json
import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.length import length_of
from gendsl.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run and where its files stand."""

    path: Path

    @property
    def spec(self) -> Path:
        return self.path / "spec.gen"

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def environment(self) -> Path:
        return self.path / "environment.json"

    @property
    def data(self) -> Path:
        return self.path / "data.json"

    @property
    def data_lists(self) -> tuple[Path, ...]:
        return self.path / "dropped.csv", self.path / "leaks.csv"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        return self.path / "best"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def shown(self) -> str:
        """The path as a person would type it here."""
        try:
            return str(self.path.resolve().relative_to(Path.cwd()))
        except ValueError:
            return str(self.path)


def new_path(experiment: str, plan_hash: str, *, root: Path = Path("runs")) -> Path:
    """`runs/<experiment>/<UTC time>-<plan hash>`, with `-2`, `-3`… where that is taken."""
    stem = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{plan_hash[:8]}"
    path, number = root / experiment / stem, 2
    while path.exists():
        path, number = root / experiment / f"{stem}-{number}", number + 1
    return path


def existing(experiment: str, training: str, *, root: Path = Path("runs")) -> list[RunFolder]:
    """The folders of runs of an experiment whose training has a hash, the newest first."""
    found = [RunFolder(path) for path in sorted((root / experiment).glob("*"), reverse=True)]
    return [folder for folder in found if training in trainings_in(folder)[:1]]


def trainings_in(folder: RunFolder) -> list[str]:
    """The hashes of the trainings that a folder is of: that of its plan, and those of the plans before it."""
    records = [read_json(path) for path in (folder.plan, *sorted(folder.path.glob("plan-*.json")))]
    return [str(record["training"]) for record in records if record and "training" in record]


def plan_in(folder: RunFolder) -> Plan:
    """The plan that a folder is of. Raises UserError where it cannot be read."""
    from gendsl.plan.record import plan_of

    try:
        return plan_of(read_json(folder.plan) or {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"the plan in {folder.shown}/plan.json cannot be read: {error}",
            "it was written by another version of gendsl, or changed by hand; train the spec again",
        ) from None


def steps_done(folder: RunFolder) -> int:
    """The step of the newest checkpoint, be it intact or not; 0 where there is none."""
    names = [path.name[5:] for path in folder.checkpoints.glob("step-*") if path.is_dir()]
    return max((int(name) for name in names if name.isdigit()), default=0)


def length_in(folder: RunFolder, plan: Plan) -> int | None:
    """The steps of a plan on the data of a folder; None where it counts epochs of data that nobody has counted yet."""
    examples = _part(read_json(folder.data), "sizes").get("train")
    return length_of(plan, examples if isinstance(examples, int) and examples > 0 else None)


def options_in(folder: RunFolder) -> dict[str, Any]:
    """The options that a run was started with, as far as they can be read."""
    return _part(read_json(folder.environment), "options")


def _part(record: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """A record within a record; empty where there is none: what is in a folder may be anything."""
    part = (record or {}).get(name)
    return part if isinstance(part, dict) else {}


def has_ended(folder: RunFolder) -> bool:
    """Whether the last thing that happened in a folder is that a run came to its end."""
    return _last_event(folder).get("event") == "finished"


def stopped_by(folder: RunFolder) -> str:
    """The alarm that stopped the run in a folder, if that is the last thing that happened in it; else empty."""
    event = _last_event(folder)
    return str(event.get("by", "an alarm")) if event.get("event") == "stopped" else ""


def _last_event(folder: RunFolder) -> dict[str, Any]:
    events = [record for record in read_lines(folder.events) if record.get("event") not in ("phase", "changed")]
    return events[-1] if events else {}


def path_aside(path: Path) -> Path:
    """Where a run is moved that makes room for another one: `runs/a.1`, or the next number that is free."""
    number = 1
    while os.path.lexists(path.with_name(f"{path.name}.{number}")):
        number += 1
    return path.with_name(f"{path.name}.{number}")


def move_aside(folder: RunFolder, to: Path) -> None:
    """Moves a run to make room for another. Raises UserError where a process is at work in it, or it cannot be."""
    lock = Lock(folder)
    try:
        os.rename(folder.path, to)
        sync_folder(to.parent)
    except OSError as error:
        raise unwritable(folder.path, error) from error
    finally:
        lock.release()


def open_run(path: Path) -> RunFolder:
    """The folder of a run that is there. Raises UserError where none is."""
    folder = RunFolder(path)
    if not path.is_dir():
        raise UserError(
            f"there is no folder {path}", "give the folder of a run, such as runs/<experiment>/<time>-<hash>"
        )
    if not folder.plan.is_file():
        inside = sorted(path.glob("**/plan.json"), key=lambda found: found.parent.stat().st_mtime)
        newest = f"the newest run in it is {inside[-1].parent}" if inside else ""
        raise UserError(
            f"{path} is not the folder of a run", newest or "a run's folder holds plan.json and checkpoints/"
        )
    refuse_links(folder)
    return folder


def refuse_links(folder: RunFolder) -> None:
    """Raises UserError where a link in a run's folder leads out of it: what is written there would be elsewhere.

    The folder may come from a stranger."""
    root = folder.path.resolve()
    for pattern in ("*", "checkpoints/*", "checkpoints/*/*", "logs/*", "samples/*", "export/*", "export/*/*"):
        for path in root.glob(pattern):
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                name = path.relative_to(root)
                raise UserError(
                    f"{folder.shown} holds a link that leads out of it: {name}", f"put what is meant in place of {name}"
                )


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes a file so that after a crash either the old or the new one is there, never a part. Raises UserError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def sync_folder(path: Path) -> None:
    """Makes renames in a folder last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Writes a record as indented JSON, whole or not at all."""
    write_whole(path, json.dumps(as_json(record), indent=2, ensure_ascii=False) + "\n")


def write_lists(folder: RunFolder, contents: Mapping[str, str]) -> tuple[Path, ...]:
    """Writes the lists that stand beside data.json, by their names; one of which there is none is none any more."""
    for path in folder.data_lists:
        if path.name in contents:
            write_whole(path, contents[path.name])
        else:
            path.unlink(missing_ok=True)
    return tuple(path for path in folder.data_lists if path.name in contents)


def as_json(value: Any) -> Any:
    """A value as it is read back from JSON: tuples are lists, NaN is null, anything else a text."""
    if isinstance(value, Mapping):
        return {str(name): as_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return as_json(value.item()) if hasattr(value, "item") else str(value)  # a NumPy number


def read_json(path: Path) -> dict[str, Any] | None:
    """The record in a file; None if there is none that can be read."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def append_line(path: Path, record: Mapping[str, Any], *, durable: bool = True) -> None:
    """Adds a record as one line in a single write, so that a crash leaves at most a last line that does not parse.

    `durable` waits for the disk; lines that come many a second do not. Raises UserError.
    """
    line = (json.dumps(as_json(record), ensure_ascii=False) + "\n").encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if os.write(descriptor, line) < len(line):  # the last bytes of a disk
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: Exception) -> UserError:
    """What a person is told where the disk is full, or a folder was deleted or may not be written to."""
    return UserError(
        f"{path} cannot be written: {reason_of(error)}",
        "make room or bring the folder back, then go on with --resume; the checkpoints are untouched",
    )


def reason_of(error: Exception) -> str:
    """What the system said, without TensorFlow's own words before and behind it: `No space left on device`."""
    told = getattr(error, "strerror", None) or str(getattr(error, "message", error)).rpartition("; ")[2]
    return str(told).partition(" [")[0]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a file of lines; a torn last line is left out."""
    if not path.is_file():
        return []
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("step", 0), int):
            records.append(record)
    return records


def keep_lines_until(path: Path, step: int, *, attempt: int = 0) -> None:
    """Drops the records after a step: a run that goes on from it writes them anew. So it does with the alarms of the
    step itself; those of earlier attempts stay."""

    def stays(record: Mapping[str, Any]) -> bool:
        if record.get("event") == "monitor":
            return bool(record.get("attempt", 0) < attempt or record.get("step", 0) < step)
        return bool(record.get("step", 0) <= step)

    records = read_lines(path)
    kept = [record for record in records if stays(record)]
    if path.is_file():
        write_whole(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in kept))


class Lock:
    """Held by the one process that writes into a folder; the system lets it go when that process ends, however."""

    def __init__(self, folder: RunFolder) -> None:
        """Makes the folder if need be. Raises UserError where it cannot be written to, where another process holds the
        lock, or where a link in the folder leads out of it."""
        refuse_links(folder)
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            self._file = open(folder.path / ".lock", "a+")  # noqa: SIM115 - open as long as the lock is held
        except OSError as error:
            raise UserError(
                f"{folder.shown} cannot be written to: {reason_of(error)}",
                "make it a folder that you may write to, or give another one with --out",
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise UserError(
                f"another process is at work in {folder.shown}", "wait for it, or give another folder with --out"
            ) from None
        for left in folder.path.rglob(".*.tmp"):  # what a killed process had half written
            left.unlink(missing_ok=True)

    @staticmethod
    def held(folder: RunFolder) -> bool:
        """Whether some process is at work in a folder."""
        try:
            with open(folder.path / ".lock", "a+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False

    def release(self) -> None:
        """Lets go."""
        self._file.close()
