"""A run, a checkpoint and what its spec demands in, the reasons why it is not to be exported out; none lets it pass.

`refuse when:` is judged by the scores that were taken of that very checkpoint, by the run or by `gendsl evaluate`. One
that was never taken refuses too: an unmeasured limit is not kept. Nothing here loads TensorFlow.
"""

from collections.abc import Mapping
from typing import Any

from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError
from gendsl.monitor.conditions import condition_of
from gendsl.monitor.names import of_scores
from gendsl.plan.plan import Plan
from gendsl.run.folder import RunFolder, read_lines
from gendsl.run.scores import evaluations_file
from gendsl.vocabulary.monitors import is_higher_better


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a model is not exported, and what to do about it."""

    message: str
    help: str


def admitted(folder: RunFolder, plan: Plan, step: int, *, override: str | None = None) -> tuple[str, ...]:
    """Lets a checkpoint pass, or raises UserError with all reasons against it.

    With `override`, the reason of a person, it passes; what it gives then is to be written into card and provenance."""
    found = reasons(folder, plan, step)
    if override is not None and not override.strip():
        raise UserError("--override says no reason", 'write why: `--override "only for the workshop"`')
    if found and override is None:
        told = [f"{one.message}; {one.help}" for one in found]
        lines = told[0] if len(told) == 1 else "".join(f"\n  {line}" for line in told)
        raise UserError(
            f"the export of step {step:,} of {folder.shown} is refused: {lines}",
            'mend that, or say why it goes out all the same: `--override "REASON"`, which is written into the card',
        )
    return (*(one.message for one in found), f"overridden: {override}") if found else ()


def reasons(folder: RunFolder, plan: Plan, step: int) -> list[Reason]:
    """What stands against the export of a checkpoint: limits that are exceeded or unmeasured, card fields unsaid."""
    return [*_of_card(folder, plan), *_of_scores(folder, plan, step)]


def limits_of(plan: Plan) -> list[str]:
    """The conditions under which a plan refuses to be exported."""
    return [str(call.arguments["when"]) for call in plan.export if call.word == "refuse"]


def required_of(plan: Plan) -> tuple[str, ...]:
    """The fields that a plan's card requires."""
    return tuple(name for call in plan.card if call.word == "require" for name in call.arguments["fields"])


def said_in(plan: Plan) -> dict[str, str]:
    """The fields that a plan's card fills in."""
    texts = {call.word: str(call.arguments.get("text", "")).strip() for call in plan.card if call.word != "require"}
    return {name: text for name, text in texts.items() if text}


def scores_at(folder: RunFolder, step: int) -> list[Mapping[str, Any]]:
    """The records of all scores that were taken after a step, in order: by the run, then by `gendsl evaluate`."""
    records = [*read_lines(folder.metrics), *read_lines(evaluations_file(folder))]
    return [record for record in records if "evaluation" in record and record.get("step") == step]


def _of_card(folder: RunFolder, plan: Plan) -> list[Reason]:
    said = said_in(plan)
    missing = [name for name in required_of(plan) if name not in said]
    if not missing:
        return []
    names = ", ".join(f"`{name}`" for name in missing)
    told = f"write it into the spec's `card`; `gendsl run SPEC --out {folder.shown} --resume` takes over a changed card"
    return [Reason(f"the card requires {names}, and does not say it", told)]


def _of_scores(folder: RunFolder, plan: Plan, step: int) -> list[Reason]:
    found = []
    values = _values(scores_at(folder, step))
    everywhere = [*read_lines(folder.metrics), *read_lines(evaluations_file(folder))]
    for text in limits_of(plan):
        try:
            condition = condition_of(text)
        except ValueError as error:  # a plan changed by hand
            raise UserError(str(error), "its plan.json was changed by hand; train the spec again") from None
        holds = condition.holds(values, _best(everywhere))
        measured = ", ".join(f"`{name}` is {values[name]:.4g}" for name in condition.names if name in values)
        missing = [name for name in condition.names if name not in values]
        if holds:
            found.append(Reason(f"`{text}` holds: {measured}", "train on, change the spec, or take another checkpoint"))
        elif holds is None:
            names = ", ".join(f"`{name}`" for name in missing) or "what it reads"
            command = f"gendsl evaluate {folder.shown} --checkpoint {step}"
            found.append(Reason(f"`{text}` is open: {names} was not scored at step {step:,}", f"`{command}` does that"))
    return found


def _values(records: list[Mapping[str, Any]]) -> dict[str, float]:
    """Scores by the names that conditions read; where one was taken several times the last counts."""
    values: dict[str, float] = {}
    for record in records:
        values.update(of_scores({name: value for name, value in record.items() if "#" in name}))
    return values


def _best(records: list[dict[str, Any]]) -> dict[str, float]:
    best: dict[str, float] = {}
    for record in records:
        for name, value in _values([record]).items():
            better = max if is_higher_better(name) else min
            best[name] = better(best.get(name, value), value)
    return best
