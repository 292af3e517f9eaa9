"""A mutant in, a `Verdict` out: what `check` says of it, and whether an error names the damaged line."""

import signal
import time
import traceback
from dataclasses import dataclass
from typing import Any

from gendsl.check.checker import check
from gendsl.diagnostics import Diagnostic, Problems
from gendsl.plan.record import hash_of
from gendsl.source import Source, Span
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from mutation.good import Mutant

SECONDS = 5  # of a check
# Rules that forbid what could train and means nothing, and blocks that training does not need.
MEANING = ("missing_experiment", "unused_network", "unreachable", "missing_sample", "unknown_score", "duplicate_block")
LATER = ("evaluate", "monitor", "export", "card", "sweep", "variant", "sample")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `check` says of a mutant: its errors, whether one names the line, and without any the plan's hash."""

    mutant: Mutant
    errors: tuple[Diagnostic, ...]
    named: bool
    plan_hash: str | None
    advice: frozenset[str]  # the rules of its warnings
    crash: str
    seconds: float

    @property
    def rejected(self) -> bool:
        return bool(self.errors) or bool(self.crash)

    @property
    def trainable(self) -> bool:
        """Whether all errors are about meaning, or stand in a block that training does not need."""
        spec = parse(Source("", self.mutant.text), Problems())
        later = (
            [one.span for one in spec.statements if isinstance(one, tree.Chain) and one.steps[0].word in LATER]
            if not spec.skipped
            else []
        )
        return bool(self.errors) and all(
            error.rule.code in MEANING or any(span.start < error.span.start < span.end for span in later)
            for error in self.errors
        )


def lines_of(span: Span) -> frozenset[int]:
    """The lines of a span; of one that goes over more than two lines, the first."""
    first, last = span.source.position(span.start)[0], span.source.position(max(span.start, span.end - 1))[0]
    return frozenset(range(first, last + 1)) if last - first < 2 else frozenset({first})


class TooSlow(Exception):
    """The checker took longer than `SECONDS`."""


def _too_slow(*_: Any) -> None:
    raise TooSlow(f"check took more than {SECONDS} s")


def verdict_of(mutant: Mutant, folder: str) -> Verdict:
    """Checks a mutant; a check that takes longer than `SECONDS` counts as a crash."""
    problems = Problems()
    source = Source(f"{mutant.spec}.gen", mutant.text)
    began = time.perf_counter()
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(SECONDS)
    try:
        plan = check(source, problems, folder=folder)
        plan_hash = None if plan is None else hash_of(plan)
    except Exception:
        return Verdict(mutant, (), False, None, frozenset(), traceback.format_exc(), time.perf_counter() - began)
    finally:
        signal.alarm(0)
    seconds = time.perf_counter() - began
    errors = tuple(problems.of("error"))
    if plan is None and not errors:
        return Verdict(mutant, (), False, None, frozenset(), "neither a plan nor an error", seconds)
    advice = frozenset(warning.rule.code for warning in problems.of("warning"))
    named = any(
        lines_of(span) & mutant.lines
        for error in errors
        for span in (error.span, *(label.span for label in error.labels))
        if span.source is source
    )
    if mutant.dropped:
        named = named or any(f"`{mutant.dropped}" in f"{error.message} {error.help}" for error in errors)
    return Verdict(mutant, errors, named, plan_hash, advice, "", seconds)


def told(verdict: Verdict) -> str:
    """A mutant and what was said of it, on a few lines."""
    mutant = verdict.mutant
    out = [f"{mutant.spec} · {mutant.kind}: {mutant.what}   [{mutant.line[:90]}]  lines {sorted(mutant.lines)[:4]}"]
    for error in verdict.errors[:4]:
        line, column = error.span.source.position(error.span.start)
        out.append(f"    {line}:{column} {error.rule.code}: {error.message} | {error.note} | help: {error.help}")
    if verdict.crash:
        out += [f"    {line}" for line in verdict.crash.splitlines()[-6:]]
    return "\n".join(out)
