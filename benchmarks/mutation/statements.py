"""A good spec in, edits that drop, double and move its statements and layers out."""

import random
import re
from collections.abc import Iterator
from itertools import pairwise

from gendsl.syntax import tree
from mutation.good import Edit, Good


def statement_dropped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A statement is dropped, block and all."""
    for node in good.nodes:
        if isinstance(node, tree.Chain | tree.Binding | tree.Draw | tree.Parameter):
            word = node.steps[0].word if isinstance(node, tree.Chain) else node.name.text
            said = word
            if isinstance(node, tree.Chain) and word in ("network", "block", "objective") and node.steps[0].arguments:
                said = re.split(r"\W", node.steps[0].arguments[0].value.span.text)[0]
            yield Edit(node.span.start, node.span.end, "", f"`{word}` dropped", said)


def layer_dropped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """One of the layers joined by bars is dropped."""
    for node in good.nodes:
        if isinstance(node, tree.Chain) and len(node.steps) > 1:
            for index, step in enumerate(node.steps):
                start, end = step.span.start, step.span.end
                if index + 1 < len(node.steps):
                    end = node.steps[index + 1].span.start
                else:
                    start = node.steps[index - 1].span.end
                yield Edit(start, end, "", f"`{step.word}` dropped")


def statement_doubled(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A statement stands twice."""
    for node in good.nodes:
        if isinstance(node, tree.Chain | tree.Binding | tree.Draw | tree.Parameter):
            text = good.text(node)
            yield Edit(node.span.end, node.span.end, f"\n{text}", f"`{text.splitlines()[0][:30]}` doubled")


def statements_swapped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """Two neighbouring statements change places."""
    for node in good.nodes:
        if isinstance(node, tree.Block | tree.Spec):
            for one, two in pairwise(node.statements):
                between = good.source.text[one.span.end : two.span.start]
                if "#" not in between and good.text(one) != good.text(two):
                    yield Edit(
                        one.span.start,
                        two.span.end,
                        good.text(two) + between + good.text(one),
                        f"`{good.text(two).splitlines()[0][:30]}` before its neighbour",
                    )


def statement_moved(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A statement moves into another block."""
    blocks = [node for node in good.nodes if isinstance(node, tree.Block)]
    for node in good.nodes:
        if isinstance(node, tree.Chain | tree.Binding | tree.Draw):
            later = [block for block in blocks if block.span.start > node.span.end]
            if later:
                at = draw.choice(later).span.start + 1
                text = good.text(node)
                what = f"`{text.splitlines()[0][:30]}` moved into another block"
                yield Edit(node.span.start, node.span.end, "", what, second=(at, at, f" {text}\n"))
