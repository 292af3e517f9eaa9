"""A plan in, what it is to be exported as out: each form with its name and its options, checked without TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Plan
from gendsl.plan.served import is_name
from gendsl.spelling import did_you_mean
from gendsl.vocabulary import WORDS


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to write: the word of its form (`saved_model`), the model's name, and the word's other arguments."""

    form: str
    name: str
    options: Mapping[str, Any]


def orders_of(plan: Plan, asked: Mapping[str, Any]) -> list[Order]:
    """What the plan's `export` asks for, a SavedModel where it asks for nothing; `asked` are options of the command
    line that take the place of the spec's. Raises UserError for a name that is none, or that two share."""
    calls = tuple(call for call in plan.export if call.word != "refuse") or (
        Call("saved_model", defaults_of("saved_model")),
    )
    orders: list[Order] = []
    for call in calls:
        options = {**defaults_of(call.word), **call.arguments}
        name = str(options.pop("name") or plan.experiment)
        options |= {option: value for option, value in asked.items() if option in options and value is not None}
        _refuse(name)
        refuse_unknown(plan, options.get("also", ()))
        order = Order(call.word, name, options)
        if any((one.form, one.name) == (order.form, order.name) for one in orders):
            raise UserError(
                f"two exports of the form `{order.form}` are named `{name}`",
                f'give one another name in the spec: `{order.form} name: "{name}_2"`',
            )
        orders.append(order)
    return orders


def refuse_unknown(plan: Plan, names: Sequence[str]) -> None:
    """Raises UserError for a name that no network has."""
    there = [network.name for network in plan.networks]
    for name in names:
        if name not in there:
            raise UserError(
                f"there is no network `{name}`, for an endpoint of its own",
                did_you_mean(name, there) or f"there are {', '.join(f'`{one}`' for one in there)}",
            )


def defaults_of(word: str) -> dict[str, Any]:
    """What the options of a form are where nothing is said."""
    return {parameter.name: parameter.default for parameter in WORDS["export"][word].parameters}


def _refuse(name: str) -> None:
    if not is_name(name):
        raise UserError(f"`{name}` cannot be the name of an exported model", "use letters, digits, `_` and `-`")
