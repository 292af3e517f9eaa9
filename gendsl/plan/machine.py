"""Nothing in, this machine's memory out: how much a process may take, and how much of that is free."""

import os
from collections.abc import Iterator

_CGROUPS = "/sys/fs/cgroup"


def memory() -> int | None:
    """Bytes of memory that this process may take: the machine's, or less where a container allows less. None where
    nothing tells."""
    return min((limit for limit, _ in _limits()), default=None)


def free_memory() -> int | None:
    """Bytes of memory that this process may still take; None where nothing tells."""
    return min((max(0, limit - used) for limit, used in _limits()), default=None)


def _limits() -> Iterator[tuple[int, int]]:
    """Each limit, and how much is used of it already; what the system would give up for us is not."""
    told = _meminfo()
    if told is not None:
        yield told
    for folder, limit, usage, unused in _groups():
        most, used = _number(f"{folder}/{limit}"), _number(f"{folder}/{usage}")
        if most is not None and used is not None and (told is None or most < told[0]):
            yield most, max(0, used - _stated(f"{folder}/memory.stat", unused))
    most, used = _address_space()
    if most is not None:
        yield most, used


def _meminfo() -> tuple[int, int] | None:
    total, available = _stated("/proc/meminfo", "MemTotal:"), _stated("/proc/meminfo", "MemAvailable:")
    if total:
        return 1024 * total, 1024 * (total - available)
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    return total, 0


def _groups() -> Iterator[tuple[str, str, str, str]]:
    """The control groups that this process is in, of either version, from its own up; with their files' names."""
    for line in _text("/proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            root, names = _CGROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = f"{_CGROUPS}/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        for many in range(len(parts), -1, -1):
            yield "/".join([root, *parts[:many]]), *names


def _address_space() -> tuple[int | None, int]:
    """The limit that `ulimit -v` sets, and how much of it is taken."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None, 0
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    return (None if most == resource.RLIM_INFINITY else most), 1024 * _stated("/proc/self/status", "VmSize:")


def _stated(path: str, name: str) -> int:
    """The number behind a name, a line each; 0 if it is not there."""
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name:
            return int(words[1])
    return 0


def _number(path: str) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
