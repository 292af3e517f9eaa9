"""A plan and how many examples there are in, the number of steps of its run out."""

import math

from gendsl.plan.plan import Plan


def length_of(plan: Plan, examples: int | None) -> int | None:
    """The steps of a plan's phases; None where they are counted in epochs of data that nobody has counted."""
    a_step = plan.data.batch * plan.train.times
    total = 0
    for phase in plan.train.phases:
        if phase.length.unit == "epochs" and examples is None:
            return None
        each = -(-examples // a_step) if phase.length.unit == "epochs" and examples is not None else 1
        total += max(1, math.ceil(phase.length.value * each))
    return total
