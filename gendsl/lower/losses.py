"""A loss word and its tensors in, a scalar out: TF-GAN's losses, and the formulas of those it has not.

TF-GAN smooths the discriminator's labels by 0.25 by default; the language's default is 0, so it is always passed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from gendsl.lower.distributions import Distribution
from gendsl.lower.tfgan import losses as tfgan


def loss_of(word: str, role: str, tensors: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The value of a loss, a float32 scalar, averaged over every element.

    `tensors` are those of the role in the order of its declaration, float32 (labels int).
    """
    apart = {"loss_collection": None}  # a collection of a graph would keep every loss alive
    match word, role:
        case ("nonsaturating" | "modified", "discriminator") | ("minimax", "discriminator"):
            # `modified_discriminator_loss` is this function; the two differ in the generator's part only.
            return tfgan.minimax_discriminator_loss(*tensors, label_smoothing=_smoothing(options), **apart)
        case ("nonsaturating" | "modified", "generator"):
            return tfgan.modified_generator_loss(*tensors, label_smoothing=0.0, **apart)
        case ("minimax", "generator"):
            return tfgan.minimax_generator_loss(*tensors, label_smoothing=0.0, **apart)
        case ("least_squares", "discriminator"):
            labels = {"real_label": float(options["real_label"]), "fake_label": float(options["fake_label"])}
            return tfgan.least_squares_discriminator_loss(*tensors, **labels, **apart)
        case ("least_squares", "generator"):
            return tfgan.least_squares_generator_loss(*tensors, real_label=float(options["real_label"]), **apart)
        case ("wasserstein", "discriminator"):
            return tfgan.wasserstein_discriminator_loss(*tensors, **apart)
        case ("wasserstein", "generator"):
            return tfgan.wasserstein_generator_loss(*tensors, **apart)
        case ("hinge", "discriminator"):
            margins = {name: float(options[name]) for name in ("real_hinge", "generated_hinge")}
            return tfgan.wasserstein_hinge_discriminator_loss(*tensors, **margins, **apart)
        case ("hinge", "generator"):
            return tfgan.wasserstein_hinge_generator_loss(*tensors, **apart)
        case ("relativistic", "discriminator"):
            return tfgan.relativistic_discriminator_loss(*tensors)
        case ("relativistic", "generator"):
            return tfgan.relativistic_generator_loss(*tensors)
        case ("relativistic_pairs", "discriminator"):
            real, fake = tensors
            return tf.reduce_mean(tf.nn.softplus(fake - real))
        case ("relativistic_pairs", "generator"):
            real, fake = tensors
            return tf.reduce_mean(tf.nn.softplus(real - fake))
        case ("acgan", "discriminator"):
            real, fake, label = tensors
            smoothing = _smoothing(options)
            return tfgan.acgan_discriminator_loss(*_rows(real, fake, label), label_smoothing=smoothing, **apart)
        case ("acgan", "generator"):
            fake, label = tensors
            return tfgan.acgan_generator_loss(*_rows(fake, label), **apart)
        case ("mutual_information", ""):
            q, code = tensors
            assert isinstance(q, Distribution)
            return tfgan.mutual_information_penalty([code], [q], **apart)
        case ("cycle", ""):
            return tfgan.cycle_consistency_loss(*tensors)
        case _:
            raise ValueError(f"no loss {word}.{role}")


def _smoothing(options: Mapping[str, Any]) -> float:
    return float(options.get("label_smoothing") or 0)


def _rows(*tensors: Any) -> list[Any]:
    """Logits as (examples, classes), and the labels, which come last, as one-hot rows."""
    *logits, label = tensors
    classes = logits[0].shape[-1]
    rows = [tf.reshape(one, (-1, classes)) for one in logits]
    return [*rows, tf.one_hot(tf.reshape(label, (-1,)), classes)]
