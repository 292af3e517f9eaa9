"""The losses between a discriminator's scores of real and generated data, as TF-GAN has them, and the few it has not.

A loss of a GAN has two roles, `hinge.discriminator(real, fake)` and `hinge.generator(fake)`; other losses have one, "".
All average over every element and give a scalar; label smoothing is off unless asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gendsl.frozen import dataclass
from gendsl.vocabulary import results, types
from gendsl.vocabulary.dimensions import same_shape
from gendsl.vocabulary.word import Expression, Mismatch, Parameter, Real, Word

if TYPE_CHECKING:
    from gendsl.vocabulary.types import Type


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWord(Word):
    """A loss: `roles` holds the tensors of each role ("" for a loss without roles), `parameters` the options of all.

    `result(role, types, options)` gives the type, or why the tensors do not fit."""

    roles: Mapping[str, tuple[Parameter, ...]]
    result: Callable[[str, tuple[Type, ...], Mapping[str, Any]], Type | Mismatch]

    def options(self, role: str) -> tuple[Parameter, ...]:
        """The options that a role takes: label smoothing is the discriminator's alone."""
        return tuple(p for p in self.parameters if role != "generator" or p.name not in _DISCRIMINATORS)


_DISCRIMINATORS = ("label_smoothing", "fake_label", "real_hinge", "generated_hinge")
_REAL = Parameter(name="real", kind=Expression(), doc="scores of real data")
_FAKE = Parameter(name="fake", kind=Expression(), doc="scores of generated data")
_LABEL = Parameter(name="label", kind=Expression(), doc="the classes (batch)")
_SMOOTHING = Parameter(
    name="label_smoothing",
    kind=Real(0, 1),
    default=0,
    positional=False,
    doc="real data's label becomes 1 - label_smoothing / 2 (the discriminator's)",
)


