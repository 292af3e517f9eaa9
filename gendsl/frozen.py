"""A class with annotations in, a dataclass with slots out: as `dataclasses` makes it, in a fifth of the time.

A check loads some hundred small classes. `dataclasses` takes 0.5 ms for each, and 15 ms for its own import; both
together would be most of what `gendsl check` takes. The decorator here takes the same arguments and gives the same
classes (`fields`, `replace` and `is_dataclass` of the standard library know them), always with slots, and compiles
`__init__` alone.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_MISSING: Any = _Missing()


class _Field:
    __slots__ = ("compare", "default", "factory", "kw_only", "name", "repr", "type")

    def __init__(self, default: Any, factory: Any, compare: bool, repr: bool) -> None:
        self.default, self.factory, self.compare, self.repr = default, factory, compare, repr
        self.name = ""
        self.type: Any = None
        self.kw_only = False


def field(*, default: Any = _MISSING, default_factory: Any = _MISSING, compare: bool = True, repr: bool = True) -> Any:
    """A field whose default is made anew each time, or that takes no part in equality or in the representation."""
    return _Field(default, default_factory, compare, repr)


@dataclass_transform(field_specifiers=(field,))
def dataclass(
    *, frozen: bool = False, slots: bool = True, kw_only: bool = False, eq: bool = True
) -> Callable[[type[T]], type[T]]:
    """As `dataclasses.dataclass`; `slots` is always on."""
    assert slots

    def made(cls: type[T]) -> type[T]:
        return _made(cls, frozen, kw_only, eq)

    return made


def replace(value: T, /, **changes: Any) -> T:
    """A copy of a dataclass with some fields changed."""
    fields: dict[str, _Field] = getattr(value, "__frozen_fields__")  # noqa: B009 (mypy does not know it)
    kept = {name: getattr(value, name) for name in fields if name not in changes}
    return type(value)(**kept, **changes)


def _made(cls: type[T], frozen: bool, kw_only: bool, eq: bool) -> type[T]:
    fields: dict[str, _Field] = {}
    for base in reversed(cls.__mro__[1:]):
        fields.update(base.__dict__.get("__frozen_fields__", {}))
    own = []
    content = dict(cls.__dict__)
    for name, annotation in cls.__annotations__.items():
        default = content.pop(name, _MISSING)
        found = default if isinstance(default, _Field) else _Field(default, _MISSING, True, True)
        found.name, found.type, found.kw_only = name, annotation, kw_only
        fields[name] = found
        own.append(name)
    inherited = {name for base in cls.__mro__[1:] for name in base.__dict__.get("__frozen_fields__", {})}
    for name in ("__dict__", "__weakref__"):
        content.pop(name, None)
    content["__slots__"] = tuple(name for name in own if name not in inherited)
    content["__frozen_fields__"] = fields
    content["__dataclass_fields__"] = _Standard()
    content["__match_args__"] = tuple(name for name, one in fields.items() if not one.kw_only)
    content["__getstate__"], content["__setstate__"] = _getstate, _setstate
    content.setdefault("__repr__", _repr)
    if eq:
        compared = tuple(name for name, one in fields.items() if one.compare)
        content["__eq__"] = _eq_of(compared)
        content["__hash__"] = _hash_of(compared) if frozen else None
    if frozen:
        content["__setattr__"], content["__delattr__"] = _refuse, _refuse
    kind: Any = type(cls)
    out: Any = kind(cls.__name__, cls.__bases__, content)
    out.__qualname__ = cls.__qualname__
    out.__init__ = _init_of(out, fields)
    done: type[T] = out
    return done


def _init_of(cls: Any, fields: dict[str, _Field]) -> Any:
    names: dict[str, Any] = {"MISSING": _MISSING}
    plain: list[str] = ["self"]
    named: list[str] = []
    body: list[str] = []
    for name, one in fields.items():
        names[f"set_{name}"] = getattr(cls, name).__set__  # past `__setattr__`, which refuses
        given = name
        if one.factory is not _MISSING:
            names[f"make_{name}"] = one.factory
            body.append(f"set_{name}(self, make_{name}() if {name} is MISSING else {name})")
            given = f"{name}=MISSING"
        else:
            body.append(f"set_{name}(self, {name})")
            if one.default is not _MISSING:
                names[f"default_{name}"] = one.default
                given = f"{name}=default_{name}"
        (named if one.kw_only else plain).append(given)
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    head = ", ".join([*plain, *(["*", *named] if named else [])])
    exec(f"def __init__({head}):\n " + ("\n ".join(body) or "pass"), names)
    init = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _eq_of(compared: tuple[str, ...]) -> Any:
    if not compared:
        return lambda self, other: True if other.__class__ is self.__class__ else NotImplemented
    get = attrgetter(*compared)

    def equal(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or get(self) == get(other)

    return equal


def _hash_of(compared: tuple[str, ...]) -> Any:
    if not compared:
        return lambda self: hash(())
    get = attrgetter(*compared)
    if len(compared) == 1:
        return lambda self: hash((get(self),))
    return lambda self: hash(get(self))


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, one in self.__frozen_fields__.items() if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, value: Any = None) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot change field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__frozen_fields__]


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__frozen_fields__, state, strict=True):
        object.__setattr__(self, name, value)


class _Standard:
    """What `dataclasses` knows of a class, made when it is first asked for."""

    def __get__(self, instance: Any, owner: Any) -> dict[str, Any]:
        import dataclasses

        out: dict[str, Any] = {}
        for name, one in owner.__frozen_fields__.items():
            factory, default = one.factory, one.default
            given: dict[str, Any] = {} if default is _MISSING else {"default": default}
            given |= {} if factory is _MISSING else {"default_factory": factory}
            standard: Any = dataclasses.field(compare=one.compare, repr=one.repr, kw_only=one.kw_only, **given)
            standard.name, standard.type = name, one.type
            standard._field_type = vars(dataclasses)["_FIELD"]
            out[name] = standard
        owner.__dataclass_fields__ = out
        return out
