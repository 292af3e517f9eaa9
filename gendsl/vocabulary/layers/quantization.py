"""The word for layers of discrete codes: it keeps the shape, and its codebook is state that no optimizer trains."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Shape, product
from gendsl.vocabulary.word import Count, Inferred, LayerWord, Mismatch, Parameter, Real, Weight


def _quantized(arguments: Mapping[str, Any], shapes: tuple[Shape, ...]) -> Inferred | Mismatch:
    (given,) = shapes
    if not given:
        return Mismatch(
            "looks up vectors along the channels, and is given a single number", "a layer such as `dense` makes some"
        )
    codes, width = arguments["codes"], given[-1]
    state = (Weight("counts", (codes,), False), Weight("sums", (codes, width), False))
    return Inferred(given, state, 2 * product(given) * codes)


WORDS = (
    LayerWord(
        name="quantize",
        category="layer",
        doc="Replaces each vector along the channels by the nearest of a codebook; the gradient passes straight "
        "through. In updates that train its network the codes follow the vectors that choose them, by moving averages, "
        "and no gradient trains them; in other calls they stay. How many codes are in use is logged as "
        "`NETWORK/quantize/perplexity`.",
        source="van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, equations 1 and 2, appendix A.1; resets: "
        "Dhariwal et al. 2020, https://arxiv.org/abs/2005.00341, section 3.1",
        parameters=(
            Parameter(name="codes", kind=Count(), doc="how many codes there are"),
            Parameter(
                name="decay",
                kind=Real(minimum=0, maximum=0.9999999),
                default=0.99,
                positional=False,
                doc="how much of the moving averages stays at each step",
            ),
            Parameter(
                name="reset",
                kind=Real(minimum=0),
                default=0,
                positional=False,
                doc="a code that fewer vectors of a batch choose on average becomes a random one of them; 0 for never",
            ),
        ),
        example="conv 64, kernel: 1 as code; quantize 512",
        infer=_quantized,
        keras="gendsl.parts.quantize:Quantize",
        renames={},
    ),
)
