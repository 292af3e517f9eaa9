"""This machine in, a record of what a run's bits depend on out; and two records in, what differs between them out."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import tensorflow as tf

from gendsl import __version__

_PACKAGES = ("tensorflow", "keras", "tensorflow-gan", "numpy", "scikit-learn", "pillow", "tensorflow-datasets")
_MATTERS = ("python", "packages", "devices", "threads", "onednn", "gendsl")


def environment(spec_path: str, *, options: Mapping[str, Any]) -> dict[str, Any]:
    """Versions, devices, threads, the state of the spec's repository, and the options of the command."""
    return {
        "gendsl": __version__,
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "system": platform.platform(),
        "devices": [device.device_type for device in tf.config.list_logical_devices()],
        "processors": os.cpu_count(),
        "threads": {
            "inside": tf.config.threading.get_intra_op_parallelism_threads(),
            "between": tf.config.threading.get_inter_op_parallelism_threads(),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", ""),
        },
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "spec": spec_path,
        "options": dict(options),
        "git": _git(Path(spec_path).parent),
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
            found += [f"{key} {new.get(key)}, was {old.get(key)}" for key in keys if old.get(key) != new.get(key)]
        elif old != new:
            found.append(f"{name} {new}, was {old}")
    return found


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path) -> dict[str, Any] | None:
    """The commit of the repository that a folder lies in and whether anything was changed; None outside one."""

    def answer(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=5, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = answer("rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "changed": bool(answer("status", "--porcelain", "--untracked-files=no"))}
