"""The word that draws sequences token by token: what it takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gendsl.vocabulary import results, types
from gendsl.vocabulary.functions import FunctionWord
from gendsl.vocabulary.word import Count, Expression, Kind, Mismatch, Parameter, Real, Text

if TYPE_CHECKING:
    from gendsl.vocabulary.types import Type


def _generated(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    found = results.written(given, options)
    network = given[0]
    assert isinstance(network, types.NetworkType)
    if isinstance(network.result, types.Distribution) and not network.result.event:
        return Mismatch(
            f"takes a network that says what follows each of its tokens, and `{network.name}` says one thing of all",
            "end with layers that keep the length, such as `dense text.vocabulary`",
        )
    return found


def _option(name: str, kind: Kind, default: Any, doc: str) -> Parameter:
    return Parameter(name=name, kind=kind, default=default, doc=doc, positional=False)


WORDS: tuple[FunctionWord, ...] = (
    FunctionWord(
        name="generate",
        category="function",
        doc="Sequences drawn token by token from a network of tokens. It is told the tokens so far, at most a window "
        "of them: of a full window it keeps the last half. What its layers need of earlier tokens is kept, so a token "
        "costs one place, unless a layer may read later places (`gendsl plan` says so). Without a prompt the first "
        "token is drawn as the windows of the training data begin.",
        parameters=(
            Parameter(name="network", kind=Expression(), doc="the network, by its name"),
            _option("length", Count(), 256, "tokens, the prompt's included"),
            _option("prompt", Text(), "", "what each sequence begins with"),
            _option("temperature", Real(0), 1, "what the logits are divided by; 0 takes the likeliest"),
            _option("top_k", Count(), None, "keep only the likeliest so many (Fan et al. 2018, section 5.4)"),
            _option(
                "top_p",
                Real(0, 1, above=True),
                None,
                "keep the likeliest that make up this probability (Holtzman et al. 2020, section 3.1)",
            ),
            _option(
                "min_p",
                Real(0, 1),
                None,
                "keep those at least this share as likely as the likeliest (Nguyen et al. 2024, section 3)",
            ),
            _option(
                "repetition_penalty",
                Real(0, above=True),
                None,
                "what the logits of tokens that are in the sequence already are divided by, negative ones multiplied: "
                "1.2 is usual (Keskar et al. 2019, section 4.1)",
            ),
            _option("stop", Text(), None, "a sequence ends behind this text"),
        ),
        source="Radford et al. 2018; keys and values that are kept: Shazeer 2019, https://arxiv.org/abs/1911.02150",
        example='text = generate(model, prompt: "The ", length: 256, temperature: 0.8, top_p: 95%)',
        result=results.network_first(_generated),
        draws=True,
        network=True,
        samples=True,
    ),
)
