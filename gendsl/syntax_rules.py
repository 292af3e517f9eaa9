"""What a rule is, and the rules of text and syntax; `gendsl.rules` has all rules, these among them."""

from typing import Literal

from gendsl.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `explanation` tells why it is one, `source` where that is known from (a paper, a manual)."""

    code: str
    severity: Literal["error", "warning", "hint"]
    summary: str
    explanation: str
    source: str = ""


def error(code: str, summary: str, explanation: str) -> Rule:
    """A rule without which a spec has no plan."""
    return Rule(code, "error", summary, explanation)


def advice(code: str, summary: str, explanation: str, source: str) -> Rule:
    """A rule about what is legal and known to go wrong."""
    return Rule(code, "warning", summary, explanation, source)


unreadable = error(
    "unreadable",
    "The spec cannot be read.",
    "A spec is one file, or `-` for standard input; a folder, a missing file and a file without the right"
    " to read it are none.",
)
not_text = error(
    "not_text", "The file is not UTF-8 text.", "A spec is UTF-8 text without NUL characters, of at most 2 MiB."
)
too_large = error("too_large", "The file is beyond the size of a spec.", "A spec has at most 2 MiB of text.")
too_deep = error(
    "too_deep",
    "Braces, brackets or parentheses are nested too deeply.",
    "The limit is 100 levels. Name inner parts with `block`.",
)
unclosed = error(
    "unclosed",
    "A brace, bracket, parenthesis or text is never closed.",
    'Every `{`, `[`, `(` and `"` has its counterpart; a text ends on its line, and a `(` or `[` before the next brace.',
)
unopened = error(
    "unopened", "A brace, bracket or parenthesis closes nothing.", "It has no counterpart before it in its block."
)
unknown_character = error(
    "unknown_character",
    "A character that the language does not use.",
    "Outside texts and comments a spec is written in letters, digits, `_` and the signs of its syntax.",
)
unknown_escape = error(
    "unknown_escape",
    "A backslash in a text before something that is no escape.",
    'The escapes are `\\"`, `\\\\`, `\\n` and `\\t`.',
)
number_tail = error(
    "number_tail",
    "Letters follow a number directly.",
    "A unit stands behind a space (`500 steps`), and a name begins with a letter.",
)
number_range = error(
    "number_range",
    "A number beyond the range of numbers.",
    "Numbers reach from 1e-308 to 1e308; a side of a size to a billion.",
)
brace_on_own_line = error(
    "brace_on_own_line",
    "A `{` stands on a line of its own.",
    "A statement ends with its line, so its block begins on the same line.",
)
syntax = error(
    "syntax",
    "The text does not follow the grammar.",
    "A statement is `head value, key: value { … }`, `name = value`, `name ~ distribution` or `param name "
    "= value`; layers are joined by `|`.",
)
