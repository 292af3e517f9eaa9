"""The functions of sequences of tokens: what each takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gendsl.vocabulary import results, types
from gendsl.vocabulary.dimensions import product, same_shape, shown
from gendsl.vocabulary.functions import FunctionWord
from gendsl.vocabulary.word import Expression, Mismatch, Parameter, Real

if TYPE_CHECKING:
    from gendsl.vocabulary.types import Type


def _next_token(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A network of sequences and tokens in, one number an example out."""
    tokens = given[1]
    found = results.written(given, {"length": 1})
    if isinstance(found, Mismatch):
        return found
    if not isinstance(tokens, types.Tensor) or not tokens.integer:
        return Mismatch("takes tokens second", "give the field of the text")
    return types.Tensor(())


def _codes(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A network that ends with a codebook and vectors as it gives them in, the numbers of their codes out."""
    made, vectors = results.codes(given[:1], options), given[1]
    if isinstance(made, Mismatch):
        return made
    assert isinstance(made, types.Tensor)
    if not isinstance(vectors, types.Tensor) or not same_shape(vectors.shape, made.shape):
        return Mismatch(f"takes what the network gives, {made}", "as in `e = encoder(image)`, then `codes(encoder, e)`")
    return types.Tensor((product(made.shape[:-1]),), "", True)


def _code_vectors(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A network that ends with a codebook and numbers of codes in, vectors as it gives them out."""
    made, tokens = results.codes(given[:1], options), given[1]
    if isinstance(made, Mismatch):
        return made
    assert isinstance(made, types.Tensor)
    places = (product(made.shape[:-1]),)
    if not isinstance(tokens, types.Tensor) or not tokens.integer or not same_shape(tokens.shape, places):
        return Mismatch(f"takes the numbers of {shown(places)} codes", "`codes(encoder, e)` and `generate` give some")
    return made


WORDS: tuple[FunctionWord, ...] = (
    FunctionWord(
        name="codes",
        category="function",
        doc="The codes that the vectors of a network are which ends with `quantize`, as a sequence in reading order: "
        "(batch, places), whole numbers from 0. No gradient flows through it.",
        parameters=(
            Parameter(name="network", kind=Expression(), doc="the network, by its name"),
            Parameter(name="vectors", kind=Expression(), doc="what it gives"),
        ),
        source="van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, section 3.3",
        example="minimize next_token(prior, codes(encoder, encoder(image)))",
        result=results.network_first(_codes),
        network=True,
    ),
    FunctionWord(
        name="code_vectors",
        category="function",
        doc="The vectors of a sequence of codes (batch, places), shaped as what a network gives that ends with "
        "`quantize`.",
        parameters=(
            Parameter(name="network", kind=Expression(), doc="the network, by its name"),
            Parameter(name="tokens", kind=Expression(), doc="the codes"),
        ),
        source="van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, section 3.3",
        example="image = decoder(code_vectors(encoder, generate(prior, length: 64)))",
        result=results.network_first(_code_vectors),
        network=True,
    ),
    FunctionWord(
        name="next_token",
        category="function",
        doc="Minus the log-probability of each token of a window given those before it, in nats, summed over each "
        "sequence: (batch). Of the n + 1 tokens of a window the network is given the first n, and says the last n. "
        "Other sequences, such as `codes`, it says whole: it is given a token more that begins them, and all but the "
        "last.",
        parameters=(
            Parameter(name="network", kind=Expression(), doc="the network, by its name"),
            Parameter(name="tokens", kind=Expression(), doc="the field of the text, or `codes`"),
            Parameter(
                name="label_smoothing",
                kind=Real(0, 1),
                default=0,
                positional=False,
                doc="the share of each target that is spread over the whole vocabulary",
            ),
        ),
        source="Radford et al. 2018, equation 1; label smoothing: Szegedy et al. 2016, "
        "https://arxiv.org/abs/1512.00567, section 7",
        example="minimize next_token(model, text, label_smoothing: 0.1)",
        result=results.network_first(_next_token),
        network=True,
    ),
)
