"""The options of `gendsl report` in, the page of a run written and an exit code out."""

import argparse

from gendsl.commands.output import FINE, say
from gendsl.commands.parsing import Command


def report(options: argparse.Namespace) -> int:
    """`gendsl report`."""
    from pathlib import Path

    from gendsl.report.write import written
    from gendsl.run.folder import open_run

    folder = open_run(Path(options.run))
    written(folder)
    say(f"{folder.shown}/report.html\n")
    return FINE


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")


REPORT = Command(
    "report",
    "write what a run came to as one page",
    "Writes report.html into the folder of a run: samples over time, scores, curves, events, the data, the spec and "
    "the plan, in one file that opens offline. `gendsl run` does so at its end; this makes it again, of a run that is "
    "not finished too.",
    (("gendsl report runs/a", "writes runs/a/report.html"),),
    _options,
)
