"""The text of an option in, its value out; argparse tells what is wrong with one that has none."""

import argparse


def seconds(text: str) -> float:
    """A length of time, above 0 and finite."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def steps(text: str) -> range:
    """The steps that are profiled: both ends belong to them."""
    first, dots, last = text.replace("_", "").partition("..")
    if not dots or not first.isascii() or not last.isascii() or not first.isdigit() or not last.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no range of steps, such as 20..30")
    if not 0 < int(first) <= int(last):
        raise argparse.ArgumentTypeError(f"{text!r} holds no step: the first is 1, and the last not before it")
    if int(last) - int(first) >= 1_000:
        raise argparse.ArgumentTypeError(f"{text!r} are too many steps to look at: at most 1,000")
    return range(int(first), int(last) + 1)


def natural(text: str) -> int:
    """A whole number from 0."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return value


def count(text: str) -> int:
    """A whole number from 1."""
    value = natural(text)
    if value == 0:
        raise argparse.ArgumentTypeError("0 is too few: a whole number from 1 is needed")
    return value


def number(text: str) -> float:
    """A number from 0, finite."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return value


def any_number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not float("-inf") < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def fraction(text: str) -> float:
    """A share above 0, at most 1; `95%` is 0.95."""
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        value = -1
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share, such as 0.95 or 95%")
    return value
