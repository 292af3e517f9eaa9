"""Command lines in, exit codes out: the only module that prints or exits. It imports what a command needs, no more.

Exit codes: 0 fine, 1 the spec is wrong, 2 usage, 3 the run failed, 130 interrupted (143 terminated, 141 the reader of
our output went away), 70 a mistake of ours, 74 the output cannot be written.
"""

import gc
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from argparse import Namespace

    from gendsl.diagnostics import Diagnostic, Problems
    from gendsl.plan.plan import Call, Plan
    from gendsl.run.order import Order
    from gendsl.source import Source

FINE, WRONG, USAGE, FAILED, INTERNAL, UNWRITABLE, INTERRUPTED, PIPE = 0, 1, 2, 3, 70, 74, 130, 141
LIMIT = 100  # diagnostics that are shown as text; JSON holds all


class UsageError(Exception):
    """The command line asks for something that there is not; the message says what there is."""


class _OutputError(Exception):
    """Standard output cannot be written."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; gives the exit code. Never raises."""
    collected = gc.isenabled()
    gc.disable()  # a check leaves no garbage worth collecting; commands that train switch it on again
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            code = _dispatch(given)
        except SystemExit as done:  # argparse, after its help or its message
            code = done.code if isinstance(done.code, int) else USAGE
        _flush()
        return code
    except UsageError as error:
        _complain(str(error))
        return USAGE
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return PIPE
    except _OutputError as error:
        _silence()
        _complain(f"the output cannot be written: {error}")
        return UNWRITABLE
    except Exception as error:
        return _failed(error, given)
    finally:
        if collected:
            gc.enable()


def _dispatch(given: list[str]) -> int:
    from gendsl.commands.options import COMMANDS, overview, parsed

    first = given[0] if given else "--help"
    if first in ("--help", "-h", "help"):
        if len(given) > 1 and given[1] in COMMANDS:
            return _dispatch([given[1], "--help"])
        _say(overview())
        return FINE
    if first in ("--version", "-V"):
        from gendsl import __version__

        _say(f"gendsl {__version__}\n")
        return FINE
    if first not in COMMANDS:
        raise UsageError(_no_command(first, tuple(COMMANDS)))
    options = parsed(COMMANDS[first], given[1:])
    options.words = given[1:]
    code: int = _COMMANDS[first](options)
    return code


def _no_command(word: str, commands: tuple[str, ...]) -> str:
    from gendsl.spelling import suggestion

    if word.endswith(".gen") or os.path.isfile(word):
        return f"say what to do with it: `gendsl run {word}` or `gendsl check {word}`"
    found = suggestion(word, commands)
    meant = f"did you mean `gendsl {found}`?" if found else "`gendsl --help` lists them"
    return f"there is no command `{word}`: {meant}"


def _check(options: "Namespace") -> int:
    from gendsl import render
    from gendsl.diagnostics import Problems

    settings = _settings(options)
    found: list[Diagnostic] = []
    summary = []
    code = FINE
    for path in options.specs:
        problems = Problems()
        _checked(path, problems, settings)
        shown = _shown(problems, hints=options.hints)
        found += shown
        summary.append(f"{render.visible(path)}: {_counts(shown)}")
        code = WRONG if problems.failed else code
    if options.format == "json":
        _say(render.json(found))
    elif options.format == "github":
        _say(render.github(found))
    else:
        _say(render.text(found, color=_colored(sys.stdout), limit=LIMIT))
        _say("".join(f"{line}\n" for line in summary))
    return code


def _plan(options: "Namespace") -> int:
    _, plan = _plan_or_complain(options.spec, options)
    if plan is None:
        return WRONG
    if options.json:
        import json

        from gendsl.plan.record import record_of

        _say(json.dumps(record_of(plan), indent=2) + "\n")
    else:
        from gendsl.plan.show import plan_shown

        _say(plan_shown(plan, expand=options.expand))
    return FINE


def _run(options: "Namespace") -> int:
    strategy = _strategy(options)
    settings = _settings(options)
    source, plan = _plan_or_complain(options.spec, options)
    if plan is None or source is None:
        return WRONG
    from gendsl.run.order import Order

    order = Order(
        plan,
        source_text=source.text,
        spec_path=options.spec,
        project=os.path.dirname(options.spec) or ".",
        settings=settings,
        steps=options.steps,
        overfit=options.overfit,
        strategy_asked=strategy,
    )
    return _trained(order, options, out=options.out, resume=options.resume, fresh=options.fresh)


