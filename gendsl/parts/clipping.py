"""A model in, its weights under `constrain: clip(…)` clipped in place (Arjovsky et al. 2017, algorithm 1)."""

from collections.abc import Collection
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gendsl")
class Clip(keras.constraints.Constraint):
    """A constraint of a weight: every number in -limit..limit."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, w: Any) -> Any:
        return keras.ops.clip(w, -self.limit, self.limit)

    def get_config(self) -> dict[str, Any]:
        return {"limit": self.limit}


def clip_layer(layer: Any, limit: float) -> None:
    """Bounds every trainable weight of a built layer; Keras's optimizers then clip it after each application, too."""
    for weight in layer.trainable_variables:
        weight.constraint = Clip(limit)


def clip_weights(model: Any, *, frozen: Collection[int] = ()) -> None:
    """Clips, assigned, every weight of a model that has a bound and is not `frozen`, by id; in graph or eagerly."""
    for weight in model.trainable_variables:
        if isinstance(weight.constraint, Clip) and id(weight) not in frozen:
            weight.assign(weight.constraint(weight))
