"""The `sample` equations in, draws of samples out: inference mode, averaged weights, a function of the seed alone."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf

from gendsl.lower.distributions import Categorical, Distribution
from gendsl.parts.keys import Key
from gendsl.plan.plan import Field


def labels_of(field: Field, n: Any, key: Key, counts: Any) -> Any:
    """Classes, int32 (n), with the frequencies of `counts` (classes); all alike where there are none.

    Of a condition the classes are its places."""
    classes = field.shape[0] if field.kind == "condition" else field.classes
    if counts is None and not isinstance(classes, int):
        raise ValueError(f"the number of classes of `{field.name}` is not known")
    return by_frequency(counts, cast(int, classes), n, key)


def by_frequency(counts: Any, many: int, n: Any, key: Key) -> Any:
    """Whole numbers below `many`, int32 (n), as often as `counts` (many) says; all alike where there are none."""
    chances = np.ones(many) if counts is None else np.asarray(counts, np.float64)
    bounds = tf.constant(np.cumsum(chances / chances.sum()), tf.float32)
    drawn = key.uniform([n])
    found = tf.searchsorted(bounds, drawn, side="right")
    return tf.minimum(tf.cast(found, tf.int32), len(chances) - 1)


def plain(value: Any) -> Any:
    """A sample as numbers: of a distribution its expectation, of classes the likeliest."""
    if isinstance(value, Categorical):
        return value.mode()
    return value.mean if isinstance(value, Distribution) else value


def fields_of(
    wanted: Sequence[str], given: Mapping[str, Any], fields: Sequence[Field], n: Any, key: Key, counts: Any
) -> dict[str, Any]:
    """The fields that a sample reads: those given; labels, and conditions (n, width), drawn by their frequencies.

    Raises ValueError for a field that is neither given nor drawn."""
    found: dict[str, Any] = {}
    for name in wanted:
        if name in given:
            found[name] = given[name]
            continue
        field = next(field for field in fields if field.name == name)
        if field.kind == "label":
            found[name] = labels_of(field, n, key.at(f"label_{name}"), counts)
        elif field.kind == "condition":
            found[name] = tf.one_hot(labels_of(field, n, key.at(name), counts), cast(int, field.shape[0]))
        else:
            raise ValueError(f"a sample needs the field `{name}`")
    return found


def batch_of(fields: Mapping[str, Any], default: int) -> Any:
    """How many examples a batch has: a number where it is known when the graph is built."""
    for value in fields.values():
        static = value.shape[0]
        return tf.shape(value)[0] if static is None else static
    return default
