"""The vocabulary and the rules in, docs/reference.md and docs/rules.md out: `python -m gendsl.reference [FOLDER]`."""

import os
import sys

from gendsl.check.arguments import expected
from gendsl.commands.explain import PLACES, default_of, roles_of, signature
from gendsl.commands.shapes import shapes_of
from gendsl.rules import RULES, Rule
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import REQUIRED, LayerWord, Parameter, Word

_NOTE = "<!-- written by `python -m gendsl.reference`; do not edit -->\n\n"


def reference() -> str:
    """The page of all words, by kind, in the order of a spec."""
    out = [_NOTE + "# The words of gendsl\n"]
    out.append(
        "Every word of the language, by the kind of place where it stands. `gendsl explain WORD` shows the same in the "
        "terminal. A parameter in brackets may be left out; one with a colon is given by its name.\n"
    )
    out.append("".join(f"- [{kind}](#{_anchor(kind)}): {PLACES.get(kind, '')}\n" for kind in WORDS))
    for kind, words in WORDS.items():
        out.append(f"## {_title(kind)}\n")
        out += [_word(word) for word in words.values()]
    return "\n".join(out)


def rules() -> str:
    """The page of all rules of the checker: errors, warnings, hints."""
    out = [_NOTE + "# What the checker says\n"]
    out.append(
        "Each diagnostic names its rule. Errors keep a spec from running; warnings are advice and can be silenced by "
        '`allow RULE, because: "…"` in the block they are about, or in the file; hints are shown with `--hints`.\n'
    )
    for severity in ("error", "warning", "hint"):
        out.append(f"## {severity.capitalize()}s\n")
        out += [_rule(rule) for rule in RULES if rule.severity == severity]
    return "\n".join(out)


def _title(kind: str) -> str:
    return f"Kind `{kind}`"


def _anchor(kind: str) -> str:
    return f"kind-{kind}"


def _word(word: Word) -> str:
    out = [f"### `{word.name}`\n", f"```\n{signature(word)}\n```\n"]
    if calls := roles_of(word):
        out.append("```\n" + "\n".join(calls) + "\n```\n")
    out.append(_text(word.doc) + "\n")
    if not word.runs:
        out.append("*Checked and planned; this version cannot run it yet.*\n")
    if word.parameters:
        out.append("| parameter | takes | default | |\n| --- | --- | --- | --- |")
        out.append("\n".join(map(_row, word.parameters)) + "\n")
    if word.open is not None:
        out.append(f"Further names may be given, each {expected(word.open)}.\n")
    if word.body:
        out.append(f"Its block holds words of the kind [{word.body}](#{_anchor(word.body)}).\n")
    if isinstance(word, LayerWord) and (shapes := shapes_of(word)):
        out.append("Shapes, for the example: " + "; ".join(f"`{line}`" for line in shapes) + "\n")
    if word.example:
        out.append(f"Example: `{word.example}`\n")
    if word.source:
        out.append(f"Source: {_text(word.source)}\n")
    return "\n".join(out)


def _row(parameter: Parameter) -> str:
    name = parameter.name if parameter.positional else f"{parameter.name}:"
    default = "needed" if parameter.default is REQUIRED else default_of(parameter)
    cells = (f"`{name}`" + (" …" if parameter.many else ""), expected(parameter.kind), default, parameter.doc)
    return "| " + " | ".join(_text(cell).replace("|", "\\|") for cell in cells) + " |"


def _rule(rule: Rule) -> str:
    source = f"\n\nSource: {_text(rule.source)}" if rule.source else ""
    return f"### `{rule.code}`\n\n{_text(rule.summary)} {_text(rule.explanation)}{source}\n"


def _text(text: str) -> str:
    """Text as Markdown: what stands between backquotes is left alone."""
    parts = text.split("`")
    return "`".join(part if n % 2 else part.replace("<", "&lt;").replace("*", "\\*") for n, part in enumerate(parts))


def write(folder: str) -> None:
    """Writes both pages into a folder."""
    for name, page in (("reference.md", reference()), ("rules.md", rules())):
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
            file.write(page)


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else "docs")
