"""A layer and other values for some of its weights in, the layer computing with those out: how kernels are reshaped."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def standing_in(layer: Any, values: Sequence[tuple[Any, Any]]) -> Iterator[None]:
    """Inside, each attribute of the layer that is one of the weights is the value beside it: pairs (weight, value)."""
    attributes = layer.__dict__
    held = [
        (name, weight, value) for weight, value in values for name, own in list(attributes.items()) if own is weight
    ]
    try:
        for name, _, value in held:
            attributes[name] = value
        yield
    finally:
        for name, weight, _ in held:
            attributes[name] = weight
