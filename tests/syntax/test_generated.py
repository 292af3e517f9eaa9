"""Trees and texts drawn by Hypothesis: the printer and the parser undo each other, and no text breaks the parser."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gendsl.diagnostics import Problems
from gendsl.source import Source
from gendsl.syntax import parse as driver
from gendsl.syntax.format import formatted
from gendsl.syntax.parse import parse
from gendsl.syntax.tables import tables
from gendsl.syntax.tokens import tokens_of
from gendsl.syntax.tree import Spec
from tests.syntax.strategies import damaged, scrambled, specs

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]
FAST = settings(max_examples=200, deadline=None, suppress_health_check=QUIET, derandomize=True)
SLOW = settings(max_examples=5_000, deadline=None, suppress_health_check=QUIET)


def parsed(text: str) -> Spec:
    problems = Problems()
    spec = parse(Source("spec.gen", text), problems)
    assert not len(problems), (text, [diagnostic.message for diagnostic in problems])
    return spec


def undone(spec: Spec) -> None:
    text = formatted(spec)
    again = parsed(text)
    assert again == spec, text
    assert formatted(again) == text


def kept(data: st.DataObject) -> None:
    """Formatting a text with comments and odd spacing keeps the tree and the comments, and settles at once."""
    text = data.draw(scrambled(formatted(data.draw(specs))))
    spec = parsed(text)
    once = formatted(spec)
    again = parsed(once)
    assert again == spec, text
    assert [comment.text for comment in again.comments] == [comment.text for comment in spec.comments]
    assert formatted(again) == once
    assert "\n\n\n" not in once and "\t\n" not in once
    assert all(line == line.rstrip(" ") for line in once.split("\n"))


def survived(text: str) -> None:
    began = time.process_time()
    problems = Problems()
    spec = parse(Source("spec.gen", text), problems)
    for diagnostic in problems:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text) + 1
        assert diagnostic.message
    if not len(problems):
        undone(spec)
        event("parsed")
    assert time.process_time() - began < 10, "longer than any text of this size can need"


@FAST
@given(specs)
def test_parse_undoes_print(spec: Spec) -> None:
    undone(spec)


@pytest.mark.slow
@SLOW
@given(specs)
def test_parse_undoes_print_often(spec: Spec) -> None:
    undone(spec)


@FAST
@given(st.data())
def test_formatter_keeps_tree_and_comments(data: st.DataObject) -> None:
    kept(data)


@pytest.mark.slow
@SLOW
@given(st.data())
def test_formatter_keeps_tree_and_comments_often(data: st.DataObject) -> None:
    kept(data)


def texts(data: st.DataObject) -> str:
    written = formatted(data.draw(specs))
    return data.draw(
        st.one_of(damaged(written), st.text(max_size=200), st.text('ab1.{}()[]|,;:=~#"\\\n -+*/^<>_%x', max_size=120))
    )


@FAST
@given(st.data())
def test_no_text_breaks_the_parser(data: st.DataObject) -> None:
    survived(texts(data))


@pytest.mark.slow
@SLOW
@given(st.data())
def test_no_text_breaks_the_parser_often(data: st.DataObject) -> None:
    survived(texts(data))


@pytest.fixture
def reduced(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The builders of the rules that the driver reduced by."""
    seen: set[str] = set()
    reduce = driver._Driver._reduce

    def noted(self: driver._Driver, number: int, lookahead: object) -> None:
        seen.add(self.table.rules[number][1])
        reduce(self, number, lookahead)

    monkeypatch.setattr(driver._Driver, "_reduce", noted)
    yield seen


def test_every_rule_of_the_grammar_is_hit(reduced: set[str]) -> None:
    @settings(max_examples=500, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
    @given(specs)
    def cover(spec: Spec) -> None:
        parse(Source("", formatted(spec)), Problems())

    cover()
    # Rules that stand for their only part (a statement is a chain, a binding…) are passed through, never reduced by.
    every = {
        builder
        for origin, builder, _, length, passes in tables().rules
        if not origin.startswith("__") and not (passes and length == 1)
    }
    assert every == reduced & every, every - reduced


def test_tokens_are_the_text() -> None:
    text = "a 1, b: 2 | c\n# d\nx = 3; y ~ z(4)\n"
    source = Source("", text)
    for token in tokens_of(source, Problems()).items[:-1]:
        assert text[token.start : token.end] == token.text
