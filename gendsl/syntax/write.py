"""A syntax tree in, a text out that parses to it: one statement a line, for trees that no source belongs to."""

from typing import assert_never

from gendsl.syntax import tree


def written(spec: tree.Spec) -> str:
    """The statements of a tree as text, not yet indented."""
    return "".join(f"{statement(item)}\n" for item in spec.statements)


def statement(item: tree.Statement) -> str:
    """A statement; its blocks stand on several lines."""
    match item:
        case tree.Chain():
            return " | ".join(map(step, item.steps))
        case tree.Binding():
            return f"{item.name.text} = {value(item.value)}"
        case tree.Draw():
            return f"{item.name.text} ~ {value(item.value)}"
        case tree.Parameter():
            return f"param {item.name.text} = {value(item.value)}"
        case tree.Lost():
            return item.span.text
        case _:
            assert_never(item)


def step(item: tree.Step) -> str:
    """`repeat 3 as i { … } as h`."""
    parts = [item.word]
    if item.arguments:
        parts.append(_arguments(item.arguments))
    if item.index is not None:
        parts.append(f"as {item.index.text}")
    if item.block is not None:
        inner = "".join(f"{statement(child)}\n" for child in item.block.statements)
        parts.append(f"{{\n{inner}}}")
    if item.label is not None:
        parts.append(f"as {item.label.text}")
    return " ".join(parts)


def _arguments(arguments: tuple[tree.Argument, ...]) -> str:
    return ", ".join(
        value(argument.value) if argument.name is None else f"{argument.name.text}: {value(argument.value)}"
        for argument in arguments
    )


def value(item: tree.Value) -> str:
    """A value; parentheses are nodes of the tree, so none are added."""
    match item:
        case tree.Name() | tree.Number() | tree.Size() | tree.String():
            return item.text
        case tree.Quantity():
            return f"{item.number.text} {item.unit.text}"
        case tree.Switch():
            return "on" if item.value else "off"
        case tree.ListOf():
            return f"[{', '.join(map(value, item.items))}]"
        case tree.Member():
            return f"{value(item.value)}.{item.name.text}"
        case tree.Call():
            return f"{value(item.function)}({_arguments(item.arguments)})"
        case tree.Unary():
            return f"{item.operator}{' ' if item.operator == 'not' else ''}{value(item.operand)}"
        case tree.Binary():
            space = "" if item.operator == "^" else " "
            return f"{value(item.left)}{space}{item.operator}{space}{value(item.right)}"
        case tree.Range():
            return f"{value(item.low)}..{value(item.high)}"
        case tree.Arrow():
            return f"{value(item.left)} -> {value(item.right)}"
        case tree.Parenthesised():
            return f"({value(item.value)})"
        case _:
            assert_never(item)
