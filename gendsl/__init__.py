"""gendsl: a declarative experiment language for generative models on TensorFlow and Keras.

`load` a spec to its plan, list its `problems`, `train` it, or take its Keras model by `experiment`. Importing this
package loads neither TensorFlow nor Keras; each name is loaded when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gendsl.api import SpecError, experiment, load, loads, problems, resume, train

__version__ = "0.1.0"
__all__ = ["SpecError", "__version__", "experiment", "load", "loads", "problems", "resume", "train"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from gendsl import api

        return getattr(api, name)
    raise AttributeError(f"module 'gendsl' has no attribute {name!r}")
