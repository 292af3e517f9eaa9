"""A good spec in, edits of its letters, signs and numbers out: what a slip of the hand does."""

import random
from collections.abc import Iterator

from gendsl.syntax import tree
from mutation.good import Edit, Good


def misspelt(good: Good, draw: random.Random) -> Iterator[Edit]:
    """Two letters of a word change places, or one is lost or doubled."""
    for token in good.tokens:
        if token.kind == "NAME" and len(token.text) > 2:
            at = draw.randrange(len(token.text) - 1)
            word = token.text
            new = draw.choice(
                [
                    word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                    word[:at] + word[at + 1 :],
                    word[:at] + word[at] + word[at:],
                ]
            )
            if new != word and not new[0].isdigit():
                yield Edit(token.start, token.end, new, f"`{word}` misspelt `{new}`")


def bracket_lost(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A brace, bracket or parenthesis is lost."""
    for token in good.tokens:
        if token.text in tuple("(){}[]"):
            yield Edit(token.start, token.end, "", f"a `{token.text}` lost")


def bracket_doubled(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A brace, bracket or parenthesis stands twice."""
    for token in good.tokens:
        if token.text in tuple("(){}[]"):
            yield Edit(token.end, token.end, token.text, f"a `{token.text}` doubled")


def sign_lost(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A comma, colon, bar, arrow, equals sign or quotation mark is lost."""
    for token in good.tokens:
        if token.text in (",", ":", "|", "->", "=", "~", ".", "..") or token.text in ("+", "*", "/", "^"):
            yield Edit(token.start, token.end, " ", f"a `{token.text}` lost")
        elif token.kind == "STRING":
            at = draw.choice([token.start, token.end - 1])
            yield Edit(at, at + 1, "", "a quotation mark lost")


def sign_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A sign of the syntax becomes another: `:` for `=`, `|` for a comma."""
    others = {
        ",": (";", "|", ":"),
        ":": ("=", ","),
        "|": (",", ";"),
        "=": ("==", ":", "~"),
        "->": (":", "="),
        "~": ("=",),
    }
    for token in good.tokens:
        if token.text in others:
            new = draw.choice(others[token.text])
            yield Edit(token.start, token.end, new, f"`{new}` for `{token.text}`")


def operator_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """An operator becomes another."""
    for token in good.tokens:
        if token.kind in ("PLUS", "MINUS", "TIMES", "POWER", "COMPARE"):
            new = draw.choice([sign for sign in ("+", "-", "*", "/", "^", ">") if sign != token.text])
            yield Edit(token.start, token.end, new, f"`{new}` for `{token.text}`")


def number_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A number becomes another one: the next, its double, zero, negative, a fraction, a huge one."""
    for token in good.tokens:
        if token.kind == "NUMBER":
            plain = token.text.replace("_", "")
            whole = plain.isdigit()
            news = ["0", f"-{token.text}", f"{plain}.5" if whole else f"{token.text}0", "1_000_000_007"]
            if whole:
                news += [str(int(plain) + 1), str(int(plain) * 2), str(max(1, int(plain) // 2))] * 2
            new = draw.choice([one for one in news if one != token.text])
            yield Edit(token.start, token.end, new, f"{new} for {token.text}")
        elif token.kind == "PERCENT":
            new = draw.choice(["0%", "150%", f"-{token.text}", token.text[:-1]])
            yield Edit(token.start, token.end, new, f"{new} for {token.text}")


def size_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A size loses a side, gets one, or has another."""
    for token in good.tokens:
        if token.kind == "SIZE":
            sides = token.text.split("x")
            at = draw.randrange(len(sides))
            other = [*sides]
            other[at] = str(int(sides[at]) + 1)
            new = draw.choice(["x".join(sides[:-1]), "x".join([*sides, "3"]), "x".join(other)])
            yield Edit(token.start, token.end, new, f"{new} for {token.text}")


def range_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A range is turned round, emptied or moved."""
    for node in good.nodes:
        if isinstance(node, tree.Range):
            new = draw.choice(["1..-1", "0..0", "0..1", "0..255", "-1..0"])
            yield Edit(node.span.start, node.span.end, new, f"{new} for {good.text(node)}")


def unit_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A unit becomes another or is lost; a bare number gets one."""
    for node in good.nodes:
        if isinstance(node, tree.Quantity):
            units = ("steps", "epochs", "minutes", "degrees", "checks", "hours", "step")
            new = draw.choice([unit for unit in units if unit != node.unit.text] + [""])
            yield Edit(node.unit.span.start, node.unit.span.end, new, f"unit `{new}` for `{node.unit.text}`")
        elif isinstance(node, tree.Number) and not isinstance(good.parents[id(node)], tree.Quantity):
            unit = draw.choice(["steps", "epochs", "degrees"])
            yield Edit(node.span.end, node.span.end, f" {unit}", f"unit `{unit}` added to {node.text}")


def switched(good: Good, draw: random.Random) -> Iterator[Edit]:
    """`on` becomes `off` or `true`."""
    for node in good.nodes:
        if isinstance(node, tree.Switch):
            new = draw.choice(["true", "off" if node.value else "on", "1"])
            yield Edit(node.span.start, node.span.end, new, f"`{new}` for `{good.text(node)}`")
