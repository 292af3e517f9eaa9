"""Words that disturb their input in training: each draw is keyed by the seed, the step and the layer."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Shape, product
from gendsl.vocabulary.word import Inferred, LayerWord, Mismatch, Parameter, Real


def _same(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    return Inferred(shapes[0], (), 2 * product(shapes[0]))


def _dropout(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    if arguments["rate"] == 1:
        return Mismatch("drops everything at a rate of 100%", "take a lower rate")
    return _same(arguments, shapes)


WORDS = (
    LayerWord(
        name="dropout",
        category="layer",
        doc="In training sets a share of the numbers to zero, and scales the others up to keep the mean.",
        source="Srivastava et al. 2014",
        parameters=(Parameter(name="rate", kind=Real(minimum=0, maximum=1), default=0.5, doc="the share: `50%`"),),
        example="dense 256 | leaky_relu 0.2 | dropout 50%",
        infer=_dropout,
        keras="gendsl.parts.dropout:Dropout",
        renames={},
        reach="own",
    ),
    LayerWord(
        name="gaussian_noise",
        category="layer",
        doc="In training adds normal noise.",
        source="Sønderby et al. 2016, section 3.2 (instance noise)",
        parameters=(Parameter(name="std", kind=Real(minimum=0), doc="the noise's standard deviation"),),
        example="gaussian_noise 0.1 | conv 64",
        infer=_same,
        keras="gendsl.parts.gaussian_noise:GaussianNoise",
        renames={},
        reach="own",
    ),
)
