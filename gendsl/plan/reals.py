"""A group of updates in, its scores of real pictures out: what the controller of ADA goes by.

They are those that an update computes anyway: of a network that the group trains, called with pictures of the data.
"""

from gendsl.frozen import dataclass
from gendsl.plan.plan import Group, Network, Plan
from gendsl.vocabulary.types import Tensor


@dataclass(frozen=True, slots=True)
class RealScores:
    """The number of the operation that is the call, and which of the network's results are its scores."""

    call: int
    output: int


def real_scores(group: Group, plan: Plan) -> tuple[RealScores, ...]:
    """The calls of a group that score real pictures, in their order.

    Every input that `both` transforms is a field of the batch, as it is: a pair of which one half is generated is not
    real. Scores are the first result that is logits of one channel, be it one number or one a patch.
    """
    trained = {name for update in group.updates for name in update.networks}
    pictures = {field.name for field in plan.data.fields if field.kind == "image"}
    found = []
    for number, operation in enumerate(group.operations):
        places = operation.attributes.get("both")
        if operation.name != "call" or not places or operation.attributes["network"] not in trained:
            continue
        given = [group.operations[operation.inputs[place]] for place in places]
        output = _scores(plan.network(operation.attributes["network"]))
        if output is not None and all(one.name == "field" and one.attributes["name"] in pictures for one in given):
            found.append(RealScores(number, output))
    return tuple(found)


def _scores(network: Network) -> int | None:
    """Which result of a network says whether its input is real."""
    for number, output in enumerate(network.outputs):
        type = output.type
        if isinstance(type, Tensor) and type.meaning == "logits" and type.shape[-1:] == (1,):
            return number
    return None
