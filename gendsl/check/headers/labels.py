"""A file of labels and the paths of pictures in, the class of each picture out: read without NumPy."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gendsl.check.headers.paths import Refused, inside, regular
from gendsl.frozen import dataclass
from gendsl.plan.plan import Call

ADD_LABELS = "add them to it, or leave these pictures out: `curate { drop unlabeled }`"


@dataclass(frozen=True, slots=True)
class Labelled:
    """`classes` of pictures by path; `names` of all classes, in the order of their numbers; the paths without one."""

    classes: Mapping[str, str]
    names: tuple[str, ...]
    missing: tuple[str, ...]


def labels_of(label: Any, paths: Sequence[str], folder: str) -> Labelled:
    """The classes of pictures, by what `label:` says: `folder`, or a call of a file's word.

    A picture is known by its path, the end of it, or that without its ending. Raises `Refused` for a file that does not
    tell them, FileNotFoundError where there is none.
    """
    if not isinstance(label, Call):
        classes = {path: os.path.basename(os.path.dirname(path)) for path in paths}
        return Labelled(classes, tuple(sorted(set(classes.values()))), ())
    shown = str(label.arguments["path"])
    place = inside(folder, shown)
    if not os.path.isfile(place):
        raise FileNotFoundError(place)
    read = _csv_pairs if label.word == "csv" else _json_pairs
    told: dict[str, str] = {}
    for name, kind in read(place, shown, label.arguments):
        name = name.replace("\\", "/").removeprefix("./")
        if told.setdefault(name, kind) != kind:
            raise Refused(f'"{shown}" gives "{name}" two classes: {told[name]} and {kind}', "keep one of them")
    classes = _matched(told, paths, shown)
    if not classes:
        raise Refused(
            f'"{shown}" has no label for any of the {len(paths)} pictures, such as "{paths[0]}"; it names '
            f"{some(told) or 'none'}",
            "say which column, or key, names the pictures: `file: name`",
        )
    missing = tuple(path for path in paths if path not in classes)
    return Labelled(classes, _ordered(set(classes.values())), missing)


def unlabelled(label: Any, found: Labelled, total: int) -> str:
    """What is told where pictures have no label; "" where all have one."""
    if not found.missing:
        return ""
    count = len(found.missing)
    have = "has" if count == 1 else "have"
    return f'{count} of the {total} pictures {have} no label in "{label.arguments["path"]}": {some(found.missing)}'


def dropped_unlabelled(curate: Iterable[Call]) -> bool:
    """Whether `curate` leaves pictures without a label out."""
    return any(call.word == "drop" and "unlabeled" in call.arguments["what"] for call in curate)


def some(names: Iterable[str]) -> str:
    """The first few of them, in quotes."""
    names = list(names)
    return ", ".join(f'"{name}"' for name in names[:3]) + (", …" if len(names) > 3 else "")


def _matched(told: Mapping[str, str], paths: Sequence[str], shown: str) -> dict[str, str]:
    classes: dict[str, str] = {}
    taken: dict[str, str] = {}
    for path in paths:
        name = next((name for name in _names(path) if name in told), None)
        if name is None:
            continue
        if name in taken:
            raise Refused(
                f'"{name}" of "{shown}" could be "{taken[name]}" or "{path}"', "write the pictures' paths into it"
            )
        taken[name] = path
        classes[path] = told[name]
    return classes


def _names(path: str) -> Iterator[str]:
    """What a file of labels may call a picture, the fullest first."""
    for whole in (path, os.path.splitext(path)[0]):
        yield whole
        for place, sign in enumerate(whole):
            if sign == "/":
                yield whole[place + 1 :]


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    """By number where all are numbers, else by letter."""
    names = sorted(names)
    return tuple(sorted(names, key=int) if all(name.isdecimal() for name in names) else names)


def _csv_pairs(place: str, shown: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    import csv

    separator = str(arguments["separator"])
    if len(separator) != 1:
        raise Refused(f'the separator of "{shown}" is "{separator}"', "write one character")
    with open(place, opener=regular, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=separator)
        try:
            header = [name.strip() for name in next(rows, [])]
            columns = []
            for which, parameter in enumerate(("file", "class")):
                wanted = arguments.get(parameter)
                if wanted is not None and wanted not in header:
                    raise Refused(f'"{shown}" has no column `{wanted}`', f"its columns are {', '.join(header[:30])}")
                columns.append(which if wanted is None else header.index(wanted))
            if len(header) <= max(columns):
                told = ", ".join(header) or "none"
                raise Refused(f'"{shown}" needs a column of pictures and one of classes; it has {told}', "add it")
            for row in rows:
                if not row:
                    continue
                if len(row) <= max(columns):
                    told = f'row {rows.line_num} of "{shown}" has {len(row)} of its {len(header)} cells'
                    raise Refused(told, "write all of them")
                if row[columns[1]].strip():
                    yield row[columns[0]].strip(), row[columns[1]].strip()
        except (csv.Error, UnicodeDecodeError) as error:
            raise Refused(f'"{shown}" cannot be read as a table: {error}', "save it as CSV, in UTF-8") from error


def _json_pairs(place: str, shown: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    import json

    with open(place, opener=regular, encoding="utf-8-sig") as file:
        try:
            told = json.load(file)
        except (ValueError, RecursionError) as error:
            raise Refused(f'"{shown}" is not JSON: {error}', "fetch or write the file again") from error
    if isinstance(told, dict):
        pairs = list(told.items())
    else:
        objects = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        keys = [arguments.get("file"), arguments.get("class")]
        there = dict.fromkeys(key for one in objects for key in one)
        if not there:
            raise Refused(f'"{shown}" is neither a list of objects nor an object', "see `gendsl explain json`")
        unknown = [str(key) for key in keys if key is not None and key not in there]
        if None in keys or unknown:
            fault = f"no key `{unknown[0]}`" if unknown else "several keys"
            raise Refused(
                f'the objects of "{shown}" have {fault}: they have {", ".join(map(str, list(there)[:30]))}',
                "name the two that matter: `file: image, class: category`",
            )
        pairs = [(one.get(keys[0]), one.get(keys[1])) for one in objects]
    for name, kind in pairs:
        if isinstance(name, str | int) and isinstance(kind, str | int) and str(kind):
            yield str(name), str(kind)
