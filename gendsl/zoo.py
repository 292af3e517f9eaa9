"""The reference specs and the rows of their `papers.toml` in, the page that sets published counts beside ours out."""

import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from typing import Any

from gendsl.api import load
from gendsl.frozen import dataclass, field
from gendsl.vocabulary.dimensions import Dimension

_HEAD = """<!-- written by `python -m gendsl.reference`; do not edit -->

# The reference specs

Each spec names its paper and is checked, planned and trained for a few steps by the tests. The table sets the trainable
parameters of each network as the paper, or its reference implementation, gives them beside those that `gendsl plan`
counts; a dash stands where no source gives a count, with the reason. They are held to agree to the unit. Rows come from
[papers.toml](papers.toml).

Data is found beside the spec, in the folder that its `source` names. `--set` changes a spec's params, such as its size.

| spec | paper | network | published | counted | where the published count comes from |
| --- | --- | --- | --- | --- | --- |
"""

_TAIL = """
## What some of them draw

[What the specs learn](results.md) has the figures. Smileys of 32x32 from 338 pictures
([examples/smileys.gen](../examples/smileys.gen)), with adaptive augmentation (left) and without it, after
4,000 steps:

![64 generated smileys and hearts with adaptive augmentation, 64 without](../docs/images/smileys.png)

Held-out smileys in another maker's style, which no loss ever compared with that maker's own
([examples/emoji_cyclegan.gen](../examples/emoji_cyclegan.gen)). Above Google's, below Twitter's: given, translated, and
translated back:

![Google's smileys in Twitter's style, and the other way round](../docs/images/emoji_cyclegan.png)

Chorales after four and a half minutes ([examples/chorales.gen](../examples/chorales.gen)), below real ones that the
training has not seen; a colour is a part:

![Piano rolls of two of Bach's chorales and of two generated ones](../docs/images/chorales.png)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A spec of the zoo: its paper, the published trainable parameters by network, and where they come from."""

    name: str
    paper: str
    source: str
    networks: Mapping[str, int] = field(default_factory=dict)


def rows(folder: str) -> tuple[Row, ...]:
    """The rows of a folder's `papers.toml`, in its order. Raises OSError, ValueError or TypeError for a file that holds
    anything else."""
    with open(os.path.join(folder, "papers.toml"), "rb") as file:
        found: dict[str, dict[str, Any]] = tomllib.load(file)
    return tuple(Row(name, **said) for name, said in found.items())


def counts(folder: str) -> dict[str, dict[str, Dimension]]:
    """The trainable parameters of each network of each spec, as planned without data: what waits for it is symbolic.

    Raises SpecError for a spec with errors."""
    with tempfile.TemporaryDirectory() as place:  # the page must not depend on which data this machine has
        names = sorted(name for name in os.listdir(folder) if name.endswith(".gen"))
        for name in names:
            shutil.copy(os.path.join(folder, name), place)
        plans = {name.removesuffix(".gen"): load(os.path.join(place, name)) for name in names}
    return {name: {network.name: network.weights for network in plan.networks} for name, plan in plans.items()}


def page(folder: str) -> str:
    """The table of a folder's specs, and pictures of what some draw, in Markdown.

    Raises as `rows` and `counts`; KeyError for a row without spec."""
    counted = counts(folder)
    return _HEAD + "".join(_line(row, counted[row.name]) for row in rows(folder)) + _TAIL


def _line(row: Row, counted: Mapping[str, Dimension]) -> str:
    cells = (
        f"[{row.name}]({row.name}.gen)",
        re.sub(r"(.*?),? (https?://\S+?)(?=;|$)", _link, row.paper),
        "<br>".join(counted),
        "<br>".join(_number(row.networks[name]) if name in row.networks else "–" for name in counted),
        "<br>".join(map(_number, counted.values())),
        row.source,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _link(found: re.Match[str]) -> str:
    text = found[1].removeprefix("; ")
    return f"{'; ' if text != found[1] else ''}[{text}]({found[2]})"


def _number(count: Dimension) -> str:
    return f"{count:,}" if isinstance(count, int) else str(count).replace("*", "·")
