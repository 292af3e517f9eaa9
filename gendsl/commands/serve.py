"""The options of `gendsl serve` in, a server until it is stopped and an exit code out."""

import argparse
import sys

from gendsl.commands.output import FINE, complain, flush, say, warn
from gendsl.commands.parsing import Command
from gendsl.commands.values import count, port, seconds


def serve(options: argparse.Namespace) -> int:
    """`gendsl serve`."""
    import gc

    from gendsl.commands.crash import logged
    from gendsl.serve.limits import Limits
    from gendsl.serve.server import serve as served

    gc.enable()

    def told(line: str) -> None:
        say(line + "\n")
        flush()

    def failed(error: Exception) -> None:
        complain(
            f"sorry, a request found a mistake in gendsl ({type(error).__name__})",
            help=f"what happened is in {logged(error, sys.argv[1:])}",
        )

    limits = Limits(samples=options.limit, seconds=options.timeout, waiting=options.queue)
    served(options.export, host=options.host, port=options.port, limits=limits, say=told, warn=warn, failed=failed)
    return FINE


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "export", metavar="EXPORT", help="a run that was exported, its export folder, or the folder of a SavedModel"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where to listen (default: 127.0.0.1, this machine alone)",
    )
    parser.add_argument(
        "--port", type=port, default=8501, metavar="PORT", help="the port (default: 8501; 0 takes any that is free)"
    )
    parser.add_argument(
        "--limit", type=count, default=1024, metavar="N", help="how many samples a request gets (default: 1024)"
    )
    parser.add_argument(
        "--timeout", type=seconds, default=60, metavar="SECONDS", help="how long a request may take (default: 60)"
    )
    parser.add_argument(
        "--queue", type=count, default=32, metavar="N", help="how many requests may wait for the model (default: 32)"
    )


SERVE = Command(
    "serve",
    "try an exported model: a page, and TF Serving's REST API",
    "Serves an exported model on this machine: a page with a form at /, and TensorFlow Serving's REST API below "
    "/v1/models/. It is for trying a model without Docker; in production take TensorFlow Serving. Ctrl-C stops it.",
    (
        ("gendsl serve runs/a", "the newest export of a run"),
        ("gendsl serve runs/a/export/digits/2 --port 0", "one version, on any free port"),
        ("gendsl serve runs/a --limit 64 --timeout 10", "small requests only"),
    ),
    _options,
)
