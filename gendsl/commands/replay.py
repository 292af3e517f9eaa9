"""A file of metrics and a spec's alarms in, when each would have fired out: `gendsl replay`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gendsl.commands.given import settings_in
from gendsl.commands.output import FINE, WRONG, complain, counts, report, say, shown, warn

if TYPE_CHECKING:
    from argparse import Namespace

    from gendsl.monitor.monitors import Monitors
    from gendsl.monitor.recorded import Recorded
    from gendsl.monitor.replay import Replayed


def replay(options: "Namespace") -> int:
    """`gendsl replay`."""
    from gendsl.monitor.recorded import recorded
    from gendsl.monitor.replay import record_of, replayed

    series = recorded(Path(options.metrics))
    monitors = _monitors(options, series)
    if monitors is None:
        return WRONG
    found = replayed(monitors, series)
    if options.format == "json":
        import json

        say(json.dumps(record_of(found, series), indent=2, ensure_ascii=False) + "\n")
        return FINE
    for line in found.notes:
        warn(f"{options.metrics}: {line}")
    for name, missing in found.unread:
        columns = ", ".join(f"`{one}`" for one in missing)
        warn(f"`{name}` is never checked: there is no column for {columns}")
    say("".join(f"{line}\n" for line in _lines(found, series)))
    return FINE


def _lines(found: "Replayed", series: "Recorded") -> list[str]:
    from gendsl.render import visible

    first, last = series.rows[0][0], series.rows[-1][0]
    lines = [f"{len(series.rows):,} rows, {series.step} {first:,} to {last:,}"]
    if found.read:
        lines.append("read: " + ", ".join(f"{name} from {column}" for name, column in found.read.items()))
    for firing in found.firings:
        values = "  ".join(f"{name} {value:.4g}" for name, value in firing.values.items())
        after = "  (after the stop)" if found.stopped is not None and firing.step > found.stopped else ""
        lines.append(f"{series.step} {firing.step:,}: `{firing.name}` fires, {firing.policy.word}{after}")
        lines.append(f"  {firing.why}  [{values}]")
    if not found.firings:
        lines.append("nothing fires")
    if found.stopped is not None:
        lines.append(f"the run would have ended at {series.step} {found.stopped:,}")
    return [visible(line) for line in lines]


def _monitors(options: "Namespace", series: "Recorded") -> "Monitors | None":
    """The alarms of a spec, of a file that holds nothing else, or the default ones; None where the spec is wrong."""
    from gendsl.check.checker import check
    from gendsl.check.monitors import alarms_alone
    from gendsl.diagnostics import Problems
    from gendsl.monitor.monitors import Monitors, monitors_of
    from gendsl.monitor.names import known_in
    from gendsl.plan.plan import Call
    from gendsl.reading import read

    known = known_in(series.columns)
    per_epoch = 1.0 if series.epochs else None
    path = options.monitor
    if path == "default" and not os.path.exists(path):
        return Monitors((Call("default", {}),), known, steps_per_epoch=per_epoch)
    problems = Problems()
    source = read(path, problems)
    found = None
    if source is not None:
        alone = alarms_alone(source, problems, settings_in(source, options))
        if alone is not None:
            found = None if problems.failed else Monitors(alone, known, steps_per_epoch=per_epoch)
        else:
            plan = check(source, problems, settings=settings_in(source, options), folder=os.path.dirname(path) or ".")
            if plan is not None:
                found = monitors_of(plan, known, steps_per_epoch=per_epoch or _steps_per_epoch(plan))
    diagnostics = [one for one in shown(problems, hints=False) if one.severity == "error"]
    report(diagnostics)
    if found is None:
        complain(f"{path}: {counts(diagnostics)}")
    return found


def _steps_per_epoch(plan: "object") -> float | None:
    from gendsl.plan.plan import Plan

    assert isinstance(plan, Plan)
    examples = plan.data.examples
    return None if not examples else float(-(-examples // (plan.data.batch * plan.train.times)))