def _scores(role: str, given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Scores of real and generated data have one shape."""
    for one in given:
        if isinstance(one, types.Unknown):
            return types.Scalar()
        if isinstance(one, types.Tensor) and one.integer:
            return Mismatch("takes scores, not whole classes")
    return results.reduced(given, options)


def _classes(role: str, given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    return results.guarded(results.classified)(given, options)


def _information(role: str, given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    found = results.guarded(results.likelihood)(given, options)
    return found if isinstance(found, Mismatch) else types.Scalar()


def _cycle(role: str, given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    for pair in (given[:2], given[2:]):
        if any(isinstance(one, types.Unknown) for one in pair):
            continue
        found = results.reduced(pair, options)
        if isinstance(found, Mismatch):
            return found
        first, second = pair
        assert isinstance(first, types.Tensor) and isinstance(second, types.Tensor)
        assert same_shape(first.shape, second.shape)
    return types.Scalar()


def _gan(
    name: str,
    doc: str,
    source: str,
    *options: Parameter,
    generator: tuple[Parameter, ...] = (_FAKE,),
) -> LossWord:
    return LossWord(
        name=name,
        category="loss",
        doc=doc,
        source=source,
        parameters=options,
        roles={"discriminator": (_REAL, _FAKE), "generator": generator},
        result=_scores,
        example=f"minimize {name}.generator(discriminator(generator()))"
        if len(generator) == 1
        else f"minimize {name}.generator(discriminator(image), discriminator(generator()))",
    )


def _option(name: str, default: float, doc: str) -> Parameter:
    return Parameter(name=name, kind=Real(), default=default, positional=False, doc=doc)


_GOODFELLOW = "Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661"
_JOLICOEUR = "Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734"

WORDS: tuple[LossWord, ...] = (
    _gan(
        "nonsaturating",
        "The GAN's loss with the generator's objective that does not saturate: the discriminator minimises "
        "mean(softplus(-real)) + mean(softplus(fake)), the generator mean(softplus(-fake)). TF-GAN's `modified`.",
        f"{_GOODFELLOW}, section 3",
        _SMOOTHING,
    ),
    _gan(
        "modified",
        "TF-GAN's name of `nonsaturating`.",
        f"{_GOODFELLOW}, section 3",
        _SMOOTHING,
    ),
    _gan(
        "minimax",
        "The two-player game as it stands: the discriminator minimises mean(softplus(-real)) + "
        "mean(softplus(fake)), the "
        "generator -mean(softplus(fake)), with TF-GAN's constant -softplus(-1), which has no gradient.",
        f"{_GOODFELLOW}, equation 1",
        _SMOOTHING,
    ),
    _gan(
        "least_squares",
        "Squared distance to labels, halved: the discriminator minimises mean((real - real_label)^2) / 2 + "
        "mean((fake - fake_label)^2) / 2, the generator mean((fake - real_label)^2) / 2.",
        "Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation 9",
        _option("real_label", 1, "what the discriminator says of real data"),
        _option("fake_label", 0, "what the discriminator says of generated data"),
    ),
    _gan(
        "wasserstein",
        "The dual of the Wasserstein distance: the critic minimises mean(fake) - mean(real), the generator "
        "-mean(fake). "
        "The critic has to be Lipschitz: `gradient_penalty`, `constrain: spectral_norm` or `constrain: clip(0.01)`.",
        "Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, equation 2",
    ),
    _gan(
        "hinge",
        "The hinge loss: the discriminator minimises mean(relu(1 - real)) + mean(relu(1 + fake)), the generator "
        "-mean(fake).",
        "Lim & Ye 2017, https://arxiv.org/abs/1705.02894; Miyato et al. 2018, https://arxiv.org/abs/1802.05957, "
        "equation 17",
        _option("real_hinge", 1, "the margin of real data"),
        _option("generated_hinge", 1, "the margin of generated data"),
    ),
    _gan(
        "relativistic",
        "Real data more real than the average generated one, and the reverse: the discriminator minimises "
        "mean(softplus(-(real - mean(fake)))) + mean(softplus(fake - mean(real))), the generator the same with "
        "the roles "
        "of real and fake exchanged.",
        f"{_JOLICOEUR}, equation 8",
        generator=(_REAL, _FAKE),
    ),
    _gan(
        "relativistic_pairs",
        "Each real example more real than the generated one beside it: the discriminator minimises "
        "mean(softplus(fake - real)), the generator mean(softplus(real - fake)). Not in TF-GAN.",
        f"{_JOLICOEUR}, section 4.1; Huang et al. 2024, https://arxiv.org/abs/2501.05441",
        generator=(_REAL, _FAKE),
    ),
    LossWord(
        name="acgan",
        category="loss",
        doc="The classes that a discriminator reads off real and generated data: softmax cross-entropy, "
        "averaged; a term "
        "beside a GAN's loss. The arguments are logits of the classes.",
        source="Odena et al. 2017, https://arxiv.org/abs/1610.09585, equation 3",
        parameters=(_SMOOTHING,),
        roles={"discriminator": (_REAL, _FAKE, _LABEL), "generator": (_FAKE, _LABEL)},
        result=_classes,
        example="minimize hinge.generator(judged.score) + acgan.generator(judged.classes, label)",
    ),
    LossWord(
        name="mutual_information",
        category="loss",
        doc="How badly the code of a generated example is read back from it, -mean(log q(code)): InfoGAN's "
        "bound on their "
        "mutual information, without its constant.",
        source="Chen et al. 2016, https://arxiv.org/abs/1606.03657, equation 5",
        roles={
            "": (
                Parameter(
                    name="q", kind=Expression(), doc="the distribution of the code, read from the generated example"
                ),
                Parameter(name="code", kind=Expression(), doc="the code that it was made from"),
            )
        },
        result=_information,
        example="minimize hinge.generator(discriminator(fake)) + mutual_information(recognizer(fake), code)",
    ),
    LossWord(
        name="cycle",
        category="loss",
        doc="What is lost on the way there and back, (mean|x - x_back| + mean|y - y_back|) / 2.",
        source="Zhu et al. 2017, https://arxiv.org/abs/1703.10593, equation 2",
        roles={
            "": (
                Parameter(name="x", kind=Expression(), doc="data of the first domain"),
                Parameter(name="x_back", kind=Expression(), doc="the same, there and back"),
                Parameter(name="y", kind=Expression(), doc="data of the second domain"),
                Parameter(name="y_back", kind=Expression(), doc="the same, there and back"),
            )
        },
        result=_cycle,
        example="minimize 20 * cycle(a, b_to_a(fake_b), b, a_to_b(fake_a))",
    ),
)
