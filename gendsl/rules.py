"""Every rule of the checker, once: its code, its severity, and what `gendsl explain` says of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `explanation` tells why it is one, `source` where that is known from (a paper, a manual)."""

    code: str
    severity: Literal["error", "warning", "hint"]
    summary: str
    explanation: str
    source: str = ""


def _error(code: str, summary: str, explanation: str) -> Rule:
    return Rule(code, "error", summary, explanation)


def _advice(code: str, summary: str, explanation: str, source: str) -> Rule:
    return Rule(code, "warning", summary, explanation, source)


# Text and syntax
not_text = _error("not_text", "The file is not UTF-8 text.", "A spec is UTF-8 text without NUL characters, of at most 2 MiB.")
too_large = _error("too_large", "The file is beyond the size of a spec.", "A spec has at most 2 MiB of text.")
too_deep = _error("too_deep", "Braces, brackets or parentheses are nested too deeply.", "The limit is 100 levels. Name inner parts with `block`.")
unclosed = _error("unclosed", "A brace, bracket, parenthesis or text is never closed.", "Every `{`, `[`, `(` and `\"` has its counterpart; a text ends on its line, and a `(` or `[` before the next brace.")
unopened = _error("unopened", "A brace, bracket or parenthesis closes nothing.", "It has no counterpart before it in its block.")
unknown_character = _error("unknown_character", "A character that the language does not use.", "Outside texts and comments a spec is written in letters, digits, `_` and the signs of its syntax.")
unknown_escape = _error("unknown_escape", "A backslash in a text before something that is no escape.", "The escapes are `\\\"`, `\\\\`, `\\n` and `\\t`.")
number_tail = _error("number_tail", "Letters follow a number directly.", "A unit stands behind a space (`500 steps`), and a name begins with a letter.")
number_range = _error("number_range", "A number beyond the range of numbers.", "Numbers reach from 1e-308 to 1e308; a side of a size to a billion.")
brace_on_own_line = _error("brace_on_own_line", "A `{` stands on a line of its own.", "A statement ends with its line, so its block begins on the same line.")
syntax = _error("syntax", "The text does not follow the grammar.", "A statement is `head value, key: value { … }`, `name = value`, `name ~ distribution` or `param name = value`; layers are joined by `|`.")

RULES: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
