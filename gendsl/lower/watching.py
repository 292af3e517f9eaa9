"""A training step in, what is told of its values while it is computed eagerly out: for whoever looks for the first
value that is not finite.
"""

from collections.abc import Mapping
from typing import Any

from gendsl.plan.plan import Group, Operation, Update


class Watch:
    """Is told of each value in the order of its computation; it does nothing. Steps in graphs tell it nothing."""

    def repeats(self, group: Group, k: int, fields: Mapping[str, Any]) -> None:
        """Repetition k of a group begins, on these fields, {name: (batch, …)}."""

    def computes(self, operation: Operation, value: Any) -> None:
        """An operation has this value."""

    def differentiates(self, update: Update, variable: Any, gradient: Any) -> None:
        """An update's loss has this gradient by a variable."""
