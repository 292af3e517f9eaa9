"""A checked optimizer and the variables it trains in, a built Keras optimizer out.

Its learning rate is a plain variable that the train step sets: a Keras schedule would count applications, not steps.
The gradients that it is given are those of the whole batch already, so every replica applies them to its own copy.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from gendsl.parts.fused_adam import FusedAdam, FusedAdamW
from gendsl.parts.xla_cpu import global_norm
from gendsl.plan.plan import Call

_CLASSES: dict[str, Any] = {
    "sgd": keras.optimizers.SGD,
    "adam": FusedAdam,
    "adamw": FusedAdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "adamax": keras.optimizers.Adamax,
    "nadam": keras.optimizers.Nadam,
    "lion": keras.optimizers.Lion,
    "lamb": keras.optimizers.Lamb,
    "ftrl": keras.optimizers.Ftrl,
}


class _OwnCopy(keras.optimizers.Optimizer):
    """Keras's optimizer without its collectives: it would add the gradients of all replicas up once more."""

    def _backend_update_step(self, gradients: Sequence[Any], variables: Sequence[Any], learning_rate: Any) -> None:
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                variable.assign_sub(variable.value * self.weight_decay * self.learning_rate)


class _OwnScale(keras.optimizers.LossScaleOptimizer):
    """Keras's dynamic loss scale, decided by each replica alone: all have the same gradients."""

    def _tf_apply(self, gradients: Sequence[Any], variables: Sequence[Any] | None = None) -> None:
        self._common_apply(gradients, trainable_variables=variables)


class Optimizer:
    """A Keras optimizer for one update, with a dynamic loss scale where the precision is float16."""

    def __init__(self, call: Call, parts: Sequence[Sequence[Any]], *, scaled: bool) -> None:
        """`parts` are the variables, parted by when they are frozen (see `variants.apart`); with a loss scale, which is
        one for all of them, they are one part."""
        self.scaled = scaled
        whole = [[variable for part in parts for variable in part]] if scaled or not parts else parts
        self._parts = [_Part(call, part, scaled=scaled) for part in whole]
        self._keras = self._parts[0].keras

    @property
    def variables(self) -> list[Any]:
        """Everything the optimizer remembers: slots, its count of applications, the loss scale."""
        return [v for part in self._parts for v in part.keras.variables if v is not part.inner.learning_rate]

    @property
    def scale(self) -> Any:
        """The loss scale, float32 (); 1 without one."""
        return self._keras.dynamic_scale.value if self.scaled else 1.0

    def gradient_norm(self) -> float | None:
        """The root of the mean squared norm of the last gradients, as the optimizer averages their squares (Adam's
        corrected second moment; clipped, where there is a `clip`); None where it does not, or has had none yet."""
        known = [squares for part in self._parts if (squares := part.mean_squares()) is not None]
        return float(sum(known) ** 0.5) if known else None

    def inner_scale(self) -> Any:
        """The scale for gradients that are part of the loss, float32 (); None without one."""
        return tf.identity(self.scale) if self.scaled else None

    def scaled_loss(self, loss: Any) -> Any:
        """The loss whose gradients `apply` expects."""
        return self._keras.scale_loss(loss)

    def apply(
        self,
        gradients: Sequence[Any],
        variables: Sequence[Any],
        learning_rate: Any,
        clip_norm: Any = None,
        *,
        goes: Any = None,
    ) -> Any:
        """Changes the variables, all or some whole parts of them; not at all where `goes`, a bool (), is false; with a
        loss scale, leaves them alone where a gradient is not finite.

        `clip_norm` is the largest global norm of the gradients (Pascanu et al. 2013, algorithm 1). Gives 1 where it was
        skipped, else 0, float32 ()."""
        before = tf.identity(self.scale)
        given = list(gradients)
        if clip_norm is not None:
            given, _ = tf.clip_by_global_norm(given, clip_norm * self.scale, use_norm=global_norm(given))
        pairs = {id(variable): (gradient, variable) for gradient, variable in zip(given, variables, strict=True)}

        def change() -> Any:
            for part in self._parts:
                if mine := [pairs[id(variable)] for variable in part.variables if id(variable) in pairs]:
                    part.inner.learning_rate.assign(learning_rate)
                    part.keras.apply([gradient for gradient, _ in mine], [variable for _, variable in mine])
            return tf.constant(True)

        if goes is None:
            change()
        else:
            tf.cond(goes, change, lambda: tf.constant(False))
        return tf.cast(self.scale < before, tf.float32)  # nothing but a skip lowers it


class _Part:
    """The Keras optimizer of some variables, which counts their applications."""

    def __init__(self, call: Call, variables: Sequence[Any], *, scaled: bool) -> None:
        options = {name: value for name, value in call.arguments.items() if name != "learning_rate"}
        base = _CLASSES[call.word]
        self.inner = type(base.__name__, (base, _OwnCopy), {})(learning_rate=0.0, **options)
        if self.inner.weight_decay:
            # Biases and the gains of norms have rank below 2; decaying them shrinks the network's output instead.
            self.inner.exclude_from_weight_decay(
                var_list=[variable for variable in variables if len(variable.shape) < 2]
            )
        self.keras = _OwnScale(self.inner) if scaled else self.inner
        self.variables = list(variables)
        self.keras.build(self.variables)

    def mean_squares(self) -> float | None:
        """The mean squared norm of late gradients, as the optimizer averages it; None where it does not."""
        inner = self.inner
        decay = getattr(inner, "rho", None) if isinstance(inner, keras.optimizers.RMSprop) else None
        decay = getattr(inner, "beta_2", None) if decay is None else decay
        squares, applied = getattr(inner, "_velocities", None), int(inner.iterations.value.numpy())
        if decay is None or not squares or not applied:
            return None
        total = sum(float(tf.reduce_sum(tf.cast(square.value, tf.float32))) for square in squares)
        return total / (1 - float(decay) ** applied)
