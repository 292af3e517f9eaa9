"""A plan in, plain JSON data and the plan's hash out; and back: from the record alone comes an equal plan.

Each frozen dataclass is an object whose `is` names its class, with the fields by name; tuples are lists; a size that
waits for the data is a `Symbolic`; numbers, texts, truths and null stand for themselves. `FORMAT` counts changes.
"""

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from gendsl.plan import plan as plans
from gendsl.vocabulary import types
from gendsl.vocabulary.dimensions import Symbolic

FORMAT = 2

_CLASSES: dict[str, Any] = {
    found.__name__: found
    for found in (
        plans.Quantity,
        plans.Call,
        plans.Source,
        plans.Field,
        plans.Data,
        plans.Augment,
        plans.Input,
        plans.Layer,
        plans.Output,
        plans.Network,
        plans.Operation,
        plans.Update,
        plans.Group,
        plans.Phase,
        plans.Train,
        plans.Sample,
        plans.Evaluation,
        plans.Plan,
        types.Tensor,
        types.Scalar,
        types.Truth,
        types.Distribution,
        types.Several,
        types.NetworkType,
        types.Process,
        types.Unknown,
        Symbolic,
    )
}


def classes() -> tuple[type, ...]:
    """The classes of a plan, in the order of its parts."""
    return tuple(_CLASSES.values())


def record_of(plan: plans.Plan) -> dict[str, Any]:
    """The plan as JSON data: `format`, `hash` and `plan`."""
    return {"format": FORMAT, "hash": hash_of(plan), "plan": _plain(plan)}


def hash_of(plan: plans.Plan) -> str:
    """64 hexadecimal digits: the SHA-256 of the record; equal plans have equal hashes on every machine."""
    return hashlib.sha256(json.dumps(_plain(plan), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def plan_of(record: Mapping[str, Any]) -> plans.Plan:
    """The plan of a record. Raises ValueError for a record of another format or with another hash than its plan has."""
    if record.get("format") != FORMAT:
        raise ValueError(f"the record of the plan has format {record.get('format')}, this version reads {FORMAT}")
    plan = _value(record["plan"])
    if not isinstance(plan, plans.Plan) or hash_of(plan) != record.get("hash"):
        raise ValueError("the record of the plan was changed")
    return plan


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    name = type(value).__name__
    if name in _CLASSES:
        return {"is": name} | {field: _plain(getattr(value, field)) for field in _fields(type(value))}
    raise TypeError(f"a plan holds a {name}")


def _value(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_value(item) for item in data)
    if isinstance(data, dict):
        items = {name: _value(item) for name, item in data.items() if name != "is"}
        return _CLASSES[data["is"]](**items) if "is" in data else items
    return data


def _fields(of: Any) -> tuple[str, ...]:
    return tuple(of.__dataclass_fields__)
