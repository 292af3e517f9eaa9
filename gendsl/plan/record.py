"""A plan in, plain JSON data and the plan's hash out; and back: from the record alone comes an equal plan.

Each frozen dataclass is an object whose `is` names its class, with the fields by name; tuples are lists; a size that
waits for the data is a `Symbolic`; numbers, texts, truths and null stand for themselves. `FORMAT` counts changes.
"""

import builtins
import collections.abc
import hashlib
import json
import types as types_of_python
import typing
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, get_args, get_origin

from gendsl.plan import plan as plans
from gendsl.vocabulary import types
from gendsl.vocabulary.dimensions import Symbolic

FORMAT = 5

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
        return _checked(_CLASSES[data["is"]](**items)) if "is" in data else items
    return data


def _checked(value: Any) -> Any:
    """A part of a plan, which may come from a stranger: names become names of files, arguments are given to Keras."""
    for field, kind in type(value).__annotations__.items():
        if not _fits(getattr(value, field), kind):
            raise ValueError(f"`{field}` of a {type(value).__name__} is none")
    match value:
        case plans.Call() | plans.Layer():
            for argument in value.arguments.values():
                _check_argument(argument)
        case plans.Plan():
            _check_name(value.experiment)
        case plans.Network() | plans.Field() | plans.Input() | plans.Update():
            _check_name(value.name)
        case plans.Sample():
            for name, _ in value.outputs:
                _check_name(name)
    return value


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of the kind that a field of a plan's class is declared with."""
    of = get_args(kind)
    if kind is Any:
        return True
    match get_origin(kind):
        case None if isinstance(kind, type):
            return isinstance(value, (int, float) if kind is float else kind)
        case collections.abc.Mapping:
            return isinstance(value, Mapping) and all(_fits(item, of[1]) for item in value.values())
        case builtins.tuple if of[-1:] == (Ellipsis,):
            return isinstance(value, tuple) and all(_fits(item, of[0]) for item in value)
        case builtins.tuple:
            return isinstance(value, tuple) and len(value) == len(of) and all(map(_fits, value, of))
        case types_of_python.UnionType | typing.Union:
            return any(_fits(value, one) for one in of)
    return True  # a class that is named before it is there


def _check_argument(value: Any) -> None:
    if isinstance(value, tuple):
        for item in value:
            _check_argument(item)
    elif not (value is None or isinstance(value, (bool, int, float, str, plans.Quantity, plans.Call, Symbolic))):
        raise ValueError(f"an argument is a {type(value).__name__}")


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.isprintable() or name.startswith(".") or set(name) & set("/\\"):
        raise ValueError("a name in it is none")


def _fields(of: Any) -> tuple[str, ...]:
    return tuple(of.__dataclass_fields__)
