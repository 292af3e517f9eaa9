"""The statements of `curate { }` and a loaded source in, the source without what they leave out, and why, out."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from gendsl.lower.data.draws import DATA_SEED, permutation, stream_key
from gendsl.lower.data.fingerprints import Fingerprints, Tell, fingerprints_of, silent
from gendsl.lower.data.hamming import repeats_of
from gendsl.lower.data.listed import listed_in
from gendsl.lower.data.loaded import LeftOut, Loaded
from gendsl.lower.data.store import read
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call

THINNING = ("limit", "balance")  # the statements that leave out training examples for their number alone
_AT_ONCE = 1024


def size_reason(calls: Iterable[Call], height: int, width: int) -> str | None:
    """Why a picture of a size is left out, None if it is not: known from a file's header, before it is decoded."""
    for call in calls:
        if call.word != "drop":
            continue
        smaller, larger, aspect = (call.arguments.get(name) for name in ("smaller", "larger", "aspect"))
        if smaller is not None and (height < smaller[0] or width < smaller[-1]):
            return "smaller"
        if larger is not None and (height > larger[0] or width > larger[-1]):
            return "larger"
        if aspect is not None and not aspect[0] <= width / height <= aspect[1]:
            return "aspect"
    return None


def curated(loaded: Loaded, calls: Iterable[Call], folder: str, *, source: str = "", tell: Tell = silent) -> Loaded:
    """The examples that all statements keep, in their order. `limit` and `balance` thin the training examples only.

    Leaks between splits are known once there are splits: see `leaks`. Raises DataError where nothing is left.
    """
    left = _Left(loaded, tell)
    for call in calls:
        match call.word:
            case "drop":
                _drop(left, call.arguments, folder, source)
            case "limit":
                _thin(left, _limited(left, call.arguments["examples"]), "limit")
            case "balance":
                _thin(left, _balanced(left), "balance")
        if not len(left.rows):
            told = ", ".join(f"{reason} {count:,}" for reason, count in left.loaded.dropped.items())
            raise DataError(f"`{call.word}` leaves no example", f"drop less; so far these were left out: {told}")
    return left.result()


class _Left:
    """What is left of a source while one rule after the other is applied: indexes `rows`, ascending."""

    def __init__(self, loaded: Loaded, tell: Tell) -> None:
        self.loaded, self.rows, self._tell = loaded, np.arange(loaded.examples), tell

    @property
    def prints(self) -> Fingerprints:
        """The fingerprints of those that are left."""
        if self.loaded.prints is None:
            kind, values = self.loaded.content
            made = fingerprints_of(values, pictures=kind == "image", tell=self._tell)
            self.loaded = replace(self.loaded, prints=made)
        assert self.loaded.prints is not None
        whole = len(self.rows) == self.loaded.examples
        return self.loaded.prints if whole else self.loaded.prints.of(self.rows)

    def drop(self, out: np.ndarray, reason: str, repeated: np.ndarray | None = None) -> None:
        """Leaves out those of the `rows` where `out` (m,) is true; `repeated` (m,) are the ones they repeat."""
        names = self.loaded.names_of(self.rows[out])
        others = [""] * len(names) if repeated is None else self.loaded.names_of(self.rows[repeated[out]])
        more = [LeftOut(name, reason, other) for name, other in zip(names, others, strict=True)]
        self.loaded = replace(self.loaded, left_out=(*self.loaded.left_out, *more))
        self.rows = self.rows[~out]

    def result(self) -> Loaded:
        """The source with what is left; copied only where something is left out."""
        return self.loaded if len(self.rows) == self.loaded.examples else self.loaded.kept(self.rows)


