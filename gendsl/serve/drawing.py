"""What a person chose on the page in, the samples of a signature out, as the page shows them or as an archive.

The page's form speaks of classes by number and of prompts as text; here they become the arrays of the signature.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from gendsl.export.chain import Origin
from gendsl.frozen import dataclass, replace
from gendsl.serve.description import Described, Input
from gendsl.serve.limits import Limits
from gendsl.serve.marking import all_marked
from gendsl.serve.readers import reader_in, record_of, table_in
from gendsl.serve.rest import Rest
from gendsl.serve.showing import Shown, shown
from gendsl.serve.signatures import Arrays, Refused
from gendsl.serve.tensors import array_of

_SIMPLE = ("count", "seed", "label", "truncation", "temperature", "prompt", "switch")
_ROWS = 200  # of a table on the page; the file has all
_LONGEST = 20_000  # characters of a prompt
_CLASSES = 10_000  # that a form lists
EACH = "each"  # of a class: one sample of each, in turn


@dataclass(frozen=True, slots=True)
class Sheet:
    """A signature that the page has a form for, and what reads its outputs and cuts its prompts, by output."""

    described: Described
    readers: Mapping[str, Any]
    tables: Mapping[str, Any]
    faults: Sequence[str]

    @property
    def tokenizer(self) -> Any:
        """What cuts a prompt into tokens: the tokenizer of what comes out. None where there is none."""
        return next((one for one in self.readers.values() if hasattr(one, "encode")), None)


def sheets_of(described: Mapping[str, Described], folder: Path) -> dict[str, Sheet]:
    """The signatures whose inputs a form can hold: arrays and pictures are for programs, and so is what gives the same
    as another one in PNG files. The default comes first."""
    names = [
        name
        for name, one in described.items()
        if all(given.kind in _SIMPLE and given.tensor.dtype != "string" for given in one.inputs)
        and not _is_copy(name, described)
    ]
    return {name: _sheet(described[name], folder) for name in sorted(names, key=lambda one: one != "serving_default")}


def _is_copy(name: str, described: Mapping[str, Described]) -> bool:
    of = "serving_default" if name == "png" else name.removesuffix("_png")
    return of != name and of in described


def _sheet(one: Described, folder: Path) -> Sheet:
    readers, tables, faults = {}, {}, []
    for output in one.outputs:
        name, shape = output.tensor.name, output.tensor.shape or ()
        readers[name], wrong = reader_in(record_of(folder, output.record, "vocabulary file"))
        tables[name], unread = table_in(record_of(folder, output.record, "table file"), shape[-1] if shape else None)
        faults += [told for told in (wrong, unread) if told]
    return Sheet(one, readers, tables, faults)


class Drawing:
    """Draws samples for the page."""

    def __init__(self, rest: Rest, sheets: Mapping[str, Sheet], limits: Limits, origin: Origin) -> None:
        self._rest, self._sheets, self._limits, self._origin = rest, sheets, limits, origin

    async def samples(self, chosen: Any) -> list[Shown]:
        """The outputs for what was chosen: `{"signature": …, "count": …, "inputs": {…}}`. Raises Refused."""
        if not isinstance(chosen, dict) or not isinstance(chosen.get("inputs", {}), dict):
            raise Refused(400, "the form sends an object with `signature`, `count` and `inputs`")
        sheet = self._sheets.get(str(chosen.get("signature")))
        if sheet is None:
            raise Refused(400, "the page has no form for this signature")
        arrays = self._arrays(sheet, chosen.get("inputs", {}), chosen.get("count"))
        found = await self._rest.call(sheet.described.name, arrays)
        seeds = [int(arrays[one.tensor.name]) for one in sheet.described.inputs if one.kind == "seed"]
        origin = replace(self._origin, drawn=f"seed {seeds[0]}") if seeds else self._origin
        return await asyncio.to_thread(self._shown, sheet, found, origin)

    def _shown(self, sheet: Sheet, found: Arrays, origin: Origin) -> list[Shown]:
        parts = [
            shown(one, found[one.tensor.name], sheet.readers[one.tensor.name], sheet.tables[one.tensor.name])
            for one in sheet.described.outputs
        ]
        return [replace(one, files=all_marked(one.files, origin)) for one in parts]

    def _arrays(self, sheet: Sheet, values: Mapping[str, Any], count: Any) -> Arrays:
        if type(count) is not int or not 1 <= count <= self._limits.samples:
            raise Refused(400, f"how many has to be a whole number from 1 to {self._limits.samples}")
        return {
            one.tensor.name: _array(one, values.get(one.tensor.name, one.default), count, sheet)
            for one in sheet.described.inputs
        }


def _array(one: Input, value: Any, count: int, sheet: Sheet) -> NDArray[Any]:
    if one.kind == "count":
        return array_of(count, one.tensor)
    if one.kind == "prompt":
        tokens = _tokens(one, value, sheet)
        return np.tile(tokens, (count, 1)) if one.batched else tokens
    if one.kind == "label" and value == EACH:
        return array_of([number % classes_of(one) for number in range(count)], one.tensor)
    if one.tensor.dtype.startswith(("float", "bfloat")) and type(value) is int:
        value = float(value)
    return array_of([value] * count if one.batched else value, one.tensor)


def classes_of(one: Input) -> int:
    """How many classes a label has; ten where nothing tells."""
    return len(one.names) or (min(int(one.most) + 1, _CLASSES) if one.most is not None else 10)


def _tokens(one: Input, value: Any, sheet: Sheet) -> NDArray[Any]:
    """The tokens of a prompt, with -1 behind it where the signature has a length of its own."""
    if not isinstance(value, str) or not value or len(value) > _LONGEST:
        raise Refused(400, f"write a beginning, of {_LONGEST:,} characters at most")
    if sheet.tokenizer is not None:
        tokens = np.asarray(sheet.tokenizer.encode(value.encode(errors="replace")), np.int64)
    else:
        words = value.replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            raise Refused(400, "nothing beside the model tells how text becomes tokens: give them as numbers, `12 7 3`")
        tokens = np.array(list(map(int, words)), np.int64)
    width = (one.tensor.shape or ())[-1]
    if width is not None:
        if len(tokens) > width:
            raise Refused(400, f"the beginning is {len(tokens)} tokens long, and the model takes {width}")
        tokens = np.concatenate([tokens, np.full(width - len(tokens), -1)])
    dtype = np.dtype(one.tensor.dtype)
    return tokens.astype(dtype)[None] if one.batched else tokens.astype(dtype)


def on_page(outputs: Sequence[Shown]) -> bytes:
    """Samples as the page's script takes them: JSON."""
    return orjson.dumps({"outputs": [_item(one) for one in outputs]})


def _item(one: Shown) -> dict[str, Any]:
    if one.kind == "texts":
        return {"name": one.name, "kind": one.kind, "texts": [one.files[name].decode()[:-1] for name in one.one_by_one]}
    item: dict[str, Any] = {
        "name": one.name,
        "kind": one.kind,
        "pictures": [{"name": name, "data": base64.b64encode(one.files[name]).decode()} for name in one.one_by_one],
        "columns": one.columns,
        "rows": one.rows[:_ROWS],
        "left": max(0, len(one.rows) - _ROWS),
    }
    if one.kind == "music":
        item["songs"] = [
            {"name": name, "data": base64.b64encode(content).decode()}
            for name, content in one.files.items()
            if name.endswith(".mid")
        ]
    return item
