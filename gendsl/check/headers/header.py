"""What a source is known to give before it is loaded: the fields of an example, how many there are, what is missing."""

from collections.abc import Mapping

from gendsl.frozen import dataclass
from gendsl.plan.plan import Call


@dataclass(frozen=True, slots=True)
class HeaderField:
    """A field that a source gives, before the transforms of its statement.

    `shape` is without the batch, None where only the data knows: (height, width, channels) of an image, (width,) of a
    row, (size,) of a point, (window,) of a text, () of a label. `classes` is how many a label, or a token, can be.
    """

    name: str
    kind: str  # image, label, text, row, point or condition
    shape: tuple[int | None, ...]
    classes: int | None = None

    @property
    def integer(self) -> bool:
        """Whether its values are whole numbers: classes and tokens."""
        return self.kind in ("label", "text")


@dataclass(frozen=True, slots=True)
class Header:
    """What a source gives. The first field is the main one: it takes a named source's name.

    `examples` counts all of a source without splits of its own, `splits` those of one with (`train`, `test`…); both are
    None where unknown, and `unlimited` says that there is no end. `problem` is an error for which data cannot be what
    the spec says, with its `help`; `warning` says what is not there, so that sizes are unknown, or from a table (then
    `known`). `looked` is where it was looked for, for people. `unlabelled` tells of pictures without a class, an error
    unless they are dropped. `columns` are the statements of a table's block, with all that was left open in them;
    `longest` is the most tokens that a text can have, `idle` what to say of columns that teach nothing, with its help.
    """

    fields: tuple[HeaderField, ...]
    examples: int | None = None
    splits: Mapping[str, int | None] | None = None
    unlimited: bool = False
    known: bool = True
    warning: str = ""
    problem: str = ""
    help: str = ""
    looked: str = ""
    unlabelled: str = ""
    columns: tuple[Call, ...] = ()
    longest: int | None = None
    idle: tuple[str, str] | None = None

    def field(self, name: str) -> HeaderField | None:
        """The field of a name, if the source gives one."""
        return next((given for given in self.fields if given.name == name), None)
