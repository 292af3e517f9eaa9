"""A glob and `curate`'s rules on whole files in, what is read of the files out, with those left out by reason."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from gendsl.check.headers.paths import Refused, files, regular
from gendsl.lower.data.loaded import LeftOut, place_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data

_Read = TypeVar("_Read")
_RULES = ("corrupt", "duplicates")
_DAMAGED_SHARE = 0.5  # beyond, the glob or the folder is wrong, not a file


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
    """The files that match a glob, each read by `opened` from its path and content, which raises Unused where it is
    not to be. `what` names such files for people, `ending` what they are to be.

    DataError where there are none, none is left, most are damaged, or a rule of `curate` does not speak of files.
    """
    paths = matching(folder, pattern, what)
    duplicates, listed = _rules(data, folder, what)
    items: dict[str, _Read] = {}
    left_out: list[LeftOut] = []
    seen: dict[bytes, str] = {}
    digest = hashlib.sha256()
    for path, body in _contents(folder, paths):
        own = hashlib.sha256(body).digest()
        digest.update(path.encode() + b"\0" + own)
        try:
            if path in listed:
                raise Unused("listed")
            if duplicates and own in seen:
                raise Unused("duplicates")
            items[path] = opened(path, body)
            seen.setdefault(own, path)
        except Unused as unused:
            repeats = seen[own] if unused.reason == "duplicates" else ""
            left_out.append(LeftOut(path, unused.reason, repeats))
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


def _contents(folder: str, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    """Paths with their contents; DataError where they would not fit into memory, or one cannot be read."""
    root = os.path.realpath(folder or ".")
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    size = 0
    for path in paths:
        try:
            with open(os.path.join(root, path), "rb", opener=regular) as file:
                size += os.fstat(file.fileno()).st_size
                if size > there // 4:
                    raise DataError(
                        f"the {len(paths):,} files are read into memory, and are more than a quarter of its "
                        f"{there / 2**30:.1f} GiB",
                        "narrow the glob",
                    )
                body = file.read()
        except OSError as error:
            raise DataError(
                f'"{path}" cannot be read: {error.strerror or error}', "make the file readable, or narrow the glob"
            ) from error
        yield path, body


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
                f"`drop {wrong[0]}` does not speak of {what}", "take it out; `corrupt`, `duplicates` and `listed:` do"
            )
        if arguments.get("listed") is not None:
            lines = content_of(folder, str(arguments["listed"])).decode(errors="replace").splitlines()
            listed |= {line.strip() for line in lines}
    return any("duplicates" in arguments["what"] for arguments in drops), frozenset(listed)
