"""The types of expressions: tensors with shapes, scalars, distributions, networks."""

from typing import Any

from gendsl.frozen import dataclass
from gendsl.vocabulary.dimensions import Dimension, Shape, shown


@dataclass(frozen=True, slots=True)
class Tensor:
    """Numbers of a shape for each example (the batch axis is not in it); `integer` for classes and tokens.

    `meaning` is "", "logits", "features" or the data field it is shaped as.
    """

    shape: Shape
    meaning: str = ""
    integer: bool = False

    def __str__(self) -> str:
        return f"(batch, {shown(self.shape).replace('x', ', ')})" if self.shape else "(batch)"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number for the whole batch."""

    def __str__(self) -> str:
        return "scalar"


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition."""

    def __str__(self) -> str:
        return "condition"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of events of a shape; `family` is a prior or a result of `vocabulary/distributions.py`.

    A categorical's event is an integer of shape `event`, among `classes`; a discretised logistic's numbers are
    `classes` levels, evenly spaced over `bounds`, both ends among them. A `mixed` is of a table's row, whose `layout`
    says what each stretch means (`gendsl.plan.blocks`).
    """

    family: str
    event: Shape
    classes: Dimension | None = None  # for a categorical; the levels of a discretised logistic
    bounds: tuple[float, float] | None = None  # for a discretised logistic
    layout: tuple[Any, ...] = ()  # for a mixed

    @property
    def discrete(self) -> bool:
        """Whether a draw passes no gradient to the parameters."""
        return self.family in ("categorical", "bernoulli", "discretized_logistic", "mixed")

    def __str__(self) -> str:
        of = shown(self.event) if self.family != "categorical" else str(self.classes)
        return f"{self.family}({of})"


@dataclass(frozen=True, slots=True)
class Several:
    """The results of a network with several outputs, by name."""

    items: "tuple[tuple[str, Type], ...]"

    def __str__(self) -> str:
        return "[" + ", ".join(f"{name}: {type}" for name, type in self.items) + "]"


@dataclass(frozen=True, slots=True)
class NetworkType:
    """A network passed as a value, with the type of its only result where the checker knows it."""

    name: str
    result: "Type | None" = None

    def __str__(self) -> str:
        return f"network {self.name}"


@dataclass(frozen=True, slots=True)
class Process:
    """A noising process, such as `diffusion(…)`: how it is named in the spec, and its word with arguments."""

    name: str
    call: Any = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a mistake left behind: it fits everywhere, so that nothing is told twice."""

    def __str__(self) -> str:
        return "unknown"


Type = Tensor | Scalar | Truth | Distribution | Several | NetworkType | Process | Unknown
