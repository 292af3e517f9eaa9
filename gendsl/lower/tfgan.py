"""TF-GAN's modules, imported without its top level, which needs the `tf.estimator` that TensorFlow 2.16 removed.

Bare modules `tensorflow_gan` and `tensorflow_gan.python`, which only know where their files lie, stand in for the real
ones, so that the leaves can be imported: losses in milliseconds, scores with tensorflow-probability.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _stand_in(name: str, folder: Path) -> None:
    if name not in sys.modules:
        module = ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module


def module(name: str) -> Any:
    """A leaf of `tensorflow_gan.python`, such as `losses.losses_impl`."""
    found = importlib.util.find_spec("tensorflow_gan") if "tensorflow_gan" not in sys.modules else None
    if found is not None and found.submodule_search_locations:
        folder = Path(found.submodule_search_locations[0])
        _stand_in("tensorflow_gan", folder)
        _stand_in("tensorflow_gan.python", folder / "python")
        for package in ("losses", "eval"):  # their own top levels import everything else
            _stand_in(f"tensorflow_gan.python.{package}", folder / "python" / package)
    return importlib.import_module(f"tensorflow_gan.python.{name}")


losses: Any = module("losses.losses_impl")
