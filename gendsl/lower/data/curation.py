"""The statements of `curate { }` and a loaded source in, the source without what they leave out, by reason, out."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from gendsl.lower.data.draws import permutation, stream_key
from gendsl.lower.data.loaded import Loaded, place_of
from gendsl.lower.data.resizing import resized_grey
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call


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


def curated(loaded: Loaded, calls: Iterable[Call], folder: str, seed: int) -> Loaded:
    """The examples that all statements keep, in their order. `limit` and `balance` thin the training examples only."""
    for call in calls:
        match call.word:
            case "drop":
                loaded = _dropped(loaded, call.arguments, folder)
            case "limit":
                loaded = _thinned(loaded, _limited(loaded, call.arguments["examples"], seed), "limit")
            case "balance":
                loaded = _thinned(loaded, _balanced(loaded, seed), "balance")
        if not loaded.examples:
            raise DataError(f"`{call.word}` leaves no example", "drop less: the run's data.json counts each reason")
    return loaded


def _dropped(loaded: Loaded, arguments: Any, folder: str) -> Loaded:
    for reason in arguments["what"]:
        if reason == "blank":
            flat = loaded.images.reshape(loaded.examples, -1, loaded.images.shape[3])
            loaded = _without(loaded, (flat == flat[:, :1]).all(axis=(1, 2)), "blank")
        elif reason == "duplicates":
            loaded = _without(loaded, _repeated(loaded.images, arguments["within"]), "duplicates")
    if arguments.get("label") is not None:
        loaded = _without(loaded, _of_class(loaded, arguments["label"]), "label")
    if arguments.get("listed") is not None:
        loaded = _without(loaded, _listed(loaded, arguments["listed"], folder), "listed")
    return loaded


def _without(loaded: Loaded, out: np.ndarray, reason: str) -> Loaded:
    count = int(out.sum())
    dropped = {reason: loaded.dropped.get(reason, 0) + count}
    return loaded.kept(np.flatnonzero(~out), dropped) if count else loaded


def _repeated(images: np.ndarray, within: int) -> np.ndarray:
    """Whether each picture (n, h, w, c) repeats one before it that is kept."""
    out = np.zeros(len(images), bool)
    if within == 0:
        seen: set[bytes] = set()
        for row, image in enumerate(images):
            content = image.tobytes()
            out[row] = content in seen
            seen.add(content)
        return out
    hashes = difference_hashes(images)
    kept, count = np.empty_like(hashes), 0
    for row, value in enumerate(hashes):
        out[row] = bool((np.bitwise_count(kept[:count] ^ value) <= within).any())
        if not out[row]:
            kept[count] = value
            count += 1
    return out


def difference_hashes(images: np.ndarray) -> np.ndarray:
    """The 64-bit difference hashes (n,) uint64 of pictures: whether a pixel of 8x9 grey ones is darker than the next.

    Source: Krawetz 2013, Kind of Like That (dHash).
    """
    grey = resized_grey(images, 8, 9)
    bits = (grey[:, :, 1:] > grey[:, :, :-1] + 1e-4).reshape(len(images), 64)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def _of_class(loaded: Loaded, label: str | int) -> np.ndarray:
    names = loaded.class_names or ()
    if loaded.labels is None:
        raise DataError("`drop label` needs data with classes", "take it out, or name the labels")
    if isinstance(label, str) and label not in names:
        raise DataError(f"there is no class `{label}`", f"the classes are {', '.join(names[:30])}")
    number = names.index(label) if isinstance(label, str) else label
    return np.asarray(loaded.labels == number)


def _listed(loaded: Loaded, path: str, folder: str) -> np.ndarray:
    place = place_of(folder, path)
    if not os.path.isfile(place):
        raise DataError(f'there is no file "{path}" (looked for {place})', "write the files' names into it, one a line")
    if loaded.names is None:
        raise DataError("`drop listed` needs a source of files", 'use it with `images("…")`')
    with open(place, encoding="utf-8") as file:
        names = {line.strip() for line in file if line.strip()}
    return np.array([name in names for name in loaded.names])


def _training(loaded: Loaded) -> np.ndarray:
    return np.arange(loaded.examples) if loaded.splits is None else loaded.splits.get("train", np.arange(0))


def _limited(loaded: Loaded, examples: int, seed: int) -> np.ndarray:
    rows = _training(loaded)
    chosen = permutation(stream_key(seed, "limit"), 0, len(rows))[:examples]
    return np.asarray(rows[chosen])


def _balanced(loaded: Loaded, seed: int) -> np.ndarray:
    if loaded.labels is None:
        raise DataError("`balance` needs data with classes", "take it out, or name the labels")
    rows = _training(loaded)
    rows = rows[permutation(stream_key(seed, "balance"), 0, len(rows))]
    labels = loaded.labels[rows]
    classes = np.unique(labels)
    least = min(int((labels == number).sum()) for number in classes)
    return np.concatenate([rows[labels == number][:least] for number in classes])


def _thinned(loaded: Loaded, keep: np.ndarray, reason: str) -> Loaded:
    out = np.zeros(loaded.examples, bool)
    out[_training(loaded)] = True
    out[keep] = False
    return _without(loaded, out, reason)
