"""The parts of a rule in, a rule out: what the checker's rules are made of."""

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
    """A mistake, without whose mend nothing is made of a spec."""
    return Rule(code, "error", summary, explanation)


def advice(code: str, summary: str, explanation: str, source: str) -> Rule:
    """What is legal and known to go wrong."""
    return Rule(code, "warning", summary, explanation, source)
