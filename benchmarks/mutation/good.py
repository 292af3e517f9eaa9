"""A good spec in, its mutants out: edits of its text, and for each the lines of the new text that tell of it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gendsl.diagnostics import Problems
from gendsl.source import Source
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.syntax.tokens import Token, tokens_of


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of the text, what stands there instead, what was done in words, and the word that was taken away."""

    start: int
    end: int
    text: str
    what: str
    dropped: str = ""
    second: tuple[int, int, str] | None = None  # another stretch, behind the first


@dataclass(frozen=True, slots=True)
class Good:
    """A good spec with its tokens, its tree, and all nodes of the tree with the statements around them."""

    name: str
    source: Source
    tokens: tuple[Token, ...]
    nodes: tuple[Any, ...]
    parents: dict[int, Any]
    networks: tuple[str, ...]

    def text(self, node: Any) -> str:
        return str(node.span.text)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged spec: which, by what kind of damage, its text, and the lines that tell of it."""

    spec: str
    kind: str
    what: str
    text: str
    lines: frozenset[int]
    dropped: str
    line: str


Kind = Callable[[Good, random.Random], Iterator[Edit]]


def nodes_of(node: Any) -> Iterator[tuple[Any, Any]]:
    """All nodes below a node with their parents, in the order of the text."""
    stack = [(node, None)]
    while stack:
        here, parent = stack.pop()
        yield here, parent
        below: list[Any] = []
        for slot in getattr(here, "__slots__", ()):
            if slot in ("span", "source", "comments", "skipped"):
                continue
            value = getattr(here, slot)
            for one in value if isinstance(value, tuple) else (value,):
                if hasattr(one, "span"):
                    below.append((one, here))
        stack.extend(reversed(below))


def good_of(path: Path) -> Good:
    """A good spec, read."""
    source = Source(path.name, path.read_text("utf-8"))
    spec = parse(source, Problems())
    pairs = list(nodes_of(spec))
    networks = []
    for node, _ in pairs:
        if isinstance(node, tree.Arrow) and isinstance(node.left, tree.Call):
            networks.append(node.left.function.span.text)
    return Good(
        path.stem,
        source,
        tokens_of(source, Problems()).items,
        tuple(node for node, _ in pairs),
        {id(node): parent for node, parent in pairs},
        tuple(networks),
    )


def argument_lists(good: Good) -> Iterator[tuple[str, tuple[tree.Argument, ...]]]:
    """Every word and call of a spec with its arguments."""
    for node in good.nodes:
        if isinstance(node, tree.Call):
            yield node.function.span.text, node.arguments
        elif isinstance(node, tree.Step):
            yield node.word, node.arguments


def mutant_of(good: Good, kind: str, edit: Edit) -> Mutant:
    """The spec after an edit, with the lines (from 1) of the new text that tell of it."""
    old = good.source.text
    text = old[: edit.start] + edit.text + old[edit.end :]
    first = text.count("\n", 0, edit.start) + 1
    lines = set(range(first, first + edit.text.count("\n") + 1))
    if edit.second is not None:
        shift = len(edit.text) - (edit.end - edit.start)
        start, end, new = edit.second
        text = text[: start + shift] + new + text[end + shift :]
        at = text.count("\n", 0, start + shift) + 1
        lines |= set(range(at, at + new.count("\n") + 1))
    if edit.dropped:
        lines |= {first - 1, first + 1}
        depth = 0
        for token in reversed([token for token in good.tokens if token.end <= edit.start]):
            depth += (token.text == "}") - (token.text == "{")
            if depth < 0:
                lines.add(text.count("\n", 0, token.start) + 1)
                break
    line = old[old.rfind("\n", 0, edit.start) + 1 : (old.find("\n", edit.start) + 1 or len(old) + 1) - 1]
    return Mutant(good.name, kind, edit.what, text, frozenset(lines), edit.dropped, line.strip())


def mutants_of(good: Good, kinds: tuple[Kind, ...], count: int, seed: int) -> Iterator[Mutant]:
    """At most so many mutants of each kind, the same ones for the same seed; none is the spec itself."""
    for kind in kinds:
        draw = random.Random(f"{seed} {good.name} {kind.__name__}")
        edits = list(kind(good, draw))
        seen = {good.source.text}
        for edit in draw.sample(edits, min(count, len(edits))):
            mutant = mutant_of(good, kind.__name__, edit)
            if mutant.text not in seen:
                seen.add(mutant.text)
                yield mutant
