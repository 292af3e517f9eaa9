"""The options of `gendsl report` in, the page of a run written and an exit code out."""

from pathlib import Path
from typing import TYPE_CHECKING

from gendsl.commands.output import FINE, say

if TYPE_CHECKING:
    from argparse import Namespace


def report(options: "Namespace") -> int:
    """`gendsl report`."""
    from gendsl.report.write import written
    from gendsl.run.folder import open_run

    folder = open_run(Path(options.run))
    written(folder)
    say(f"{folder.shown}/report.html\n")
    return FINE
