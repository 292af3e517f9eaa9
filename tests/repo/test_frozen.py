"""Our dataclasses behave as those of the standard library do."""

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from gendsl.frozen import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Base:
    """Fields of every sort."""

    x: int
    y: str = "why"
    z: list[int] = field(default_factory=list, compare=False, repr=False)

    @property
    def double(self) -> int:
        return 2 * self.x


@dataclass(frozen=True, slots=True, kw_only=True)
class More(Base):
    """A field of its own, and a default for one of its base's."""

    w: int
    x: int = 3


@dataclass(slots=True)
class Mutable:
    """May change."""

    n: int = 0


@dataclass(frozen=True, slots=True)
class Empty:
    """No fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    """What the standard library makes of the same fields."""

    x: int
    y: str = "why"
    z: list[int] = dataclasses.field(default_factory=list, compare=False, repr=False)


def test_equality_hash_and_representation() -> None:
    assert Base(1) == Base(1, "why", [3]) != Base(2) and hash(Base(1)) == hash(Base(1)) == hash(Standard(1))
    assert repr(Base(1)) == repr(Standard(1)).replace("Standard", "Base")
    assert Empty() == Empty() != Base(1) and hash(Empty()) == hash(())
    assert More(w=2) != Base(3) and repr(More(w=2)) == "More(x=3, y='why', w=2)"
    assert Base(1).z is not Base(1).z and Base(4).double == 8


def test_frozen() -> None:
    for change in (lambda: setattr(Base(1), "x", 2), lambda: delattr(Base(1), "x"), lambda: setattr(Base(1), "new", 2)):
        with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
            change()
    thing = Mutable()
    thing.n = 4
    assert thing == Mutable(4) and not hasattr(thing, "__dict__")
    with pytest.raises(TypeError):
        hash(thing)


def test_arguments() -> None:
    for call in (lambda: Base(), lambda: Base(1, q=2), lambda: More(1)):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("value", [Base(1, "a", [2]), More(w=1), Mutable(3), Empty()], ids=repr)
def test_the_standard_library_knows_them(value: Any) -> None:
    assert dataclasses.is_dataclass(value)
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == copy.copy(value) == value
    assert replace(value) == dataclasses.replace(value) == value
    assert [one.name for one in dataclasses.fields(value)] == list(dataclasses.asdict(value))


def test_replace_and_match() -> None:
    assert replace(Base(1), y="other") == Base(1, "other") == dataclasses.replace(Base(1), y="other")
    match Base(1):
        case Base(1, y=why):
            assert why == "why"
        case _:
            pytest.fail("no match")
