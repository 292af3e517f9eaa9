"""A word of the language or the code of a rule in, what it is out, as text for a person."""

from collections.abc import Iterable

from gendsl.check.expected import expected
from gendsl.commands.shapes import shapes_of
from gendsl.rules import BY_CODE, Rule
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.losses import LossWord
from gendsl.vocabulary.word import REQUIRED, LayerWord, Parameter, Word

WIDTH = 100

# Where the words of a kind stand, said for a person.
PLACES = {
    "top": "a block or statement of a spec",
    "data": "a statement of `data`",
    "source": "a source of data, behind `source`",
    "column": "a statement in the block of a table",
    "tokenizer": "a tokenizer, behind `tokenizer:`",
    "labels": "a file of labels, behind `label:`",
    "crop": "a crop, behind `crop:`",
    "curate": "a statement of `curate`",
    "augment": "a transform in `augment`",
    "control": "a control of the transforms in `augment`",
    "structure": "a statement of a network that puts layers together",
    "parallel": "a branch of `parallel`",
    "layer": "a layer",
    "initializer": "an initializer, behind `init:`",
    "constraint": "a constraint, behind `constrain:`",
    "prior": "the type of an input that is drawn",
    "result": "the type of a network's result",
    "process": "a noising process",
    "distribution": "a distribution",
    "loss": "a loss, in an equation",
    "function": "a function, in an equation",
    "penalty": "a penalty, in an equation",
    "optimizer": "an optimizer, behind `with:` or `optimizer`",
    "schedule": "a schedule: a scalar that changes with the step",
    "train": "a statement of `train`",
    "update": "a statement of `update`",
    "phase": "a statement of `phase`",
    "strategy": "a strategy, behind `strategy`",
    "score": "a score, in `evaluate`",
    "evaluate": "a statement of `evaluate`",
    "extractor": "a feature extractor, behind `features:`",
    "monitor": "an alarm, in `monitor`",
    "policy": "what an alarm does, behind `do:`",
    "export": "a form of export, in `export`",
    "card": "a statement of `card`",
    "search": "how a param is searched, in `vary`",
    "sweep": "a statement of `sweep`",
}


def explanation(name: str) -> str | None:
    """All that `name` means: every word of that name, the rule of that code; None if there is neither."""
    parts = [_word(words[name]) for words in WORDS.values() if name in words]
    if name in BY_CODE:
        parts.append(_rule(BY_CODE[name]))
    if not parts and name.startswith("keras."):
        parts = _keras(name)
    return "\n".join(parts) or None


def nearest(name: str) -> str | None:
    """The word or rule that was probably meant."""
    from gendsl.spelling import suggestion

    return suggestion(name, [*(word for words in WORDS.values() for word in words), *BY_CODE])


def default_of(parameter: Parameter) -> str:
    """A default as it is written in a spec; empty where there is none."""
    value = parameter.default
    if value is REQUIRED or value is None or value == ():
        return ""
    return _literal(value)


def signature(word: Word) -> str:
    """`conv filters, kernel: 3, stride: 1` in short: the values in their places, then the named ones."""
    parts = []
    for parameter in word.parameters:
        shown = parameter.name if parameter.positional else f"{parameter.name}: …"
        if parameter.many:
            shown += ", …"
        parts.append(shown if parameter.default is REQUIRED else f"[{shown}]")
    return f"{word.name} {', '.join(parts)}".strip()


def roles_of(word: Word) -> list[str]:
    """The calls of a loss by role, `hinge.discriminator(real, fake)`."""
    if not isinstance(word, LossWord):
        return []
    calls = []
    for role, parameters in word.roles.items():
        inside = ", ".join(parameter.name for parameter in parameters)
        calls.append(f"{word.name}{'.' if role else ''}{role}({inside})")
    return calls


def wrapped(text: str, indent: str = "", width: int = WIDTH) -> str:
    """A paragraph in lines of at most `width` columns, each but the first indented."""
    lines, line = [], ""
    for piece in text.split():
        if line and len(line) + 1 + len(piece) > width:
            lines.append(line)
            line = indent + piece
        else:
            line = f"{line} {piece}" if line else piece
    return "\n".join([*lines, line])


