"""Names and contents of samples in, files out: the one place where sample files are written.

What is drawn is written and forgotten, so that memory does not grow with the number of samples. A file is whole or not
there; the power is not waited for after each, which would take longer than to draw it, but once at the end.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from gendsl.export.chain import Origin
from gendsl.export.marks import beside, marked
from gendsl.lower.errors import UserError
from gendsl.run.folder import reason_of, sync_folder

MOST_IN_FOLDER = 50_000  # files: more are shared out over folders of 1,000
_PER_FOLDER = 1_000
_SLACK = 64 * 2**20  # bytes that are left free on a disk


def numbered(number: int, of: int, suffix: str) -> str:
    """The name of the file of sample `number` of so many: `007.png`; `0012/0012345.png` where they are very many."""
    digits = max(3, len(str(of - 1)))
    name = f"{number:0{digits}}.{suffix}"
    return name if of <= MOST_IN_FOLDER else f"{number // _PER_FOLDER:0{digits - 3}}/{name}"


class SampleFiles:
    """The files of some samples in a folder; where `origin` is set, each is marked with it, inside or from beside.

    Until `admit`, contents are held back: how large they are tells what all samples would need."""

    def __init__(self, folder: Path, origin: Origin | None = None) -> None:
        """Raises UserError where no folder can be at that place."""
        self.folder, self.origin = folder, origin
        self._beside: dict[str, bytes] = {}
        self._held: list[tuple[str, bytes, bool]] | None = []  # whether it is of a file that grows
        self._streams: dict[str, BinaryIO] = {}
        self._made: set[Path] = set()
        self._names: set[str] = set()
        self.written: list[Path] = []  # the first of them: enough to tell of
        self.count = 0
        blocked = next((one for one in (folder, *folder.parents) if one.exists() and not one.is_dir()), None)
        if blocked is not None:
            raise UserError(f"{blocked} is a file: no samples can be written into it", "give -o the name of a folder")

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole; an older one of that name is replaced. Raises UserError."""
        if self._held is not None:
            self._held.append((name, content, False))
            return
        path = self._place(name)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with open(temporary, "wb") as file:
                file.write(content if self.origin is None else marked(name, content, self.origin))
            os.replace(temporary, path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise self._unwritable(path, error) from error
        self._note(name)

    def append(self, name: str, content: bytes) -> None:
        """Writes more of a file that grows with the samples; it gets its name by `finish`. Raises UserError."""
        if self._held is not None:
            self._held.append((name, content, True))
            return
        path = self._place(name)
        try:
            if name not in self._streams:
                self._streams[name] = open(_growing(path), "wb")  # noqa: SIM115 - `finish` and `abandon` close it
            self._streams[name].write(content)
        except OSError as error:
            raise self._unwritable(path, error) from error

    def admit(self, held: int, count: int) -> None:
        """Lets `count` samples be written, of which `held` are held back. UserError where the disk has not that much
        room."""
        self._refuse_without_room(held, count)
        waiting, self._held = self._held or [], None
        for name, content, grows in waiting:
            (self.append if grows else self.write)(name, content)

    def finish(self) -> None:
        """Gives the files that grew their names, and waits until all is on the disk as far as the system says."""
        for name, file in self._streams.items():
            path = self.folder / name
            try:
                file.flush()
                os.fsync(file.fileno())
                file.close()
                os.replace(_growing(path), path)
            except OSError as error:
                raise self._unwritable(path, error) from error
            self._note(name)
        self._streams = {}
        for name, content in sorted(self._beside.items()):
            self.write(name, content)
        for folder in self._made:
            with suppress(OSError):
                sync_folder(folder)

    def abandon(self) -> None:
        """Removes what is not whole; whole files stay."""
        for name, file in self._streams.items():
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                _growing(self.folder / name).unlink(missing_ok=True)
        self._streams = {}

    def others(self) -> int:
        """How many files stand in the folder itself that are not of these samples."""
        with os.scandir(self.folder) as entries:
            return sum(entry.is_file() and entry.name not in self._names for entry in entries)

    def _note(self, name: str) -> None:
        self.count += 1
        place, _, own = name.rpartition("/")
        if self.origin is not None and (found := beside(own, self.origin)) is not None:
            self._beside[f"{place}/{found[0]}" if place else found[0]] = found[1]
        if "/" not in name:
            self._names.add(name)
        if len(self.written) < MOST_IN_FOLDER or name.startswith("grid."):
            self.written.append(self.folder / name)

    def _place(self, name: str) -> Path:
        path = self.folder / name
        if path.parent not in self._made:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._unwritable(path.parent, error) from error
            self._made.add(path.parent)
        return path

    def _unwritable(self, path: Path, error: OSError) -> UserError:
        self.abandon()
        there = f"{self.count:,} files are whole; " if self.count else ""
        return UserError(
            f"{path} cannot be written: {reason_of(error)}",
            f"{there}make room, or give another folder by -o: the same seed draws the same samples again",
        )

    def _refuse_without_room(self, held: int, count: int) -> None:
        there = next(one for one in (self.folder, *self.folder.absolute().parents) if one.is_dir())
        system, usage = os.statvfs(there), shutil.disk_usage(there)
        block = max(1, system.f_frsize)
        files = [len(content) for _, content, grows in self._held or () if not grows]
        grown = sum(len(content) for _, content, grows in self._held or () if grows)
        share = count / max(1, held)
        need = (sum(-(-size // block) * block for size in files) + grown) * share
        if need + _SLACK > usage.free:
            one_file = "; or one file for all of them by --format npy" if grown == 0 else ""
            raise UserError(
                f"{count:,} samples need about {size_text(need)} in {self.folder}, which has {size_text(usage.free)} "
                "free",
                f"ask for fewer by -n, or for another place by -o{one_file}",
            )
        if system.f_files and len(files) * share > system.f_favail:
            raise UserError(
                f"{count:,} samples need {int(len(files) * share):,} files in {self.folder}, whose disk has room for "
                f"{system.f_favail:,}",
                "ask for one file for all of them by --format npy",
            )


def size_text(size: float) -> str:
    """Bytes as a person reads them: `1.2 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB" if size < 1000 else f"{size:,.0f} TB"


def _growing(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")
