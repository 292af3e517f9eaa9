"""Texts in, their canonical form out: exact cases of indent, spacing, comments, blank lines and line breaks."""

from pathlib import Path

import pytest

from gendsl.diagnostics import Problems
from gendsl.source import Source
from gendsl.syntax.format import formatted
from gendsl.syntax.parse import parse
from gendsl.syntax.tree import Spec

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(ROOT.glob("specs/*.gen")) + sorted(ROOT.glob("gendsl/*/*.gen")) + sorted(ROOT.glob("examples/*.gen"))


def parsed(text: str) -> Spec:
    problems = Problems()
    spec = parse(Source("", text), problems)
    assert not len(problems), [diagnostic.message for diagnostic in problems]
    return spec


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", ""),
        ("\n\n\n", ""),
        ("# only a comment", "# only a comment\n"),
        ("a   1 ,2,  b :3", "a 1, 2, b: 3\n"),
        ("x=1\ny  ~normal( 2 )", "x = 1\ny ~ normal(2)\n"),
        ("param  n=1_000", "param n = 1_000\n"),
        ("a;b;c", "a\nb\nc\n"),
        ("a ;; b", "a\nb\n"),
        ("p { a;b }", "p { a; b }\n"),
        ("p {a}", "p { a }\n"),
        ("p { }", "p { }\n"),
        ("p {\n}", "p { }\n"),
        ("p {\n# why\n}", "p {\n  # why\n}\n"),
        ("p { a\nb; c }", "p {\n  a\n  b\n  c\n}\n"),
        ("p { q { a\n} }", "p {\n  q {\n    a\n  }\n}\n"),
        ("p {\n\n\na\n\n\n\nb\n\n}\n\n\n", "p {\n  a\n\n  b\n}\n"),
        ("a|b   |c as d", "a | b | c as d\n"),
        ("a\n|b", "a\n  | b\n"),
        ("minimize a\n+ b", "minimize a\n  + b\n"),
        ("minimize a +\nb", "minimize a +\n  b\n"),
        ("f(\na,\n  b\n)", None),
        ("x = f(\na,\n  b\n)", "x = f(\n  a,\n  b\n)\n"),
        ("x = [1,\n2]", "x = [1,\n  2]\n"),
        ("x = f(g(\n1\n))", "x = f(g(\n  1\n))\n"),
        ("x=- 1", "x = -1\n"),
        ("x = a - - b", "x = a - -b\n"),
        ("a -1", "a -1\n"),
        ("a (b + c) * d", "a (b + c) * d\n"),
        ("a.b (c)", "a.b (c)\n"),
        ("x = a.b (c)", "x = a.b(c)\n"),
        ("x = not( a )", "x = not (a)\n"),
        ("x = 2 ^ - i", "x = 2^-i\n"),
        ("x = -1 .. 1", "x = -1..1\n"),
        ("x = 4*4*256", "x = 4*4*256\n"),
        ("x = 4 * 4*256", "x = 4 * 4*256\n"),
        ("x = 4 *4", "x = 4 * 4\n"),
        ("x = a/b", "x = a/b\n"),
        ("a+b", None),
        ("x = a<b and c", "x = a < b and c\n"),
        ("network g(z:normal( 4 ))->image{dense 1}", "network g(z: normal(4)) -> image { dense 1 }\n"),
        ("repeat 3 as i{a}as h", "repeat 3 as i { a } as h\n"),
        ("a # b", "a  # b\n"),
        ("a #b\nc        #d", "a  #b\nc        #d\n"),
        ("  a      # b", "a      # b\n"),
        ("p {\n      a       # b\n}", "p {\n  a       # b\n}\n"),
        ("p { # why\na }", "p {  # why\n  a\n}\n"),
        ("a 1, # one\n2", "a 1,  # one\n  2\n"),
        ("# one\n\n\n# two\na", "# one\n\n# two\na\n"),
        ("p {\na\n# last\n}\n# end", "p {\n  a\n  # last\n}\n# end\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("\ta\t1", "a 1\n"),
    ],
)
def test_exactly(given: str, wanted: str | None) -> None:
    if wanted is None:  # no text of the language
        problems = Problems()
        parse(Source("", given), problems)
        assert problems.failed
        return
    assert formatted(parsed(given)) == wanted
    assert formatted(parsed(wanted)) == wanted


def test_a_long_block_opens_up() -> None:
    inner = " | ".join(["conv filters, kernel: 3"] * 5)
    assert formatted(parsed(f"path {{ {inner} }}")) == f"path {{\n  {inner}\n}}\n"
    short = " | ".join(["conv filters"] * 3)
    assert formatted(parsed(f"parallel {{ path {{ {short} }}; path {{ {short} }}; path {{ {short} }} }}")) == (
        "parallel {\n" + f"  path {{ {short} }}\n" * 3 + "}\n"
    )


def test_an_expression_is_never_broken() -> None:
    line = "x = " + " + ".join(["mean(softplus(discriminator(image)))"] * 8)
    assert formatted(parsed(line)) == line + "\n"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_specs_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(parsed(text)) == text


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_specs_are_written_anew(path: Path) -> None:
    spec = parsed(path.read_text(encoding="utf-8"))
    text = formatted(Spec(spec.statements, Source("", "")))
    assert parsed(text) == spec
    assert formatted(parsed(text)) == text


def test_a_large_spec_is_formatted_in_time() -> None:
    import time

    text = "network g(z: normal(4)) -> image {\n" + "conv 8,kernel:3 | relu # layer\n" * 4_000 + "}\n"
    spec = parsed(text)
    began = time.process_time()
    formatted(spec)
    assert time.process_time() - began < 2
