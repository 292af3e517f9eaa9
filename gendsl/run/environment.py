"""This machine in, a record of what a run's bits depend on out; and two records in, what differs between them out."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import tensorflow as tf

from gendsl import __version__

_PACKAGES = ("tensorflow", "keras", "tensorflow-gan", "numpy", "scikit-learn", "pillow", "tensorflow-datasets")
_MATTERS = (
    "gendsl",
    "python",
    "packages",
    "processor",
    "devices",
    "replicas",
    "threads",
    "oneDNN",
    "XLA",
    "deterministic kernels",
    "variables",
)
_VARIABLES = (
    "XLA_FLAGS",
    "TF_XLA_FLAGS",
    "ONEDNN_MAX_CPU_ISA",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
)


def environment(project: str, *, replicas: int, xla: bool, deterministic: bool | None) -> dict[str, Any]:
    """Versions, devices, threads, what the step runs as, and the commit of the repository of the spec's folder.

    `deterministic` is what the spec says: where it does not, kernels are deterministic where there is no GPU.
    """
    devices = [device.device_type for device in tf.config.list_logical_devices()]
    everywhere = "GPU" not in devices if deterministic is None else deterministic
    return {
        "gendsl": __version__,
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "system": platform.platform(),
        "processor": _processor(),
        "devices": devices,
        "replicas": replicas,
        "threads": _threads(),
        "oneDNN": "off" if os.environ.get("TF_ENABLE_ONEDNN_OPTS", "") in ("0", "false") else "on",
        "XLA": "on" if xla else "off",
        "deterministic kernels": "on" if everywhere else "off",
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "git": _git(Path(project)),
    }


def versions() -> dict[str, str]:
    """What has to be the same on all workers of a run, by name."""
    packages = {name: version for name in _PACKAGES if (version := _version(name))}
    return {"gendsl": __version__, "python": platform.python_version()} | packages


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs of that on which a run's bits depend, each as `tensorflow 2.21.0, was 2.20.0`."""
    found = []
    for name in _MATTERS:
        old, new = then.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            keys = sorted({*old, *new})
            found += [_told(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]
        elif old != new:
            found.append(_told(name, old, new))
    return found


def _told(name: str, old: Any, new: Any) -> str:
    then, now = (
        "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for value in (old, new)
    )
    return f"{name} {now}, was {then}"


def _threads() -> dict[str, int]:
    """How many threads an operation is shared out among, and how many operations run at once."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "threads of an operation": tf.config.threading.get_intra_op_parallelism_threads() or free,
        "operations at once": tf.config.threading.get_inter_op_parallelism_threads() or free,
    }


def _processor() -> str:
    """The processor by its name: kernels are chosen by what it can do."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path) -> dict[str, Any] | None:
    """The commit of the repository that a folder lies in; None outside one.

    What was changed since is not asked for: git would run what the repository's own configuration names (a file-system
    monitor, filters), and it may be a stranger's. The spec is kept as it was read, and the data by its hash.
    """
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"commit": done.stdout.strip()} if done.returncode == 0 else None
