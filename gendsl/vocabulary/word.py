"""What a word of the language is: its parameters and the kinds of value they take, said once for all who read it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gendsl.frozen import dataclass
from gendsl.vocabulary.dimensions import Dimension, Shape


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. What a checked argument of it becomes is said by each subclass."""


@dataclass(frozen=True, slots=True)
class Count(Kind):
    """A whole number from `minimum`; an int, or `Symbolic` where only the data knows it."""

    minimum: int = 1
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Real(Kind):
    """A constant number within bounds; an int or a float. `20%` is 0.2."""

    minimum: float | None = None
    maximum: float | None = None
    above: bool = False  # the minimum itself is out


@dataclass(frozen=True, slots=True)
class Toggle(Kind):
    """`on` or `off`; a bool."""


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """A quoted text; a str."""


@dataclass(frozen=True, slots=True)
class Path(Kind):
    """A quoted path or glob inside the project's folder; a str, relative to the spec."""


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of some words; a str."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizeOf(Kind):
    """A size of `rank` numbers (any rank if 0), `4x4` or `[4, n]`; a tuple.

    With `one`, a single number stands for all.
    """

    rank: int = 0
    one: bool = False
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class RangeOf(Kind):
    """`-1..1`; a tuple (low, high) of numbers."""


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """`[a, b]`, each of one kind; a tuple."""

    item: Kind


@dataclass(frozen=True, slots=True)
class Amount(Kind):
    """A number with a unit; a `plan.Quantity`. A bare number takes the first unit."""

    units: tuple[str, ...] = ("steps", "epochs")


@dataclass(frozen=True, slots=True)
class Scheduled(Kind):
    """A number, or a schedule of the step; an int, a float or a `plan.Call`."""

    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class WordOf(Kind):
    """A word of some category, with or without arguments; a `plan.Call`."""

    category: str


@dataclass(frozen=True, slots=True)
class Reference(Kind):
    """A value of the network: a label or an input; it becomes a further input of the layer."""


@dataclass(frozen=True, slots=True)
class NetworkName(Kind):
    """The name of a network; a str."""


@dataclass(frozen=True, slots=True)
class FieldName(Kind):
    """The name of a data field; a str."""


@dataclass(frozen=True, slots=True)
class FreeName(Kind):
    """Any name; a str (what it names is checked where it is used)."""


@dataclass(frozen=True, slots=True)
class Expression(Kind):
    """An expression of the equations, typed by the checker; not bound as a constant."""


@dataclass(frozen=True, slots=True)
class OneOf(Kind):
    """The first of several kinds that fits."""

    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a word.

    Without `positional` it is given by its name only; `many` takes all further values, a tuple.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    doc: str = ""
    positional: bool = True
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word: `category` is where it may stand, `body` the category of the statements in its block ("" for none).

    `runs` says whether its run-time part is built; `bindings` whether its block may bind names; `open` whether it takes
    arguments beyond its parameters (`split train: 90%, validation: 5%`), each of that kind. `better` says which values
    of a score are: "lower", "higher" or, where it takes a person to say, "".
    """

    name: str
    category: str
    doc: str
    parameters: tuple[Parameter, ...] = ()
    source: str = ""
    example: str = ""
    body: str = ""
    bindings: bool = False
    open: Kind | None = None
    runs: bool = True
    better: str = ""

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of a name, if there is one."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight of a layer: its name in Keras, its shape, whether an optimizer trains it."""

    name: str
    shape: Shape
    trainable: bool = True


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a layer makes of its inputs: the shape (without the batch), its weights, its FLOPs for one example.

    A multiplication with an addition counts as two FLOPs; elementwise work counts one an element.
    """

    shape: Shape
    weights: tuple[Weight, ...] = ()
    flops: Dimension = 0


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a layer cannot take its inputs: the message continues "`conv` …", the help says what to write."""

    message: str
    help: str = ""


Infer = Callable[[Mapping[str, Any], tuple[Shape, ...]], Inferred | Mismatch]

# What a place of a sequence (length, channels) is computed from outside training: "own", that place of the inputs
# alone; "earlier", that and those before it, or its number, so that a decoder may keep what it needs of them
# (`lower/stepwise.py`); "all". Of the arguments, and of which inputs (the flow first) have a place for each of its own:
# the others stay while the sequence grows.
Reach = Callable[[Mapping[str, Any], tuple[bool, ...]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWord(Word):
    """A layer: `infer` gives shape, weights and FLOPs from the arguments and the input shapes (the flow first, then the
    references in the order of the parameters); `keras` names the class that is built, "keras.layers:Conv2D" or
    "gendsl.parts.project:Project", with "{rank}" for the number of axes before the channels.

    `renames` maps parameters to its arguments where the names differ: "" leaves one out, several are parted by spaces.
    `configure` gives arguments of the class beyond those, or in their place, from the arguments and the input shapes.
    """

    infer: Infer
    keras: str
    renames: Mapping[str, str]
    configure: Callable[[Mapping[str, Any], tuple[Shape, ...]], Mapping[str, Any]] | None = None
    reach: Reach | str = "all"  # of a sequence (length, channels): see `Reach`
    flow: bool = True  # whether the flow is its first input; `project` has references only
    integers: tuple[int, ...] = ()  # the inputs that are integers (labels, tokens), by position
    batch_coupled: bool = False  # outputs of one example depend on the others
    homogeneous: bool = False  # without its bias, f(a·x) = a·f(x) for a > 0, as a linear map or a ReLU


@dataclass(frozen=True, slots=True, kw_only=True)
class InitializerWord(Word):
    """A way to fill new weights; `keras` names its class, `renames` its arguments where the names differ."""

    keras: str
    renames: Mapping[str, str]
