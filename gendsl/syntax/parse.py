"""Text in, syntax tree out.

An LALR driver over Lark's tables that goes on after a mistake, so that one pass finds them all.
"""

from typing import Any

from gendsl.diagnostics import Problems
from gendsl.source import Source, Span
from gendsl.syntax import tree
from gendsl.syntax.expectations import report
from gendsl.syntax.tables import REDUCE, SHIFT, Tables, tables
from gendsl.syntax.tokens import Token, tokens_of


def parse(source: Source, problems: Problems) -> tree.Spec:
    """The tree of a source; statements that do not parse are reported, left out, and their names kept in `skipped`."""
    tokens = tokens_of(source, problems)
    body, skipped = _Driver(source, tables(), problems).run(tokens.items)
    return tree.Spec(body, source, tokens.comments, frozenset(skipped))


class _Driver:
    """One run of the automaton: a stack of states, with a value and a stretch of the text for each."""

    def __init__(self, source: Source, table: Tables, problems: Problems) -> None:
        self.source = source
        self.table = table
        self.problems = problems
        self.states: list[int] = [table.start]
        self.values: list[Any] = [None]
        self.starts: list[int] = [0]
        self.ends: list[int] = [0]
        self.skipped: set[str] = set()
        self.ended = False  # a mistake was found at the end of the text
        self.builders = [getattr(_Build, f"{builder}_", None) for _, builder, *_ in table.rules]
        self.unit: dict[tuple[int, int, str], int] = {}  # what a chain of one-symbol reductions comes to

    def run(self, tokens: tuple[Token, ...]) -> tuple[tuple[tree.Statement, ...], set[str]]:
        actions = self.table.actions
        position = 0
        while True:
            token = tokens[position]
            action = actions[self.states[-1]].get(token.kind)
            if action is None:
                if token.kind == "$END" and self.ended:
                    return self._salvaged(), self.skipped
                self.ended = token.kind == "$END"
                position = self._recover(tokens, position)
                continue
            kind, number = action
            if kind == SHIFT:
                self.states.append(number)
                self.values.append(token)
                self.starts.append(token.start)
                self.ends.append(token.end)
                position += 1
            else:
                self._reduce(number, token)
                if not actions[self.states[-1]]:  # the whole text is one `start`
                    return self.values[-1].statements, self.skipped

    def _reduce(self, number: int, lookahead: Token) -> None:
        origin, builder, kept, length, expand = self.table.rules[number]
        states = self.states
        if expand and length == 1:
            below, top = states[-2], states[-1]
            key = (below, top, lookahead.kind)
            target = self.unit.get(key)
            if target is None:
                target = self._unit_closure(below, top, lookahead.kind)
                self.unit[key] = target
            states[-1] = target
            return
        if length:
            children = self.values[-length:]
            start, end = self.starts[-length], self.ends[-1]
            del states[-length:], self.values[-length:], self.starts[-length:], self.ends[-length:]
            if len(kept) != length:
                children = [children[place] for place in kept]
        else:
            children, start = [], lookahead.start
            end = start
        if origin.startswith("__"):
            value: Any = children[0] if type(children[0]) is list else [children[0]]  # grown in place: linear in all
            for child in children[1:]:
                if type(child) is list:
                    value.extend(child)
                else:
                    value.append(child)
        else:
            flat: list[Any] = []
            for child in children:
                if type(child) is list:
                    flat.extend(child)
                else:
                    flat.append(child)
            build = self.builders[number]
            assert build is not None, builder
            value = build(flat, Span(self.source, start, end))
        states.append(self.table.gotos[states[-1]][origin])
        self.values.append(value)
        self.starts.append(start)
        self.ends.append(end)

    def _unit_closure(self, below: int, top: int, lookahead: str) -> int:
        while True:
            action = self.table.actions[top].get(lookahead)
            if action is None or action[0] != REDUCE:
                return top
            origin, _, _, length, expand = self.table.rules[action[1]]
            if not (expand and length == 1):
                return top
            top = self.table.gotos[below][origin]

    def _recover(self, tokens: tuple[Token, ...], position: int) -> int:
        """Reports the mistake, forgets the statement it is in and skips to where the next one begins."""
        token = tokens[position]
        if not self._told(token):
            report(self.source, tokens, position, self._expected(), self.problems)
        while not self._begins_statement(self.states[-1]):
            value = self.values.pop()
            self._forget(value)
            self.states.pop()
            self.starts.pop()
            self.ends.pop()
        start, depth = token.start, 0
        while token.kind != "$END":
            if token.kind == "LBRACE":
                depth += 1
            elif token.kind == "RBRACE":
                if depth == 0:
                    break
                depth -= 1
            elif token.kind == "SEPARATOR" and depth == 0:
                break
            elif token.kind == "NAME":
                self.skipped.add(token.text)
            position += 1
            token = tokens[position]
        self.states.append(self.table.gotos[self.states[-1]]["statement"])
        self.values.append(tree.Lost(Span(self.source, start, token.start)))
        self.starts.append(start)
        self.ends.append(token.start)
        return position

    def _told(self, token: Token) -> bool:
        """Whether a mistake in the line of a token is known already: what follows it may only follow from it."""
        line = self.source.position(token.start)[0]
        return any(self.source.position(found.span.start)[0] == line for found in self.problems)

    def _salvaged(self) -> tuple[tree.Statement, ...]:
        """The whole statements at the top of a text whose end cannot be parsed."""
        whole: list[tree.Statement] = []
        for value in self.values[1:]:
            whole.extend(one for one in (value if type(value) is list else [value]) if isinstance(one, tree.Statement))
        return tuple(whole)

    def _begins_statement(self, state: int) -> bool:
        return "statement" in self.table.gotos[state]

    def _forget(self, value: Any) -> None:
        """Names that a lost statement would have defined or used are no longer missed."""
        if isinstance(value, Token):
            if value.kind == "NAME":
                self.skipped.add(value.text)
        elif isinstance(value, tree.Name):
            self.skipped.add(value.text)
        elif isinstance(value, list | tuple):
            for item in value:
                self._forget(item)
        elif hasattr(value, "__slots__"):
            for slot in value.__slots__:
                if slot != "span":
                    self._forget(getattr(value, slot))

    def _expected(self) -> frozenset[str]:
        """The terminals that could stand here."""
        expected = set()
        for kind in self.table.actions[self.states[-1]]:
            states = list(self.states)
            while True:
                action = self.table.actions[states[-1]].get(kind)
                if action is None:
                    break
                if action[0] == SHIFT:
                    expected.add(kind)
                    break
                origin, _, _, length, _ = self.table.rules[action[1]]
                if length:
                    del states[-length:]
                states.append(self.table.gotos[states[-1]][origin])
        return frozenset(expected)


