"""The options of `gendsl sample` that say otherwise than the spec in, what is asked for out."""

import argparse
from typing import TYPE_CHECKING

from gendsl.commands.output import UsageError
from gendsl.commands.values import any_number, count, fraction, number

if TYPE_CHECKING:
    from gendsl.run.instead import Instead

_OPTIONS = ("length", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "stop")  # of `generate`


def instead_options(parser: argparse.ArgumentParser) -> None:
    """Adds them to the parser of `gendsl sample`."""
    group = parser.add_argument_group("of samples that `generate` writes, in place of the spec's")
    prompts = group.add_mutually_exclusive_group()
    prompts.add_argument(
        "--prompt",
        action="append",
        default=[],
        dest="prompts",
        metavar="TEXT",
        help="what a sample begins with; given several times, the samples take them in turn",
    )
    prompts.add_argument(
        "--prompts", dest="prompt_file", metavar="FILE", help="a file of prompts, one a line, in UTF-8"
    )
    group.add_argument("--length", type=count, metavar="N", help="tokens of a sample, the prompt's included")
    group.add_argument("--temperature", type=number, metavar="T", help="0 takes the likeliest")
    group.add_argument("--top-k", type=count, metavar="K", help="choose among the likeliest so many")
    group.add_argument("--top-p", type=fraction, metavar="P", help="choose among the likeliest that make up this share")
    group.add_argument(
        "--min-p", type=fraction, metavar="P", help="choose among those this share as likely as the likeliest"
    )
    group.add_argument(
        "--repetition-penalty", type=number, metavar="X", help="above 1 makes tokens that are there less likely"
    )
    group.add_argument("--stop", metavar="TEXT", help="a sample ends behind this text")
    group = parser.add_argument_group("of how samples are drawn, in place of the spec's")
    group.add_argument(
        "--label",
        action="append",
        default=[],
        dest="labels",
        metavar="CLASS",
        help="the class of all samples, by its name or number; given several times, the samples take them in turn",
    )
    group.add_argument(
        "--truncation",
        type=number,
        metavar="T",
        help="numbers of a normal prior beyond -T..T are drawn again: smaller is better-looking and less various",
    )
    group.add_argument(
        "--psi",
        type=any_number,
        metavar="P",
        help="how far w of a mapping network is from its mean: 1 as it is, 0 all alike",
    )
    group.add_argument("--steps", type=count, metavar="N", help="steps of a sampler such as ddim")
    group.add_argument(
        "--guidance", type=number, metavar="W", help="how far a sampler follows its conditions: 1 is no guidance"
    )


def instead_of_spec(options: argparse.Namespace) -> "Instead":
    """What the options of a command line ask for. UsageError for a file of prompts that cannot be read."""
    from gendsl.run.instead import Instead

    given = {name: getattr(options, name) for name in _OPTIONS if getattr(options, name) is not None}
    if given.get("repetition_penalty") == 0 or given.get("stop") == "":
        name = "repetition_penalty" if given.get("repetition_penalty") == 0 else "stop"
        raise UsageError(f"--{name.replace('_', '-')} is nothing: leave it out, or give it a value")
    prompts = tuple(options.prompts)
    if options.prompt_file is not None:
        prompts = _lines(options.prompt_file)
    return Instead(
        prompts,
        given,
        tuple(options.labels),
        truncation=options.truncation,
        psi=options.psi,
        steps=options.steps,
        guidance=options.guidance,
    )


def _lines(path: str) -> tuple[str, ...]:
    try:
        with open(path, encoding="utf-8") as file:
            found = tuple(file.read().splitlines())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the prompts in {path} cannot be read: {reason}") from None
    if not found:
        raise UsageError(f"{path} holds no prompt: write one a line")
    return found
