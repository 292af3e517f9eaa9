"""`gendsl replay` as a command: what it is, and the options that it takes."""

import argparse

from gendsl.commands.parsing import Command, settings


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("metrics", metavar="METRICS", help="a CSV, JSON lines or a JSON list; or the folder of a run")
    parser.add_argument(
        "--monitor",
        required=True,
        metavar="SPEC",
        help="a spec, a file with its `monitor` alone, or `default` for the default alarms",
    )
    settings(parser)
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


REPLAY = Command(
    "replay",
    "run a spec's alarms over recorded metrics",
    "Reads a recorded series (columns: step and values), tells when each alarm of a spec would have fired, to "
    "tune alarms on old runs, without training. Columns are found by their meaning: `FID`, `fid50k_full` and "
    "`metrics/fid` are all `fid`.",
    (
        ("gendsl replay old.csv --monitor default", "the default alarms"),
        ("gendsl replay runs/a --monitor my.gen", "a spec's alarms on what a run told"),
        ("gendsl replay log.jsonl --monitor my.gen --format json", "for a program"),
    ),
    _replay,
)
