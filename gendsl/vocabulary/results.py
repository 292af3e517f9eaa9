"""Types of the arguments in, the type of an expression out: the typing rules of operators, functions and losses.

A rule takes the types of the tensor arguments in the order of the word's parameters (omitted ones are left out) and the
options by name; it gives the result's type, or a `Mismatch` whose message continues "`l1` …".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gendsl.vocabulary import types
from gendsl.vocabulary.augmentations import DIFFERENTIABLE
from gendsl.vocabulary.dimensions import Dimension, same, same_shape
from gendsl.vocabulary.word import Mismatch

if TYPE_CHECKING:
    from gendsl.vocabulary.types import Distribution, Type

    Rule = Callable[[tuple[Type, ...], Mapping[str, Any]], Type | Mismatch]


def broadcast(left: Type, right: Type) -> Type | Mismatch:
    """The type of `left + right`: equal shapes, a scalar with anything, (batch) with (batch, …)."""
    for side in (left, right):
        if isinstance(side, types.Unknown):
            return types.Unknown()
        if not isinstance(side, types.Tensor | types.Scalar):
            return Mismatch(f"takes numbers, not a {_kind(side)}", _numbers_of(side))
    if isinstance(left, types.Scalar):
        return right if isinstance(right, types.Scalar) else _numbers(right)
    if isinstance(right, types.Scalar):
        return _numbers(left)
    assert isinstance(left, types.Tensor) and isinstance(right, types.Tensor)
    if same_shape(left.shape, right.shape):
        return types.Tensor(left.shape, left.meaning if left.meaning == right.meaning else "")
    if not left.shape or not right.shape:
        return _numbers(left if left.shape else right)
    return Mismatch(
        f"meets {left} and {right}", "both sides have the same shape, or one is a scalar or one number an example"
    )


def condition(left: Type, right: Type) -> Type | Mismatch:
    """The type of `left < right`: scalars only."""
    met = broadcast(left, right)
    if isinstance(met, Mismatch | types.Unknown):
        return met
    if not isinstance(met, types.Scalar):
        return Mismatch(f"compares scalars, not {met}", "compare `mean(…)` of it")
    return types.Truth()


def guarded(rule: Rule) -> Rule:
    """A rule that stays silent about arguments in which a mistake was already told."""

    def result(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
        if any(isinstance(one, types.Unknown) for one in given):
            return types.Unknown()
        return rule(given, options)

    return result


def elementwise(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """One tensor or scalar in, the same shape out."""
    (value,) = given
    if isinstance(value, types.Scalar):
        return value
    return _numbers(value) if isinstance(value, types.Tensor) else _no_numbers(value)


def pairwise(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Two or more that broadcast."""
    met = given[0]
    for other in given[1:]:
        found = broadcast(met, other)
        if isinstance(found, Mismatch):
            return found
        met = found
    return met