def _resume(options: "Namespace") -> int:
    asked = _strategy(options)
    from gendsl.diagnostics import Problems
    from gendsl.run.recall import order_in, recalled

    run, problems = recalled(options.run), Problems()
    order = order_in(run, problems)
    _report(problems.of("error"))
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

    from gendsl.run.cluster import cluster_of
    from gendsl.run.command import run
    from gendsl.run.order import Where

    where = Where(
        out=None if out is None else Path(out),
        resume=resume,
        fresh=fresh,
        allow_changes=options.allow_changes,
        ask=_asked if sys.stdin.isatty() and sys.stdout.isatty() else None,
    )
    outcome = run(
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
        _say(f"{question} [{'Y/n' if default else 'y/N'}] ")
        _flush()
        answer = sys.stdin.readline().strip().lower()
        if not answer:
            return default
        if "yes".startswith(answer) or "no".startswith(answer):
            return answer[0] == "y"


def _verify(options: "Namespace") -> int:
    asked, order = _strategy(options), None
    from gendsl.run.order import Order

    if os.path.isdir(options.target):
        if options.settings:
            raise UsageError("a run has its own --set: give the spec instead of the run's folder")
        from gendsl.diagnostics import Problems
        from gendsl.run.recall import order_in, recalled

        problems = Problems()
        order = order_in(recalled(options.target), problems)
        _report(problems.of("error"))
    else:
        source, plan = _plan_or_complain(options.target, options)
        if source is not None and plan is not None:
            project = os.path.dirname(options.target) or "."
            order = Order(plan, source.text, options.target, project, settings=_settings(options))
    if order is None:
        return WRONG
    _prepare_to_train()
    from gendsl.run.verify import verified

    def tell(name: str, text: str) -> None:
        _say(f"{name:<12} {text}\n")
        _flush()

    verdict = verified(order.changed(strategy=asked), steps=options.steps, tell=tell)
    return FINE if verdict.same else FAILED


def _launch(options: "Namespace") -> int:
    from gendsl.run.launch import launch

    return launch(options.count, options.spec, options.words, tell=_tell)


def _sample(options: "Namespace") -> int:
    _prepare_to_train()
    from gendsl.run.sample import sample

    which = options.checkpoint
    written = sample(options.run, options.count, options.seed, options.out, checkpoint=which, told=_warn)
    grids = [path for path in written if path.stem == "grid"]
    _say(f"{len(written):,} files in {options.out}" + (f"; all at a glance: {grids[0]}\n" if grids else "\n"))
    return FINE


def _export(options: "Namespace") -> int:
    _prepare_to_train()
    from gendsl.export.saved_model import export

    _say("".join(f"{path}\n" for path in export(options.run, checkpoint=options.checkpoint, told=_warn)))
    return FINE


def _fmt(options: "Namespace") -> int:
    from gendsl.commands.fmt import difference, formatted_text, replace
    from gendsl.diagnostics import Problems
    from gendsl.reading import read

    code, changed = FINE, 0
    for path in options.specs:
        problems = Problems()
        source = read(path, problems)
        text = None if source is None else formatted_text(source, problems)
        if source is None or text is None:
            _report(_shown(problems, hints=False))
            code = WRONG
            continue
        different = text != source.text
        changed += different
        if options.diff:
            _say(difference(source, text))
        if path == "-" and not (options.check or options.diff):
            _say(text)
        elif different and options.check and not options.diff:
            _say(f"{path} is not formatted\n")
        elif different and not (options.check or options.diff):
            replace(path, text)
            _say(f"{path} formatted\n")
    return WRONG if options.check and changed else code


def _explain(options: "Namespace") -> int:
    from gendsl.commands.explain import explanation, nearest

    text = explanation(options.word)
    if text is None:
        found = nearest(options.word)
        meant = f"did you mean `{found}`?" if found else "`gendsl words` lists the words"
        raise UsageError(f"`{options.word}` is neither a word nor a rule: {meant}")
    _say(text)
    return FINE


def _new(options: "Namespace") -> int:
    from gendsl.commands import new

    if options.list:
        _say(new.listing())
        return FINE
    if options.name is None:
        raise UsageError("a name is missing: `gendsl new my_gan`; `gendsl new --list` shows the templates")
    path, problem = new.write(options.name, options.template)
    if problem:
        raise UsageError(problem)
    _say(f"{path} written from the template `{options.template}`\n")
    _say(f"check it with `gendsl check {path}`, train it with `gendsl run {path}`\n")
    return FINE


def _words(options: "Namespace") -> int:
    from gendsl.commands import words

    kinds = words.kinds()
    if options.kind is not None and options.kind not in kinds:
        from gendsl.spelling import suggestion

        found = suggestion(options.kind, kinds)
        meant = f"did you mean `{found}`?" if found else f"there are {', '.join(kinds)}"
        raise UsageError(f"there is no kind `{options.kind}`: {meant}")
    _say(words.listing(options.kind, form=options.format))
    return FINE


def _completion(options: "Namespace") -> int:
    from gendsl.commands.completion import script

    _say(script(options.shell))
    return FINE


_COMMANDS = {
    "check": _check,
    "plan": _plan,
    "run": _run,
    "resume": _resume,
    "verify": _verify,
    "launch": _launch,
    "sample": _sample,
    "export": _export,
    "fmt": _fmt,
    "new": _new,
    "explain": _explain,
    "words": _words,
    "completion": _completion,
}


def _checked(path: str, problems: "Problems", settings: dict[str, str]) -> "tuple[Source | None, Plan | None]":
    from gendsl.check.checker import check
    from gendsl.reading import read

    source = read(path, problems)
    if source is None:
        return None, None
    folder = os.path.dirname(path) or "."
    return source, check(source, problems, settings=settings, folder=folder)


def _plan_or_complain(path: str, options: "Namespace") -> "tuple[Source | None, Plan | None]":
    """The plan of a spec; its diagnostics go to standard error."""
    from gendsl.diagnostics import Problems

    problems = Problems()
    source, plan = _checked(path, problems, _settings(options))
    shown = _shown(problems, hints=options.hints)
    _report(shown)
    if problems.failed:
        _complain(f"{path}: {_counts(shown)}")
        return source, None
    return source, plan


def _settings(options: "Namespace") -> dict[str, str]:
    settings = {}
    for setting in options.settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"`--set {setting}` does not say a value: write `--set width=64`")
        settings[name.strip()] = value.strip()
    return settings


