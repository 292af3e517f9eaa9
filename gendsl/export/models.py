"""`export/` of a run in, its models with the signatures of their newest versions out, as `gendsl.json` tells them."""

from dataclasses import dataclass
from math import prod
from typing import Any

from gendsl.export import description
from gendsl.export.place import Place
from gendsl.plan.served import is_name

Port = tuple[str, str, tuple[int | None, ...]]  # a name, the name of a dtype, a shape

_MOST_NUMBERS = 1_000  # of an example; more are no example that a person reads


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A signature, and an example of its inputs: None where that would be long."""

    name: str
    doc: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    example: dict[str, Any] | None
    files: str = ""  # the ending of the files that it gives, if any: png or txt

    @property
    def batched(self) -> bool:
        """Whether every input has a row for each sample."""
        return all(shape[:1] == (None,) for _, _, shape in self.inputs)


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its signatures."""

    name: str
    signatures: tuple[Endpoint, ...]


def models_in(place: Place) -> list[Model]:
    """The models that are there, by name. A folder may come from a stranger: of one whose `gendsl.json` is none, no
    signatures are told."""
    found = []
    for folder in sorted(place.path.iterdir()):
        versions = place.versions(folder.name) if is_name(folder.name) else []
        if not versions:
            continue
        told = description.read(folder / str(versions[-1])).get("signatures")
        try:
            signatures = tuple(_endpoint(name, one) for name, one in (told or {}).items())
        except (AttributeError, KeyError, TypeError, ValueError):
            signatures = ()
        found.append(Model(folder.name, signatures))
    return found


def _endpoint(name: str, told: dict[str, Any]) -> Endpoint:
    inputs, outputs = (_ports(told.get(part) or {}) for part in ("inputs", "outputs"))
    example = {one: _example(port, told["inputs"][one]) for one, port in zip(told["inputs"], inputs, strict=True)}
    known = None if any(value is None for value in example.values()) else example
    kinds = {one.get("kind") for one in told["outputs"].values()}
    files = "png" if "png" in kinds else "txt" if "text" in kinds else ""
    return Endpoint(name, str(told.get("doc", "")), inputs, outputs, known, files)


def _ports(told: dict[str, Any]) -> tuple[Port, ...]:
    return tuple((name, str(one["dtype"]), tuple(one["shape"])) for name, one in told.items())


def _example(port: Port, told: dict[str, Any]) -> Any:
    if told.get("kind") == "count":
        return 4
    if told.get("default") is not None:
        return told["default"]
    _, dtype, shape = port
    sizes = [1 if size is None else size for size in shape]
    if prod(sizes) > _MOST_NUMBERS:
        return None
    return _zeros(sizes, 0.0 if dtype.startswith("float") else 0)


def _zeros(sizes: list[int], zero: Any) -> Any:
    return zero if not sizes else [_zeros(sizes[1:], zero)] * sizes[0]
