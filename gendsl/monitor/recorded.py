"""A file of metrics in, the values that were told after each step out: CSV, JSON lines or a JSON list, of any program.

What cannot be read is left out and noted: a last line that was cut, cells that are no numbers, rows without a step.
"""

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gendsl.frozen import dataclass, field
from gendsl.lower.errors import UserError
from gendsl.monitor.names import of_log, of_scores, words_in

_STEPS = ("step", "steps", "global step", "iteration", "iterations", "iter", "iters", "itr", "kimg", "nimg", "tick")
_EPOCHS = ("epoch", "epochs")
_LARGEST = 200_000_000  # bytes
_BLANKS = ("", "-", "na", "n/a", "none", "null")
_MOST_NOTED = 3


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series: its columns, the name of that of the steps, and the values told after each, in order."""

    columns: tuple[str, ...]
    step: str
    rows: tuple[tuple[float, Mapping[str, float]], ...]
    notes: tuple[str, ...]
    epochs: bool = False  # whether its steps are epochs


@dataclass(slots=True)
class _Notes:
    """What was left out: places by the reason."""

    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, place: str) -> None:
        self.places.setdefault(reason, []).append(place)

    def lines(self) -> tuple[str, ...]:
        found = []
        for reason, places in self.places.items():
            more = f" and {len(places) - _MOST_NOTED:,} more" if len(places) > _MOST_NOTED else ""
            found.append(f"{reason}: {', '.join(places[:_MOST_NOTED])}{more}")
        return tuple(found)


def recorded(path: Path) -> Recorded:
    """The series in a file, or in the folder of a run. Raises UserError where there is none."""
    if path.is_dir():
        path = path / "metrics.jsonl"
    try:
        if path.stat().st_size > _LARGEST:
            raise UserError(f"{path} has more than {_LARGEST // 1_000_000} MB", "give the columns that count alone")
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "give a CSV or JSON lines file, or a run") from None
    notes = _Notes()
    start = text.lstrip()[:1]
    records = list(_of_json(text, notes, path) if start in ("{", "[") else _of_csv(text, notes, path))
    if not records:
        raise UserError(f"{path} holds no values", "a CSV has a header, `step,fid`, and a row for each check")
    return _series(records, notes, path)


def _of_json(text: str, notes: _Notes, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records of JSON lines, or of a list, each with its place."""
    if text.lstrip().startswith("["):
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} is no JSON: {error}", "a list of records, `[{…}, …]`, has to be whole") from None
        records = [(f"record {number}", record) for number, record in enumerate(whole, start=1)]
    else:
        records = []
        lines = text.splitlines()
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                records.append((f"line {number}", json.loads(line)))
            except (ValueError, RecursionError):
                last = number == len(lines)
                notes.add("the last line is cut, and left out" if last else "no JSON, left out", f"line {number}")
    for place, record in records:
        if isinstance(record, dict):
            yield place, dict(_flat(record))
        else:
            notes.add("no record, left out", place)


def _flat(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict) and depth < 8:
            yield from _flat(value, f"{prefix}{name}/", depth + 1)
        elif not isinstance(value, (dict, list)):
            yield f"{prefix}{name}", value


def _of_csv(text: str, notes: _Notes, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a table by its header, each with its place."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return
    mark = max(",;\t|", key=lines[0].count)
    if lines[0].count(mark):
        try:
            rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=mark, skipinitialspace=True))
        except csv.Error as error:
            raise UserError(f"{path} is no CSV: {error}", "give a CSV with a header, or JSON lines") from None
    else:
        rows = [line.split() for line in lines]
    header = [name.strip() for name in rows[0]]
    if all(isinstance(_number(cell, mark), float) for cell in header):
        raise UserError(
            f"{path} has no header: its first row holds numbers only", "write the names first, such as `step,fid`"
        )
    ends_whole = text.endswith(("\n", "\r"))
    for number, row in enumerate(rows[1:], start=2):
        if len(row) < len(header) and number == len(rows) and not ends_whole:
            notes.add("the last row is cut, and left out", f"row {number}")
            continue
        if len(row) != len(header):
            notes.add("a row with other than the header's number of cells", f"row {number}")
        yield f"row {number}", {name: _number(cell, mark) for name, cell in zip(header, row, strict=False) if name}


