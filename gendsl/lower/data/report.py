"""A plan and its data in, what `gendsl data` tells of it out: a record for programs, and lines for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gendsl.lower.data.dataset import Dataset
from gendsl.lower.data.fingerprints import Tell, silent
from gendsl.lower.data.report_kinds import KINDS
from gendsl.plan.plan import Plan


@dataclass(frozen=True)
class Report:
    """What is told of data: `lines` are of a name and what it says."""

    record: Mapping[str, Any]
    lines: Sequence[tuple[str, str]]


def report_of(plan: Plan, dataset: Dataset, *, tell: Tell = silent) -> Report:
    """Reads the training split once. Fields are reported by their kinds; one of no kind in `KINDS` by its shape."""
    fields = {field.name: KINDS[field.kind](field, dataset) for field in plan.data.fields if field.kind in KINDS}
    for number, part in enumerate(dataset.parts("train"), 1):
        for name, values in part.items():
            if name in fields:
                fields[name].add(values)
        tell(f"looking at the training examples… part {number:,}")
    told = {field.name: {"kind": field.kind, "shape": list(map(_plain, field.shape))} for field in plan.data.fields}
    record = {
        "experiment": plan.experiment,
        "sizes": dataset.sizes,
        **dataset.manifest,
        "fields": {name: {**head, **(fields[name].record() if name in fields else {})} for name, head in told.items()},
        "warnings": list(dataset.findings.warnings),
    }
    lines = [line for source in dataset.manifest["sources"] for line in _of_source(source, dataset)]
    lines += [line for name, report in fields.items() for line in ((name, report.told()), *report.details())]
    return Report(record, lines)


def _of_source(source: Mapping[str, Any], dataset: Dataset) -> list[tuple[str, str]]:
    origin = source["from"]
    given = f'"{origin}"' if isinstance(origin, str) else ""
    if isinstance(origin, Mapping):
        given = ", ".join(f"{name}: {_written(value)}" for name, value in origin.items() if value is not None)
    count = "without end" if source["examples"] is None else f"{source['examples']:,} examples"
    lines = [(source["name"] or "source", f"{source['word']}({given}), {count}")]
    if source["examples"] is not None:
        lines.append(("splits", ", ".join(f"{split} {size:,}" for split, size in source["splits"].items())))
        dropped = [f"{reason} {number:,}" for reason, number in source["dropped"].items()]
        lines.append(("dropped", ", ".join(dropped) or "nothing"))
    if len(source["splits"]) > 1 and source["examples"] is not None:
        found = [_leaks_told(split, leaks) for split, leaks in source["leaks"].items()]
        lines.append(("leaks", ", ".join(found) or "none"))
    if source["sha256"] is not None:
        lines.append(("SHA-256", source["sha256"]))
        lines.append(("licence", source["licence"] or "unknown: the source does not say"))
    return lines


def _leaks_told(split: str, leaks: Mapping[str, Any]) -> str:
    if (stretches := leaks.get("stretches")) is None:
        return f"{split} {leaks['exact']:,} exact, {leaks['near']:,} near"
    begins = f", which begins {stretches['longest_begins']!r}" if "longest_begins" in stretches else ""
    return (
        f"{split} {leaks['exact']:,} exact, {leaks.get('in_part', 0):,} in part: they hold {stretches['many']:,} "
        f"stretches of {stretches['of_at_least']} tokens or more that stand in train, in all {stretches['tokens']:,} "
        f"tokens, the longest {stretches['longest']:,}{begins}"
    )


def _written(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _plain(size: Any) -> Any:
    return size if isinstance(size, int) else str(size)
