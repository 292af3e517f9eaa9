"""The user's mistakes as values: a `Diagnostic` says where, why and what to do; `Problems` collects them."""

from collections.abc import Iterable, Iterator
from typing import Literal

from gendsl.frozen import dataclass, field, replace
from gendsl.rules import Rule
from gendsl.source import Span

Severity = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that belongs to a diagnostic, with what is to be seen there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake or piece of advice: its rule, its message, its place, the places beside it, and the way out."""

    rule: Rule
    message: str
    span: Span
    note: str = ""  # what is to be seen at the place itself
    labels: tuple[Label, ...] = ()
    help: str = ""

    @property
    def severity(self) -> Severity:
        return self.rule.severity


@dataclass(slots=True)
class Problems:
    """All diagnostics of one check, each told once."""

    _found: dict[tuple[str, str, int, int], Diagnostic] = field(default_factory=dict)

    def add(
        self,
        rule: Rule,
        span: Span,
        message: str,
        *,
        note: str = "",
        labels: Iterable[Label] = (),
        help: str = "",
    ) -> None:
        """Records a diagnostic; the same rule at the same place is told only once, the first time."""
        key = (rule.code, span.source.path, span.start, span.end)
        if key not in self._found:
            self._found[key] = Diagnostic(rule, message, span, note, tuple(labels), help)

    def label(self, span: Span, labels: Iterable[Label]) -> None:
        """Adds places to the diagnostics at a place."""
        for key, found in self._found.items():
            if found.span == span:
                fresh = tuple(label for label in labels if label not in found.labels and label.span != span)
                self._found[key] = replace(found, labels=found.labels + fresh)

    def has(self, *rules: Rule) -> bool:
        """Whether a diagnostic of one of some rules was found."""
        return any(found.rule in rules for found in self._found.values())

    def drop(self, diagnostic: Diagnostic) -> None:
        """Takes a diagnostic back (it was silenced by `allow`, or only followed from another)."""
        span = diagnostic.span
        self._found.pop((diagnostic.rule.code, span.source.path, span.start, span.end), None)

    def __iter__(self) -> Iterator[Diagnostic]:
        """In the order of the text: file by file, place by place."""
        order = {"error": 0, "warning": 1, "hint": 2}
        return iter(
            sorted(
                self._found.values(),
                key=lambda d: (d.span.source.path, d.span.start, order[d.severity], d.span.end),
            )
        )

    def __len__(self) -> int:
        return len(self._found)

    def of(self, severity: Severity) -> list[Diagnostic]:
        """Those of one severity, in the order of the text."""
        return [diagnostic for diagnostic in self if diagnostic.severity == severity]

    @property
    def failed(self) -> bool:
        """Whether any is an error."""
        return any(diagnostic.severity == "error" for diagnostic in self._found.values())
