"""A plan in, advice out: what is legal and yet known to go wrong, each with its rule and its source."""

from gendsl.check.context import Context
from gendsl.plan.plan import Plan
from gendsl.syntax import tree


def advise(plan: Plan, blocks: dict[str, tree.Step], networks: dict[str, tree.Step], context: Context) -> None:
    """Adds warnings and hints."""
