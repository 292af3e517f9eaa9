"""The options of `gendsl evaluate` in, its exit code out."""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from gendsl.commands.output import FINE, WRONG, report, say, warn

if TYPE_CHECKING:
    from argparse import Namespace

    from rich.status import Status

    from gendsl.run.evaluating import Evaluated


def evaluate(options: "Namespace") -> int:
    """`gendsl evaluate`."""
    gc.enable()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from gendsl.diagnostics import Problems
    from gendsl.run.evaluating import evaluated

    problems = Problems()
    with telling() as tell:
        found = evaluated(
            options.run,
            problems,
            checkpoint=options.checkpoint,
            samples=options.samples,
            scores=options.scores,
            told=warn,
            tell=tell,
        )
    report(problems.of("error"))
    if found is None:
        return WRONG
    say(_json(found) if options.format == "json" else _text(found))
    return FINE


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """A function that shows on standard error how far the work is, in one line that is gone at the end."""
    from rich.console import Console

    with ExitStack() as stack:
        shown: list[Status] = []

        def tell(text: str) -> None:
            if not shown:  # not before there is something to tell: TensorFlow's loading holds standard error back
                shown.append(stack.enter_context(Console(stderr=True).status(text)))
            shown[0].update(text)

        yield tell


def _json(found: "Evaluated") -> str:
    import json

    from gendsl.run.folder import as_json
    from gendsl.vocabulary.score_keys import plain

    scored = found.scored
    scores = {
        key: {
            "name": plain(key),
            "value": value,
            "interval": scored.intervals.get(key),
            "resampled": scored.resampled.get(key),
            "contract": scored.contracts.get(key.rpartition("#")[2]),
        }
        for key, value in scored.values.items()
    }
    record = {"run": found.folder.shown, "step": found.step, "scores": scores, "warnings": scored.warnings}
    return json.dumps(as_json(record), indent=2, ensure_ascii=False) + "\n"


def _text(found: "Evaluated") -> str:
    from gendsl.run.scores import shown_value
    from gendsl.vocabulary.score_keys import shown

    rows = [("score", "value", "95 % interval", "of resampled", "fingerprint")]
    for key, value in found.scored.values.items():
        bounds = found.scored.intervals.get(key)
        between = " to ".join(shown_value(key, bound) for bound in bounds) if bounds is not None else ""
        rows.append(
            (shown(key), shown_value(key, value), between, found.scored.resampled.get(key, ""), key.rpartition("#")[2])
        )
    return f"{found.folder.shown} after {found.step:,} steps\n" + columns(rows)


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as text, their columns aligned."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in rows
    )
