"""Keras in, the table `keras_layers.json` out: `python -m gendsl.vocabulary.layers.keras_table` writes it anew.

The only module of the vocabulary that imports Keras; nothing but the command and its test imports it.
"""

import inspect
import json
from typing import Any

from gendsl.vocabulary.layers.keras_layers import TABLE

# What runs code from elsewhere, reads a file from anywhere (a vocabulary may be the path of one), is no layer of its
# own, or wraps a layer that a spec cannot pass.
_LEFT_OUT = {
    "FlaxLayer",
    "InputLayer",
    "IntegerLookup",
    "JaxLayer",
    "Lambda",
    "Layer",
    "Pipeline",
    "StringLookup",
    "TFSMLayer",
    "TextVectorization",
    "TorchModuleWrapper",
}
_SET_BY_US = {"self", "name", "dtype", "trainable", "args", "kwargs"}
_OBJECTS = {"layer", "layers", "cell", "cells", "function", "feature_space"}


def _plain(value: Any) -> Any:
    """The value if a spec can write it, else its text."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def table_of_keras() -> dict[str, Any]:
    """The table: Keras's version, and for each public layer its first line of documentation and its arguments."""
    import keras

    layers: dict[str, Any] = {}
    for name in sorted(dir(keras.layers)):
        cls = getattr(keras.layers, name)
        if name in _LEFT_OUT or not inspect.isclass(cls) or not issubclass(cls, keras.layers.Layer):
            continue
        found = {
            key: parameter
            for key, parameter in inspect.signature(cls.__init__).parameters.items()
            if key not in _SET_BY_US and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        }
        required = {key for key, parameter in found.items() if parameter.default is parameter.empty}
        if required & _OBJECTS:
            continue
        layers[name] = {
            "doc": (inspect.getdoc(cls) or "").split("\n", 1)[0],
            "arguments": {
                key: {"required": True}
                if key in required
                else {"required": False, "default": _plain(parameter.default)}
                for key, parameter in found.items()
            },
        }
    return {"keras": keras.__version__, "layers": layers}


def main() -> None:
    """Writes the table."""
    text = json.dumps(table_of_keras(), indent=1, ensure_ascii=False) + "\n"
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
