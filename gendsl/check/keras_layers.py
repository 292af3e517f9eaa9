"""The name of a Keras layer in, a word for it out: its parameters are those of the table generated from Keras."""

from collections.abc import Mapping
from typing import Any

from gendsl import rules
from gendsl.check.context import Context
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.vocabulary.layers.keras_layers import keras_layer, keras_layer_names
from gendsl.vocabulary.word import REQUIRED, FreeName, Kind, ListOf, OneOf, Parameter, Real, SizeOf, Text, Toggle, Word

_WORDS = (Text(), FreeName())
_RATES = ("rate", "dropout", "recurrent_dropout")
_LEFT_OUT = {  # classes of keras.layers that a spec cannot use, and what serves in their place
    "Bidirectional": "write `bidirectional lstm(64)`",
    "SpectralNormalization": "write `constrain: spectral_norm` on the layer or the network",
    "TimeDistributed": "layers act on each step of a sequence by themselves, as `dense` does",
    "Lambda": "a spec runs no Python of its own; a `block` joins layers",
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), "a spec runs no code from elsewhere"),
    **dict.fromkeys(("IntegerLookup", "StringLookup", "TextVectorization"), "fields are numbers already"),
}
_ANY = OneOf((Real(), Toggle(), Text(), SizeOf(0), ListOf(Real()), FreeName()))


def keras_word(name: tree.Name, context: Context) -> Word | None:
    """The word of `keras.NAME`, or None after a reported mistake."""
    found = keras_layer(name.text)
    if found is None and name.text in _LEFT_OUT:
        context.problems.add(
            rules.unknown_word, name.span, f"`keras.{name.text}` cannot stand in a spec", help=_LEFT_OUT[name.text]
        )
        return None
    if found is None:
        context.problems.add(
            rules.unknown_word,
            name.span,
            f"Keras has no layer `{name.text}`",
            help=did_you_mean(name.text, keras_layer_names())
            or "`keras.` stands before the name of a class of keras.layers",
        )
        return None
    parameters = tuple(
        Parameter(
            name=parameter,
            kind=_kind(told.get("default")) if not told["required"] else _ANY,
            default=REQUIRED if told["required"] else told.get("default"),
            doc="as in Keras",
        )
        for parameter, told in found["arguments"].items()
    )
    example = f"keras.{name.text} " + ", ".join(f"{p.name}: …" for p in parameters if p.default is REQUIRED)
    return Word(name=f"keras.{name.text}", category="layer", doc=found["doc"], parameters=parameters, example=example)


def draws(word: Word, arguments: Mapping[str, Any]) -> bool:
    """Whether a layer of Keras's with these arguments would draw from a seed generator of its own in training."""
    if word.parameter("seed") is None:
        return False
    rates = [arguments.get(name) for name in _RATES if word.parameter(name) is not None]
    return not rates or any(rates)


def _kind(default: Any) -> Kind:
    match default:
        case bool():
            return Toggle()
        case int():
            return OneOf((Real(), SizeOf(0)))
        case float():
            return Real()
        case str():
            return OneOf(_WORDS)
        case list():
            return OneOf((Real(), SizeOf(0), ListOf(_ANY)))
    return _ANY