def unchanged(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """The type of the argument, whatever it is."""
    value = given[0]
    if isinstance(value, types.NetworkType | types.Process | types.Truth):
        return _no_numbers(value)
    return value


def mean(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """The mean of all numbers, or the expectation of a distribution."""
    (value,) = given
    if isinstance(value, types.Distribution):
        if value.family == "categorical":
            return Mismatch("takes no categorical: classes have no mean", "use `mode(…)`")
        return types.Tensor(value.event)
    return types.Scalar() if isinstance(value, types.Tensor | types.Scalar) else _no_numbers(value)


def mode(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """The most probable event of a distribution."""
    (value,) = given
    if not isinstance(value, types.Distribution):
        return Mismatch(f"takes a distribution, not a {_kind(value)}")
    return types.Tensor(value.event, integer=value.family == "categorical")


def sums(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """The sum of each example's numbers."""
    (value,) = given
    if not isinstance(value, types.Tensor):
        return _no_numbers(value) if not isinstance(value, types.Scalar) else Mismatch("takes a tensor, not a scalar")
    if not value.shape:
        return Mismatch(
            "adds up the numbers of each example, and here is one an example", "use `mean(…)` over the batch"
        )
    return types.Tensor(())


def counted(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """One tensor in, a scalar out."""
    found = elementwise(given, options)
    return found if isinstance(found, Mismatch) else types.Scalar()


def reduced(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Any number of tensors of one shape in, a scalar out."""
    for value in given:
        if not isinstance(value, types.Tensor):
            return (
                _no_numbers(value) if not isinstance(value, types.Scalar) else Mismatch("takes a tensor, not a scalar")
            )
        first = given[0]
        if isinstance(first, types.Tensor) and not same_shape(first.shape, value.shape):
            return Mismatch(f"compares {first} with {value}", "both have the same shape")
    return types.Scalar()


def likelihood(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A distribution and an event of it in, one number an example out."""
    distribution, event = given
    if not isinstance(distribution, types.Distribution):
        swapped = isinstance(event, types.Distribution)
        return Mismatch(
            f"takes a distribution first, not a {_kind(distribution)}",
            "the distribution comes first, then the value"
            if swapped
            else "a network gives one with `-> normal(…)`, `-> bernoulli(…)` or `-> categorical(…)`",
        )
    if not isinstance(event, types.Tensor):
        return Mismatch(f"takes a value of {distribution}, not a {_kind(event)}")
    if not same_shape(distribution.event, event.shape):
        return Mismatch(
            f"takes a value of {distribution}, not {event}",
            f"the value has the shape {types.Tensor(distribution.event)}",
        )
    if distribution.family == "categorical" and not event.integer:
        return Mismatch(f"takes a class of {distribution}, not real numbers", "give a label or tokens")
    return types.Tensor(())


def divergence(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Two distributions of one family and event in, one number an example out."""
    for value in given:
        if not isinstance(value, types.Distribution):
            return Mismatch(f"takes two distributions, not a {_kind(value)}", "such as `kl(q, normal(16))`")
    left, right = given
    assert isinstance(left, types.Distribution) and isinstance(right, types.Distribution)
    if left.family != right.family:
        return Mismatch(f"compares {left} with {right}", "both are of one family")
    if not same_shape(left.event, right.event) or not _same_classes(left, right):
        return Mismatch(f"compares {left} with {right}", "both are of one size")
    if left.family in ("uniform", "truncated_normal"):
        return Mismatch(f"is infinite, undefined or not known between {left.family} distributions")
    if left.family in ("discretized_logistic", "mixed"):
        return Mismatch(
            f"has no closed form for {left}", "average `log_prob(q, z) - log_prob(p, z)` over draws `z ~ q`"
        )
    return types.Tensor(())


def weighted(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """One number an example in, the same out."""
    (value,) = given
    if isinstance(value, types.Tensor) and not value.shape and not value.integer:
        return value
    return Mismatch(f"takes one number for each example, not a {_kind(value)}", "`log_prob` and `kl` give one")


def free(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Two distributions of one family and event, whose last axis falls into equal groups, in; a scalar out."""
    found = divergence(given, options)
    if isinstance(found, Mismatch):
        return found
    distribution, groups = given[0], options["groups"]
    assert isinstance(distribution, types.Distribution)
    if groups is not None:
        size = distribution.event[-1] if distribution.event else 1
        if isinstance(size, int) and size % groups:
            return Mismatch(
                f"cuts the {size} numbers of {distribution} into {groups} groups, which are not equal",
                f"take a divisor of {size}",
            )
    return types.Scalar()


def of_distribution(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """One distribution in, one number an example out."""
    (value,) = given
    if not isinstance(value, types.Distribution):
        return Mismatch(f"takes a distribution, not a {_kind(value)}")
    if value.family == "discretized_logistic":
        return Mismatch(f"has no closed form for {value}", "average `-log_prob(q, z)` over draws `z ~ q`")
    return types.Tensor(())


def classified(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Logits (batch, …, classes), as many as there are, and their classes (batch, …) last in; a scalar out."""
    *logits, classes = given
    for value in logits:
        if not isinstance(value, types.Tensor) or not value.shape:
            return Mismatch(
                f"takes logits of the classes, not a {_kind(value)}",
            )
        if not isinstance(classes, types.Tensor) or not classes.integer:
            return Mismatch("takes whole classes last", "give a label")
        if not same_shape(value.shape[:-1], classes.shape):
            return Mismatch(f"takes logits {value} for classes {classes}", "the logits have one more axis: the classes")
    return types.Scalar()


def one_hot(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Classes in, rows with a single one out."""
    (value,) = given
    if not isinstance(value, types.Tensor) or not value.integer:
        return Mismatch("takes whole classes", "give a label, as in `one_hot(label, label.classes)`")
    return types.Tensor((*value.shape, options["classes"]))


def concat(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Tensors that differ in their last size in, joined along it out."""
    total: Dimension = 0
    first = given[0]
    for value in given:
        if not isinstance(value, types.Tensor) or not value.shape:
            return Mismatch("joins tensors along their last axis", "a value of one number an example has none")
        assert isinstance(first, types.Tensor)
        if not same_shape(value.shape[:-1], first.shape[:-1]):
            return Mismatch(f"joins {first} and {value}", "all sizes but the last are equal")
        total = total + value.shape[-1]
    assert isinstance(first, types.Tensor)
    return types.Tensor((*first.shape[:-1], total))


def mix(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Two of one shape and a share that broadcasts in, that shape out."""
    left, right, share = given
    both = reduced((left, right), options)
    if isinstance(both, Mismatch):
        return both
    return broadcast(left, share)


def number_alone(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A scalar in, a scalar out."""
    (value,) = given
    if isinstance(value, types.Tensor):
        return Mismatch(f"takes one number, not {value}", "take its `mean(…)`")
    return value if isinstance(value, types.Scalar) else _no_numbers(value)


def ranked(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """One score an example and a scalar share in, one weight an example of the scores' shape out."""
    scores, share = given
    if not isinstance(scores, types.Tensor):
        return _no_numbers(scores) if not isinstance(scores, types.Scalar) else Mismatch("takes a tensor, not a scalar")
    if scores.integer or not (scores.shape == () or same_shape(scores.shape, (1,))):
        return Mismatch(f"takes one score an example, not {scores}", "`sum(…)` adds up the numbers of each example")
    if not isinstance(share, types.Scalar):
        return Mismatch(f"takes one share for the whole batch, not a {_kind(share)}", "a number, or a schedule")
    return types.Tensor(scores.shape)


def augmented(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Pictures in, pictures of the same shape out."""
    (value,) = given
    if not isinstance(value, types.Tensor) or len(value.shape) != 3:
        return Mismatch(f"transforms pictures, not a {_kind(value)}", "give it an image field, or generated images")
    for call in options["transforms"]:
        if call.word not in DIFFERENTIABLE:
            return Mismatch(
                f"cannot do `{call.word}`", f"it can do {', '.join(f'`{word}`' for word in sorted(DIFFERENTIABLE))}"
            )
    return value


def tensor_alone(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A tensor in, the same out."""
    (value,) = given
    return value if isinstance(value, types.Tensor) else Mismatch(f"takes a tensor, not a {_kind(value)}")


def scalar(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """Anything in, a scalar out."""
    return types.Scalar()


def network_first(rule: Rule) -> Rule:
    """A rule for words whose first argument is a network."""

    def result(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
        if not isinstance(given[0], types.NetworkType):
            return Mismatch(
                f"takes a network first, not a {_kind(given[0])}", "give the network's name without parentheses"
            )
        return rule(given, options)

    return guarded(result)


def codes(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A network that gives vectors in, such vectors out."""
    (network,) = given
    assert isinstance(network, types.NetworkType)
    if network.result is None or not isinstance(network.result, types.Tensor):
        return Mismatch(f"takes a network that ends with `quantize`, and `{network.name}` does not")
    return types.Tensor(network.result.shape)


def written(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A network of sequences in, sequences of the asked length out."""
    network = given[0]
    assert isinstance(network, types.NetworkType)
    if network.result is not None and not (
        isinstance(network.result, types.Distribution) and network.result.family == "categorical"
    ):
        return Mismatch(
            f"takes a network of tokens, and `{network.name}` gives {network.result}",
            "it gives `categorical(text.vocabulary)`",
        )
    return types.Tensor((options["length"],), "text", True)


def _numbers(value: Type) -> Type:
    return types.Tensor(value.shape, value.meaning) if isinstance(value, types.Tensor) else value


def _same_classes(left: Distribution, right: Distribution) -> bool:
    if left.classes is None or right.classes is None:
        return True
    return same(left.classes, right.classes)


def _no_numbers(value: Type) -> Mismatch:
    return Mismatch(f"takes a tensor, not a {_kind(value)}", _numbers_of(value))


def _kind(value: Type) -> str:
    match value:
        case types.Distribution():
            return f"distribution, {value}"
        case types.NetworkType():
            return f"network, `{value.name}`"
        case types.Several():
            return f"list of results, {value}"
        case types.Process():
            return "noising process"
        case types.Truth():
            return "condition"
        case types.Scalar():
            return "scalar"
        case _:
            return f"tensor, {value}"


def _numbers_of(value: Type) -> str:
    match value:
        case types.Distribution():
            return "`mean(…)` gives its expectation, `z ~ …` a draw"
        case types.NetworkType():
            return f"call it: `{value.name}(…)`"
        case types.Several():
            return f"name one of its results, such as `.{value.items[0][0]}`"
        case _:
            return ""
