"""A command's name in, what it is and the options that it takes out; and the help of the whole."""

import argparse

from gendsl import __version__
from gendsl.commands.exporting import EXPORT
from gendsl.commands.instead import instead_options
from gendsl.commands.looking_up import LOOKING_UP
from gendsl.commands.parsing import Command
from gendsl.commands.parsing import settings as _set
from gendsl.commands.replay_options import REPLAY
from gendsl.commands.report import REPORT
from gendsl.commands.scoring import SCORING, checkpoint
from gendsl.commands.sweep import SWEEP
from gendsl.commands.values import count, natural, seconds, steps
from gendsl.commands.verify_export import VERIFY_EXPORT


def overview() -> str:
    """The help of `gendsl` itself."""
    width = max(map(len, COMMANDS)) + 2
    commands = "\n".join(f"  {command.name:<{width}}{command.summary}" for command in COMMANDS.values())
    return f"""gendsl {__version__}: a declarative experiment language for generative models

usage: gendsl COMMAND …

{commands}

examples:
  gendsl new my_gan --template gan     write a first spec, my_gan.gen
  gendsl check my_gan.gen              all its mistakes, in a blink
  gendsl run my_gan.gen                train it

`gendsl COMMAND --help` tells more of each, with examples; `gendsl explain conv` of a word or a rule.
Exit codes: 0 fine, 1 the spec is wrong, 2 usage, 3 the run failed, 4 its own alarm stopped it, 130 interrupted.
"""


def _specs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="a file of the language, or - for standard input")


def _spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="a file of the language, or - for standard input")


def _hints(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hints", action="store_true", help="show hints too, beside errors and warnings")


def _check(parser: argparse.ArgumentParser) -> None:
    _specs(parser)
    _set(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="text for people (the default), json for programs, github for workflow commands",
    )
    _hints(parser)


def _plan(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    _set(parser)
    parser.add_argument("--expand", action="store_true", help="write the prelude's objectives out as equations")
    parser.add_argument("--json", action="store_true", help="the whole plan, in the format of docs/plan-json.md")
    _hints(parser)


def _run(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    _set(parser)
    parser.add_argument("--out", metavar="DIR", help="the run's folder; by default runs/<experiment>/<time>-<hash>")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--resume", action="store_true", help="go on with the run that is there; start where there is none"
    )
    instead.add_argument(
        "--fresh", action="store_true", help="start anew; a run that is in the folder is kept beside it, as DIR.1"
    )
    _training(parser)
    parser.add_argument("--overfit", action="store_true", help="train on one batch, to see whether it can learn at all")
    parser.add_argument(
        "--download", action="store_true", help="download what `tfds(…)` names and is not on this machine"
    )
    _hints(parser)


def _training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-changes",
        action="store_true",
        help="go on though what is trained has changed since the run was started",
    )
    parser.add_argument(
        "--steps", type=natural, metavar="N", help="end after so many steps; schedules keep their length"
    )
    parser.add_argument(
        "--profile", type=steps, metavar="A..B", help="profile steps A to B, the first being 1, for TensorBoard"
    )
    _strategy(parser)


def _strategy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strategy",
        metavar="STRATEGY",
        help="lay the step over devices: auto, one, mirrored, mirrored(2), workers or tpu; else the spec says",
    )


def _resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    _training(parser)
    _as_worker(parser)


def _verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="SPEC-OR-RUN", help="a file of the language, or the folder of a run")
    _set(parser)
    parser.add_argument(
        "--steps", type=count, metavar="N", help="steps before the kill, and as many after it (default: 20)"
    )
    _strategy(parser)
    _hints(parser)


def _run_as_worker(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    _as_worker(parser)


def _as_worker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        metavar="HOST:PORT,…",
        help="train on several machines, the same list on each; the first writes. Without it TF_CONFIG says so, if set",
    )
    parser.add_argument(
        "--worker",
        type=natural,
        metavar="INDEX",
        help="which of --workers this is, from 0; else by its own addresses",
    )
    _wait(parser)


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        type=seconds,
        default=300,
        metavar="SECONDS",
        help="how long to wait for other workers (default: 300)",
    )


