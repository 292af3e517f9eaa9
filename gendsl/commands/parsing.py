"""A command in, the parser of its arguments out; and a command line in, its options out."""

import argparse
import os
from collections.abc import Callable

from gendsl.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it does in a line and in a paragraph, examples, and its arguments."""

    name: str
    summary: str
    description: str
    examples: tuple[tuple[str, str], ...]  # a command line, and what it does
    arguments: Callable[[argparse.ArgumentParser], None]


def parser_of(command: Command) -> argparse.ArgumentParser:
    """The parser of a command's arguments; it prints its help and exits by itself (0), or on misuse (2)."""
    width = max(len(line) for line, _ in command.examples)
    examples = "\n".join(f"  {line:<{width}}  {what}".rstrip() for line, what in command.examples)
    parser = argparse.ArgumentParser(
        prog=f"gendsl {command.name}",
        description=command.description,
        epilog=f"examples:\n{examples}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    command.arguments(parser)
    return parser


def parsed(command: Command, given: list[str]) -> argparse.Namespace:
    """The arguments of a command; options may stand between its files."""
    parser = parser_of(command)
    options, rest = parser.parse_known_args(given)
    # Intermixed parsing formats the usage first, which takes as long as all the rest: only where it is needed.
    return parser.parse_intermixed_args(given) if rest else options


def settings(parser: argparse.ArgumentParser) -> None:
    """Adds `--set` and `--variant`."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="replace the value of a `param`, or the `seed`; may be given several times",
    )
    parser.add_argument("--variant", metavar="NAME", help="replace the params that a `variant` of the spec changes")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, measured without `shutil`, whose import takes longer than all other parsing."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size().columns
        except (OSError, ValueError):
            columns = 80
        super().__init__(prog, width=max(columns - 2, 40))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Prose is wrapped; the examples, which are indented, stay as they are."""
        import textwrap

        lines = (line if line.startswith(" ") else textwrap.fill(line, width) for line in text.splitlines())
        return "\n".join(indent + line for line in lines)
