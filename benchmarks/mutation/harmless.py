"""A good spec in, edits that keep its meaning out: to reject one is a false alarm."""

import random
from collections.abc import Iterator
from itertools import pairwise

from gendsl.syntax import tree
from mutation.good import Edit, Good, argument_lists


def harmless_parentheses(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A value stands in parentheses of its own."""
    for node in good.nodes:
        parent = good.parents.get(id(node))
        if isinstance(node, tree.Binary) and isinstance(parent, tree.Argument | tree.Binding | tree.Binary):
            yield Edit(node.span.start, node.span.end, f"({good.text(node)})", "parentheses")


def harmless_lines(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A line end where the language allows one, an empty line or a comment."""
    for token in good.tokens:
        if token.text in (",", "|"):
            yield Edit(token.end, token.end, "\n   ", f"a line end behind `{token.text}`")
        elif token.text == "{":
            yield Edit(token.end, token.end, "  # a comment\n\n", "a comment behind `{`")


def harmless_order(good: Good, draw: random.Random) -> Iterator[Edit]:
    """Two arguments by name change places."""
    for owner, arguments in argument_lists(good):
        if owner in ("network", "update", "block") or any(isinstance(one.value, tree.Arrow) for one in arguments):
            continue
        for one, two in pairwise(arguments):
            parent = good.parents.get(id(good.parents.get(id(one))))
            if one.name is not None and two.name is not None and not isinstance(parent, tree.Arrow):
                between = good.source.text[one.span.end : two.span.start]
                yield Edit(one.span.start, two.span.end, two.span.text + between + one.span.text, "order of arguments")


def harmless_numbers(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A number is written in another way."""
    for token in good.tokens:
        if token.kind == "NUMBER" and token.text.isdigit() and len(token.text) > 1:
            yield Edit(token.start, token.end, f"{token.text}.0", f"{token.text}.0")
