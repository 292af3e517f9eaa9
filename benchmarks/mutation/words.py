"""A good spec in, edits of its arguments, words and names out: what somebody does who has it from elsewhere."""

import random
from collections.abc import Iterator
from itertools import pairwise

from gendsl.syntax import tree
from mutation.good import Edit, Good, argument_lists


def argument_dropped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """An argument of a word or call is dropped, with its comma."""
    for owner, arguments in argument_lists(good):
        for index, argument in enumerate(arguments):
            start, end = argument.span.start, argument.span.end
            if index + 1 < len(arguments):
                end = arguments[index + 1].span.start
            elif index:
                start = arguments[index - 1].span.end
            yield Edit(start, end, "", f"`{argument.span.text}` dropped from `{owner}`")


def argument_retyped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """An argument becomes a value of another type."""
    wrong = ('"text"', "on", "3.7", "[1, 2]", "-1..1", "relu", "4x4", "5 steps", "mean(3)", "adam(1e-3)", "(2 > 1)")
    for owner, arguments in argument_lists(good):
        for argument in arguments:
            value = argument.value
            if not isinstance(value, tree.Arrow):
                new = draw.choice([one for one in wrong if one != value.span.text])
                yield Edit(value.span.start, value.span.end, new, f"`{new}` for `{value.span.text}` in `{owner}`")


