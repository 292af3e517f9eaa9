"""Nothing in, the options of the commands that score runs out: `evaluate` and `compare`."""

import argparse

from gendsl.commands.parsing import Command
from gendsl.commands.values import count


def checkpoint(parser: argparse.ArgumentParser) -> None:
    """`--checkpoint`."""
    help = "`last` (the default), `best` (by the spec's `keep best`) or a step"
    parser.add_argument("--checkpoint", metavar="WHICH", default="last", help=help)


def _evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "--scores",
        metavar="SCORES",
        help='which, as they stand in `evaluate`: "fid; kid features: lite0"; by default those of the spec',
    )
    checkpoint(parser)
    parser.add_argument(
        "--samples", type=count, metavar="N", help="how many samples; by default as many as the spec says"
    )
    _text_or_json(parser)


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the folders of runs, two or more")
    parser.add_argument("--scores", metavar="NAMES", help="only these, with commas between: fid,precision")
    parser.add_argument(
        "--recorded", action="store_true", help="score nothing anew: only what the runs' files hold, at once"
    )
    _text_or_json(parser)


def _text_or_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


SCORING: tuple[Command, ...] = (
    Command(
        "evaluate",
        "take the scores of a run's checkpoint, with intervals",
        "Takes the scores of a spec's `evaluate`, or others, of a checkpoint, with 95 % bootstrap intervals. They are "
        "kept in evaluations.jsonl in the run's folder; what each depends on is in scores.json.",
        (
            ("gendsl evaluate runs/a", "the spec's scores, of the newest checkpoint"),
            ("gendsl evaluate runs/a --checkpoint best --samples 50000", "as in a paper"),
            ('gendsl evaluate runs/a --scores "fid features: lite0; memorized"', "others"),
        ),
        _evaluate,
    ),
    Command(
        "compare",
        "set the scores of runs side by side",
        "Sets runs side by side, at their best and last checkpoints, with 95 % bootstrap intervals; checkpoints are "
        "scored where that was not done yet. Scores that were not taken alike are refused, with what differs: then it "
        "exits 3.",
        (
            ("gendsl compare runs/a runs/b", "all scores that both have"),
            ("gendsl compare runs/a runs/b --scores fid --recorded", "what is on disk, without loading TensorFlow"),
        ),
        _compare,
    ),
)
