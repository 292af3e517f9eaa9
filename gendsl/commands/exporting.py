"""`gendsl export` as a command: what it is, and the options that it takes."""

import argparse

from gendsl.commands.parsing import Command
from gendsl.commands.scoring import checkpoint
from gendsl.commands.values import count


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    checkpoint(parser)
    parser.add_argument(
        "--version", type=count, metavar="N", help="the number of the version; by default the next that is free"
    )
    parser.add_argument("--replace", action="store_true", help="write over a version: that of --version, or the newest")
    parser.add_argument(
        "--images", choices=("float32", "uint8"), help="what pictures are given as, instead of what the spec says"
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="NETWORK",
        help="a network with an endpoint of its own, such as a critic; may be given several times",
    )
    parser.add_argument(
        "--override",
        metavar="REASON",
        help="export against the spec's gate (`refuse`, `require`); the reason is written into card and provenance",
    )


EXPORT = Command(
    "export",
    "write a run as a SavedModel for TF Serving",
    "Writes the sampling function of a run as a SavedModel, export/<name>/<version> in its folder, and beside it its "
    "model card, a chain of hashes, and what TensorFlow Serving is started and called with. Where nothing has changed, "
    "nothing is written.",
    (
        ("gendsl export runs/a", "writes runs/a/export/<name>/1, then 2, 3, …"),
        ("gendsl export runs/a --checkpoint best --images uint8", "the best weights, pictures as bytes"),
        ("gendsl export runs/a --also critic --replace", "with the critic's score, over the newest version"),
        ('gendsl export runs/a --override "for the workshop only"', "against the spec's gate; the card tells why"),
    ),
    _options,
)
