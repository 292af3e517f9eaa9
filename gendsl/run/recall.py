"""The folder of a run in, what it was asked for out: all that `gendsl resume` needs, whatever became of the spec.

A run's folder may come from a stranger. So its spec is checked anew, as any other; and where that reads files, they are
sought only in a folder that this machine's user has opened: the one he works in, or below it, or one in which the very
spec of the run lies.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Plan
from gendsl.run import folder as folders
from gendsl.run.folder import RunFolder
from gendsl.run.order import Order
from gendsl.run.telling import resume_command
from gendsl.source import Source
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import Path as PathKind


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a run was asked for. `strategy` is as it was written, `project` the folder that the spec's paths are
    relative to."""

    folder: RunFolder
    text: str
    spec_path: str
    project: str
    settings: Mapping[str, str]
    steps: int | None
    overfit: bool
    strategy: str | None


def recalled(path: str | Path) -> Recalled:
    """What the run in a folder was asked for. Raises UserError."""
    folder = folders.open_run(Path(path))
    plan = folders.plan_in(folder)
    record = folders.read_json(folder.environment)
    try:
        text = folder.spec.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _incomplete(folder, f"{folder.spec.name} cannot be read ({error})") from None
    if record is None or not isinstance(record.get("options"), dict):
        raise _incomplete(folder, f"{folder.environment.name} is missing or damaged")
    options: dict[str, Any] = record["options"]
    settings, steps, strategy = options.get("settings", {}), options.get("steps"), options.get("strategy")
    if not (
        isinstance(settings, dict)
        and all(isinstance(value, str) for value in settings.values())
        and (steps is None or (isinstance(steps, int) and steps >= 0))
        and (strategy is None or isinstance(strategy, str))
    ):
        raise _incomplete(folder, f"the options in {folder.environment.name} cannot be read")
    return Recalled(
        folder=folder,
        text=text,
        spec_path=str(record.get("spec", "spec.gen")),
        project=_project(folder, plan, record, text),
        settings=settings,
        steps=steps,
        overfit=bool(options.get("overfit")),
        strategy=strategy,
    )


def order_in(run: Recalled, problems: Problems) -> Order | None:
    """What a run was asked for as an order; None where its spec is wrong, which is then told by `problems`."""
    from gendsl.check.checker import check
    from gendsl.check.strategy import strategy_of

    try:
        strategy = None if run.strategy is None else strategy_of(run.strategy)
    except ValueError as error:
        raise _incomplete(run.folder, str(error)) from None
    source = Source(f"{run.folder.shown}/{run.folder.spec.name}", run.text)
    plan = check(source, problems, settings=run.settings, folder=run.project)
    if plan is None:
        return None
    return Order(
        plan,
        source_text=run.text,
        spec_path=run.spec_path,
        project=run.project,
        settings=run.settings,
        steps=run.steps,
        overfit=run.overfit,
        strategy_asked=strategy,
    )


def _incomplete(folder: RunFolder, why: str) -> UserError:
    return UserError(
        f"{folder.shown} cannot be resumed: {why}",
        f"`gendsl run SPEC --out {folder.shown} --resume` goes on with it, given the spec",
    )


def _project(folder: RunFolder, plan: Plan, record: Mapping[str, Any], text: str) -> str:
    """The folder that the spec's paths are relative to. Raises UserError where it is not known to be the user's."""
    if not _reads_files(plan) and "import" not in text:
        return "."
    was, name = str(record.get("project", "")), os.path.basename(str(record.get("spec", "")))
    here = Path.cwd().resolve()
    for candidate in (Path(was), folder.path / str(record.get("project_from_here", ""))):
        place = candidate.resolve()
        if place.is_dir() and (place.is_relative_to(here) or _holds(place / name, text)):
            return str(place)
    raise UserError(
        f"the data of the run in {folder.shown} is sought beside its spec, in {was or 'an unknown folder'}, which is "
        "neither here nor holds that spec",
        f"go to the folder that the data is in, then `{resume_command(folder)}` with the path from there",
    )


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False


def _reads_files(plan: Plan) -> bool:
    """Whether any path stands in a plan's data."""
    sources = [("source", source.call) for source in plan.data.sources]
    return any(
        call.arguments.get(parameter.name) is not None
        for category, call in (found for pair in sources for found in _calls(*pair))
        if (word := WORDS.get(category, {}).get(call.word)) is not None
        for parameter in word.parameters
        if isinstance(parameter.kind, PathKind)
    )


def _calls(category: str, call: Call) -> Iterator[tuple[str, Call]]:
    """A call and those in its arguments, each with the category of its word."""
    yield category, call
    word = WORDS.get(category, {}).get(call.word)
    for parameter in word.parameters if word is not None else ():
        value = call.arguments.get(parameter.name)
        if isinstance(value, Call):
            yield from _calls(getattr(parameter.kind, "category", ""), value)
