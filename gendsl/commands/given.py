"""The specs and settings of a command line in, their sources and plans out; mistakes go to standard error."""

import os
from typing import TYPE_CHECKING

from gendsl.commands.output import UsageError, complain, counts, report, shown

if TYPE_CHECKING:
    from argparse import Namespace

    from gendsl.diagnostics import Problems
    from gendsl.plan.plan import Plan
    from gendsl.source import Source


def checked(path: str, problems: "Problems", options: "Namespace") -> "tuple[Source | None, Plan | None]":
    """The source and the plan of a spec on disk, None for what there is not; its mistakes are added to `problems`."""
    from gendsl.check.checker import check
    from gendsl.reading import read

    source = read(path, problems)
    if source is None:
        return None, None
    folder = os.path.dirname(path) or "."
    return source, check(source, problems, settings=settings_in(source, options), folder=folder)


def plan_or_complain(path: str, options: "Namespace") -> "tuple[Source | None, Plan | None]":
    """The plan of a spec; its diagnostics go to standard error."""
    from gendsl.diagnostics import Problems

    problems = Problems()
    source, plan = checked(path, problems, options)
    found = shown(problems, hints=options.hints)
    report(found)
    if problems.failed:
        complain(f"{path}: {counts(found)}")
        return source, None
    return source, plan


def settings_in(source: "Source", options: "Namespace") -> dict[str, str]:
    """What `--variant` and, over it, `--set` replace of a spec, by name. Raises UsageError."""
    given = settings_of(options)
    if options.variant is None:
        return given
    from gendsl.check.variants import variants_in
    from gendsl.diagnostics import Problems
    from gendsl.spelling import did_you_mean
    from gendsl.syntax.parse import parse

    variants = variants_in(parse(source, Problems()))
    if options.variant not in variants:
        named = ", ".join(f"`{name}`" for name in variants)
        meant = did_you_mean(options.variant, variants) or (f"it has {named}" if named else "it has none")
        raise UsageError(f"`{source.path}` has no variant `{options.variant}`: {meant}")
    return variants[options.variant] | given


def settings_of(options: "Namespace") -> dict[str, str]:
    """What `--set` replaces, by name. Raises UsageError."""
    settings = {}
    for setting in options.settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"`--set {setting}` does not say a value: write `--set width=64`")
        settings[name.strip()] = value.strip()
    return settings