def _launch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n", type=count, default=2, dest="count", metavar="N", help="how many workers to start (default: 2)"
    )
    _run(parser)
    _wait(parser)


def _fmt(parser: argparse.ArgumentParser) -> None:
    _specs(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not formatted")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the experiment's name; NAME.gen is written")
    parser.add_argument("--template", metavar="TEMPLATE", default="gan", help="what to start from (default: gan)")
    parser.add_argument("--list", action="store_true", help="list the templates")


def _sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "-n", type=count, dest="count", metavar="N", help="how many samples (default: 16, or one of each prompt)"
    )
    parser.add_argument("--seed", type=natural, default=0, help="the same seed gives the same bytes (default: 0)")
    parser.add_argument("-o", "--out", metavar="DIR", default="samples", help="where to write (default: samples)")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="of a table: only rows with this; =, <, >, <= or >=; may be given several times",
    )
    parser.add_argument(
        "--interpolate",
        type=count,
        metavar="N",
        help="the way from each sample to the next in N pictures, both samples among them: a row of the grid each",
    )
    parser.add_argument(
        "--each-label",
        action="store_true",
        help="the same samples of each class (or of those by --label): a folder and a row of the grid each",
    )
    parser.add_argument(
        "--format",
        choices=("png", "npy", "csv", "parquet", "txt", "jsonl", "midi", "wav"),
        help="pictures: png or npy, one array of all; rows of a table: csv or parquet; text: txt or jsonl; music: midi "
        "or wav; sounds: wav or npy; points: csv or npy (default: the first of each)",
    )
    checkpoint(parser)
    instead_options(parser)


