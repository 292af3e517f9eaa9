"""A Keras layer's name in, its arguments out, from a table beside the vocabulary: Keras itself is not imported."""

import json
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent.parent / "keras_layers.json"


@cache
def _table() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["layers"]
    return found


def keras_layer(name: str) -> dict[str, Any] | None:
    """`{"doc": str, "arguments": {name: {"required": bool, "default": value}}}` of a layer of Keras's, or None.

    The arguments are in Keras's order; those of every layer (`name`, `dtype`, `trainable`) are left out, since the
    lowering sets them.
    """
    return _table().get(name)


def keras_layer_names() -> tuple[str, ...]:
    """The names of all Keras layers that a spec can use, as `keras.NAME`."""
    return tuple(_table())
