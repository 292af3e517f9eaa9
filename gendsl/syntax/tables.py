"""The grammar in, its LALR tables out: read from the cache beside this module, or built anew by Lark when the
grammar changed.

Lark takes 0.15 s to import and to build the tables; the cache takes 1 ms. `python -m gendsl.syntax.tables` rewrites
the cache.
"""

import os
import zlib
from typing import Any

from gendsl.frozen import dataclass

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PLACES = (
    os.path.join(_PACKAGE, "grammar"),
    os.path.join(os.path.dirname(_PACKAGE), "grammar"),
)  # installed; a checkout
GRAMMAR = os.path.join(next(filter(os.path.isdir, _PLACES), _PLACES[0]), "gen.lark")

SHIFT, REDUCE = 0, 1


@dataclass(frozen=True, slots=True)
class Tables:
    """What the driver needs: terminals in matching order, rules, and a row of actions a state.

    `terminals` holds (name, regular expression, ignored); `rules` holds (origin, builder, kept symbols, length,
    expand);
    `actions` maps a state's terminals to (SHIFT, state) or (REDUCE, rule), `gotos` its rules' origins to a state.
    """

    digest: int
    terminals: tuple[tuple[str, str, bool], ...]
    rules: tuple[tuple[str, str, tuple[int, ...], int, bool], ...]
    actions: tuple[dict[str, tuple[int, int]], ...]
    gotos: tuple[dict[str, int], ...]
    start: int


def tables() -> Tables:
    """The tables of the grammar as it stands on disk."""
    with open(GRAMMAR, "rb") as file:
        grammar = file.read()
    digest = zlib.crc32(grammar)
    try:
        from gendsl.syntax import _tables as cached
    except ImportError:
        pass
    else:
        if digest == cached.DIGEST:
            return Tables(digest, cached.TERMINALS, cached.RULES, cached.ACTIONS, cached.GOTOS, cached.START)
    return build(grammar.decode(), digest)


def build(grammar: str, digest: int) -> Tables:
    """The tables of a grammar, by Lark's LALR analysis; a conflict is an exception (our bug)."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    lark: Any = Lark(grammar, parser="lalr", lexer="basic", strict=False)
    table = lark.parser.parser._parse_table
    ordered = sorted(
        lark.terminals,
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    terminals = tuple((t.name, t.pattern.to_regexp(), t.name in lark.ignore_tokens) for t in ordered)
    numbers = {id(rule): number for number, rule in enumerate(lark.rules)}
    rules = tuple(
        (
            str(rule.origin.name),
            str(rule.alias or rule.origin.name),
            tuple(
                place
                for place, symbol in enumerate(rule.expansion)
                if not (symbol.is_term and (symbol.filter_out or symbol.name in ("SEPARATOR", "AS", "PARAM")))
            ),
            len(rule.expansion),
            bool(rule.options.expand1 and not rule.alias),
        )
        for rule in lark.rules
    )
    actions: list[dict[str, tuple[int, int]]] = []
    gotos: list[dict[str, int]] = []
    is_terminal = {t.name for t in lark.terminals} | {"$END"}
    for state in range(len(table.states)):
        row: dict[str, tuple[int, int]] = {}
        goto: dict[str, int] = {}
        for symbol, (action, argument) in table.states[state].items():
            if symbol not in is_terminal:
                goto[str(symbol)] = argument
            elif action is Shift:
                row[str(symbol)] = (SHIFT, argument)
            else:
                row[str(symbol)] = (REDUCE, numbers.get(id(argument), lark.rules.index(argument)))
        actions.append(row)
        gotos.append(goto)
    return Tables(digest, terminals, rules, tuple(actions), tuple(gotos), table.start_states["start"])


def write() -> str:
    """Rewrites the cache and gives its path."""
    with open(GRAMMAR, "rb") as file:
        grammar = file.read()
    built = build(grammar.decode(), zlib.crc32(grammar))
    path = os.path.join(os.path.dirname(__file__), "_tables.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            '"""The LALR tables of grammar/gen.lark, written by `python -m gendsl.syntax.tables`."""\n\n'
            f"DIGEST = {built.digest}\nTERMINALS = {built.terminals!r}\nRULES = {built.rules!r}\n"
            f"ACTIONS: tuple[dict[str, tuple[int, int]], ...] = {built.actions!r}\nGOTOS: tuple[dict[str, int], "
            f"...] = {built.gotos!r}\nSTART = {built.start}\n"
        )
    return path


if __name__ == "__main__":
    print(write())
