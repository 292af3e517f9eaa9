"""The options of `gendsl report` in, the page of a run written and an exit code out."""

import argparse

from gendsl.commands.output import FINE, say, warn
from gendsl.commands.parsing import Command


def report(options: argparse.Namespace) -> int:
    """`gendsl report`."""
    from pathlib import Path

    from gendsl.export.card.write import write_card
    from gendsl.lower.errors import UserError
    from gendsl.report.write import written
    from gendsl.run.folder import open_run

    folder = open_run(Path(options.run))
    written(folder)
    say(f"{folder.shown}/report.html\n")
    try:
        write_card(folder, folder.path)
    except UserError as error:  # the report tells of a run whatever is wrong with its plan, a card cannot
        warn(f"no model card: {error.message}")
    else:
        say(f"{folder.shown}/card.md\n")
    return FINE


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")


REPORT = Command(
    "report",
    "write what a run came to as one page, and its model card",
    "Writes report.html into the folder of a run: samples over time, scores, curves, events, the data, the spec and "
    "the plan, in one file that opens offline; and the model card of its newest checkpoint, card.md and card.html. "
    "`gendsl run` does so at its end; this makes them again, of a run that is not finished too.",
    (("gendsl report runs/a", "writes runs/a/report.html"),),
    _options,
)