def _word(word: Word) -> str:
    out = [f"{word.name}: {PLACES.get(word.category, f'a word of the kind {word.category}')}", ""]
    out.append(wrapped(word.doc))
    if not word.runs:
        out += ["", "Checked and planned; this version cannot run it yet."]
    if calls := roles_of(word):
        out += ["", *(f"  {call}" for call in calls)]
    if word.parameters:
        out += ["", *_table(_row(parameter) for parameter in word.parameters)]
    if word.open is not None:
        out.append(f"  …  further names may be given, each {expected(word.open)}")
    if word.body:
        out += ["", f"Its block holds words of the kind `{word.body}`: `gendsl words --kind {word.body}`."]
    if isinstance(word, LayerWord) and (shapes := shapes_of(word)):
        out += ["", "shapes, for the example:", *(f"  {line}" for line in shapes)]
    if isinstance(word, LayerWord):
        out += ["", f"built as: {word.keras.replace(':', '.').replace('{rank}', '1D, 2D or 3D, as ')}"]
    if word.example:
        out += ["", "example:", f"  {word.example}"]
    if word.source:
        out += ["", f"source: {wrapped(word.source, '  ')}"]
    return "\n".join(out) + "\n"


def _row(parameter: Parameter) -> tuple[str, str, str]:
    name = parameter.name if parameter.positional else f"{parameter.name}:"
    if parameter.many:
        name += " …"
    default = default_of(parameter)
    kind = expected(parameter.kind)
    if default:
        kind += f" (default {default})"
    elif parameter.default is not REQUIRED:
        kind += " (optional)"
    return name, kind, parameter.doc


def _table(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    out = []
    found = list(rows)
    width = max(len(name) for name, _, _ in found)
    pad = " " * (width + 4)
    for name, kind, doc in found:
        text = f"{kind}; {doc}" if doc else kind
        lines = wrapped(text, width=WIDTH - len(pad)).split("\n")
        out.append(f"  {name:<{width}}  {lines[0]}")
        out += [pad + line for line in lines[1:]]
    return out


def _keras(name: str) -> list[str]:
    """A layer by its name in Keras, from the table of its arguments."""
    import json
    import os

    import gendsl.vocabulary

    path = os.path.join(os.path.dirname(gendsl.vocabulary.__file__), "keras_layers.json")
    with open(path, encoding="utf-8") as file:
        layers = json.load(file)["layers"]
    found = layers.get(name.removeprefix("keras."))
    if found is None:
        return []
    rows = [
        (f"{argument}:", "required" if about["required"] else f"default {_python(about.get('default'))}", "")
        for argument, about in found["arguments"].items()
    ]
    doc = [f"{name}: a layer of Keras, by its own name", "", wrapped(found["doc"])]
    return ["\n".join([*doc, "", *_table(rows)] if rows else doc) + "\n"]


def _python(value: object) -> str:
    return "none" if value is None else _literal(value) if isinstance(value, (bool, int, float, str)) else str(value)


def _rule(rule: Rule) -> str:
    out = [f"{rule.code}: {'an' if rule.severity == 'error' else 'a'} {rule.severity}", "", wrapped(rule.summary)]
    out += ["", wrapped(rule.explanation)]
    if rule.source:
        out += ["", f"source: {wrapped(rule.source, '  ')}"]
    if rule.severity == "warning":
        out += ["", f'To silence it, write in the block, or in the file: allow {rule.code}, because: "…"']
    return "\n".join(out) + "\n"


def _literal(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case str():
            return value if value.isidentifier() else f'"{value}"'
        case tuple():
            return "[" + ", ".join(map(_literal, value)) + "]"
        case float():
            return f"{value:g}"
        case int():
            return f"{value:_}"
    word, unit = getattr(value, "word", None), getattr(value, "unit", None)
    if word is not None:
        return str(word)
    if unit is not None:
        return f"{getattr(value, 'value', '')} {unit}"
    return str(value)
