"""The outputs of a signature in, what a person looks at or takes away out: pictures, texts, music, rows, as files."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.frozen import dataclass, field
from gendsl.run.pictures import pixels_of, png, scatter
from gendsl.serve.description import Output

_LATER = (1980, 1, 1, 0, 0, 0)  # the date of a file in an archive: the same samples are the same archive
_PNG = b"\x89PNG\r\n\x1a\n"
_WIDEST = 32  # columns of numbers that are shown as a table


@dataclass(frozen=True, slots=True)
class Shown:
    """An output: what kind of thing it is, its files by name, and the names of those that are shown one by one.

    `columns` and `rows` are what stands in a table."""

    name: str
    kind: str
    files: Mapping[str, bytes]
    one_by_one: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=list)


def shown(output: Output, values: NDArray[Any], reader: Any, table: Any) -> Shown:
    """An output's values (n, …), read by its tokenizer or table where it has one."""
    name, kind = output.tensor.name, output.kind
    if kind == "image" and values.ndim == 4 and values.shape[-1] in (1, 3, 4):
        return _pictures(name, [png(one) for one in _pixels(values, output.range)])
    if kind == "png" and values.dtype.kind in "OS":
        return _pictures(name, [one for one in values.ravel().tolist() if one.startswith(_PNG)])
    if kind in ("tokens", "text") and values.dtype.kind in "OS":
        return _texts(name, [one.decode(errors="replace") for one in values.ravel().tolist()])
    if kind in ("tokens", "text") and values.ndim == 2 and values.dtype.kind in "iu":
        return _of_tokens(name, values, reader)
    if table is not None and values.ndim == 2:
        from gendsl.run.tables import csv_of

        cells = table.texts(table.decode(values))
        return Shown(
            name, "table", {"samples.csv": csv_of(table, values)}, (), [one.name for one in table.columns], cells
        )
    if values.ndim == 2 and values.shape[1] <= _WIDEST and values.dtype.kind in "fiu":
        return _numbers(name, values, output.record.get("columns"))
    if values.ndim == 1 and values.dtype.kind in "fiub":
        return _numbers(name, values[:, None], [name])
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    told = f"{'×'.join(map(str, values.shape))} numbers of {values.dtype}"
    return Shown(name, "array", {f"{name}.npy": stream.getvalue()}, (), ("array",), [[told]])


def archive(outputs: Sequence[Shown]) -> bytes:
    """All files as a ZIP archive, in a folder each of several outputs. The same files, the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as opened:
        for output in outputs:
            folder = f"{output.name}/" if len(outputs) > 1 else ""
            for name, content in output.files.items():
                entry = zipfile.ZipInfo(folder + name, _LATER)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                opened.writestr(entry, content)
    return stream.getvalue()


def _pictures(name: str, pictures: Sequence[bytes]) -> Shown:
    files = {f"{number:03}.png": one for number, one in enumerate(pictures)}
    return Shown(name, "pictures", files, list(files))


def _pixels(values: NDArray[Any], value_range: tuple[float, float] | None) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    if value_range is None:  # nothing tells it: that of tanh where something is below 0
        value_range = (-1.0, 1.0) if values.size and float(np.nanmin(values)) < 0 else (0.0, 1.0)
    return pixels_of(values, value_range)


def _texts(name: str, texts: Sequence[str]) -> Shown:
    files = {f"{number:03}.txt": f"{one}\n".encode(errors="replace") for number, one in enumerate(texts)}
    return Shown(name, "texts", files, list(files))


def _of_tokens(name: str, values: NDArray[Any], reader: Any) -> Shown:
    from gendsl.lower.data.written import finished

    if reader is None:
        return _texts(name, [" ".join(map(str, finished(one).tolist())) for one in values])
    from gendsl.lower.data.music import Remi
    from gendsl.lower.data.written import midi_of, music_of, text_of

    if not isinstance(reader, Remi):
        return _texts(name, [text_of(reader, one) for one in values])
    from gendsl.run.sounding import piano_rolls

    files: dict[str, bytes] = {}
    for number, one in enumerate(values):
        files[f"{number:03}.mid"] = midi_of(reader, one)
        files[f"{number:03}.png"] = png(piano_rolls([music_of(reader, one)]))
    return Shown(name, "music", files, [one for one in files if one.endswith(".png")])


def _numbers(name: str, values: NDArray[Any], columns: Any) -> Shown:
    count = values.shape[1]
    named = list(map(str, columns)) if isinstance(columns, list) and len(columns) == count else []
    named = named or (["x", "y"] if count == 2 else [f"x{number}" for number in range(count)])
    rows = [[format(one, ".9g") if isinstance(one, float) else str(one) for one in row] for row in values.tolist()]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([named, *rows])
    files = {"samples.csv": stream.getvalue().encode()}
    if count != 2 or values.dtype.kind != "f":
        return Shown(name, "table", files, (), named, rows)
    files["grid.png"] = png(scatter(values))
    return Shown(name, "points", files, ("grid.png",), named, rows)
