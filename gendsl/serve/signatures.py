"""The tensors of a signature: their names, types and shapes; and the model that answers it, as the server sees it."""

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from gendsl.frozen import dataclass

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or an output: `dtype` by TensorFlow's name (`int64`, `string`), `shape` with None for any size; itself
    None where even the rank is open."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None

    @property
    def shown(self) -> str:
        """`int32 (any)`, as a message says it."""
        if self.shape == ():
            return f"one {self.dtype}"
        sizes = "of any shape" if self.shape is None else "×".join("any" if n is None else str(n) for n in self.shape)
        return f"{self.dtype} {sizes}"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model can be asked for: the inputs that it needs, all of them, and the outputs that it gives."""

    name: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


class Refused(Exception):
    """A request that is not answered: its HTTP status, and a sentence that says why."""

    def __init__(self, status: int, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry = retry


class Model(Protocol):
    """A loaded model."""

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """What it can be asked for, by name."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its signatures as JSON, in the form of TensorFlow's `SignatureDef`."""
        ...

    def call(self, signature: str, inputs: Arrays) -> Arrays:
        """The outputs of a signature by name. Raises Refused where the model itself refuses the inputs."""
        ...