def _drop(left: _Left, arguments: Any, folder: str, source: str) -> None:
    for reason in arguments["what"]:
        if reason == "blank":
            left.drop(_blank(left, float(arguments.get("contrast") or 0)), "blank")
        elif reason == "duplicates":
            _drop_duplicates(left, int(arguments.get("within") or 0))
    if arguments.get("label") is not None:
        left.drop(_of_class(left, arguments["label"]), "label")
    if arguments.get("listed") is not None:
        before = [one.example for one in left.loaded.left_out]
        names = left.loaded.names_of(left.rows)
        out, warning = listed_in(arguments["listed"], folder, names, before=before, source=source)
        if warning:
            left.loaded = replace(left.loaded, warnings=(*left.loaded.warnings, warning))
        left.drop(out, "listed")


def _blank(left: _Left, contrast: float) -> np.ndarray:
    """Whether each picture has a root-mean-square contrast of at most so much of the range, in every channel.

    Source: Peli 1990, Contrast in Complex Images.
    """
    if left.loaded.content[0] != "image":
        raise DataError("`drop blank` needs pictures", "take it out")
    images = left.loaded.images
    top = 255.0 if images.dtype == np.uint8 else 1.0
    out = np.empty(len(left.rows), bool)
    for start in range(0, len(left.rows), _AT_ONCE):
        part = read(images, left.rows[start : start + _AT_ONCE])
        flat = part.reshape(len(part), -1, part.shape[3])
        if contrast == 0:
            out[start : start + _AT_ONCE] = (flat == flat[:, :1]).all(axis=(1, 2))
        else:
            out[start : start + _AT_ONCE] = (flat.std(axis=1, dtype=np.float64) <= contrast * top).all(axis=1)
    return out


def _drop_duplicates(left: _Left, within: int) -> None:
    prints = left.prints
    if within and prints.hashes is None:
        raise DataError("`within` needs pictures: only they have difference hashes", "write `drop duplicates`")
    repeated = repeats_of(prints.hashes, within) if within and prints.hashes is not None else _same(prints.digests)
    left.drop(repeated >= 0, "duplicates", repeated)


def _same(digests: np.ndarray) -> np.ndarray:
    """For each digest the position (n,) of the first one like it, -1 for the first itself."""
    first: dict[bytes, int] = {}
    found = [first.setdefault(digest, position) for position, digest in enumerate(digests.tolist())]
    return np.array([-1 if place == position else place for position, place in enumerate(found)], np.int64)


def _of_class(left: _Left, label: str | int) -> np.ndarray:
    names, labels = left.loaded.class_names or (), left.loaded.labels
    if labels is None:
        raise DataError("`drop label` needs data with classes", "take it out, or name the labels")
    if isinstance(label, str) and label not in names:
        raise DataError(f"there is no class `{label}`", f"the classes are {', '.join(names[:30])}")
    if isinstance(label, int) and names and label >= len(names):
        raise DataError(f"there is no class {label}", f"the classes are 0 to {len(names) - 1}")
    number = names.index(label) if isinstance(label, str) else label
    return np.asarray(labels[left.rows] == number)


def _training(left: _Left) -> np.ndarray:
    splits = left.loaded.splits
    return left.rows if splits is None else np.intersect1d(left.rows, splits.get("train", np.arange(0)))


def _limited(left: _Left, examples: int) -> np.ndarray:
    rows = _training(left)
    chosen = permutation(stream_key(DATA_SEED, "limit"), 0, len(rows))[:examples]
    return np.asarray(rows[chosen])


def _balanced(left: _Left) -> np.ndarray:
    if left.loaded.labels is None:
        raise DataError("`balance` needs data with classes", "take it out, or name the labels")
    rows = _training(left)
    rows = rows[permutation(stream_key(DATA_SEED, "balance"), 0, len(rows))]
    labels = left.loaded.labels[rows]
    classes = np.unique(labels)
    least = min(int((labels == number).sum()) for number in classes)
    return np.concatenate([rows[labels == number][:least] for number in classes])


def _thin(left: _Left, keep: np.ndarray, reason: str) -> None:
    left.drop(np.isin(left.rows, _training(left)) & ~np.isin(left.rows, keep), reason)
