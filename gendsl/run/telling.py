"""How a run stands in, the lines that a person reads about it out: what to type next, and where all is."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from gendsl.plan.plan import Plan
from gendsl.render import visible, wrapped
from gendsl.run.folder import RunFolder
from gendsl.run.launch import LAUNCHED
from gendsl.run.order import Order


def resume_command(folder: RunFolder, *, steps: int | None = None) -> str:
    """What goes on with a run, as it can be typed here; to another step than it was started for, if one is given."""
    further = "" if steps is None else f" --steps {steps}"
    launched = os.environ.get(LAUNCHED)
    command = f"launch -n {launched}" if launched else "resume"
    return f"{typed('gendsl')} {command} {shlex.quote(folder.shown)}{further}"


def run_command(order: Order, out: str | Path | None, *flags: str) -> str:
    """The `gendsl run` of an order."""
    words = ["run", shlex.quote(order.spec_path)]
    words += [f"--set {shlex.quote(f'{name}={value}')}" for name, value in order.settings.items()]
    words += [] if out is None else ["--out", shlex.quote(str(out))]
    words += ["--overfit"] if order.overfit else []
    words += [] if order.steps is None else ["--steps", str(order.steps)]
    return " ".join([typed("gendsl"), *words, *flags])


def typed(program: str) -> str:
    """A program of this installation as it can be typed here: with its path where a shell would not find it."""
    own = Path(sys.argv[0])
    beside = own.with_name(program)
    found = shutil.which(program)
    if own.name != "gendsl" or not beside.is_file() or (found and os.path.samefile(found, beside)):
        return program
    return shlex.quote(str(beside))


def say(console: Console, lines: Sequence[tuple[str, str]]) -> None:
    """Lines of a name and what it says; nothing is wrapped, so that commands can be copied."""
    for name, text in lines:
        console.print(visible(f"{name:<12} {text}".rstrip()), highlight=False, markup=False, soft_wrap=True)


def note(console: Console, text: str) -> None:
    """A note or a warning, which stands out where there is color."""
    width = console.width if console.is_terminal else None
    shown = "\n".join(wrapped(visible(line), width) for line in text.splitlines())
    console.print(shown, style="yellow", highlight=False, markup=False, soft_wrap=True)


def say_changes(console: Console, what: str, lines: Sequence[str]) -> None:
    """Differences, one a line, below what they are of."""
    note(console, "\n".join([what, *(f"  {line}" for line in lines)]))


def say_finished(console: Console, folder: RunFolder, step: int, plan: Plan, *, length: int | None) -> None:
    """What is told where nothing is left to do; `length` is that of the spec's run, None if it is not known."""
    lines = [("finished", f"{folder.shown}: {step:,} steps were done before, and nothing is left to do")]
    if length is not None and length > step:
        lines.append(("further", resume_command(folder, steps=length)))
    say(console, [*lines, *_uses(folder, plan), *_report(folder)])


def say_interrupted(console: Console, folder: RunFolder, step: int, last: int) -> None:
    """What is told after the first Ctrl-C, when all is saved."""
    told = f"after {step:,} of {last:,} steps; all of them are saved"
    say(console, [("interrupted", told), ("go on", resume_command(folder)), *_report(folder)])


def say_stopped(console: Console, folder: RunFolder, saved: int) -> None:
    """What is told after the second."""
    told = f"the last checkpoint is of step {saved:,}" if saved >= 0 else "before anything was saved"
    say(console, [("stopped", f"at once; {told}"), ("go on", resume_command(folder))])


def say_stopped_by(console: Console, folder: RunFolder, alarm: str, step: int, last: int | None) -> None:
    """What is told where an alarm has ended a run; `last` is the step that it was to end at."""
    of = "" if last is None else f" of {last:,}"
    told = f"`{alarm}` ended the run at step {step:,}{of}; {folder.shown}/{folder.events.name} says on which values"
    say(console, [("stopped", told), ("", "it goes on with that alarm changed or taken out of the spec")])


def say_done(
    console: Console,
    folder: RunFolder,
    plan: Plan,
    *,
    steps: int,
    seconds: float,
    work: str | None,
    scores: Mapping[str, float],
) -> None:
    """What is told at the end of a run; `work` is how much of the machine it used."""
    from gendsl.run.progress import clock, rate
    from gendsl.run.scores import shown_scores

    speed = f" ({rate(steps / seconds)})" if steps and seconds >= 1 else ""
    done = f"{steps:,} steps in {clock(seconds)}{speed}"
    lines = [("done", done + (f"; {shown_scores(scores)}" if scores else ""))]
    if work is not None:
        lines.append(("work", work))
    for name in ("grid-final.png", "grid-final.txt"):
        if (folder.samples / name).is_file():
            lines.append(("samples", f"{folder.shown}/samples/{name}"))
    lines += [("TensorBoard", f"{folder.shown}/logs"), ("checkpoints", f"{folder.shown}/checkpoints")]
    if folder.best.is_symlink():
        lines.append(("best", f"{folder.shown}/{folder.best.readlink()}"))
    say(console, [*lines, ("", ""), *_uses(folder, plan), *_report(folder)])


def _report(folder: RunFolder) -> list[tuple[str, str]]:
    """Where the model card and the page are that tell of a run, as far as they are there."""
    files = {"card": folder.path / "card.md", "report": folder.report}
    return [(name, f"{folder.shown}/{path.name}") for name, path in files.items() if path.is_file()]


def _uses(folder: RunFolder, plan: Plan) -> list[tuple[str, str]]:
    """What can be done with a run that has ended."""
    where = shlex.quote(folder.shown)
    lines = [("watch", f"{typed('tensorboard')} --logdir {where}")]
    drawn = {field.name for field in plan.data.fields if field.drawn}
    if plan.sample is not None:
        if drawn.issuperset(plan.sample.inputs):
            lines.append(("sample", f"{typed('gendsl')} sample {where} -n 16 --seed 3 -o samples"))
        lines.append(("export", f"{typed('gendsl')} export {where}"))
    return lines
