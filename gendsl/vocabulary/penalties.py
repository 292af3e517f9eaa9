"""The penalties on a network's gradient: terms of a loss whose first argument is a network.

A penalty's tensors are its parameters of kind `Expression`; one left out stands for the update's batch of the network's
first input. Every further input of the network follows in the operation, as it was given when the data was scored.
"""

from gendsl.frozen import dataclass
from gendsl.vocabulary.word import Amount, Expression, NetworkName, Parameter, Real, Toggle, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyWord(Word):
    """A penalty, a scalar. `draws` says whether it draws random numbers."""

    draws: bool = False

    @property
    def tensors(self) -> tuple[Parameter, ...]:
        """The parameters that are values of the network's first input."""
        return tuple(parameter for parameter in self.parameters if isinstance(parameter.kind, Expression))


_NETWORK = Parameter(name="network", kind=NetworkName(), doc="the network whose gradient it is")
_EVERY = Parameter(
    name="every",
    kind=Amount(("steps",)),
    default=None,
    positional=False,
    doc="compute the term only in each such step, and multiply it by that number (lazy regularisation, Karras "
    "et al. 2020)",
)
_TARGET = Parameter(
    name="target", kind=Real(0, above=True), default=1, positional=False, doc="the norm that is not penalised"
)


def _data(name: str, doc: str) -> Parameter:
    return Parameter(name=name, kind=Expression(), default=None, doc=f"{doc}; this update's batch if left out")


_MESCHEDER = "Mescheder et al. 2018, https://arxiv.org/abs/1801.04406"

WORDS: tuple[PenaltyWord, ...] = (
    PenaltyWord(
        name="gradient_penalty",
        category="penalty",
        doc="Mean over examples of (norm - target)^2, norm the length of the gradient of the scores at a random point "
        "between a real and a generated example, sqrt(sum of squares + 1e-12). One epsilon in 0..1 an example (a pack, "
        "with `pack`); only the first input is interpolated, further ones are those that made the generated example.",
        source="Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, equation 3",
        parameters=(
            _NETWORK,
            _data("real", "real data"),
            Parameter(name="fake", kind=Expression(), doc="generated data"),
            _TARGET,
            Parameter(
                name="one_sided",
                kind=Toggle(),
                default=False,
                positional=False,
                doc="penalise only norms above the target (Petzka et al. 2018, https://arxiv.org/abs/1709.08894)",
            ),
            _EVERY,
        ),
        draws=True,
        example="minimize mean(critic(fake)) - mean(critic(image)) + 10 * gradient_penalty(critic, image, fake)",
    ),
    PenaltyWord(
        name="dragan",
        category="penalty",
        doc="The gradient penalty around real data: the point is x + epsilon * 0.5 * std(x) * uniform(0..1), "
        "epsilon one an "
        "example and std that of the whole batch, as in the authors' code.",
        source="Kodali et al. 2017, https://arxiv.org/abs/1705.07215, equation 1",
        parameters=(_NETWORK, _data("real", "real data"), _TARGET, _EVERY),
        draws=True,
        example="minimize nonsaturating.discriminator(discriminator(image), discriminator(fake)) + 10 * "
        "dragan(discriminator, image)",
    ),
    PenaltyWord(
        name="r1",
        category="penalty",
        doc="Mean over examples of the squared norm of the gradient of the summed scores at real data. No one "
        "half is hidden "
        "in it: the paper's gamma / 2 is written out, `0.5 * gamma * r1(…)`.",
        source=f"{_MESCHEDER}, equation 9",
        parameters=(_NETWORK, _data("x", "real data"), _EVERY),
        example="minimize hinge.discriminator(discriminator(image), discriminator(fake)) + r1(discriminator, "
        "image, every: 16 steps)",
    ),
    PenaltyWord(
        name="r2",
        category="penalty",
        doc="Mean over examples of the squared norm of the gradient of the summed scores at generated data, no "
        "one half in it.",
        source=f"{_MESCHEDER}, equation 10",
        parameters=(_NETWORK, Parameter(name="x", kind=Expression(), doc="generated data"), _EVERY),
        example="minimize nonsaturating.discriminator(discriminator(image), discriminator(fake)) + 5 * "
        "r2(discriminator, fake)",
    ),
    PenaltyWord(
        name="path_length",
        category="penalty",
        doc="Mean over examples of (length - a)^2, length that of J^T y, J the Jacobian of the network's picture by "
        "its first input and y normal noise over the root of the picture's places; a is the moving average of the "
        "lengths, from 0. A step in that input then changes the picture by a fixed amount, wherever and in whatever "
        "direction. "
        "The average is part of a run's state.",
        source="Karras et al. 2020, https://arxiv.org/abs/1912.04958, equation 4",
        parameters=(
            _NETWORK,
            _data("x", "values of its first input"),
            Parameter(
                name="decay",
                kind=Real(0, 1),
                default=0.99,
                positional=False,
                doc="how much of the average stays each time",
            ),
            _EVERY,
        ),
        draws=True,
        example="minimize nonsaturating.generator(discriminator(synthesis(w))) + 2 * path_length(synthesis, w, every: "
        "4 steps)",
    ),
    PenaltyWord(
        name="orthogonality",
        category="penalty",
        doc="Sum over the kernels of a network of |W^T W with its diagonal set to 0|^2, a column of W for each output: "
        "how alike its filters are, whatever their length. Embeddings, and networks used as layers, are left out.",
        source="Brock et al. 2019, https://arxiv.org/abs/1809.11096, equation 3",
        parameters=(_NETWORK,),
        example="minimize hinge.generator(discriminator(generator())) + 1e-4 * orthogonality(generator)",
    ),
)
