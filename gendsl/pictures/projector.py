"""Codes of examples in, the files of TensorBoard's embedding projector out: coordinates, labels, small pictures."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gendsl.run.folder import write_whole
from gendsl.run.pictures import Pixels, grid, png

_LARGEST_SPRITE = 4_096  # pixels on a side: browsers take no more


def written(
    folder: Path,
    codes: Mapping[str, NDArray[np.floating]],
    labels: Mapping[str, Sequence[str]],
    pictures: Pixels | None,
) -> None:
    """Writes `projector_config.pbtxt` and what it names into a run's `logs/`. Raises UserError.

    `codes` are matrices (n, d) by name; `labels` have n lines each, by column; `pictures` (n, height, width, channels)
    are shown in place of the points."""
    parts = []
    if labels:
        write_whole(folder / "labels.tsv", _table(labels))
    sprite = _sprite(pictures)
    if sprite is not None:
        write_whole(folder / "sprite.png", png(sprite))
    for name, matrix in codes.items():
        file = f"codes-{name}.tsv"
        stream = io.StringIO()
        np.savetxt(stream, np.nan_to_num(np.asarray(matrix, np.float64)), fmt="%.6g", delimiter="\t")
        write_whole(folder / file, stream.getvalue())
        part = [f'  tensor_name: "code of {name}"', f'  tensor_path: "{file}"']
        if labels:
            part.append('  metadata_path: "labels.tsv"')
        if sprite is not None and pictures is not None:
            height, width = pictures.shape[1:3]
            part.append('  sprite {\n    image_path: "sprite.png"')
            part.append(f"    single_image_dim: {width}\n    single_image_dim: {height}\n  }}")
        parts.append("embeddings {\n" + "\n".join(part) + "\n}\n")
    write_whole(folder / "projector_config.pbtxt", "".join(parts))


def _table(columns: Mapping[str, Sequence[str]]) -> str:
    """One column has no heading, several have one: so the projector wants it."""
    clean = {name: [" ".join(one.split()) for one in values] for name, values in columns.items()}
    lines = zip(*clean.values(), strict=True)
    heading = ["\t".join(clean)] if len(clean) > 1 else []
    return "\n".join([*heading, *("\t".join(line) for line in lines)]) + "\n"


def _sprite(pictures: Pixels | None) -> Pixels | None:
    """All pictures row by row in a square, without gaps; None where they are too large together."""
    if pictures is None or pictures.shape[-1] not in (1, 3, 4):
        return None
    side = math.ceil(math.sqrt(len(pictures)))
    if side * max(pictures.shape[1:3]) > _LARGEST_SPRITE:
        return None
    return grid(pictures, columns=side, enlarge=False, gap=0)