def _data(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    _set(parser)
    parser.add_argument(
        "-o", "--out", metavar="DIR", help="where lists and pictures are written; by default runs/<experiment>/data"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )
    _hints(parser)


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(
            "check",
            "find the mistakes of a spec, all in one pass",
            "Checks specs without loading TensorFlow: names, arguments, shapes, equations, and advice. "
            "Exits 1 if one is wrong.",
            (
                ("gendsl check specs/digits_gan.gen", "one spec"),
                ("gendsl check specs/*.gen --format github", "in a workflow of GitHub"),
                ("gendsl check my.gen --set width=64 --hints", "with another param, and hints"),
                ("cat my.gen | gendsl check - --format json", "from standard input, for a program"),
            ),
            _check,
        ),
        Command(
            "plan",
            "show what a spec comes to: layers, parameters, equations, memory",
            "Shows each network's layers with shapes, parameters and FLOPs, the updates as equations, the schedule and "
            "the memory a run will take.",
            (
                ("gendsl plan specs/digits_gan.gen", "as text"),
                ("gendsl plan specs/digits_gan.gen --expand", "with the objective written out"),
                ("gendsl plan specs/digits_gan.gen --json", "for a program"),
            ),
            _plan,
        ),
        Command(
            "data",
            "look at a spec's data: sizes, classes, what is dropped, leaks",
            "Loads the data of a spec as a run would, and tells what is in it: sizes, classes, means, what `curate` "
            "left out and why, which examples of other splits stand in training too. Writes that, lists of it, and "
            "pictures before and after augmentation, for TensorBoard too.",
            (
                ("gendsl data specs/digits_gan.gen", "into runs/digits_gan/data"),
                ("gendsl data my.gen -o look --set width=16", "into look/"),
                ("gendsl data my.gen --format json", "for a program"),
            ),
            _data,
        ),
        Command(
            "run",
            "train a spec",
            "Trains a spec in a folder of its own; `tensorboard --logdir runs` shows all runs. Ctrl-C saves and stops, "
            "and `gendsl resume` goes on, bit for bit. `--out DIR --resume` starts where there is nothing and goes on "
            "where there is something unfinished: the line for a job that may be killed and queued again.",
            (
                ("gendsl run specs/digits_gan.gen", "train"),
                ("gendsl run my.gen --out runs/a --resume", "start, or go on where it stopped"),
                ("gendsl run my.gen --steps 200 --set width=16", "a short, small one"),
                ("gendsl run my.gen --overfit", "can it learn one batch?"),
                ("gendsl run my.gen --workers a:2222,b:2222", "on two machines; the same on the other one"),
            ),
            _run_as_worker,
        ),
        Command(
            "resume",
            "go on with a run that was interrupted",
            "Goes on with a run from its newest intact checkpoint, with the spec and the options in its folder: what "
            "became of the spec's file since does not matter. One that has ended says so.",
            (
                ("gendsl resume runs/a", "to the step that it was started for"),
                ("gendsl resume runs/a --steps 5000", "to another one"),
            ),
            _resume,
        ),
        Command(
            "verify",
            "prove on this machine that a killed run loses nothing",
            "Trains a spec for a few steps in a temporary folder: in one go; until it is killed, and on from there. "
            "Then all variables are compared, bit for bit. Exits 3 if one differs, and names it.",
            (
                ("gendsl verify specs/digits_gan.gen", "20 steps, a kill, 20 steps more"),
                ("gendsl verify runs/a --steps 100", "of the spec and the options of a run"),
            ),
            _verify,
        ),
        Command(
            "launch",
            "train a spec by several workers on this machine",
            "Starts workers on this machine, each a `gendsl run` with its share of the GPUs, and ends them together. "
            "All other options are those of `gendsl run`. The batch stays the spec's, shared out among the workers.",
            (
                ("gendsl launch -n 2 my.gen", "two workers"),
                ("gendsl launch -n 2 runs/a", "go on with a run"),
            ),
            _launch,
        ),
        SWEEP,
        Command(
            "sample",
            "draw samples from a run",
            "Draws samples from a checkpoint of a run and writes them: pictures as PNGs with a grid of them, rows of a "
            "table as a CSV like the table, text, music as MIDI files.",
            (
                ("gendsl sample runs/digits_gan/…", "16 samples into samples/"),
                ("gendsl sample runs/a -n 64 --seed 3 -o out", "64 others into out/"),
                ("gendsl sample runs/a -n 50_000 --format npy", "very many, as one array"),
                ("gendsl sample runs/a -n 8 --label cat --truncation 0.5", "cats, less various"),
                ("gendsl sample runs/a -n 8 --each-label", "the same noise as each class"),
                ("gendsl sample runs/a -n 6 --interpolate 10", "the way between samples"),
                ('gendsl sample runs/text/… --prompt "In the " --temperature 0.7', "one text that begins so"),
                ("gendsl sample runs/ctgan -n 1000 --where job=clerk", "rows of a table that have this"),
            ),
            _sample,
        ),
        *SCORING,
        EXPORT,
        VERIFY_EXPORT,
        REPORT,
        REPLAY,
        Command(
            "fmt",
            "format specs",
            "Formats specs in place: indent and spacing. Lines, comments and alignment of comments stay the author's.",
            (
                ("gendsl fmt specs/*.gen", "in place"),
                ("gendsl fmt --check specs/*.gen", "only tell, exit 1 if one would change"),
                ("gendsl fmt --diff my.gen", "show what would change"),
                ("cat my.gen | gendsl fmt -", "from standard input to standard output"),
            ),
            _fmt,
        ),
        Command(
            "new",
            "write a first spec from a template",
            "Writes NAME.gen from a template. An existing file is never overwritten.",
            (
                ("gendsl new my_gan", "a GAN on handwritten digits"),
                ("gendsl new my_vae --template vae", "from another template"),
                ("gendsl new --list", "the templates"),
            ),
            _new,
        ),
        *LOOKING_UP,
    )
}
