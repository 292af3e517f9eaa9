"""The grammar in Lark's hands and in ours: the shipped tables are fresh, and both parsers give the same shapes."""

import zlib
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Token, Tree
from lark.lexer import Lexer

from gendsl.diagnostics import Problems
from gendsl.source import Source
from gendsl.syntax import _tables, tree
from gendsl.syntax.parse import parse
from gendsl.syntax.tables import GRAMMAR, REDUCE, SHIFT, build, tables
from gendsl.syntax.tokens import tokens_of

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(ROOT.glob("specs/*.gen")) + sorted(ROOT.glob("gendsl/*/*.gen"))


def test_the_shipped_tables_are_fresh() -> None:
    """If this fails: python -m gendsl.syntax.tables"""
    grammar = Path(GRAMMAR).read_bytes()
    assert zlib.crc32(grammar) == _tables.DIGEST
    built, shipped = build(grammar.decode(), _tables.DIGEST), tables()
    assert (built.terminals, built.rules) == (shipped.terminals, shipped.rules)
    # Lark numbers the states anew in each process, so they are compared by walking both automata at once.
    twins = {built.start: shipped.start}
    queue = [built.start]
    while queue:
        state = queue.pop()
        ours, theirs = built.actions[state], shipped.actions[twins[state]]
        assert ours.keys() == theirs.keys()
        pairs = [(ours[kind], theirs[kind]) for kind in ours]
        assert all(left == right for left, right in pairs if left[0] == REDUCE)
        steps = [(left[1], right[1]) for left, right in pairs if left[0] == SHIFT]
        gotos, others = built.gotos[state], shipped.gotos[twins[state]]
        assert gotos.keys() == others.keys()
        for left, right in [*steps, *((gotos[rule], others[rule]) for rule in gotos)]:
            if left not in twins:
                twins[left] = right
                queue.append(left)
            assert twins[left] == right
    assert len(set(twins.values())) == len(twins) == len(shipped.actions)


class OurTokens(Lexer):
    """Lark's parser over the tokens of our lexer and post-lexer."""

    def __init__(self, *_: Any) -> None:
        pass

    def lex(self, data: str) -> Any:
        for token in tokens_of(Source("", data), Problems()).items[:-1]:
            yield Token(token.kind, token.text)


@pytest.fixture(scope="module")
def lark() -> Lark:
    return Lark(Path(GRAMMAR).read_text(encoding="utf-8"), parser="lalr", lexer=OurTokens, maybe_placeholders=False)


def of_lark(node: Any) -> Any:
    """A tree of Lark as nested tuples; what only stands for its parts is taken apart."""
    if isinstance(node, Token):
        return str(node)
    assert isinstance(node, Tree)
    children = [
        of_lark(child) for child in node.children if not (isinstance(child, Token) and child.type == "SEPARATOR")
    ]
    if node.data in ("start", "alias"):
        return children[-1]
    if node.data == "arguments":
        return ("arguments", *children)
    if node.data == "name":
        return children[0]
    return (str(node.data), *children)


def of_ours(node: Any) -> Any:
    """Our tree in the shape that Lark gives."""
    match node:
        case tree.Spec() | tree.Block():
            inner = ("body", *map(of_ours, node.statements))
            return inner if isinstance(node, tree.Spec) else ("block", inner)
        case tree.Chain():
            return ("chain", *map(of_ours, node.steps))
        case tree.Step():
            parts: list[Any] = [("head", *(name.text for name in node.head))]
            if node.arguments:
                parts.append(("arguments", *map(of_ours, node.arguments)))
            parts += [node.index.text] if node.index else []
            parts += [of_ours(node.block)] if node.block else []
            parts += [node.label.text] if node.label else []
            return ("block_step" if node.block else "step", *parts)
        case tree.Binding() | tree.Draw():
            return (type(node).__name__.lower(), node.name.text, of_ours(node.value))
        case tree.Parameter():
            return ("parameter", "param", node.name.text, of_ours(node.value))
        case tree.Argument():
            return of_ours(node.value) if node.name is None else ("keyword", node.name.text, of_ours(node.value))
        case tree.Name():
            return node.text
        case tree.Number() | tree.Size() | tree.String():
            return (type(node).__name__.lower(), node.text)
        case tree.Quantity():
            return ("quantity", node.number.text, node.unit.text)
        case tree.Switch():
            return ("switch", "on" if node.value else "off")
        case tree.ListOf():
            return ("list", *map(of_ours, node.items))
        case tree.Member():
            return ("member", of_ours(node.value), node.name.text)
        case tree.Call():
            given = (("arguments", *map(of_ours, node.arguments)),) if node.arguments else ()
            return ("call", of_ours(node.function), *given)
        case tree.Unary():
            return ("unary", node.operator, of_ours(node.operand))
        case tree.Binary():
            return ("binary", of_ours(node.left), node.operator, of_ours(node.right))
        case tree.Range():
            return ("range", of_ours(node.low), "..", of_ours(node.high))
        case tree.Arrow():
            return ("arrow", of_ours(node.left), "->", of_ours(node.right))
        case tree.Parenthesised():
            return ("parenthesised", of_ours(node.value))
    raise AssertionError(node)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_lark_gives_the_same_tree(path: Path, lark: Lark) -> None:
    text = path.read_text(encoding="utf-8")
    assert of_lark(lark.parse(text)) == of_ours(parse(Source("", text), Problems()))


def test_lark_reads_the_acceptance_specs_by_its_own_lexer(lark: Lark) -> None:
    """The terminals of the grammar, matched by Lark's basic lexer, are those that ours matches."""
    basic = Lark(Path(GRAMMAR).read_text(encoding="utf-8"), parser="lalr", lexer="basic")
    for path in SPECS:
        text = path.read_text(encoding="utf-8")
        lexed = [(token.type, str(token)) for token in basic.lex(text) if token.type != "SEPARATOR"]
        ours = tokens_of(Source("", text), Problems()).items[:-1]
        assert lexed == [(token.kind, token.text) for token in ours if token.kind != "SEPARATOR"], path.name
