"""Hostile texts in, diagnostics out: within a second, within bounds, and never an exception."""

import gc
import time
from pathlib import Path

import pytest

from gendsl import rules
from gendsl.diagnostics import Problems
from gendsl.reading import SIZE, decoded, read
from gendsl.render import text as rendered
from gendsl.source import Source
from gendsl.syntax.format import formatted
from gendsl.syntax.parse import parse

DEEP = 10_000


def codes(text: str) -> list[str]:
    """The rules that a text breaks; its diagnostics can be shown."""
    problems = Problems()
    began = time.process_time()
    parse(Source("spec.gen", text), problems)
    assert time.process_time() - began < 4
    assert rendered(problems, limit=100) or not len(problems)
    return [diagnostic.rule.code for diagnostic in problems]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a {" * DEEP, rules.too_deep),
        ("a {\n" * DEEP + "}\n" * DEEP, rules.too_deep),
        ("x = " + "(" * DEEP + "1" + ")" * DEEP, rules.too_deep),
        ("x = " + "[" * DEEP, rules.too_deep),
        ("x = " + "f(" * DEEP, rules.too_deep),
        ("}" * DEEP, rules.unopened),
        ("a\0b", rules.unknown_character),
        ("a \ud800", rules.unknown_character),
        ("a \ufeffb", rules.unknown_character),
        ("x = 1e400", rules.number_range),
        ("x = 1e-400", rules.number_range),
        ("x = 9e308", rules.number_range),
        ("x = 1234e306", rules.number_range),
        ("x = 1e99999999999999999999", rules.number_range),
        ("x = " + "9" * 5_000, rules.number_range),
        ("x = " + "9" * 100_000, rules.number_range),
        ("x = 9999999999x1", rules.number_range),
        ("x = " + "9x" * 10_000 + "9", None),
        ("x = 1x", rules.number_tail),
        ('x = "' + "a" * 100_000, rules.unclosed),
        ("x = " + "\\" * 10_000, rules.unknown_character),
        ("é" * 10_000, rules.unknown_character),
        ("|" * 10_000, rules.syntax),
        (";" * 10_000, None),
        ("\n" * 100_000, None),
        ("#" * 100_000, None),
        ("a\r\nb 1,\r\n2\r\n", None),
        ("a\tb\t|\tc", None),
        ("a " + ", ".join(["1"] * 20_000), None),
        ("x = " + " + ".join(["1"] * 5_000), None),
        ("x = " + "-" * 5_000 + "1", None),
        ("x = " + "a." * 5_000 + "b", None),
        ("x = f" + "()" * 5_000, None),
        ("x = " + "2^" * 5_000 + "2", None),
    ],
    ids=range(34),
)
def test_text(text: str, rule: rules.Rule | None) -> None:
    found = codes(text)
    if rule is None:
        assert not set(found) - {"too_deep", "number_range"}
    else:
        assert found[0] == rule.code


def test_too_deep_is_said_once() -> None:
    assert codes("a {" * DEEP).count("too_deep") == 1


@pytest.mark.parametrize("text", ["x = " + " + ".join(["1"] * 900), "x = [" + "1, " * 20_000 + "1]"])
def test_long_values_are_formatted(text: str) -> None:
    assert formatted(parse(Source("", text), Problems())) == text + "\n"


@pytest.mark.parametrize("layers", [8_000])
def test_time_grows_linearly(layers: int) -> None:
    def seconds(count: int) -> float:
        text = "a {\n" + "conv 8, kernel: 3 | relu as h\n" * count + "}\n"
        times = []
        gc.disable()  # as the commands do
        try:
            for _ in range(3):
                began = time.process_time()
                parse(Source("", text), Problems())
                times.append(time.process_time() - began)
        finally:
            gc.enable()
        return min(times)

    assert seconds(layers) < 3 * seconds(layers // 2) + 0.05  # what grows as the square takes four times as long


def _read(path: str) -> tuple[Source | None, list[str], str]:
    problems = Problems()
    source = read(path, problems)
    return source, [diagnostic.rule.code for diagnostic in problems], rendered(problems)


def test_a_file_of_100_mb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.gen"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    began = time.perf_counter()
    source, found, shown = _read(str(path))
    assert source is None and found == ["too_large"] and "100.0 MiB" in shown
    assert time.perf_counter() - began < 0.5


def test_an_endless_file_is_not_read() -> None:
    source, found, _ = _read("/dev/zero")
    assert source is None and found == ["too_large"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"a\0b", "not_text"),
        (b"caf\xe9", "not_text"),
        (b"\xff\xfea\0b\0", "not_text"),
        (b"\xed\xa0\x80", "not_text"),
        (b"PK\x03\x04\xff", "not_text"),
        (b" " * (SIZE + 1), "too_large"),
    ],
)
def test_no_text(content: bytes, rule: str) -> None:
    problems = Problems()
    assert decoded(content, "a.gen", problems) is None
    assert [diagnostic.rule.code for diagnostic in problems] == [rule]
    assert rendered(problems)


def test_what_is_text() -> None:
    for content in (b"", b"\xef\xbb\xbfa", b"a\r\nb", "画".encode(), b" " * SIZE):
        problems = Problems()
        source = decoded(content, "a.gen", problems)
        assert source is not None and not len(problems)
        assert not source.text.startswith("\ufeff")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "digits_gan.gen").write_text("a")
    assert _read(str(tmp_path))[1] == ["unreadable"]
    _, found, shown = _read(str(tmp_path / "digit_gan.gen"))
    assert found == ["unreadable"] and "did you mean" in shown and "digits_gan.gen" in shown
    assert _read("a\0b")[1] == ["unreadable"]
    assert _read(str(tmp_path / ("x" * 300)))[1] == ["unreadable"]
    assert _read(str(tmp_path / "none" / "a.gen"))[1] == ["unreadable"]
    assert _read("")[1] == ["unreadable"]
