"""The folders of runs in, their scores side by side out: at the best and the last checkpoint, with intervals.

A score is comparable where its fingerprint is the same in every run; where it is not, the fields that differ are told
in place of numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gendsl.diagnostics import Problems
from gendsl.evaluate.contract import differences
from gendsl.lower.errors import UserError
from gendsl.run.evaluating import evaluated
from gendsl.run.folder import RunFolder, open_run, read_lines, steps_done
from gendsl.run.scores import contracts_in, evaluations_file
from gendsl.vocabulary.score_keys import plain, shown

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Value:
    """A score of a run at a step, with the bounds of its interval where that is known."""

    step: int
    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A score of all runs: by run the values at the best checkpoint and at the last, None where there is none."""

    key: str
    best: tuple[Value | None, ...]
    last: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A score that cannot be compared: the fields that differ, each with the values by run."""

    name: str
    fields: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side."""

    runs: tuple[RunFolder, ...]
    rows: tuple[Row, ...]
    refused: tuple[Refused, ...]
    alone: tuple[str, ...] = ()  # scores that not all of the runs have


@dataclass(slots=True)
class _Recorded:
    """What a run's files say of its scores: by key and step, the newest record of each."""

    folder: RunFolder
    contracts: dict[str, dict[str, Any]]
    values: dict[str, dict[int, Value]] = field(default_factory=dict)
    taken: set[tuple[str, int]] = field(default_factory=set)  # with intervals, where a score has one
    best: int | None = None
    last: int = 0

    def read(self) -> "_Recorded":
        """Reads them (again)."""
        self.contracts = contracts_in(self.folder)
        for path in (self.folder.metrics, evaluations_file(self.folder)):
            for record in read_lines(path):
                step, intervals = record.get("step"), record.get("intervals")
                for key, value in record.items():
                    if isinstance(step, int) and "#" in key and (value is None or isinstance(value, int | float)):
                        if path != self.folder.metrics:
                            self.taken.add((key, step))
                        bounds = intervals.get(key) if isinstance(intervals, dict) else None
                        known = self.values.setdefault(key, {}).get(step)
                        if bounds is None and known is not None and known.interval is not None:
                            continue
                        self.values[key][step] = Value(step, value, _bounds(bounds))
        return self


def _bounds(given: Any) -> tuple[float, float] | None:
    if isinstance(given, list) and len(given) == 2 and all(isinstance(one, int | float) for one in given):
        return float(given[0]), float(given[1])
    return None


def compared(
    paths: Sequence[str | Path],
    *,
    scores: Sequence[str] | None = None,
    recorded: bool = False,
    told: Tell = lambda _: None,
    tell: Tell = lambda _: None,
) -> Comparison:
    """Sets runs side by side; `scores` are names, `fid` or `fid_classifier`, and all where there are none.

    A checkpoint whose intervals are not known is scored anew, unless only what is `recorded` is wanted. Raises
    UserError for a folder that is no run, and for runs without scores.
    """
    runs = [_recorded(open_run(Path(path))) for path in paths]
    names = _names(runs, scores)
    common: list[str] = []
    refused: list[Refused] = []
    alone: list[str] = []
    for name in names:
        keys = [[key for key in run.values if plain(key) == name] for run in runs]
        if not all(keys):
            alone.append(name)
            continue
        same = [key for key in keys[0] if all(key in others for others in keys[1:])]
        common += same
        if not same:
            refused.append(_refused(name, runs, keys))
    if not recorded and common:
        for run in runs:
            _complete(run, common, told, tell)
    rows = tuple(
        Row(key, tuple(_at(run, key, run.best) for run in runs), tuple(_at(run, key, run.last) for run in runs))
        for key in common
    )
    return Comparison(tuple(run.folder for run in runs), rows, tuple(refused), tuple(alone))


def _recorded(folder: RunFolder) -> _Recorded:
    run = _Recorded(folder, {}).read()
    if not run.values:
        raise UserError(
            f"the run in {folder.shown} has no scores", f'`gendsl evaluate {folder.shown} --scores "fid"` takes some'
        )
    scored = {step for values in run.values.values() for step in values}
    run.best = _best_step(folder)
    run.last = steps_done(folder) or max(scored)
    return run


def _best_step(folder: RunFolder) -> int | None:
    """The step that `best` is a link to; known without TensorFlow."""
    name = folder.best.resolve().name if folder.best.is_symlink() and folder.best.is_dir() else ""
    step = name.removeprefix("step-")
    return int(step) if step != name and step.isdigit() else None


def _names(runs: Sequence[_Recorded], scores: Sequence[str] | None) -> list[str]:
    """The plain names of the scores to compare, in the order of the first run."""
    there = list(dict.fromkeys(plain(key) for run in runs for key in run.values))
    if scores is None:
        return there
    meant = {name: plain(name) for name in scores}
    for name, bare in meant.items():
        if bare not in there:
            raise UserError(f"no run has a score `{name}`", f"they have {', '.join(f'`{one}`' for one in there)}")
    return list(dict.fromkeys(meant.values()))


def _refused(name: str, runs: Sequence[_Recorded], keys: Sequence[Sequence[str]]) -> Refused:
    """The fields that keep the nearest contracts of a score apart."""
    first = runs[0].contracts.get(_fingerprint(keys[0][0]), {})
    fields: dict[str, list[Any]] = {}
    records = [first]
    for run, own in zip(runs[1:], keys[1:], strict=True):
        candidates = [run.contracts.get(_fingerprint(key), {}) for key in own]
        records.append(min(candidates, key=lambda record: len(differences(first, record))))
    for record in records[1:]:
        for one in differences(first, record):
            fields.setdefault(one, [])
    if not all(records):
        return Refused(name, {"contract": tuple("known" if record else "not in scores.json" for record in records)})
    return Refused(name, {one: tuple(record.get(one) for record in records) for one in fields})


def _fingerprint(key: str) -> str:
    return key.rpartition("#")[2]


def _at(run: _Recorded, key: str, step: int | None) -> Value | None:
    return None if step is None else run.values.get(key, {}).get(step)


def _complete(run: _Recorded, keys: Sequence[str], told: Tell, tell: Tell) -> None:
    """Scores the best and the last checkpoint where an interval is not known."""
    for which, step in (("last", run.last), ("best", run.best)):
        if step is None or all((key, step) in run.taken for key in keys):
            continue
        problems = Problems()
        try:
            taken = evaluated(run.folder.path, problems, checkpoint=which, told=told, tell=tell)
        except UserError as error:
            told(f"{run.folder.shown} is compared as it was recorded: {error.message}")
            return
        if taken is None:
            told(f"{run.folder.shown} is compared as it was recorded: its spec is no longer right")
            return
        if which == "last":
            run.last = taken.step
        run.read()


def names_shown(keys: Sequence[str]) -> dict[str, str]:
    """What each key is called: its name without the fingerprint, unless two would be called the same."""
    found = [shown(key) for key in keys]
    return {key: name if found.count(name) == 1 else key for key, name in zip(keys, found, strict=True)}
