"""Command lines in, exit codes out: each command by its name, and what is told where one fails."""

import gc
import os
import sys
from typing import TYPE_CHECKING

from gendsl.commands import report as report_command
from gendsl.commands import training
from gendsl.commands.given import checked, plan_or_complain
from gendsl.commands.output import (
    FAILED,
    FINE,
    INTERNAL,
    INTERRUPTED,
    LIMIT,
    PIPE,
    UNWRITABLE,
    USAGE,
    WRONG,
    OutputError,
    UsageError,
    colored,
    complain,
    counts,
    flush,
    report,
    say,
    shown,
    silence,
)

if TYPE_CHECKING:
    from argparse import Namespace

    from gendsl.diagnostics import Diagnostic


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
        flush()
        return code
    except UsageError as error:
        complain(str(error))
        return USAGE
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        silence()
        return PIPE
    except OutputError as error:
        silence()
        complain(f"the output cannot be written: {error}")
        return UNWRITABLE
    except Exception as error:
        return _failed(error, given)
    finally:
        if collected:
            gc.enable()


def _dispatch(given: list[str]) -> int:
    from gendsl.commands.options import COMMANDS, overview
    from gendsl.commands.parsing import parsed

    first = given[0] if given else "--help"
    if first in ("--help", "-h", "help"):
        if len(given) > 1 and given[1] in COMMANDS:
            return _dispatch([given[1], "--help"])
        say(overview())
        return FINE
    if first in ("--version", "-V"):
        from gendsl import __version__

        say(f"gendsl {__version__}\n")
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

    found: list[Diagnostic] = []
    summary = []
    code = FINE
    for path in options.specs:
        problems = Problems()
        checked(path, problems, options)
        listed = shown(problems, hints=options.hints)
        found += listed
        summary.append(f"{render.visible(path)}: {counts(listed)}")
        code = WRONG if problems.failed else code
    if options.format == "json":
        say(render.json(found))
    elif options.format == "github":
        say(render.github(found))
    else:
        say(render.text(found, color=colored(sys.stdout), limit=LIMIT))
        say("".join(f"{line}\n" for line in summary))
    return code


def _plan(options: "Namespace") -> int:
    _, plan = plan_or_complain(options.spec, options)
    if plan is None:
        return WRONG
    if options.json:
        import json

        from gendsl.plan.record import record_of

        say(json.dumps(record_of(plan), indent=2) + "\n")
    else:
        from gendsl.plan.show import plan_shown

        say(plan_shown(plan, expand=options.expand))
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
            report(shown(problems, hints=False))
            code = WRONG
            continue
        different = text != source.text
        changed += different
        if options.diff:
            say(difference(source, text))
        if path == "-" and not (options.check or options.diff):
            say(text)
        elif different and options.check and not options.diff:
            say(f"{path} is not formatted\n")
        elif different and not (options.check or options.diff):
            replace(path, text)
            say(f"{path} formatted\n")
    return WRONG if options.check and changed else code


def _explain(options: "Namespace") -> int:
    from gendsl.commands.explain import explanation, nearest

    text = explanation(options.word)
    if text is None:
        found = nearest(options.word)
        meant = f"did you mean `{found}`?" if found else "`gendsl words` lists the words"
        raise UsageError(f"`{options.word}` is neither a word nor a rule: {meant}")
    say(text)
    return FINE


def _new(options: "Namespace") -> int:
    from gendsl.commands import new

    if options.list:
        say(new.listing())
        return FINE
    if options.name is None:
        raise UsageError("a name is missing: `gendsl new my_gan`; `gendsl new --list` shows the templates")
    path, problem = new.write(options.name, options.template)
    if problem:
        raise UsageError(problem)
    say(f"{path} written from the template `{options.template}`\n")
    if data := new.beside(path, options.template):
        say(f"{data} written, the data that it reads\n")
    say(f"check it with `gendsl check {path}`, train it with `gendsl run {path}`\n")
    return FINE


def _words(options: "Namespace") -> int:
    from gendsl.commands import words

    kinds = words.kinds()
    if options.kind is not None and options.kind not in kinds:
        from gendsl.spelling import suggestion

        found = suggestion(options.kind, kinds)
        meant = f"did you mean `{found}`?" if found else f"there are {', '.join(kinds)}"
        raise UsageError(f"there is no kind `{options.kind}`: {meant}")
    say(words.listing(options.kind, form=options.format))
    return FINE


def _replay(options: "Namespace") -> int:
    from gendsl.commands.replay import replay

    return replay(options)


def _sweep(options: "Namespace") -> int:
    from gendsl.commands.sweep import sweep

    return sweep(options)


def _evaluate(options: "Namespace") -> int:
    from gendsl.commands.evaluate import evaluate

    return evaluate(options)


def _compare(options: "Namespace") -> int:
    from gendsl.commands.compare import compare

    return compare(options)


def _verify_export(options: "Namespace") -> int:
    from gendsl.commands.verify_export import verify_export

    return verify_export(options)


def _serve(options: "Namespace") -> int:
    from gendsl.commands.serve import serve

    return serve(options)


def _completion(options: "Namespace") -> int:
    from gendsl.commands.completion import script

    say(script(options.shell))
    return FINE


_COMMANDS = {
    "check": _check,
    "plan": _plan,
    "data": training.data,
    "run": training.run,
    "resume": training.resume,
    "verify": training.verify,
    "launch": training.launch,
    "sweep": _sweep,
    "sample": training.sample,
    "evaluate": _evaluate,
    "compare": _compare,
    "export": training.export,
    "verify-export": _verify_export,
    "serve": _serve,
    "report": report_command.report,
    "replay": _replay,
    "fmt": _fmt,
    "new": _new,
    "explain": _explain,
    "words": _words,
    "completion": _completion,
}


def _failed(error: Exception, given: list[str]) -> int:
    """What the user can mend is said; all else is our mistake: a short apology here, the traceback in a file."""
    message, help = getattr(error, "message", None), getattr(error, "help", "")
    if isinstance(message, str) and any(base.__name__ == "UserError" for base in type(error).__mro__):
        complain(message, help=help)
        return FAILED
    if isinstance(error, OSError) and error.filename is not None:
        complain(f"{error.filename}: {error.strerror}")
        return FAILED
    from gendsl.commands.crash import logged

    where = logged(error, given)
    complain(
        f"sorry, this is a mistake in gendsl, not in your spec ({type(error).__name__})",
        help=f"what happened is in {where}; please send it with your spec",
    )
    return INTERNAL


if __name__ == "__main__":
    sys.exit(main())
