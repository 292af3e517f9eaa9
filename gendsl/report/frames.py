"""The folder of a run in, what its samples looked like over time out: pictures as data URIs, texts as they are."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

from gendsl.frozen import dataclass
from gendsl.run.folder import RunFolder

_NAME = re.compile(r"(?P<view>[a-z_]+)-(?:(?P<step>\d{1,15})|final)(?:-(?P<output>.+))?\.(?:png|txt)")
_SAMPLES = ("step", "grid")  # of the samples themselves; all else is another view of them
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_FRAMES = 12  # of an output
_MOST_BYTES = 12_000_000  # of all pictures: a page that can still be sent by mail
_LONGEST_TEXT = 20_000  # characters of a text


@dataclass(frozen=True, slots=True)
class Frame:
    """What samples looked like after a step, None at the end of the run: a picture (a data URI) or a text."""

    step: int | None
    picture: str
    text: str


@dataclass(frozen=True, slots=True)
class Film:
    """The frames of a view (empty: the samples themselves) of an output, in the order of their steps."""

    view: str
    output: str
    frames: tuple[Frame, ...]


def films_of(folder: RunFolder) -> tuple[Film, ...]:
    """What stands in a run's `samples/`: of each view and output some frames, evenly spread, the first and the last
    among them; larger pictures fewer. The samples themselves come first."""
    found: dict[tuple[str, str], list[tuple[float, Path]]] = {}
    for path in sorted(folder.samples.glob("*")):
        told = _NAME.fullmatch(path.name)
        if told is not None and path.is_file() and not path.is_symlink():
            step = float("inf") if told["step"] is None else int(told["step"])
            view = "" if told["view"] in _SAMPLES else told["view"]
            found.setdefault((view, told["output"] or ""), []).append((step, path))
    films = []
    for (view, output), files in sorted(found.items()):
        frames = _read(_spread(sorted(files)), room=_MOST_BYTES // len(found))
        if frames:
            films.append(Film(view, output, frames))
    return tuple(films)


def _spread(files: Sequence[tuple[float, Path]]) -> list[tuple[float, Path]]:
    if len(files) <= _MOST_FRAMES:
        return list(files)
    last = len(files) - 1
    return [files[round(number * last / (_MOST_FRAMES - 1))] for number in range(_MOST_FRAMES)]


def _read(files: list[tuple[float, Path]], *, room: int) -> tuple[Frame, ...]:
    """The frames that can be read and have room: the last first, then the first, then those between."""
    order = [len(files) - 1, 0, *range(len(files) - 2, 0, -1)] if len(files) > 1 else [0]
    frames: dict[int, Frame] = {}
    for number in order:
        step, path = files[number]
        try:
            size = path.stat().st_size
            content = path.read_bytes() if 0 < size <= room else b""
        except OSError:
            continue
        when = None if step == float("inf") else int(step)
        if path.suffix == ".txt" and content:
            text = content.decode(errors="replace")
            cut = text[:_LONGEST_TEXT] + ("\n…" if len(text) > _LONGEST_TEXT else "")
            frames[number] = Frame(when, "", cut)
        elif content.startswith(_PNG):
            frames[number] = Frame(when, f"data:image/png;base64,{base64.b64encode(content).decode()}", "")
        else:
            continue
        room -= size
    return tuple(frames[number] for number in sorted(frames))
