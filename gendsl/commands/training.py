"""The options of the commands that load TensorFlow in, exit codes out: `run`, `resume`, `verify` and so on."""

import gc
import os
import sys
from typing import TYPE_CHECKING

from gendsl.commands.given import plan_or_complain, settings_in
from gendsl.commands.output import FAILED, FINE, WRONG, UsageError, flush, report, say, tell, warn

if TYPE_CHECKING:
    from argparse import Namespace

    from gendsl.plan.plan import Call, Plan
    from gendsl.run.order import Order


def run(options: "Namespace") -> int:
    """`gendsl run`."""
    strategy = _strategy(options)
    source, plan = plan_or_complain(options.spec, options)
    if plan is not None and options.download and _downloaded(plan):
        source, plan = plan_or_complain(options.spec, options)  # its sizes are known now
    if plan is None or source is None:
        return WRONG
    from gendsl.run.order import Order

    order = Order(
        plan,
        source_text=source.text,
        spec_path=options.spec,
        project=os.path.dirname(options.spec) or ".",
        settings=settings_in(source, options),
        steps=options.steps,
        overfit=options.overfit,
        strategy_asked=strategy,
    )
    return _trained(order, options, out=options.out, resume=options.resume, fresh=options.fresh)


def _downloaded(plan: "Plan") -> bool:
    """Downloads the data sets of TFDS that a plan names and that are not there; whether there were any."""
    _prepare_to_train()
    from gendsl.run import download

    missing = download.absent(plan)
    for name in missing:
        say(f"downloading TFDS's {name}…\n")
        flush()
        download.download(name)
    return bool(missing)


def resume(options: "Namespace") -> int:
    """`gendsl resume`."""
    asked = _strategy(options)
    from gendsl.diagnostics import Problems
    from gendsl.run.recall import order_in, recalled

    problems = Problems()
    order = order_in(recalled(options.run), problems)
    report(problems.of("error"))
    if order is None:
        return WRONG
    order = order.changed(steps=options.steps, strategy=asked)
    return _trained(order, options, out=options.run, resume=True)


def _trained(
    order: "Order", options: "Namespace", *, out: str | None, resume: bool = False, fresh: bool = False
) -> int:
    """Trains what is ordered, with the options that all commands that train share."""
    _prepare_to_train()
    from pathlib import Path

    from rich.console import Console

    from gendsl.run import command
    from gendsl.run.cluster import cluster_of
    from gendsl.run.order import Where

    where = Where(
        out=None if out is None else Path(out),
        resume=resume,
        fresh=fresh,
        allow_changes=options.allow_changes,
        ask=_asked if sys.stdin.isatty() and sys.stdout.isatty() else None,
    )
    outcome = command.run(
        order,
        where,
        console=Console(),
        ours=True,
        cluster=cluster_of(options.workers, options.worker, os.environ),
        wait=options.wait,
        profile=options.profile,
    )
    return outcome.exit_code


def _strategy(options: "Namespace") -> "Call | None":
    if options.strategy is None:
        return None
    from gendsl.check.strategy import strategy_of

    try:
        return strategy_of(options.strategy)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _asked(question: str, default: bool) -> bool:
    """The answer of the person at the terminal; an empty line is the default, and so is the end of the input."""
    while True:
        say(f"{question} [{'Y/n' if default else 'y/N'}] ")
        flush()
        answer = sys.stdin.readline().strip().lower()
        if not answer:
            return default
        if "yes".startswith(answer) or "no".startswith(answer):
            return answer[0] == "y"


def verify(options: "Namespace") -> int:
    """`gendsl verify`."""
    asked, order = _strategy(options), None
    from gendsl.run.order import Order

    if os.path.isdir(options.target):
        if options.settings or options.variant is not None:
            raise UsageError("a run has its own --set and --variant: give the spec instead of the run's folder")
        from gendsl.diagnostics import Problems
        from gendsl.run.recall import order_in, recalled

        problems = Problems()
        order = order_in(recalled(options.target), problems)
        report(problems.of("error"))
    else:
        source, plan = plan_or_complain(options.target, options)
        if source is not None and plan is not None:
            project = os.path.dirname(options.target) or "."
            order = Order(plan, source.text, options.target, project, settings=settings_in(source, options))
    if order is None:
        return WRONG
    _prepare_to_train()
    from gendsl.run.verify import verified

    def told(name: str, text: str) -> None:
        say(f"{name:<12} {text}\n")
        flush()

    verdict = verified(order.changed(strategy=asked), steps=options.steps, tell=told)
    return FINE if verdict.same else FAILED


