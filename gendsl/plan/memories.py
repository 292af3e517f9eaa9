"""An operation in, whether it remembers earlier steps out: such a one has variables, part of a run's state."""

from gendsl.plan.plan import Operation

REMEMBERING = frozenset(["moving_average", "path_length", "replay"])


def word_of(operation: Operation) -> str:
    """The word of an operation; of one without, its name."""
    return str(operation.attributes.get("word") or operation.name)


def remembers(operation: Operation) -> bool:
    """Whether what it gives depends on the steps before."""
    return word_of(operation) in REMEMBERING
