"""A kind of word in (or none, for all), a listing out: as text, as JSON, or names (or kinds) alone."""

from typing import Any

from gendsl.check.expected import expected
from gendsl.commands.explain import PLACES, default_of
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import REQUIRED, Parameter, Word

WIDTH = 120


def kinds() -> tuple[str, ...]:
    """The kinds of word, in the order of a spec."""
    return tuple(WORDS)


def listing(kind: str | None, *, form: str) -> str:
    """The words of a kind, or all; `form` is text, json, names or kinds."""
    chosen = {kind: WORDS[kind]} if kind is not None else WORDS
    if form == "json":
        import json

        records = [record_of(word) for words in chosen.values() for word in words.values()]
        return json.dumps({"version": 1, "words": records}, indent=2) + "\n"
    if form == "kinds":
        return "".join(f"{name}\n" for name in chosen)
    if form == "names":
        return "".join(f"{name}\n" for name in sorted({name for words in chosen.values() for name in words}))
    return "\n".join(_section(category, words) for category, words in chosen.items())


def record_of(word: Word) -> dict[str, Any]:
    """A word as JSON data: what docs/words-json.md describes."""
    return {
        "name": word.name,
        "kind": word.category,
        "doc": word.doc,
        "runs": word.runs,
        "parameters": [_parameter(parameter) for parameter in word.parameters],
        "block": word.body or None,
        "example": word.example,
        "source": word.source,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "takes": expected(parameter.kind),
        "required": parameter.default is REQUIRED,
        "default": default_of(parameter) or None,
        "positional": parameter.positional,
        "many": parameter.many,
        "doc": parameter.doc,
    }


def _section(category: str, words: dict[str, Word]) -> str:
    width = max(map(len, words)) + 2
    lines = [f"{category}: {PLACES.get(category, '')}".rstrip(": ")]
    for word in words.values():
        mark = "" if word.runs else "  (cannot run yet)"
        room = WIDTH - width - 2 - len(mark)
        doc = word.doc if len(word.doc) <= room else word.doc[: room - 1].rsplit(" ", 1)[0] + "…"
        lines.append(f"  {word.name:<{width}}{doc}{mark}")
    return "\n".join(lines) + "\n"
