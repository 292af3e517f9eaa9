"""Networks and statements that name layers of them (`freeze`, `start`) in, the layers that are meant out."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from gendsl.plan.plan import Call, Group, Layer, Network, Phase, Train


def named(network: Network, patterns: Sequence[str]) -> tuple[Layer, ...]:
    """The layers of a network whose names fit one of the patterns; `*` stands for anything."""
    return tuple(layer for layer in network.layers if any(fnmatchcase(layer.name, one) for one in patterns))


def statements(settings: Call | None) -> tuple[Call, ...]:
    """The statements of a word that may stand several times, out of the settings of `train` or of a phase."""
    return () if settings is None else settings.statements


def freezes(train: Train, phase: Phase) -> tuple[Call, ...]:
    """The `freeze` statements that hold in a phase."""
    return statements(train.settings.get("freeze")) + statements(phase.settings.get("freeze"))


def frozen_layers(network: Network, freezing: Iterable[Call]) -> frozenset[str]:
    """The names of a network's layers that `freeze` statements keep as they are."""
    found: set[str] = set()
    for call in freezing:
        if network.name in call.arguments["networks"]:
            layers = named(network, call.arguments["layers"]) if call.arguments["layers"] else network.layers
            found |= {layer.name for layer in layers}
    return frozenset(found)


def trains(network: Network, freezing: Iterable[Call]) -> bool:
    """Whether any weight of a network's own layers may still change."""
    frozen = frozen_layers(network, freezing)
    return any(layer.weights != 0 and layer.name not in frozen for layer in network.layers)


def idle(group: Group, networks: Iterable[Network], freezing: Sequence[Call]) -> tuple[str, ...]:
    """The updates of a group that train nothing but what is frozen; none where nothing is frozen."""
    by_name = {network.name: network for network in networks}
    return tuple(
        update.name
        for update in group.updates
        if freezing and not any(trains(by_name[name], freezing) for name in update.networks if name in by_name)
    )


def without_effect(network: Network, shares: Mapping[str, float], labels: Iterable[str]) -> frozenset[str]:
    """The names of a network's layers that change nothing where `fade` layers, by name, have a share of 0 or 1: no
    result, and no labelled value that is read."""
    first = len(network.inputs)
    stack = [*(output.value for output in network.outputs), *(network.labels[label] for label in labels)]
    needed: set[int] = set()
    while stack:
        number = stack.pop()
        if number < first or number in needed:
            continue
        needed.add(number)
        layer = network.layers[number - first]
        share = shares.get(layer.name)
        stack += layer.inputs if share not in (0.0, 1.0) else [layer.inputs[0 if share == 1.0 else 1]]
    return frozenset(layer.name for number, layer in enumerate(network.layers, first) if number not in needed)
