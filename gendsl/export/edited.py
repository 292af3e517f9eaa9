"""The folder of a run in, whether its spec is still what was trained out: an export says where it comes from.

What is exported is what plan.json tells. So `spec.gen` beside it has to say the same, and where the file that it was
taken from says something else by now, a person should know that this is not exported.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gendsl import __version__
from gendsl.diagnostics import Problems
from gendsl.export.order import defaults_of
from gendsl.lower.errors import UserError
from gendsl.plan.difference import differences
from gendsl.plan.plan import Plan
from gendsl.run.folder import RunFolder, read_json
from gendsl.run.recall import Recalled, order_in, recalled


def refuse_edited(folder: RunFolder, plan: Plan, told: Callable[[str], None]) -> None:
    """Raises UserError where the run's `spec.gen` is no longer the spec that was trained; `told` hears where the file
    that it was taken from is another one by now."""
    try:
        run = recalled(folder.path)
        written = str((read_json(folder.environment) or {}).get("gendsl"))
        found = _changes(run, plan) if written == __version__ else []  # another version may read a spec otherwise
    except UserError:  # its data is not here: what the spec says cannot be known in full
        return
    if found:
        lines = "".join(f"\n  {one}" for one in found)
        raise UserError(
            f"{folder.shown}/{folder.spec.name} was edited since, and is not what was trained:{lines}",
            "put it back; or save it elsewhere and train it. `gendsl run SPEC --out RUN --resume` takes up what leaves "
            "the training as it is, such as changes of `export`",
        )
    _tell_of_original(folder, run, told)


def _changes(run: Recalled, plan: Plan) -> list[str]:
    problems = Problems()
    order = order_in(run, problems)
    if order is None:
        return [f"it is wrong: {problem.message}" for problem in list(problems.of("error"))[:3]]
    return [one.text for one in differences(_filled(plan), _filled(order.plan))]


def _filled(plan: Plan) -> Plan:
    """The plan with what its exports leave out: an older one may know fewer options."""
    calls = (replace(call, arguments={**defaults_of(call.word), **call.arguments}) for call in plan.export)
    return replace(plan, export=tuple(calls))


def _tell_of_original(folder: RunFolder, run: Recalled, told: Callable[[str], None]) -> None:
    record = read_json(folder.environment) or {}
    original = Path(str(record.get("project", ""))) / os.path.basename(run.spec_path)
    try:
        same = original.read_text(encoding="utf-8") == run.text
    except (OSError, ValueError):  # it was moved, or never a file
        return
    if not same:
        told(f"{run.spec_path} has changed since the run was started; exported is what {folder.spec.name} in it says")
