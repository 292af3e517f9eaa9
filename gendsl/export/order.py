"""A plan in, what it is to be exported as out: each form with its name and its options, checked without TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Plan
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
    calls = plan.export or (Call("saved_model", _defaults("saved_model")),)
    orders: list[Order] = []
    for call in calls:
        options = {**_defaults(call.word), **call.arguments}
        name = str(options.pop("name") or plan.experiment)
        options |= {option: value for option, value in asked.items() if option in options and value is not None}
        _refuse(name)
        order = Order(call.word, name, options)
        if any((one.form, one.name) == (order.form, order.name) for one in orders):
            raise UserError(
                f"two exports of the form `{order.form}` are named `{name}`",
                f'give one another name in the spec: `{order.form} name: "{name}_2"`',
            )
        orders.append(order)
    return orders


def _defaults(word: str) -> dict[str, Any]:
    return {parameter.name: parameter.default for parameter in WORDS["export"][word].parameters}


def _refuse(name: str) -> None:
    """A name becomes one of a folder and part of a URL, and a run's folder may come from a stranger."""
    if name.startswith(".") or not all(one.isalnum() or one in "_.-" for one in name):
        raise UserError(f"`{name}` cannot be the name of an exported model", "use letters, digits, `_` and `-`")
