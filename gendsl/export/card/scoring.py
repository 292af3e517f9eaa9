"""A run's records of scores in, what a card says of them out: values, how they were taken, how sure they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from gendsl.export.card.document import Cell, Code, Facts, Part, Said, Table
from gendsl.export.gate import limits_of, reasons, scores_at
from gendsl.frozen import dataclass
from gendsl.plan.plan import Plan
from gendsl.report.story import Story, number_of
from gendsl.run.scores import shown_value
from gendsl.vocabulary.score_keys import plain, shown

_OF_MEMORY = {
    "memorized": "the share of samples as close to a training example as hardly any held-out example is; about the "
    "quantile, 1 % if not said otherwise, for a model that has learnt, 100 % for one that copies",
    "copied": "the share of generated tokens that stand in long stretches, word for word, in the training data",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A score of a checkpoint: its key, its value, its 95 % interval (None where it was not estimated) and the fields
    of the contract that its fingerprint stands for."""

    key: str
    value: float
    interval: tuple[float, float] | None
    contract: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name that a spec uses, without its output."""
        return plain(self.key).partition("/")[0]


def taken_at(story: Story, step: int) -> list[Taken]:
    """The scores of a step by key; of one that was taken several times the last, with an interval where one has it."""
    found: dict[str, Taken] = {}
    for record in scores_at(story.folder, step):
        intervals = record.get("intervals")
        for key, value in record.items():
            number = number_of(value)
            if number is None or key in ("step", "evaluation", "seconds"):
                continue
            ends = intervals.get(key) if isinstance(intervals, Mapping) else None
            known = [number_of(end) for end in ends] if isinstance(ends, list) else []
            low, high = known if len(known) == 2 else (None, None)
            interval = (low, high) if low is not None and high is not None else None
            found[key] = Taken(key, number, interval, story.contracts.get(key.partition("#")[2], {}))
    return list(found.values())


def scores(story: Story, taken: Sequence[Taken], step: int) -> tuple[Part, ...]:
    """The table of scores, or what would fill it."""
    command = f"gendsl evaluate RUN --checkpoint {step}"  # no path: a card is the same wherever its run lies
    if not taken:
        return (Said(f"No score was taken at step {step:,}. This takes them:"), Facts((("command", Code(command)),)))
    rows: list[tuple[Cell, ...]] = []
    for one in taken:
        within = "not estimated"
        if one.interval is not None:
            within = f"{shown_value(one.key, one.interval[0])} to {shown_value(one.key, one.interval[1])}"
        how = [_told(one.contract.get(name)) for name in ("extractor", "samples", "split")]
        mark = one.key.partition("#")[2]
        rows.append((shown(one.key), shown_value(one.key, one.value), within, *how, Code(mark) if mark else "–"))
    parts: list[Part] = [
        Table(("score", "value", "95 % interval", "features", "samples", "split", "fingerprint"), tuple(rows))
    ]
    parts.append(
        Said(
            "A fingerprint stands for all that a score depends on: data, split, numbers of examples and samples, "
            "features, seeds, weights. Only scores with the same one can be compared."
        )
    )
    if all(one.interval is None for one in taken):
        parts.append(Said("The run takes scores without intervals; gendsl evaluate adds them."))
    return tuple(parts)


def memorisation(story: Story, plan: Plan, taken: Sequence[Taken], step: int, notes: Sequence[str]) -> tuple[Part, ...]:
    """Whether samples repeat training data, the limits of the spec, and what an export was let pass with."""
    rows: list[tuple[str, Cell]] = []
    for name, meaning in _OF_MEMORY.items():
        values = [f"{shown(one.key)} {shown_value(one.key, one.value)}" for one in taken if one.name == name]
        rows.append((name, f"{', '.join(values)} ({meaning})" if values else f"not measured at step {step:,}"))
    against = {one.message for one in reasons(story.folder, plan, step)}
    limits = limits_of(plan)
    for limit in limits:
        why = next((message for message in against if f"`{limit}`" in message), "")
        rows.append(("not exported where", Code(limit)))
        rows.append((f"at step {step:,}", why.replace("`", "") if why else "does not hold"))
    if not limits:
        rows.append(("limits", "none: the spec declares none"))
    rows += [("exported against the gate", note) for note in notes]
    return (Facts(tuple(rows)),)


def _told(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)[:60] if value else "–"
