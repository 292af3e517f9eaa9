"""A model card in, the same as Markdown with a block of metadata out, as the Hugging Face Hub reads `README.md`.

Nothing that a spec or a run says becomes markup or metadata of its own: texts are escaped, and the metadata is written
in JSON's part of YAML.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gendsl.export.card.document import Card, Cell, Code, Facts, Listing, Part, Picture, Said, Table
from gendsl.render import visible

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&#$!{}])")
_LIST = re.compile(r"^(?:\d+[.)]|[-+=:]+)(?=\s|$)")


def markdown_of(card: Card) -> str:
    """The card, as CommonMark with the tables of GitHub."""
    lines = ["---", *_yaml(card.metadata), "---", "", f"# {escaped(card.name)}", "", escaped(card.summary), ""]
    for section in card.sections:
        lines += [f"## {escaped(section.title)}", ""]
        for part in section.parts:
            lines += [*_part(part), ""]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """A text in one line in which nothing is markup."""
    line = _MARKUP.sub(r"\\\1", visible(" ".join(text.split())))
    return _LIST.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", line)


def _part(part: Part) -> list[str]:
    match part:
        case Said():
            return [escaped(part.text)]
        case Facts():
            return [f"- **{escaped(name)}:** {_cell(value)}" for name, value in part.rows]
        case Table():
            return [_row(part.head), _row(["---"] * len(part.head)), *map(_row, part.rows)]
        case Listing():
            text = "\n".join(map(visible, part.text.splitlines()))
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
            return [fence, text, fence]
        case Picture() if part.path:
            return [f"![{escaped(part.shows)}](<{part.path}>)"]
        case Picture():
            return [f"{escaped(part.shows)}: they are shown in `card.html`, beside this file."]


def _row(cells: Sequence[Cell]) -> str:
    return f"| {' | '.join(one if one == '---' else _cell(one) for one in cells)} |"


def _cell(value: Cell) -> str:
    if not isinstance(value, Code):
        return escaped(value)
    text = visible(" ".join(value.text.split())).replace("|", "\\|")
    return f"`{text}`" if text and "`" not in text else escaped(value.text)


def _yaml(value: Mapping[str, Any], indent: str = "") -> list[str]:
    """A mapping as YAML; texts and numbers are written as in JSON, which YAML reads as the same."""
    lines: list[str] = []
    for name, one in value.items():
        if isinstance(one, Mapping):
            lines += [f"{indent}{name}:", *_yaml(one, f"{indent}  ")]
        elif isinstance(one, list) and one and all(isinstance(item, Mapping) for item in one):
            lines.append(f"{indent}{name}:")
            for item in one:
                first, *rest = _yaml(item, f"{indent}  ")
                lines += [f"{indent}- {first.strip()}", *rest]
        else:
            lines.append(f"{indent}{name}: {json.dumps(one)}")
    return lines