def launch(options: "Namespace") -> int:
    """`gendsl launch`."""
    from gendsl.run import launch as launching

    return launching.launch(options.count, options.spec, options.words, tell=tell)


def data(options: "Namespace") -> int:
    """`gendsl data`."""
    _, plan = plan_or_complain(options.spec, options)
    if plan is None:
        return WRONG
    _prepare_to_train()
    from pathlib import Path

    from rich.console import Console

    from gendsl.run.loading import load_tensorflow
    from gendsl.run.survey import default_folder, surveyed

    out = default_folder(plan) if options.out is None else Path(options.out)
    load_tensorflow()  # holds standard error back, so it comes before the line that moves there
    with Console(stderr=True).status("loading the data…") as status:
        found = surveyed(plan, os.path.dirname(options.spec) or ".", out, tell=status.update)
    written = {
        "lists": found.lists,
        "pictures": found.pictures,
        "examples": found.texts,
        "TensorBoard": (found.logs,),
    }
    if options.format == "json":
        import json

        from gendsl.run.folder import as_json

        files = {name: [str(path) for path in paths] for name, paths in written.items()}
        say(json.dumps(as_json({**found.report.record, "files": files}), indent=2, ensure_ascii=False) + "\n")
        return FINE
    from gendsl.plan.columns import table_text
    from gendsl.render import visible

    for warning in found.report.record["warnings"]:
        warn(warning)
    lines = [*found.report.lines, *((name, " ".join(map(str, paths))) for name, paths in written.items() if paths)]
    say("".join(f"{visible(name):<12} {visible(text)}\n" for name, text in lines))
    for source in plan.data.sources:
        if source.call.word in ("csv", "parquet"):  # with all columns, those inferred too
            say("\n" + "".join(f"{visible(line)}\n" for line in table_text(source.call).splitlines()))
    return FINE


def sample(options: "Namespace") -> int:
    """`gendsl sample`."""
    from gendsl.commands.evaluate import telling
    from gendsl.commands.instead import instead_of_spec

    instead = instead_of_spec(options)
    _prepare_to_train()
    from gendsl.run import sample as sampling

    count = options.count or len(instead.prompts) or 16
    with telling() as tell:
        written = sampling.sample(
            options.run,
            count,
            options.seed,
            options.out,
            checkpoint=options.checkpoint,
            instead=instead,
            where=options.where,
            format=options.format,
            interpolate=options.interpolate,
            each_label=options.each_label,
            told=warn,
            tell=tell,
        )
    what = f"{count:,} sample{'s' if count > 1 else ''}"
    if options.interpolate is not None:
        what = f"{count - 1:,} way{'s' if count > 2 else ''} in {options.interpolate:,} pictures each"
    elif options.each_label:
        what += " of each class"
    grids = [path for path in written if path.stem == "grid"]
    where = written[0] if len(written) == 1 else options.out
    say(f"{what} in {where}" + (f"; at a glance: {grids[-1]}\n" if grids else "\n"))
    return FINE


def export(options: "Namespace") -> int:
    """`gendsl export`."""
    _prepare_to_train()
    from gendsl.export import command

    exported = command.export(
        options.run,
        checkpoint=options.checkpoint,
        version=options.version,
        replace=options.replace,
        override=options.override,
        options={"images": options.images, "also": tuple(options.also) or None},
        told=warn,
    )
    for one in exported:
        say(f"{one.path}\n" if one.written else f"{one.path} is it already: nothing has changed since\n")
    return FINE


def _prepare_to_train() -> None:
    gc.enable()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is loaded: its start-up notes are not ours
