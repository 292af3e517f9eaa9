"""A plan and the variables of its networks in, the ways in which each group of updates is trained out.

A way is what is frozen; each has a graph of its own, so that what is frozen in a phase costs no gradient in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gendsl.plan.freezing import freezes, frozen_layers
from gendsl.plan.layers import layer_names
from gendsl.plan.plan import Call, Network, Plan


@dataclass(frozen=True, slots=True)
class Variant:
    """A group of updates as it is trained in some phases. `frozen` holds the ids of the variables that stay.

    `number` is the group's and, for its k-th further variant, k times the number of groups more."""

    number: int
    group: int
    phases: frozenset[int]
    frozen: frozenset[int]


def variants_of(plan: Plan, own: Mapping[str, Sequence[Any]]) -> tuple[Variant, ...]:
    """The variants of all groups, in the order of the groups; `own` are the variables of each network's own layers."""
    names = {network.name: dict(_layers(network)) for network in plan.networks}
    found: list[Variant] = []
    for index, group in enumerate(plan.train.groups):
        trained = {name for update in group.updates for name in update.networks}
        ways: dict[frozenset[int], set[int]] = {}
        for number, phase in enumerate(plan.train.phases):
            if index in phase.groups:
                frozen = _frozen(plan, freezes(plan.train, phase), trained, own, names)
                ways.setdefault(frozen, set()).add(number)
        many = len(plan.train.groups)
        found += [
            Variant(index + k * many, index, frozenset(phases), frozen)
            for k, (frozen, phases) in enumerate(ways.items())
        ]
    return tuple(found)


def apart(variables: Sequence[Any], variants: Sequence[Variant]) -> list[list[Any]]:
    """The variables of an update that are ever trained, in parts that are frozen in the same variants of its group.

    Each part has an optimizer of its own: one that counted the steps of others, too, would take the first steps after a
    thaw several times too long (Adam's correction of its moments, Kingma & Ba 2015, section 3)."""
    parts: dict[tuple[bool, ...], list[Any]] = {}
    for variable in variables:
        parts.setdefault(tuple(id(variable) in variant.frozen for variant in variants), []).append(variable)
    return [part for frozen, part in parts.items() if not frozen or not all(frozen)]


def _layers(network: Network) -> Collection[tuple[str, str]]:
    """Pairs of what a layer is called in Keras and in the plan."""
    return list(zip(layer_names(network), (layer.name for layer in network.layers), strict=True))


def _frozen(
    plan: Plan,
    freezing: Sequence[Call],
    trained: Collection[str],
    own: Mapping[str, Sequence[Any]],
    names: Mapping[str, Mapping[str, str]],
) -> frozenset[int]:
    found: set[int] = set()
    for network in plan.networks:
        if freezing and network.name in trained:
            layers = frozen_layers(network, freezing)
            found |= {
                id(variable)
                for variable in own[network.name]
                if names[network.name].get(variable.path.split("/")[0]) in layers
            }
    return frozenset(found)
