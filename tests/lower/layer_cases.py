"""Hypothesis strategies for layers: any layer word with random arguments and input shapes, most of them sound."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import Shape
from gendsl.vocabulary.word import (
    Choice,
    Count,
    LayerWord,
    Parameter,
    Real,
    Reference,
    Scheduled,
    SizeOf,
    Toggle,
    WordOf,
)
from tests.lower.networks import arguments_of

LAYERS: tuple[LayerWord, ...] = tuple(
    word
    for word in WORDS["layer"].values()
    if isinstance(word, LayerWord) and word.runs and word.name != "unembed"  # it is nothing without its `embed`
)

# The ranks that a word takes; the others come up now and then, to see that they are refused for a reason.
_RANKS = {
    "dense": (1, 2, 3, 4),
    "embed": (0, 1),
    "one_hot": (0, 1),
    "project": (1,),
    "row_activation": (1,),
    "time_embed": (0,),
    "position_embed": (2, 3),
    "conv1d": (2,),
    "conv3d": (4,),
    "attention": (2, 3),
    "lstm": (2,),
    "gru": (2,),
    "bidirectional": (2,),
    **dict.fromkeys(("conv", "up_conv", "depthwise_conv", "separable_conv", "blur", "pixel_shuffle"), (3,)),
    **dict.fromkeys(("self_attention", "modulated_conv"), (3,)),
    **dict.fromkeys(("instance_norm", "adain", "pad", "crop", "upsample", "average_pool", "max_pool"), (2, 3, 4)),
    **dict.fromkeys(("global_average_pool", "global_max_pool", "global_sum_pool"), (2, 3, 4)),
}
_REFERENCE_RANKS = {
    "film": (1,),
    "adain": (1,),
    "modulated_conv": (1,),
    "attention": (2, 3),
    "conditional_batch_norm": (0,),
    "project": (0,),
}
_COUNTS = {"groups": 4, "heads": 4, "width": 8, "samples": 4, "factor": 3, "stride": 3, "multiplier": 3, "classes": 5}


@dataclass(frozen=True)
class Case:
    """A layer with its arguments and its input shapes."""

    word: LayerWord
    arguments: dict[str, Any]
    shapes: tuple[Shape, ...]

    def __repr__(self) -> str:
        return f"{self.word.name} {self.arguments} on {self.shapes}"


def _shape(draw: Any, ranks: tuple[int, ...]) -> Shape:
    rank = draw(st.sampled_from(ranks)) if draw(st.integers(0, 7)) else draw(st.integers(0, 4))
    space = tuple(draw(st.integers(1, 7)) for _ in range(rank - 1))
    return (*space, draw(st.sampled_from((1, 2, 3, 4, 6, 8, 12)))) if rank else ()


def _value(draw: Any, parameter: Parameter, shape: Shape) -> Any:
    kind = parameter.kind
    if parameter.default is None and draw(st.booleans()):
        return None
    if parameter.many:
        return _many(draw, parameter, shape)
    match kind:
        case Count(minimum=low, maximum=high):
            return draw(st.integers(low, min(high or 99, max(low, _COUNTS.get(parameter.name, 6)))))
        case Real(minimum=low, maximum=high):
            if parameter.name == "epsilon":
                return draw(st.sampled_from((1e-6, 1e-3)))
            return draw(
                st.sampled_from(
                    [v for v in (0, 0.1, 0.5, 1, 2) if (low is None or v > low) and (high is None or v <= high)]
                    + ([low] if low == 0 and not kind.above else [])
                )
            )
        case Scheduled():
            return draw(st.sampled_from((0, 0.5, 1)))
        case Toggle():
            return draw(st.booleans())
        case Choice(names=names):
            return draw(st.sampled_from(names))
        case SizeOf(rank=rank, one=one, minimum=low):
            length = rank or draw(st.sampled_from((max(len(shape) - 1, 1), 1, 2, 3)))
            number = st.integers(low, 4)
            return draw(number) if one and draw(st.booleans()) else tuple(draw(number) for _ in range(length))
        case WordOf(category="layer"):
            return _call(draw, WORDS["layer"][draw(st.sampled_from(("lstm", "gru")))], shape)
        case WordOf(category=category):
            return _call(draw, WORDS[category][draw(st.sampled_from(tuple(WORDS[category])))], shape)
    raise AssertionError(f"no strategy for {kind}")


def _call(draw: Any, word: Any, shape: Shape) -> Call:
    if word.category == "initializer":
        return Call(word.name, arguments_of(word, {"value": 0.1}))
    return Call(word.name, {p.name: _value(draw, p, shape) for p in word.parameters})


def _many(draw: Any, parameter: Parameter, shape: Shape) -> tuple[Any, ...]:
    if parameter.name == "axes":
        return tuple(draw(st.permutations(range(1, len(shape) + 1)))) if draw(st.integers(0, 7)) else (2, 1)
    numbers = list(draw(st.permutations(shape))) or [1]
    if draw(st.booleans()) and len(numbers) > 1:
        numbers = [numbers[0] * numbers[1], *numbers[2:]]
    if not draw(st.integers(0, 7)):
        numbers[0] += 1
    return (tuple(numbers),) if draw(st.booleans()) else tuple(numbers)


def _alike(draw: Any, shape: Shape, name: str) -> Shape:
    """A shape to join with another: like it, but for some axes."""
    other = list(shape)
    if name == "concat" and other:
        other[-1] = draw(st.integers(1, 4))
    change = draw(st.integers(0, 5))
    if change == 0 and other:
        other[draw(st.integers(0, len(other) - 1))] = draw(st.integers(1, 3))
    elif change == 1:
        other = [1] * (len(other) - 1) + other[-1:]
    elif change == 2 and other:
        other = other[:-1]
    return tuple(other)


@st.composite
def cases(draw: Any) -> Case:
    """A case of any layer word."""
    word = draw(st.sampled_from(LAYERS))
    shapes: list[Shape] = []
    if word.flow:
        shapes.append(_shape(draw, _RANKS.get(word.name, (1, 2, 3, 4))))
    for parameter in word.parameters:
        if not isinstance(parameter.kind, Reference):
            continue
        if word.name == "fade":
            shapes.append(_alike(draw, shapes[0], word.name))
        elif parameter.many:
            shapes += [_alike(draw, shapes[0], word.name) for _ in range(draw(st.integers(1, 2)))]
        elif parameter.default is not None or draw(st.booleans()):
            ranks = (1,) if not shapes and not word.flow else _REFERENCE_RANKS.get(word.name, (1,))
            shapes.append(_shape(draw, ranks))
    flow = shapes[0]
    arguments = {p.name: _value(draw, p, flow) for p in word.parameters if not isinstance(p.kind, Reference)}
    if word.name == "row_activation":  # what the checker adds: here a row of one category
        arguments["layout"] = (("a", "category", "one_hot", 0, flow[-1] if flow else 1, True, -1),)
    return Case(word, arguments, tuple(shapes))