def _number(cell: str, mark: str = ",") -> Any:
    """The number in a cell; None for a blank one, the text where it is none."""
    text = cell.strip().strip("'\"").rstrip("%")
    if text.lower() in _BLANKS:
        return None
    if mark != "," and "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return cell


def _series(records: Sequence[tuple[str, Mapping[str, Any]]], notes: _Notes, path: Path) -> Recorded:
    """The values by steps, in order; of a step that was told twice the later values count."""
    column = _step_column(records)
    own = any("evaluation" in record for _, record in records)  # a run's: its blocks may share names
    first = _first_blocks(records)
    rows: dict[float, dict[str, float]] = {}
    columns: dict[str, None] = {}
    before, disordered, repeated = -math.inf, False, 0
    for index, (place, record) in enumerate(records):
        step = float(index + 1) if column is None else _step(record.get(column))
        if step is None:
            notes.add("no step, left out", place)
            continue
        values: dict[str, float] = {}
        for name, value in record.items():
            if name == column or isinstance(value, bool) or value is None:
                continue
            number = _number(value) if isinstance(value, str) else value
            if isinstance(number, (int, float)):
                values[name] = _as_float(number)
        if own:
            values = _of_run(values, first)
        columns.update(dict.fromkeys(values))
        row = rows.setdefault(step, {})
        repeated += bool(row.keys() & values.keys())
        row.update(values)
        disordered, before = disordered or step < before, step
    if repeated:
        notes.add("told more than once, of which the last counts", f"{repeated:,} steps")
    if disordered:
        notes.add("not in order, and sorted", "steps")
    if column is None:
        notes.add("no column of steps (step, iteration, epoch, kimg…): checks are counted", "from 1")
    if not columns:
        raise UserError(f"{path} holds no numbers", "a CSV has a header, `step,fid`, and a row for each check")
    ordered = tuple((int(step) if step == int(step) else step, rows[step]) for step in sorted(rows))
    return Recorded(
        tuple(columns), column or "check", ordered, notes.lines(), column is not None and _is(column, _EPOCHS)
    )


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _first_blocks(records: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, float]:
    """The number of the first `evaluate` block that tells each score."""
    first: dict[str, float] = {}
    for _, record in records:
        number = record.get("evaluation")
        if isinstance(number, (int, float)):
            for name in of_scores(record):
                first[name] = min(number, first.get(name, number))
    return first


def _of_run(values: Mapping[str, float], first: Mapping[str, float]) -> dict[str, float]:
    """What a run of ours told, by the names of conditions; a score of several blocks is that of the first."""
    number = values.get("evaluation")
    if number is None:
        return of_log(values)
    scores = of_scores({name: value for name, value in values.items() if name not in ("evaluation", "seconds")})
    return {name: value for name, value in scores.items() if first.get(name, number) == number}


def _step_column(records: Sequence[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The column that counts steps: of those with such a name, the one with the most different numbers."""
    names = dict.fromkeys(name for _, record in records for name in record)
    named = [name for name in names if _is(name, (*_STEPS, *_EPOCHS))]
    named += [name for name in names if name.rpartition("/")[2] == "snapshot_pkl"]
    counts = {name: len({record.get(name) for _, record in records if record.get(name) is not None}) for name in named}
    return max(named, key=lambda name: counts[name], default=None)


def _is(name: str, kinds: Sequence[str]) -> bool:
    words = words_in(name)
    return any(words[-len(kind.split()) :] == kind.split() for kind in kinds)


def _step(value: Any) -> float | None:
    if isinstance(value, str):
        found = re.search(r"(\d+)\D*$", os.path.basename(value))  # network-snapshot-000200.pkl
        number = _number(value)
        value = number if isinstance(number, float) else float(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
