"""The `column` statements of a plan in, the text with which a spec declares them out."""

from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS

_RESERVED = frozenset(("on", "off", "and", "or", "not", "as", "param", "true", "false"))


def name_text(name: str) -> str:
    """A column's name as a spec writes it: in quotes where it is no name of the language."""
    plain = name.isascii() and name.isidentifier() and name not in _RESERVED
    return name if plain else _quoted(name)


def column_text(column: Call) -> str:
    """`column age, continuous, missing: on`: what is not the default of the word."""
    given = column.arguments
    parts = [f"column {name_text(str(given['name']))}", str(given["kind"])]
    for parameter in WORDS["column"]["column"].parameters[2:]:
        value = given[parameter.name]
        if value in (None, False, parameter.default) or (parameter.name == "encoding" and value == "mixture"):
            continue
        if isinstance(value, tuple):
            text = f"[{', '.join(name_text(one) if isinstance(one, str) else str(one) for one in value)}]"
        else:
            text = "on" if value is True else _quoted(value) if parameter.name == "format" else str(value)
        parts.append(f"{parameter.name}: {text}")
    return ", ".join(parts)


def columns_of_rule(rule: Call) -> tuple[str, ...]:
    """The columns that `unique`, `ordered` or `pattern` is of."""
    given = rule.arguments
    return tuple(map(str, given["columns"])) if "columns" in given else (str(given["column"]),)


def rule_text(rule: Call) -> str:
    """`ordered begin, end`: what rows keep to, as a spec writes it."""
    given = rule.arguments
    if "columns" in given:
        return f"{rule.word} {', '.join(name_text(str(name)) for name in given['columns'])}"
    return f"{rule.word} {name_text(str(given['column']))}, {_quoted(str(given['expression']))}"


def table_text(source: Call) -> str:
    """`source csv("t.csv") { … }`: a table with all of its columns declared, to be pasted into `data { }`."""
    file, separator = str(source.arguments["file"]), source.arguments.get("separator", ",")
    more = f", separator: {_quoted(separator)}" if separator != "," else ""
    lines = [f"  {column_text(column)}" for column in source.statements]
    return "\n".join([f"source {source.word}({_quoted(file)}{more}) {{", *lines, "}"])


def _quoted(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return f'"{text}"'
