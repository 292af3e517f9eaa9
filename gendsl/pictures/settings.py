"""The params of a run in, what TensorBoard's HParams tab compares runs by out."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import summary

from gendsl.plan.plan import Plan, Quantity


def session_of(plan: Plan, *, name: str, began: float) -> Summary | None:
    """The summary that makes a run a row of the table, with its params and its seed; None where the spec has no params.

    `name` keeps two runs of the same values apart. Metrics are whatever scalars the run logs."""
    values = {param: plain(value) for param, value in plan.params.items()}
    if values and "seed" in plan.train.settings:
        values.setdefault("seed", plain(plan.train.settings["seed"].arguments["number"]))
    if not values:
        return None
    made = summary.session_start_pb(values, group_name=name, start_time_secs=began)
    return Summary.FromString(made.SerializeToString())  # TensorFlow has a class of its own for the same message


def plain(value: Any) -> bool | float | str:
    """A param as HParams takes it: a number with a unit is a text, `500 steps`."""
    match value:
        case bool() | str():
            return value
        case int() | float() | Fraction():
            return float(value)
        case Quantity(value=number, unit=unit):
            return f"{number:g} {unit}"
        case Mapping() | None:
            return str(value)
        case tuple() | list():
            return "x".join(str(plain(one)) for one in value)
    return str(value)
