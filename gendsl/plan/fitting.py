"""A plan and a number of bytes in, what would make a step of the plan fit into them out: advice for people."""

from gendsl.frozen import replace
from gendsl.plan.cost import cost_of
from gendsl.plan.memories import remembers
from gendsl.plan.plan import Call, Plan


def fitting(plan: Plan, room: int, *, beyond: float = 1.0) -> str:
    """`take `batch 64`; with `precision mixed_bfloat16` the batch of 128 would fit, too` and the like.

    `beyond` is how many times the estimate a step really takes.
    """

    def fits(changed: Plan) -> bool:
        total = cost_of(changed).total
        return isinstance(total, int) and beyond * total <= room

    batch = plan.data.batch
    smaller = next((one for one in _smaller(plan) if fits(replace(plan, data=replace(plan.data, batch=one)))), None)
    found = [next((words for words, changed in way if fits(changed)), None) for way in _ways(plan)]
    ways = [words for words in found if words is not None]
    if smaller is None and not ways:
        return "no batch of this plan would fit by the estimate: make its networks smaller"
    if smaller is None:
        return f"the batch of {batch:,} would fit by the estimate with {' or with '.join(ways)}"
    text = f"`batch {smaller}` would fit by the estimate"
    return text + (f"; so would the batch of {batch:,} with {' or with '.join(ways)}" if ways else "")


def _smaller(plan: Plan) -> list[int]:
    """Smaller batches, the largest first: powers of two, times what has to divide them."""
    found = []
    batch = _divisor(plan)
    while batch < plan.data.batch:
        found.append(batch)
        batch *= 2
    return found[::-1]


def _divisor(plan: Plan) -> int:
    """What has to divide a batch: its parts and replicas; and packs do where they divide this one."""
    accumulate, strategy = plan.train.settings.get("accumulate"), plan.train.settings.get("strategy")
    parts = 1 if accumulate is None else int(accumulate.arguments["parts"])
    replicas = None if strategy is None else strategy.arguments["kind"].arguments.get("replicas")
    packs = 1
    for network in plan.networks:
        for layer in network.layers:
            if layer.word == "pack":
                packs = max(packs, int(next(iter(layer.arguments.values()))))
    return parts * int(replicas or 1) * packs


def _ways(plan: Plan) -> list[list[tuple[str, Plan]]]:
    """What else makes a step smaller, as words and as a plan; of each way, what changes less first."""
    settings = plan.train.settings
    precision = settings.get("precision")
    found: list[list[tuple[str, Plan]]] = []
    if precision is None or precision.arguments["policy"] == "float32":
        found.append([("`precision mixed_bfloat16`", _with(plan, Call("precision", {"policy": "mixed_bfloat16"})))])
    if "accumulate" not in settings and not _remembers(plan):
        each = plan.data.batch // _divisor(plan)
        parts = [many for many in (2, 4, 8, 16, 32, 64) if each % many == 0]
        found.append([(f"`accumulate {many}`", _with(plan, Call("accumulate", {"parts": many}))) for many in parts])
    again = tuple(replace(network, recompute=True) for network in plan.networks)
    found.append([("`recompute: on` of its networks", replace(plan, networks=again))])
    return found


def _with(plan: Plan, call: Call) -> Plan:
    settings = {**plan.train.settings, call.word: call}
    return replace(plan, train=replace(plan.train, settings=settings))


def _remembers(plan: Plan) -> bool:
    """Whether something is kept of earlier batches, which takes in a batch at once."""
    return any(remembers(operation) for group in plan.train.groups for operation in group.operations)
