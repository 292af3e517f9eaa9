"""A plan and the variables of its networks in, the ways in which each group of updates is trained out.

A way is what is frozen; each has a graph of its own, so that what is frozen in a phase costs no gradient in it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gendsl.lower.schedules import Stretch, constant_in
from gendsl.lower.timetable import Timetable
from gendsl.plan.freezing import freezes, frozen_layers, without_effect
from gendsl.plan.layers import layer_names
from gendsl.plan.plan import Call, Network, Plan

Shares = Mapping[tuple[str, str], float]  # of `fade` layers, by network and layer, that are 0 or 1 in all of a phase


@dataclass(frozen=True, slots=True)
class Variant:
    """A group of updates as it is trained in some phases. `frozen` holds the ids of the variables that stay, `shares`
    what is known of the layers that fade.

    `number` is the group's and, for its k-th further variant, k times the number of groups more."""

    number: int
    group: int
    phases: frozenset[int]
    frozen: frozenset[int]
    shares: Shares


def variants_of(
    plan: Plan, own: Mapping[str, Sequence[Any]], timetable: Timetable, labels: Mapping[str, Sequence[str]]
) -> tuple[Variant, ...]:
    """The variants of all groups, in the order of the groups; `own` are the variables of each network's own layers,
    `labels` the labelled values in it that equations read."""
    names = {network.name: dict(_layers(network)) for network in plan.networks}
    found: list[Variant] = []
    for index, group in enumerate(plan.train.groups):
        trained = {name for update in group.updates for name in update.networks}
        ways: dict[tuple[frozenset[int], tuple[tuple[tuple[str, str], float], ...]], set[int]] = {}
        for number, (phase, stretch) in enumerate(timetable.phases):
            if index in phase.groups:
                shares = _shares(plan, stretch, timetable)
                frozen = _frozen(plan, freezes(plan.train, phase), shares, trained, own, names, labels)
                ways.setdefault((frozen, tuple(shares.items())), set()).add(number)
        many = len(plan.train.groups)
        found += [
            Variant(index + k * many, index, frozenset(phases), frozen, dict(shares))
            for k, ((frozen, shares), phases) in enumerate(ways.items())
        ]
    return tuple(found)


def fades_of(plan: Plan, networks: Mapping[str, Any]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """The layers that fade, by network and layer: each with its schedule."""
    return {
        (network.name, layer.name): (networks[network.name].get_layer(name), layer.arguments["share"])
        for network in plan.networks
        for layer, name in zip(network.layers, layer_names(network), strict=True)
        if layer.word == "fade"
    }


@contextmanager
def knowing(fades: Mapping[tuple[str, str], tuple[Any, Any]], shares: Shares) -> Iterator[None]:
    """Inside, layers that fade know their shares where these are 0 or 1: what is traced leaves the other value out."""
    for place, (layer, _) in fades.items():
        layer.known = shares.get(place)
    try:
        yield
    finally:
        for layer, _ in fades.values():
            layer.known = None


def _shares(plan: Plan, stretch: Stretch, timetable: Timetable) -> dict[tuple[str, str], float]:
    found = {
        (network.name, layer.name): constant_in(layer.arguments["share"], stretch, timetable.run)
        for network in plan.networks
        for layer in network.layers
        if layer.word == "fade"
    }
    return {place: share for place, share in found.items() if share in (0.0, 1.0)}


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
    shares: Shares,
    trained: Collection[str],
    own: Mapping[str, Sequence[Any]],
    names: Mapping[str, Mapping[str, str]],
    labels: Mapping[str, Sequence[str]],
) -> frozenset[int]:
    """The ids of the variables of trained networks that stay: what is frozen, and what has no effect."""
    found: set[int] = set()
    for network in plan.networks:
        known = {layer: share for (name, layer), share in shares.items() if name == network.name}
        if (freezing or known) and network.name in trained:
            layers = frozen_layers(network, freezing)
            layers |= without_effect(network, known, labels[network.name]) if known else frozenset()
            found |= {
                id(variable)
                for variable in own[network.name]
                if names[network.name].get(variable.path.split("/")[0]) in layers
            }
    return frozenset(found)
