"""The folder of a run in, what there is to tell of it out: read as far as it can be read, whatever was cut or damaged.

Nothing here loads TensorFlow or NumPy, and nothing that stands in the folder is believed: it may come from a stranger.
"""

import math
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Plan
from gendsl.run import folder as folders
from gendsl.run.folder import Lock, RunFolder
from gendsl.vocabulary import WORDS

_MOST_STEPS = 10**15  # what is beyond is no step of a run, and no number that can be drawn
_NOT_SCORES = ("step", "evaluation", "seconds")
_ENDS = {"finished": "finished", "interrupted": "interrupted", "diverged": "diverged", "stopped": "stopped"}
_MARKED = ("phase", "changed", "resumed", "interrupted", "diverged", "monitor", "rollback")


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: its tag, and a value at each step; None where it was no finite number."""

    name: str
    points: tuple[tuple[int, float | None], ...]

    @property
    def last(self) -> float | None:
        """The value of the last step."""
        return self.points[-1][1] if self.points else None


@dataclass(frozen=True, slots=True)
class Score:
    """The series of a score: its name as it was written, the fingerprint of how it was taken (empty where it has none)
    and which values are better: `higher`, `lower` or empty."""

    series: Series
    name: str
    fingerprint: str
    better: str

    @property
    def best(self) -> tuple[int, float] | None:
        """The step and the value of the best one; None where nobody said which is better."""
        known = [(step, value) for step, value in self.series.points if value is not None]
        if not known or not self.better:
            return None
        return (max if self.better == "higher" else min)(known, key=lambda point: point[1])


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened after a step: what, when (as it was written down), and all else that is known of it."""

    step: int
    what: str
    time: str
    details: Mapping[str, Any]

    @property
    def marked(self) -> bool:
        """Whether curves show where it was."""
        return self.what in _MARKED


@dataclass(frozen=True, slots=True)
class Story:
    """A run: `state` is finished, interrupted, diverged, stopped, running or unfinished; `last` the step that it is to
    reach, None where nobody knows. `contracts` say by fingerprint how scores were taken."""

    folder: RunFolder
    name: str
    state: str
    step: int
    last: int | None
    seconds: float
    plan: Plan | None
    plan_problem: str
    spec: str | None
    curves: tuple[Series, ...]
    scores: tuple[Score, ...]
    happenings: tuple[Happening, ...]
    contracts: Mapping[str, Mapping[str, Any]]
    evaluations: tuple[Mapping[str, Any], ...]  # scores that were taken when the training was over
    data: Mapping[str, Any]
    environment: Mapping[str, Any]


def story_of(folder: RunFolder) -> Story:
    """All that is told of a run. Nothing that is missing or damaged in it is an error."""
    plan, problem = None, ""
    try:
        plan = folders.plan_in(folder)
    except UserError as error:
        problem = error.message
    records = _numbered(folders.read_lines(folder.metrics))
    told = [record for record in folders.read_lines(folder.events) if _is_step(record.get("step"))]
    happenings = tuple(map(_happening, told))  # in the order in which they happened, which a rollback is told by
    environment = folders.read_json(folder.environment) or {}
    curves = _series(record for record in records if "evaluation" not in record)
    step = max([folders.steps_done(folder), *(record["step"] for record in records), *(one.step for one in happenings)])
    step = min(step, _MOST_STEPS)
    return Story(
        folder=folder,
        name=plan.experiment if plan is not None else folder.path.resolve().name,
        state=_state(folder, happenings),
        step=step,
        last=_last(folder, plan),
        seconds=_seconds(happenings),
        plan=plan,
        plan_problem=problem,
        spec=_text(folder.spec),
        curves=curves,
        scores=tuple(_score(one, plan) for one in _series(record for record in records if "evaluation" in record)),
        happenings=happenings,
        contracts=_contracts(folders.read_json(folder.path / "scores.json")),
        evaluations=tuple(folders.read_lines(folder.path / "evaluations.jsonl")),
        data=folders.read_json(folder.data) or {},
        environment=environment,
    )


def _numbered(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of steps that can be, in the order of their steps."""
    found = [record for record in records if _is_step(record.get("step"))]
    return sorted(found, key=lambda record: int(record["step"]))


def _is_step(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_STEPS


def _series(records: Iterable[Mapping[str, Any]]) -> tuple[Series, ...]:
    """The values of records by name, in the order in which they first came; of a step told twice the last."""
    found: dict[str, dict[int, float | None]] = {}
    for record in records:
        for name, value in record.items():
            if name not in _NOT_SCORES and (value is None or isinstance(value, (int, float))):
                found.setdefault(str(name), {})[int(record["step"])] = number_of(value)
    return tuple(
        Series(name, tuple(values.items()))
        for name, values in found.items()
        if any(value is not None for value in values.values())
    )


def number_of(value: Any) -> float | None:
    """A finite number that can be drawn; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        if not math.isfinite(value) or abs(value) >= 1e300:
            return None
        return float(value) if abs(value) > 1e-300 else 0.0
    except OverflowError:
        return None


def _score(series: Series, plan: Plan | None) -> Score:
    name, _, fingerprint = series.name.partition("#")
    return Score(series, name, fingerprint, _better(name, plan))


def _better(name: str, plan: Plan | None) -> str:
    """Which values of a score are better: what the spec's `keep best` says, else what the word says."""
    written = name.split("/")[0]
    for evaluation in plan.evaluations if plan is not None else ():
        for call in evaluation.scores:
            if call.word == "keep" and call.arguments.get("best") == written and call.arguments.get("better"):
                return str(call.arguments["better"])
    while written:  # `fid_classifier` is the word `fid` with the name of what gave the features
        if (word := WORDS["score"].get(written)) is not None:
            return word.better
        written = written.rpartition("_")[0]
    return ""


def _contracts(record: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    found = (record or {}).get("contracts")
    return {key: one for key, one in found.items() if isinstance(one, Mapping)} if isinstance(found, Mapping) else {}


def _happening(record: Mapping[str, Any]) -> Happening:
    details = {str(name): value for name, value in record.items() if name not in ("step", "event", "time")}
    return Happening(int(record["step"]), str(record.get("event", "")), str(record.get("time", "")), details)


def _state(folder: RunFolder, happenings: tuple[Happening, ...]) -> str:
    told = [one.what for one in happenings if one.what in _ENDS or one.what in ("started", "resumed")]
    if told and told[-1] in _ENDS:
        return _ENDS[told[-1]]
    return "running" if (folder.path / ".lock").is_file() and _at_work(folder) else "unfinished"


def _at_work(folder: RunFolder) -> bool:
    with suppress(UserError):
        return Lock.held(folder)
    return False


def _last(folder: RunFolder, plan: Plan | None) -> int | None:
    asked = folders.options_in(folder).get("steps")
    if isinstance(asked, int) and _is_step(asked):
        return asked
    if plan is None:
        return None
    try:
        return folders.length_in(folder, plan)
    except (ValueError, TypeError, KeyError):
        return None


def _seconds(happenings: tuple[Happening, ...]) -> float:
    """How long its processes were at it, as far as their beginnings and ends were written down."""
    total, began = 0.0, None
    for one in happenings:
        moment = moment_of(one.time)
        if moment is None:
            continue
        if one.what in ("started", "resumed"):
            began = moment
        elif one.what in _ENDS and began is not None:
            total, began = total + max(0.0, moment - began), None
    return total


def moment_of(written: str) -> float | None:
    """The seconds since 1970 of a time as events tell it; None where it is none."""
    try:
        return datetime.fromisoformat(written).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def now() -> str:
    """The time, as events tell it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