def _name(token: Token, span: Span) -> tree.Name:
    return tree.Name(token.text, Span(span.source, token.start, token.end))


class _Build:
    """One function for each rule of the grammar: its kept children and its stretch in, a node out."""

    @staticmethod
    def start_(c: list[Any], span: Span) -> tree.Block:
        return tree.Block(tuple(c[0].statements), span)

    @staticmethod
    def body_(c: list[Any], span: Span) -> tree.Block:
        return tree.Block(tuple(c), span)

    @staticmethod
    def block_(c: list[Any], span: Span) -> tree.Block:
        return tree.Block(c[0].statements, span)

    @staticmethod
    def binding_(c: list[Any], span: Span) -> tree.Binding:
        return tree.Binding(_name(c[0], span), c[1], span)

    @staticmethod
    def draw_(c: list[Any], span: Span) -> tree.Draw:
        return tree.Draw(_name(c[0], span), c[1], span)

    @staticmethod
    def parameter_(c: list[Any], span: Span) -> tree.Parameter:
        return tree.Parameter(_name(c[0], span), c[1], span)

    @staticmethod
    def chain_(c: list[Any], span: Span) -> tree.Chain:
        return tree.Chain(tuple(c), span)

    @staticmethod
    def step_(c: list[Any], span: Span) -> tree.Step:
        head, label = c[0], None
        arguments: tuple[tree.Argument, ...] = ()
        for child in c[1:]:
            if isinstance(child, _ArgumentsOf):
                arguments = child.items
            else:
                label = child
        return tree.Step(head, arguments, None, None, label, span)

    @staticmethod
    def block_step_(c: list[Any], span: Span) -> tree.Step:
        head, block = c[0], None
        arguments: tuple[tree.Argument, ...] = ()
        index = label = None
        for child in c[1:]:
            if isinstance(child, _ArgumentsOf):
                arguments = child.items
            elif isinstance(child, tree.Block):
                block = child
            elif block is None:
                index = child
            else:
                label = child
        return tree.Step(head, arguments, index, block, label, span)

    @staticmethod
    def head_(c: list[Any], span: Span) -> tuple[tree.Name, ...]:
        return tuple(_name(token, span) for token in c)

    @staticmethod
    def alias_(c: list[Any], span: Span) -> tree.Name:
        return _name(c[0], span)

    @staticmethod
    def arguments_(c: list[Any], span: Span) -> "_ArgumentsOf":
        return _ArgumentsOf(tuple(a if isinstance(a, tree.Argument) else tree.Argument(None, a, a.span) for a in c))

    @staticmethod
    def keyword_(c: list[Any], span: Span) -> tree.Argument:
        return tree.Argument(_name(c[0], span), c[1], span)

    @staticmethod
    def arrow_(c: list[Any], span: Span) -> tree.Arrow:
        return tree.Arrow(c[0], c[-1], span)

    @staticmethod
    def binary_(c: list[Any], span: Span) -> tree.Binary:
        return tree.Binary(c[1].text, c[0], c[2], span)

    @staticmethod
    def unary_(c: list[Any], span: Span) -> tree.Unary:
        return tree.Unary(c[0].text, c[1], span)

    @staticmethod
    def range_(c: list[Any], span: Span) -> tree.Range:
        return tree.Range(c[0], c[-1], span)

    @staticmethod
    def member_(c: list[Any], span: Span) -> tree.Member:
        return tree.Member(c[0], _name(c[1], span), span)

    @staticmethod
    def call_(c: list[Any], span: Span) -> tree.Call:
        return tree.Call(c[0], c[1].items if len(c) > 1 else (), span)

    @staticmethod
    def number_(c: list[Any], span: Span) -> tree.Number:
        return tree.Number(c[0].text, span)

    @staticmethod
    def quantity_(c: list[Any], span: Span) -> tree.Quantity:
        number = tree.Number(c[0].text, Span(span.source, c[0].start, c[0].end))
        return tree.Quantity(number, _name(c[1], span), span)

    @staticmethod
    def size_(c: list[Any], span: Span) -> tree.Size:
        return tree.Size(c[0].text, span)

    @staticmethod
    def string_(c: list[Any], span: Span) -> tree.String:
        return tree.String(c[0].text, span)

    @staticmethod
    def switch_(c: list[Any], span: Span) -> tree.Switch:
        return tree.Switch(c[0].text == "on", span)

    @staticmethod
    def name_(c: list[Any], span: Span) -> tree.Name:
        return _name(c[0], span)

    @staticmethod
    def parenthesised_(c: list[Any], span: Span) -> tree.Parenthesised:
        return tree.Parenthesised(c[0], span)

    @staticmethod
    def list_(c: list[Any], span: Span) -> tree.ListOf:
        return tree.ListOf(tuple(c), span)


class _ArgumentsOf:
    """The arguments of a step or a call, on their way to it."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[tree.Argument, ...]) -> None:
        self.items = items
