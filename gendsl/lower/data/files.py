"""A glob and `curate`'s rules on whole files in, what is read of the files out, with those left out by reason."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from gendsl.check.headers.paths import Refused, files, regular
from gendsl.lower.data.listed import names_in
from gendsl.lower.data.loaded import LeftOut, place_of
from gendsl.lower.errors import DataError
from gendsl.plan import machine
from gendsl.plan.plan import Data

_Read = TypeVar("_Read")
_RULES = ("corrupt", "duplicates", "leaks")
_DAMAGED_SHARE = 0.5  # beyond, the glob or the folder is wrong, not a file
_PART = 1 << 20  # bytes of a file that are read at once


class Unused(Exception):
    """A file is not used: `damaged`, or another reason that is counted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Found(Generic[_Read]):
    """What was read, by path in the order of the paths; the files that were left out; and the SHA-256 of all."""

    items: Mapping[str, _Read]
    left_out: tuple[LeftOut, ...]
    digest: str


def found_in(
    pattern: str, folder: str, data: Data, opened: Callable[[str, bytes], _Read], *, what: str, ending: str
) -> Found[_Read]:
    """The files that match a glob, each read by `opened` from its path and content, which raises Unused where it is not
    to be. `what` names such files for people, `ending` what they are to be.

    DataError where there are none, none is left, most are damaged, or a rule of `curate` does not speak of files; and
    where they are more than a quarter of this machine's memory, since all are held.
    """
    paths = matching(folder, pattern, what)
    most = machine.memory()
    held = 0

    def whole(path: str, parts: Iterator[bytes]) -> _Read:
        nonlocal held
        read = []
        for part in parts:
            held += len(part)
            if most is not None and held > most // 4:
                raise DataError(
                    f"the {len(paths):,} files are read into memory, and are more than a quarter of its "
                    f"{most / 2**30:.1f} GiB",
                    "narrow the glob",
                )
            read.append(part)
        return opened(path, b"".join(read))

    return found_among(paths, pattern, folder, data, whole, what=what, ending=ending)


def found_among(
    paths: list[str],
    pattern: str,
    folder: str,
    data: Data,
    opened: Callable[[str, Iterator[bytes]], _Read],
    *,
    what: str,
    ending: str,
    undo: Callable[[_Read], None] = lambda item: None,
) -> Found[_Read]:
    """As `found_in` of the paths that match a glob, but each is read part by part: `opened` gets its content as such,
    `undo` what was read last where it is a duplicate."""
    root = os.path.realpath(folder or ".")
    duplicates, listed = _rules(data, folder, what)
    items: dict[str, _Read] = {}
    left_out: list[LeftOut] = []
    seen: dict[bytes, str] = {}
    digest = hashlib.sha256()
    for path in paths:
        content = _Content(root, path)
        reason, repeats = "", ""
        if path in listed:
            reason = "listed"
        else:
            try:
                items[path] = opened(path, content.parts)
            except Unused as unused:
                reason = unused.reason
        own = content.digest()
        digest.update(path.encode() + b"\0" + own)
        if not reason and duplicates and own in seen:
            undo(items.pop(path))
            reason, repeats = "duplicates", seen[own]
        if reason:
            left_out.append(LeftOut(path, reason, repeats))
        else:
            seen.setdefault(own, path)
    damaged = [one.example for one in left_out if one.reason == "damaged"]
    if len(damaged) > len(paths) * _DAMAGED_SHARE:
        some = ", ".join(f'"{path}"' for path in damaged[:3]) + (", …" if len(damaged) > 3 else "")
        raise DataError(
            f'{len(damaged)} of the {len(paths)} files that match "{pattern}" are no {ending}, or damaged: {some}',
            f"narrow the glob to {ending}, or fetch them again",
        )
    if not items:
        told = ", ".join(f"{count} {reason}" for reason, count in Counter(one.reason for one in left_out).items())
        raise DataError(f'no file that matches "{pattern}" is left: {told}', "name other files, or drop less")
    return Found(items, tuple(left_out), digest.hexdigest())


class _Content:
    """The content of a file: `parts` can be gone through once. DataError where it cannot be read."""

    def __init__(self, root: str, path: str) -> None:
        self._root, self._path, self._sha256 = root, path, hashlib.sha256()
        self.parts = self._parts()

    def digest(self) -> bytes:
        """The SHA-256 of all of it; reads what is left."""
        for _ in self.parts:
            pass
        return self._sha256.digest()

    def _parts(self) -> Iterator[bytes]:
        try:
            with open(os.path.join(self._root, self._path), "rb", opener=regular) as file:
                while part := file.read(_PART):
                    self._sha256.update(part)
                    yield part
        except OSError as error:
            raise DataError(
                f'"{self._path}" cannot be read: {error.strerror or error}',
                "make the file readable, or narrow the glob",
            ) from error


def drops_corrupt(data: Data) -> bool:
    """Whether `curate` says that what does not decode is left out."""
    return any("corrupt" in call.arguments["what"] for call in data.curate if call.word == "drop")


def content_of(folder: str, path: str) -> bytes:
    """The content of a file that a spec names. DataError where it cannot be read."""
    place = place_of(folder, path)
    try:
        with open(place, "rb", opener=regular) as file:
            return file.read()
    except OSError as error:
        raise DataError(f'"{path}" cannot be read: {error.strerror or error}', f"looked for {place}") from None


def matching(folder: str, pattern: str, what: str) -> list[str]:
    """The paths that match a glob, in their order. DataError where there are none, or they lead out of the folder."""
    try:
        paths = list(files(folder, pattern))
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None
    if not paths:
        raise DataError(
            f'no file matches "{pattern}" (looked in {os.path.join(os.path.realpath(folder or "."), pattern)})',
            f"put the {what} there, or check the folder and the ending; `**` matches folders of any depth",
        )
    return paths


def _rules(data: Data, folder: str, what: str) -> tuple[bool, frozenset[str]]:
    """Whether duplicates are left out, and which files are by name. DataError for a rule of pictures only."""
    drops = [call.arguments for call in data.curate if call.word == "drop"]
    listed: set[str] = set()
    for arguments in drops:
        wrong = [reason for reason in arguments["what"] if reason not in _RULES]
        wrong += [name for name in ("smaller", "larger", "aspect", "label") if arguments.get(name) is not None]
        wrong += ["within"] if arguments.get("within") else []
        if wrong:
            raise DataError(
                f"`drop {wrong[0]}` does not speak of {what}",
                "take it out; `corrupt`, `duplicates`, `leaks` and `listed:` do",
            )
        if arguments.get("listed") is not None:
            listed |= names_in(str(arguments["listed"]), folder)
    return any("duplicates" in arguments["what"] for arguments in drops), frozenset(listed)
