"""Names in, meanings out: nested scopes, and what a name can stand for in a spec."""

from collections.abc import Iterator, Mapping
from typing import Any

from gendsl.frozen import dataclass, field
from gendsl.plan.plan import Field
from gendsl.source import Span
from gendsl.syntax import tree
from gendsl.vocabulary.types import Type


class _Lost:
    """What a mistake left behind: it fits everywhere, so that nothing is told twice."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "lost"


LOST: Any = _Lost()


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is known: a repeat's index, a block's argument."""

    value: Any


@dataclass(slots=True, eq=False)
class Deferred:
    """A binding or a param, evaluated when it is first needed."""

    value: tree.Value
    span: Span
    param: bool = False
    schedule: bool = False  # bound in `train`: it may be a schedule
    evaluating: bool = False
    result: Any = None  # a Constant once it is evaluated
    kinds: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A value inside a network: a label or an input."""

    value: int


@dataclass(frozen=True, slots=True)
class Operand:
    """A value inside equations."""

    number: int
    type: Type


@dataclass(frozen=True, slots=True)
class NetworkMeaning:
    """A network of the spec."""

    name: str


@dataclass(frozen=True, slots=True)
class FieldMeaning:
    """A data field."""

    field: Field


@dataclass(frozen=True, slots=True)
class BlockMeaning:
    """A block: a reusable stack of layers."""

    step: tree.Step
    parameters: tuple[tree.Argument, ...]


@dataclass(frozen=True, slots=True)
class ObjectiveMeaning:
    """An objective: reusable updates."""

    step: tree.Step
    parameters: tuple[tree.Argument, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A name whose definition did not parse or check: using it is no further mistake."""


Meaning = (
    Constant | Deferred | Node | Operand | NetworkMeaning | FieldMeaning | BlockMeaning | ObjectiveMeaning | Missing
)


class Scope:
    """A level of names over another."""

    __slots__ = ("names", "parent", "read", "spans")

    def __init__(self, parent: "Scope | None" = None, names: Mapping[str, Meaning] | None = None) -> None:
        self.parent = parent
        self.names: dict[str, Meaning] = dict(names or {})
        self.spans: dict[str, Span] = {}
        self.read: set[str] = set()

    def find(self, name: str) -> Meaning | None:
        """The innermost meaning of a name."""
        scope: Scope | None = self
        while scope is not None:
            meaning = scope.names.get(name)
            if meaning is not None:
                scope.read.add(name)
                return meaning
            scope = scope.parent
        return None

    def define(self, name: str, meaning: Meaning, span: Span | None = None) -> None:
        """Gives a name a meaning on this level."""
        self.names[name] = meaning
        if span is not None:
            self.spans[name] = span

    def all(self) -> Iterator[str]:
        """Every name in reach, the innermost first; not those whose definition is broken."""
        scope: Scope | None = self
        while scope is not None:
            yield from (name for name, meaning in scope.names.items() if not isinstance(meaning, Missing))
            scope = scope.parent

    def named(self, *kinds: type) -> list[str]:
        """The names in reach whose meaning is of some kinds; this is no reading of them."""
        out: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            out += [name for name, meaning in scope.names.items() if isinstance(meaning, kinds)]
            scope = scope.parent
        return out

    def unread(self) -> dict[str, Span]:
        """What is defined in reach and was never looked up, with its place."""
        out: dict[str, Span] = {}
        scope: Scope | None = self
        while scope is not None:
            for name, span in scope.spans.items():
                if name not in scope.read and not isinstance(scope.names.get(name), Missing):
                    out.setdefault(name, span)
            scope = scope.parent
        return out