def argument_added(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A call or word has an argument too many."""
    for owner, arguments in argument_lists(good):
        if arguments and not isinstance(arguments[-1].value, tree.Arrow):
            at = arguments[-1].span.end
            new = draw.choice([", 3", ", 7, 7, 7", ', "more"', ", extra: 3", ", on"])
            yield Edit(at, at, new, f"`{new}` added to `{owner}`")


def arguments_swapped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """Two neighbouring arguments by position change places."""
    for owner, arguments in argument_lists(good):
        for one, two in pairwise(arguments):
            if one.name is None and two.name is None and one.span.text != two.span.text:
                between = good.source.text[one.span.end : two.span.start]
                yield Edit(
                    one.span.start,
                    two.span.end,
                    two.span.text + between + one.span.text,
                    f"arguments of `{owner}` swapped",
                )


def keyword_renamed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """The name of an argument becomes another name, or is lost."""
    names = sorted({node.name.text for node in good.nodes if isinstance(node, tree.Argument) and node.name})
    for node in good.nodes:
        if isinstance(node, tree.Argument) and node.name is not None:
            new = draw.choice([name for name in [*names, "kernel_size", "strides"] if name != node.name.text])
            start, end = node.name.span.start, node.name.span.end
            if draw.random() < 0.2:
                yield Edit(start, node.value.span.start, "", f"`{node.name.text}:` lost")
            else:
                yield Edit(start, end, new, f"`{new}:` for `{node.name.text}:`")


def networks_swapped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A network's name stands where another's stood, in a call, a loss or the head of an update."""
    for node in good.nodes:
        parent = good.parents.get(id(node))
        if isinstance(node, tree.Name) and node.text in good.networks:
            if isinstance(parent, tree.Call) and isinstance(good.parents.get(id(parent)), tree.Arrow):
                continue
            others = [name for name in good.networks if name != node.text]
            if others:
                new = draw.choice(others)
                yield Edit(node.span.start, node.span.end, new, f"network `{new}` for `{node.text}`")


def name_swapped(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A name stands where another name of the spec stood: a field for a label, an input for a binding."""
    known = {node.name.text for node in good.nodes if isinstance(node, tree.Binding | tree.Draw | tree.Parameter)}
    known |= {node.label.text for node in good.nodes if isinstance(node, tree.Step) and node.label}
    known |= {"image", "label"} & {token.text for token in good.tokens}
    for node in good.nodes:
        if isinstance(node, tree.Arrow) and isinstance(node.left, tree.Call):
            known |= {argument.name.text for argument in node.left.arguments if argument.name}
    names = sorted(known)
    for node in good.nodes:
        if isinstance(node, tree.Name) and node.text in known:
            others = [name for name in names if name != node.text]
            if others:
                new = draw.choice(others)
                yield Edit(node.span.start, node.span.end, new, f"`{new}` for `{node.text}`")


def word_replaced(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A statement's word becomes another word of the language."""
    words = ("dense", "conv", "flatten", "relu", "adam", "update", "steps", "batch_norm", "image", "add", "mean", "fid")
    words += (
        "up_conv",
        "embed",
        "lstm",
        "attention",
        "dropout",
        "global_sum_pool",
        "reshape",
        "concat",
        "average_pool",
    )
    for node in good.nodes:
        if isinstance(node, tree.Step):
            new = draw.choice([word for word in words if word != node.word])
            yield Edit(node.head_span.start, node.head_span.end, new, f"`{new}` for `{node.word}`")


def function_replaced(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A called function becomes another one: a penalty for a mean, a schedule for an optimizer."""
    words = ("mean", "sum", "log", "r1", "l1", "kl", "nll", "adam", "cosine", "normal", "softplus", "exp", "logits")
    words += ("hinge.generator", "wasserstein.discriminator", "stop_gradient", "features", "digits")
    for node in good.nodes:
        if isinstance(node, tree.Call):
            old = node.function.span
            new = draw.choice([word for word in words if word != old.text])
            yield Edit(old.start, old.end, new, f"`{new}(…)` for `{old.text}(…)`")


def result_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """The declared result of a network becomes another."""
    news = (
        "logits(1)",
        "logits(2)",
        "image",
        "label",
        "features(3)",
        "normal(4)",
        "bernoulli(image)",
        "categorical(7)",
    )
    for node in good.nodes:
        if isinstance(node, tree.Arrow):
            for new in news:
                if new != node.right.span.text:
                    yield Edit(node.right.span.start, node.right.span.end, new, f"`-> {new}`")


def input_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """The type of a network's input becomes another."""
    news = ("image", "label", "normal(3)", "features(5)", "8x8x3", "time", "categorical(10)", "uniform(64)")
    for node in good.nodes:
        if isinstance(node, tree.Arrow) and isinstance(node.left, tree.Call):
            for argument in node.left.arguments:
                new = draw.choice([one for one in news if one != argument.value.span.text])
                span = argument.value.span
                yield Edit(span.start, span.end, new, f"input `{new}` for `{span.text}`")


def member_changed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A member becomes another: `image.height` for `image.channels`, `hinge.critic` for `hinge.generator`."""
    news = ("height", "width", "channels", "classes", "generator", "discriminator", "critic", "size")
    for node in good.nodes:
        if isinstance(node, tree.Member):
            new = draw.choice([one for one in news if one != node.name.text])
            yield Edit(node.name.span.start, node.name.span.end, new, f"`.{new}` for `.{node.name.text}`")


def label_renamed(good: Good, draw: random.Random) -> Iterator[Edit]:
    """A label, binding or input has another name where it is made, but not where it is used."""
    for node in good.nodes:
        name = None
        if isinstance(node, tree.Step):
            name = node.label or node.index
        elif isinstance(node, tree.Binding | tree.Draw | tree.Parameter):
            name = node.name
        elif isinstance(node, tree.Argument) and node.name and isinstance(good.parents.get(id(node)), tree.Call):
            call = good.parents[id(node)]
            if isinstance(good.parents.get(id(call)), tree.Arrow):
                name = node.name
        if name is not None:
            yield Edit(name.span.start, name.span.end, "other", f"`{name.text}` is made as `other`")


def label_lost(good: Good, draw: random.Random) -> Iterator[Edit]:
    """An `as name` is lost."""
    for node in good.nodes:
        if isinstance(node, tree.Step) and (node.label or node.index):
            name = node.label or node.index
            assert name is not None
            start = good.source.text.rindex(" as ", 0, name.span.start)
            yield Edit(start, name.span.end, "", f"` as {name.text}` lost")
