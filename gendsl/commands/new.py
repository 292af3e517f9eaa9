"""A name and a template in, a first spec on disk out; templates are specs in gendsl/templates."""

import os
import re

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "templates")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_EXPERIMENT = re.compile(r"^experiment \w+$", re.MULTILINE)


def templates() -> dict[str, str]:
    """The templates by name: the text of each."""
    found = {}
    for file in sorted(os.listdir(_FOLDER)):
        if file.endswith(".gen"):
            with open(os.path.join(_FOLDER, file), encoding="utf-8") as opened:
                found[file.removesuffix(".gen")] = opened.read()
    return found


def listing() -> str:
    """The templates with what each is: its first comment."""
    found = templates()
    width = max(map(len, found)) + 2
    return "".join(f"{name:<{width}}{text.split(chr(10), 1)[0].lstrip('# ')}\n" for name, text in found.items())


def beside(path: str, template: str) -> str:
    """Writes the data that a template reads beside the spec at `path`, unless a file of the name is there; gives its
    path, "" where nothing was written."""
    from gendsl.commands.starting import BESIDE

    if template not in BESIDE:
        return ""
    name, text = BESIDE[template]
    place = os.path.join(os.path.dirname(path), name)
    try:
        with open(place, "x", encoding="utf-8", newline="") as file:
            file.write(text())
    except FileExistsError:
        return ""
    return place


def write(name: str, template: str) -> tuple[str, str]:
    """Writes `name`.gen; gives its path, and what is wrong if nothing was written ("" if all is well)."""
    path = name if name.endswith(".gen") else f"{name}.gen"
    experiment = os.path.basename(path).removesuffix(".gen")
    if not _NAME.fullmatch(experiment):
        return path, f"`{experiment}` cannot name an experiment: use small letters, digits and `_`, as in `my_gan`"
    found = templates()
    if template not in found:
        from gendsl.spelling import did_you_mean

        meant = did_you_mean(template, found) or f"there are {', '.join(found)}"
        return path, f"there is no template `{template}`: {meant}"
    text = _EXPERIMENT.sub(f"experiment {experiment}", found[template], count=1)
    try:
        with open(path, "x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        return path, f"{path} is there already; nothing was written"
    except OSError as error:
        return path, f"{path} cannot be written: {error.strerror}"
    return path, ""
