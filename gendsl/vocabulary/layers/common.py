"""What the layers' declarations share: parameters with one meaning everywhere, and checks of input shapes."""

from collections.abc import Mapping
from typing import Any

from gendsl.vocabulary.dimensions import Dimension, Shape, product, shown
from gendsl.vocabulary.word import Choice, Mismatch, Parameter, Real, SizeOf, Toggle, Weight, WordOf

BIAS = Parameter(name="bias", kind=Toggle(), default=True, positional=False, doc="whether a bias is added")
INIT = Parameter(
    name="init",
    kind=WordOf("initializer"),
    default=None,
    positional=False,
    doc="how its kernels begin; else as the network says, else as Keras does",
)
CONSTRAIN = Parameter(
    name="constrain",
    kind=WordOf("constraint"),
    default=None,
    positional=False,
    doc="what bounds its weights; else as the network says",
)
EPSILON = Parameter(
    name="epsilon",
    kind=Real(minimum=0, above=True),
    default=1e-3,
    positional=False,
    doc="added to the variance",
)
SCALE = Parameter(name="scale", kind=Toggle(), default=True, positional=False, doc="whether a learned gain follows")
CENTER = Parameter(name="center", kind=Toggle(), default=True, positional=False, doc="whether a learned bias follows")
PADDING = Parameter(
    name="padding",
    kind=Choice(("same", "valid")),
    default="same",
    positional=False,
    doc="`same` pads with zeros so that stride 1 keeps the size, `valid` does not pad",
)

AXES = {
    1: "features (n)",
    2: "a sequence (length, channels)",
    3: "an image (height, width, channels)",
    4: "a volume (depth, height, width, channels)",
}


def size(name: str, rank: int, default: int, doc: str, *, positional: bool = False) -> Parameter:
    """A parameter of `rank` sizes, one number standing for all of them."""
    return Parameter(name=name, kind=SizeOf(rank=rank, one=True), default=default, positional=positional, doc=doc)


def sizes(value: Any, rank: int) -> tuple[Dimension, ...]:
    """The sizes along `rank` axes of an argument that may be one number for all."""
    given = tuple(value) if isinstance(value, tuple | list) else (value,)
    return given * rank if len(given) == 1 else given


def numbers(arguments: Mapping[str, Any], name: str) -> tuple[Dimension, ...]:
    """The numbers of a `many` parameter, written one by one or as one size: `4, 4, 256` or `4x4x256`."""
    found: list[Dimension] = []
    for item in arguments[name]:
        found.extend(item if isinstance(item, tuple | list) else (item,))
    return tuple(found)


def rank_mismatch(shape: Shape, *ranks: int) -> Mismatch | None:
    """A mismatch unless the shape has one of these ranks."""
    if len(shape) in ranks:
        return None
    wanted = " or ".join(AXES[rank] for rank in ranks)
    return Mismatch(f"takes {wanted}, and is given {described(shape)}", _rank_help(shape, ranks))


def _rank_help(shape: Shape, ranks: tuple[int, ...]) -> str:
    if not shape:
        return "`one_hot` or `embed` makes features of a label, `time_embed` of a time"
    if len(shape) < min(ranks):
        word = {2: "reshape length, channels", 3: "reshape height, width, channels"}
        return f"`{word.get(min(ranks), 'reshape …')}` before it gives it the axes it needs"
    if max(ranks) == 1:
        return "`flatten` before it, or a pool such as `global_average_pool`, gives features"
    other = {2: "conv1d", 3: "conv", 4: "conv3d"}.get(len(shape))
    return f"for {AXES[len(shape)]} there is `{other}`" if other else "`reshape` before it gives it the axes it needs"


def described(shape: Shape) -> str:
    """`8x8x3`, or words for a single number."""
    return shown(shape) if shape else "a single number"


def word_of(call: Any) -> str:
    """The word of a call such as `spectral_norm`; "" where there is none."""
    return "" if call is None else str(call.word)


def constrained(
    arguments: Mapping[str, Any], weights: tuple[Weight, ...], *, outputs: tuple[int, ...] = (-1,)
) -> tuple[Weight, ...]:
    """The weights, with the two vectors of spectral norm for each kernel where it is asked for.

    `outputs` are the axes of a kernel that count its outputs; the rest are one long input axis.
    """
    if word_of(arguments.get("constrain")) != "spectral_norm":
        return weights
    vectors: list[Weight] = []
    for weight in weights:
        rank = len(weight.shape)
        if weight.trainable and rank > 1:
            kept = {axis % rank for axis in (outputs if rank > len(outputs) else (-1,))}
            out = product(tuple(weight.shape[axis] for axis in sorted(kept)))
            rest = product(tuple(size for axis, size in enumerate(weight.shape) if axis not in kept))
            vectors.append(Weight(f"{weight.name}_u", (out,), trainable=False))
            vectors.append(Weight(f"{weight.name}_v", (rest,), trainable=False))
    return weights + tuple(vectors)
