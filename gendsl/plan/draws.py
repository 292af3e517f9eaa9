"""A network in, whether a call of it in training draws random numbers out: what draws nothing is computed once."""

from collections.abc import Mapping

from gendsl.plan.plan import Network

_DRAWING = frozenset(["dropout", "gaussian_noise", "inject_noise", "row_activation"])


def draws(network: Network, networks: Mapping[str, Network | None]) -> bool:
    """Whether it holds such a layer; `networks` are the plan's by name, since networks used as layers count."""
    for layer in network.layers:
        inner = networks.get(layer.arguments["network"]) if layer.word == "network" else None
        draws_itself = layer.word in _DRAWING or (layer.word == "attention" and bool(layer.arguments["dropout"]))
        if draws_itself or (inner is not None and draws(inner, networks)):
            return True
    return False
