"""A path or glob of a spec in, files inside the project's folder out: nothing outside it is ever opened."""

import errno
import os
import stat
from collections.abc import Iterator
from fnmatch import translate
from re import compile


class Refused(Exception):
    """Data that cannot be what the spec says: why, and what to do; headers turn it into a `problem`."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def regular(path: str, flags: int) -> int:
    """Python's `open` takes it as its `opener`: a descriptor of a file. OSError for anything else that a name may stand
    for: a named pipe would be waited for, and a device may have no end."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no file but a pipe, a device or a folder", path)


def inside(folder: str, path: str) -> str:
    """The absolute place of a path relative to `folder`, links followed; `Refused` if it lies outside."""
    stay = "write a path relative to the spec, inside its folder; copy or mount the data there"
    if not path or "\0" in path:
        raise Refused("the path is empty" if not path else "the path holds a NUL character", stay)
    if "://" in path:
        raise Refused(f'"{path}" is a web address', "download the data, and name its path relative to the spec")
    if path.startswith("~"):
        raise Refused(f'"{path}" begins with `~`', stay)
    if path.startswith(("/", "\\")) or path[1:2] == ":":
        raise Refused(f'"{path}" is an absolute path', stay)
    parts = path.replace("\\", "/").split("/")
    if ".." in parts:
        raise Refused(f'"{path}" goes up with `..`', stay)
    root = os.path.realpath(folder or ".")
    place = os.path.realpath(os.path.join(root, *parts))
    if place != root and not place.startswith(root.rstrip(os.sep) + os.sep):
        raise Refused(f'"{path}" leads out of the spec\'s folder through a link', stay)
    return place


def files(folder: str, pattern: str) -> Iterator[str]:
    """The files that match a glob, as paths relative to `folder` with `/`, in the order of their parts.

    `**` stands for any number of folders; a link that leads out of the folder is passed over, as is what begins with a
    dot unless the pattern says the dot. `Refused` where the pattern itself leaves the folder.
    """
    parts = pattern.replace("\\", "/").split("/")
    fixed = []
    for part in parts[:-1]:
        if any(sign in part for sign in "*?["):
            break
        fixed.append(part)
    inside(folder, pattern)
    root = os.path.realpath(folder or ".")
    start = inside(folder, "/".join(fixed)) if fixed else root
    yield from _matches(root, start, "/".join(fixed), frozenset({tuple(parts[len(fixed) :])}))


def _matches(root: str, place: str, relative: str, states: frozenset[tuple[str, ...]]) -> Iterator[str]:
    """The files below `place` that match what is left of the pattern; `**` may end here or go on: several states."""
    reached = set(states)
    for state in states:
        while state[0] == "**":
            state = state[1:] or ("*",)
            reached.add(state)
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except OSError:
        return
    deep = [state for state in reached if state[0] == "**"]
    # one compiled pattern a state: a folder may hold a hundred thousand files
    named = [(compile(translate(s[0])).match, s[0].startswith("."), s[1:]) for s in reached if s[0] != "**"]
    within = root.rstrip(os.sep) + os.sep
    before = f"{relative}/" if relative else ""
    for entry in entries:
        name = entry.name
        hidden, link = name.startswith("."), entry.is_symlink()
        if link and not os.path.realpath(entry.path).startswith(within):
            continue
        rests = [rest for match, shows, rest in named if (shows or not hidden) and match(name)]
        if _is_folder(entry):
            deeper = {rest for rest in rests if rest}
            if not hidden and not link:
                deeper.update(deep)
            if deeper:
                yield from _matches(root, entry.path, before + name, frozenset(deeper))
        elif () in rests:
            yield before + name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder; a link that leads back to itself is none, and is told of when it is opened."""
    try:
        return entry.is_dir()
    except OSError:
        return False
