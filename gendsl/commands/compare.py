"""The options of `gendsl compare` in, its exit code out: 3 where scores cannot be compared."""

import gc
import os
from typing import TYPE_CHECKING, Any

from gendsl.commands.evaluate import columns, telling
from gendsl.commands.output import FAILED, FINE, UsageError, say, warn

if TYPE_CHECKING:
    from argparse import Namespace

    from gendsl.run.comparing import Comparison, Value


def compare(options: "Namespace") -> int:
    """`gendsl compare`."""
    if len(options.runs) < 2:
        raise UsageError("one run alone cannot be compared: give two or more")
    gc.enable()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from gendsl.run.comparing import compared

    wanted = None if options.scores is None else options.scores.replace(";", ",").split(",")
    names = None if wanted is None else [name.strip() for name in wanted if name.strip()]
    with telling() as tell:
        found = compared(options.runs, scores=names, recorded=options.recorded, told=warn, tell=tell)
    say(_json(found) if options.format == "json" else _text(found))
    return FAILED if found.refused or not found.rows else FINE


def _text(found: "Comparison") -> str:
    from gendsl.run.comparing import names_shown

    rows: list[tuple[str, ...]] = [("score", "run", "best", "95 % interval", "last", "95 % interval")]
    names = names_shown([row.key for row in found.rows])
    for row in found.rows:
        for place, run in enumerate(found.runs):
            cells = [cell for value in (row.best[place], row.last[place]) for cell in _cells(row.key, value)]
            rows.append((names[row.key] if place == 0 else "", run.shown, *cells))
    text = columns(rows) if found.rows else ""
    for refused in found.refused:
        text += f"\n`{refused.name}` cannot be compared: the runs differ in\n"
        for name, values in refused.fields.items():
            told = ", ".join(f"{_short(value)} in {run.shown}" for run, value in zip(found.runs, values, strict=True))
            text += f"  {name}: {told}\n"
    if found.alone:
        text += f"\nnot in all of the runs: {', '.join(found.alone)}\n"
    return text


def _cells(key: str, value: "Value | None") -> tuple[str, str]:
    from gendsl.run.scores import shown_value

    if value is None:
        return "-", ""
    told = "none" if value.value is None else shown_value(key, value.value)
    bounds = " to ".join(shown_value(key, bound) for bound in value.interval) if value.interval is not None else ""
    return f"{told} at {value.step:,}", bounds


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "") else f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) <= 40 else text[:12] + "…"


def _json(found: "Comparison") -> str:
    import json

    from gendsl.run.folder import as_json
    from gendsl.vocabulary.score_keys import plain

    def told(value: "Value | None") -> Any:
        return None if value is None else {"step": value.step, "value": value.value, "interval": value.interval}

    runs = [run.shown for run in found.runs]
    record = {
        "runs": runs,
        "scores": [
            {
                "key": row.key,
                "name": plain(row.key),
                "best": dict(zip(runs, map(told, row.best), strict=True)),
                "last": dict(zip(runs, map(told, row.last), strict=True)),
            }
            for row in found.rows
        ],
        "refused": [
            {"name": one.name, "fields": {name: list(values) for name, values in one.fields.items()}}
            for one in found.refused
        ],
        "not_in_all": list(found.alone),
    }
    return json.dumps(as_json(record), indent=2, ensure_ascii=False) + "\n"
