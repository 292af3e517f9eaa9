"""Words that choose among channels or scale them, without weights: slice, maxout, scale."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Shape, floor_divide, known, product
from gendsl.vocabulary.layers.common import described
from gendsl.vocabulary.word import Count, Inferred, LayerWord, Mismatch, Parameter, Real


def _slice(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,), width, start = shapes, arguments["width"], arguments["start"]
    if not given:
        return Mismatch("takes some channels of many, and is given a single number", "`embed` or `dense` makes some")
    if known(given[-1], width, start) and start + width > given[-1]:
        return Mismatch(
            f"takes channels {start} to {start + width - 1}, and {described(given)} has {given[-1]}",
            "they are counted from 0: take fewer, or begin earlier",
        )
    return Inferred((*given[:-1], width))


def _maxout(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,), pieces = shapes, arguments["pieces"]
    if not given:
        return Mismatch("takes the largest of channels, and is given a single number", "`dense` before it makes some")
    if known(given[-1], pieces) and given[-1] % pieces:
        return Mismatch(
            f"takes the largest of {pieces} channels each, which do not divide the {given[-1]} it is given",
            f"`dense n * {pieces}` before it gives n channels behind it",
        )
    return Inferred((*given[:-1], floor_divide(given[-1], pieces)), (), product(given))


WORDS = (
    LayerWord(
        name="slice",
        category="layer",
        doc="Takes some neighbouring channels, such as one chunk of a latent.",
        source="Brock et al. 2019 (BigGAN), section 3.1",
        parameters=(
            Parameter(name="width", kind=Count(), doc="how many channels"),
            Parameter(name="start", kind=Count(minimum=0), default=0, positional=False, doc="the first, from 0"),
        ),
        example="from z | slice 20, start: 40 | concat shared",
        infer=_slice,
        keras="gendsl.parts.slice:Slice",
        renames={},
        reach="own",
        homogeneous=True,
    ),
    LayerWord(
        name="maxout",
        category="layer",
        doc="The largest of each run of so many channels.",
        source="Goodfellow et al. 2013 (Maxout Networks), section 3",
        parameters=(Parameter(name="pieces", kind=Count(minimum=2), doc="how many channels one is chosen of"),),
        example="dense 200 * 5 | maxout 5",
        infer=_maxout,
        keras="gendsl.parts.maxout:Maxout",
        renames={},
        reach="own",
        homogeneous=True,
    ),
    LayerWord(
        name="scale",
        category="layer",
        doc="Multiplies by a constant.",
        source="keras.layers.Rescaling",
        parameters=(Parameter(name="factor", kind=Real(minimum=0, above=True), doc="the constant"),),
        example="leaky_relu 0.2 | scale 1.41421356",
        infer=lambda arguments, shapes: Inferred(shapes[0], (), product(shapes[0])),
        keras="gendsl.parts.scale:Scale",
        renames={},
        reach="own",
        homogeneous=True,
    ),
)