def _shown(problems: "Problems", *, hints: bool) -> "list[Diagnostic]":
    return [diagnostic for diagnostic in problems if hints or diagnostic.severity != "hint"]


def _counts(diagnostics: "Iterable[Diagnostic]") -> str:
    """`2 errors, 1 warning`, or `fine`."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severities.count(severity), severity) for severity in ("error", "warning", "hint")]
    return ", ".join(f"{n} {severity}{'s' if n > 1 else ''}" for n, severity in counts if n) or "fine"


def _report(diagnostics: "list[Diagnostic]") -> None:
    """Shows diagnostics on standard error."""
    if diagnostics and sys.stderr is not None:
        from gendsl.render import text

        sys.stderr.write(text(diagnostics, color=_colored(sys.stderr), limit=LIMIT))


def _prepare_to_train() -> None:
    gc.enable()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is loaded: its start-up notes are not ours


def _colored(stream: TextIO | None) -> bool:
    """Color only where a person looks, and not where `NO_COLOR` is set (no-color.org)."""
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _say(text: str) -> None:
    if sys.stdout is None or not text:
        return
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _OutputError(error.strerror or str(error)) from None


def _flush() -> None:
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _OutputError(error.strerror or str(error)) from None


def _silence() -> None:
    """Lets the interpreter's own last flush go to nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None


def _tell(line: str) -> None:
    """Passes on what another process of ours has said."""
    if sys.stderr is None:
        return
    from gendsl.render import visible

    try:
        sys.stderr.write(visible(line) + "\n")
    except OSError:
        return


def _warn(message: str) -> None:
    _complain(f"warning: {message}")


def _complain(message: str, *, help: str = "") -> None:
    if sys.stderr is None:
        return
    from gendsl.render import visible

    name = "\x1b[1;31mgendsl\x1b[0m" if _colored(sys.stderr) else "gendsl"
    shown = "\n  ".join(map(visible, message.split("\n  ")))  # a list, one indented line each
    text = f"{name}: {shown}\n" + (f"  help: {visible(help)}\n" if help else "")
    try:
        sys.stderr.write(text)
    except OSError:
        return


def _failed(error: Exception, given: list[str]) -> int:
    """What the user can mend is said; all else is our mistake: a short apology here, the traceback in a file."""
    message, help = getattr(error, "message", None), getattr(error, "help", "")
    if isinstance(message, str) and any(base.__name__ == "UserError" for base in type(error).__mro__):
        _complain(message, help=help)
        return FAILED
    if isinstance(error, OSError) and error.filename is not None:
        _complain(f"{error.filename}: {error.strerror}")
        return FAILED
    from gendsl.commands.crash import logged

    where = logged(error, given)
    _complain(
        f"sorry, this is a mistake in gendsl, not in your spec ({type(error).__name__})",
        help=f"what happened is in {where}; please send it with your spec",
    )
    return INTERNAL


if __name__ == "__main__":
    sys.exit(main())
