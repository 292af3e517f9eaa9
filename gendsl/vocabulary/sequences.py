"""The functions of sequences of tokens: what each takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gendsl.vocabulary import results, types
from gendsl.vocabulary.dimensions import same_shape, shown
from gendsl.vocabulary.functions import FunctionWord
from gendsl.vocabulary.word import Expression, Mismatch, Parameter, Real

if TYPE_CHECKING:
    from gendsl.vocabulary.types import Type


def _next_token(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A network of sequences and tokens in, one number an example out."""
    network, tokens = given
    assert isinstance(network, types.NetworkType)
    found = results.written(given, {"length": 1})
    if isinstance(found, Mismatch):
        return found
    if not isinstance(tokens, types.Tensor) or not tokens.integer:
        return Mismatch("takes tokens second", "give the field of the text")
    says = network.result
    if isinstance(says, types.Distribution) and not same_shape(says.event, tokens.shape):
        told = shown(says.event) if says.event else "a single token"
        return Mismatch(
            f"needs a distribution at each of {shown(tokens.shape)} places, and `{network.name}` gives one of {told}",
            "end with layers that keep the length, such as `dense text.vocabulary`",
        )
    return types.Tensor(())


WORDS: tuple[FunctionWord, ...] = (
    FunctionWord(
        name="next_token",
        category="function",
        doc="Minus the log-probability of each token of a window given those before it, in nats, summed over each "
        "sequence: (batch). Of the n + 1 tokens of a window the network is given the first n, and says the last n.",
        parameters=(
            Parameter(name="network", kind=Expression(), doc="the network, by its name"),
            Parameter(name="tokens", kind=Expression(), doc="the field of the text"),
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
