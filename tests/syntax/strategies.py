"""Hypothesis strategies: syntax trees that the grammar can give, in its order of precedence; damaged texts."""

from hypothesis import strategies as st

from gendsl.source import Source, Span
from gendsl.syntax import tree

NOWHERE = Span(Source("", ""), 0, 0)
RESERVED = {"on", "off", "param", "as", "and", "or", "not"}

_NAMES = """
image conv x y e5 _ x4 onset asap android order nothing params Conv3D a_b1 T up degrees steps i
"""
names = st.sampled_from(_NAMES.split()).map(lambda text: tree.Name(text, NOWHERE))
_digits = st.sampled_from(["0", "1", "7", "64", "007", "128", "999999"]) | st.integers(0, 10**6).map(str)
_plain = _digits | st.sampled_from(["1_000", "2_0_0", "0.5", "1.50", "2e-4", "1E5", "3.5e+2", "1_0.5", "1e308", "0e0"])
_percent = st.sampled_from(["20%", "0%", "12.5%", "1_0%"])
numbers = (_plain | _percent).map(lambda text: tree.Number(text, NOWHERE))
sizes = st.lists(_digits, min_size=2, max_size=4).map(lambda sides: tree.Size("x".join(sides), NOWHERE))
_pieces = st.sampled_from(["", "a b", "\\n", "\\t", '\\"', "\\\\", "#", "é", "画像", "{", ";", "\t", "x" * 40, "'"])
strings = st.lists(_pieces | st.characters(exclude_characters='"\\\n\0', codec="utf-8"), max_size=3).map(
    lambda parts: tree.String(f'"{"".join(parts)}"', NOWHERE)
)
switches = st.booleans().map(lambda value: tree.Switch(value, NOWHERE))
quantities = st.builds(lambda number, unit: tree.Quantity(tree.Number(number, NOWHERE), unit, NOWHERE), _plain, names)


def _values(inner: st.SearchStrategy[tree.Value]) -> st.SearchStrategy[tree.Value]:
    """Values around smaller ones; each level of the grammar takes what binds at least as tightly."""
    closed = inner.map(lambda value: value if isinstance(value, _ATOMS) else tree.Parenthesised(value, NOWHERE))
    arguments = st.lists(_arguments(inner), max_size=3).map(tuple)
    return st.one_of(
        inner,
        st.builds(lambda items: tree.ListOf(tuple(items), NOWHERE), st.lists(_arrows(inner), max_size=3)),
        st.builds(lambda value, name: tree.Member(value, name, NOWHERE), closed, names),
        st.builds(lambda function, items: tree.Call(function, items, NOWHERE), closed, arguments),
        st.builds(lambda value: tree.Parenthesised(value, NOWHERE), inner),
        st.builds(lambda value: tree.Unary("-", value, NOWHERE), inner.map(_at_least(6))),
        st.builds(lambda value: tree.Unary("not", value, NOWHERE), inner.map(_at_least(2))),
        st.builds(lambda a, b: tree.Range(a, b, NOWHERE), inner.map(_at_least(4)), inner.map(_at_least(4))),
        *(
            st.builds(
                lambda sign, a, b: tree.Binary(sign, a, b, NOWHERE),
                st.sampled_from(signs),
                inner.map(_at_least(left)),
                inner.map(_at_least(right)),
            )
            for signs, left, right in (
                (("or",), 0, 1),
                (("and",), 1, 2),
                (("<", "<=", ">", ">=", "==", "!="), 3, 3),
                (("+", "-"), 4, 5),
                (("*", "/"), 5, 6),
                (("^",), 8, 6),
            )
        ),
    )


_ATOMS = (
    tree.Name, tree.Number, tree.Quantity, tree.Size, tree.String, tree.Switch, tree.ListOf, tree.Member, tree.Call,
    tree.Parenthesised,
)  # fmt: skip
_LEVELS = {"or": 0, "and": 1, "+": 4, "-": 4, "*": 5, "/": 5, "^": 7}


def _level(value: tree.Value) -> int:
    """How tightly a value binds: 0 is `or`, 8 an atom or what stands behind one."""
    match value:
        case tree.Binary():
            return _LEVELS.get(value.operator, 2)
        case tree.Unary():
            return 6 if value.operator == "-" else 2
        case tree.Range():
            return 3
    return 8


def _at_least(level: int):
    """Values that bind more loosely are put into parentheses."""
    return lambda value: value if _level(value) >= level else tree.Parenthesised(value, NOWHERE)


def _arrows(inner):
    return inner | st.builds(lambda a, b: tree.Arrow(a, b, NOWHERE), inner, inner)


def _arguments(inner):
    return st.builds(lambda name, value: tree.Argument(name, value, NOWHERE), st.none() | names, _arrows(inner))


values = st.recursive(names | numbers | sizes | strings | switches | quantities, _values, max_leaves=5)


def _statements(blocks: st.SearchStrategy[tree.Block]) -> st.SearchStrategy[tree.Statement]:
    heads = names.map(lambda name: (name,)) | st.tuples(names, names)
    arguments = st.lists(_arguments(values), max_size=2).map(tuple)
    steps = st.builds(
        lambda head, given, index, block, label: tree.Step(
            head, given, index if block is not None else None, block, label, NOWHERE
        ),
        heads,
        arguments,
        st.none() | names,
        st.none() | blocks,
        st.none() | names,
    )
    return st.one_of(
        st.builds(lambda steps: tree.Chain(tuple(steps), NOWHERE), st.lists(steps, min_size=1, max_size=2)),
        st.builds(lambda name, value: tree.Binding(name, value, NOWHERE), names, values),
        st.builds(lambda name, value: tree.Draw(name, value, NOWHERE), names, values),
        st.builds(lambda name, value: tree.Parameter(name, value, NOWHERE), names, values),
    )


def _block(statements):
    return st.lists(statements, max_size=2).map(lambda items: tree.Block(tuple(items), NOWHERE))


blocks = st.recursive(_block(_statements(st.nothing())), lambda inner: _block(_statements(inner)), max_leaves=3)
specs = st.lists(_statements(blocks), max_size=3).map(lambda items: tree.Spec(tuple(items), Source("", "")))


@st.composite
def scrambled(draw, text: str) -> str:
    """A text with some spaces, line ends and comments changed where they may be; its tree is the same."""
    out = []
    for line in text.split("\n"):
        bare = line.strip()
        indent = draw(st.sampled_from(["", "  ", "\t", "      "]))
        tail = draw(st.sampled_from(["", "", "  ", " # a comment", "\t# über \t x", "\r"]))
        out += draw(st.sampled_from([[], [], [""], ["", ""], ["# alone"], ["", "  # alone", ""]]))
        out.append(f"{indent}{bare}{tail}")
    return "\n".join(out)


_DAMAGE = ["", *"{}()[]\"|#;:,=\n\t\\\0é\ud800'", "..", "->", "9e999", "1x", "as", "param", "x" * 300]


@st.composite
def damaged(draw, text: str) -> str:
    """A text with a few characters taken out, put in or doubled."""
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(text) - 1, 0)))
        length = draw(st.integers(0, 12))
        new = draw(st.sampled_from(_DAMAGE))
        text = text[:place] + new + text[place + length :]
    return text
