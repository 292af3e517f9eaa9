"""The vocabulary, the rules and the plan's classes in, pages of docs/ out: `python -m gendsl.reference [FOLDER]`.

Where specs/ is, its README.md is written as well."""

import os
import sys
from inspect import cleandoc

from gendsl import zoo
from gendsl.check.expected import expected
from gendsl.commands.explain import PLACES, default_of, roles_of, signature
from gendsl.commands.shapes import shapes_of
from gendsl.rules import RULES, Rule
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import REQUIRED, LayerWord, Parameter, Word

_NOTE = "<!-- written by `python -m gendsl.reference`; do not edit -->\n\n"

_PLAN = """One JSON document: `format` (now {}), `hash` and `plan`; a run's `plan.json` is the same. `hash` is the
SHA-256 of the plan as JSON with sorted keys and no spaces: equal plans have equal hashes on every machine,
and its first digits name the run's folder. `format` grows when a field changes its meaning or goes; fields
may be added without that, so a reader should pass over what it does not know. `gendsl.plan.record.plan_of`
reads a record back.

Each object with `"is"` is one of those below, with all its fields. Tuples are lists; shapes are without the
batch; sizes that wait for the data are `Symbolic`, and a `Dimension` is a whole number or one of those. In
arguments, a word with its own arguments is a `Call` and a number with a unit a `Quantity`.
"""


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


def plan_format() -> str:
    """The page of the JSON form of a plan: every object of it with its fields."""
    from gendsl.plan.record import FORMAT, classes

    out = [_NOTE + "# `gendsl plan --json`\n", _PLAN.format(FORMAT)]
    for found in classes():
        doc = cleandoc(found.__doc__ or "")
        fields = "\n".join(f"| `{name}` | `{_type(of)}` |" for name, of in found.__annotations__.items())
        out.append(
            f"## `{found.__name__}`\n\n{_text(doc)}\n" + (f"\n| field | |\n| --- | --- |\n{fields}\n" if fields else "")
        )
    return "\n".join(out)


def _type(annotation: object) -> str:
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    text = name if not getattr(annotation, "__args__", None) else str(annotation)
    for long in (
        "typing.",
        "collections.abc.",
        "gendsl.vocabulary.types.",
        "gendsl.plan.plan.",
        "gendsl.vocabulary.dimensions.",
    ):
        text = text.replace(long, "")
    return text.replace("|", "or")


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


def pages() -> dict[str, str]:
    """The generated pages by the names of their files."""
    return {"reference.md": reference(), "rules.md": rules(), "plan-json.md": plan_format()}


def write(folder: str) -> None:
    """Writes the pages into a folder."""
    for name, page in pages().items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
            file.write(page)


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else "docs")
    if os.path.isfile(os.path.join("specs", "papers.toml")):
        with open(os.path.join("specs", "README.md"), "w", encoding="utf-8", newline="") as page:
            page.write(zoo.page("specs"))
