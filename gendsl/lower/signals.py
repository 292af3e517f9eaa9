"""What updates measure in, its newest values out: the signals that `when` reads, part of a run's state.

A signal is NaN until it is first measured; an update that reads one that nobody has measured yet goes ahead.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from gendsl.plan.plan import Group, Plan


class Signals:
    """The newest value of everything that any `when` of a plan reads, by the name under which it is logged."""

    def __init__(self, plan: Plan) -> None:
        names = dict.fromkeys(name for group in plan.train.groups for name, _ in group.measures)
        self._values = {name: tf.Variable(float("nan"), trainable=False, name="signal") for name in names}

    @property
    def state(self) -> Mapping[str, Any]:
        """Its variables by name."""
        return self._values

    def measure(self, name: str, value: Any) -> None:
        """Takes in a new value, float32 (), the mean over the replicas."""
        self._values[name].assign(value)

    def value(self, name: str) -> Any:
        """The newest value, float32 ()."""
        return tf.identity(self._values[name])

    def unknown(self, group: Group) -> Any:
        """Whether a value that a group's condition reads was never measured, bool ()."""
        read = [one.attributes["name"] for one in group.when if one.name == "signal"]
        return tf.reduce_any(tf.stack([tf.math.is_nan(self.value(name)) for name in read]))
