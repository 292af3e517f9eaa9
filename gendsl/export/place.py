"""The folder of a run in, its `export/` out: held by one process at a time, and never with anything half written in it.

What is written is written beside its place, in a folder whose name begins with `.writing-`, and moved there whole: TF
Serving, which watches the folder, sees a version only when all of it is there.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gendsl.lower.errors import UserError
from gendsl.run.folder import RunFolder, reason_of, sync_folder

_WRITING, _BEFORE = ".writing-", ".before-"


@dataclass(frozen=True, slots=True)
class Place:
    """`export/` of a run, open for writing."""

    path: Path

    def versions(self, name: str) -> list[int]:
        """The versions of a model that are there, in order."""
        folder = self.path / name
        found = [one.name for one in folder.iterdir() if one.is_dir()] if folder.is_dir() else []
        return sorted(int(one) for one in found if one.isascii() and one.isdigit() and str(int(one)) == one)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """An empty folder to write into, gone at the end whatever happens. Raises UserError where the disk refuses."""
        folder = self.path / f"{_WRITING}{os.getpid()}"
        try:
            folder.mkdir()
            yield folder
        except OSError as error:
            raise _refused(self.path, error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, written: Path, to: Path) -> None:
        """Moves what is written to its place; what was there is gone afterwards, and there until then."""
        for file in sorted(written.rglob("*")) if written.is_dir() else [written]:
            if file.is_file():
                _sync(file)
        to.parent.mkdir(exist_ok=True)
        before = self.path / f"{_BEFORE}{to.parent.name}-{to.name}"
        if to.is_dir():  # the system replaces no folder that is not empty
            os.rename(to, before)
        os.rename(written, to)
        sync_folder(to.parent)
        shutil.rmtree(before, ignore_errors=True)

    def swept(self) -> None:
        """Removes what a killed process had half written, and puts back what it was about to replace."""
        for left in self.path.glob(f"{_WRITING}*"):
            shutil.rmtree(left)
        for left in self.path.glob(f"{_BEFORE}*"):
            name, _, version = left.name.removeprefix(_BEFORE).rpartition("-")
            if (self.path / name / version).exists():
                shutil.rmtree(left)
            else:
                os.rename(left, self.path / name / version)


@contextmanager
def place_of(run: RunFolder) -> Iterator[Place]:
    """`export/` of a run, made if need be; what a killed process had half written there is removed.

    Raises UserError where it cannot be written to, or another process is at work in it."""
    path = run.path / "export"
    try:
        path.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"another process exports {run.shown}", "wait for it") from None
        try:
            place = Place(path)
            place.swept()
            probe = path / f"{_WRITING}{os.getpid()}"
            probe.mkdir()  # tells of a folder without rights, or a full disk, before a minute is spent
            probe.rmdir()
        except OSError as error:
            raise _refused(path, error) from error
        yield place
    finally:
        os.close(descriptor)
        with suppress(OSError):
            path.rmdir()  # where nothing came of it


def _refused(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path} cannot be written: {reason_of(error)}", "make room there, or make it a folder that you may write to"
    )


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
