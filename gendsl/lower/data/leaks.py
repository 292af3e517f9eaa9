"""A source and its splits in, the examples out that stand in its training split too: exact copies, near ones, windows
of text that hold a stretch of it.

They make a score on the split too good, since the model was trained on them. What is dropped of them on request is the
copy outside training, so that the model stays the one that others train on the same data, as ciFAIR does.
Source: Barz & Denzler 2020, Do We Train on Test Data? Purging CIFAR of Near-Duplicates.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gendsl.lower.data.fingerprints import Fingerprints, Tell, fingerprints_of, silent
from gendsl.lower.data.loaded import LeftOut, Loaded
from gendsl.lower.data.stretches import shared_with_training, stretch_of
from gendsl.lower.data.tokenizers import tokenizer_from
from gendsl.lower.data.windows import Windows
from gendsl.plan.plan import Call, Data

if TYPE_CHECKING:
    from gendsl.lower.data.stored import Stored

NEAR = 0.01  # of the range: saving anew as JPEG mostly changes less; other garments of Fashion-MNIST are at 0.0147 up
_SHOWN = 20  # in data.json; leaks.csv has all
_KINDS = {"leak": "exact", "near leak": "near", "leak in part": "in part"}
_MOST_TEXT = 60  # tokens of the longest stretch that are shown


@dataclass(frozen=True)
class Leaks:
    """The leaks `among` so many examples of a split: their positions `at` (m,), ascending, and what each repeats. Of
    text, `stretches` tells how many stretches of `tokens` in all are shared, and which is the longest."""

    at: np.ndarray
    listed: tuple[LeftOut, ...]
    among: int
    stretches: Mapping[str, Any] | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind: copies to the bit, pictures that look the same, windows that hold copies."""
        found = Counter(_KINDS[one.reason] for one in self.listed)
        return {kind: found[kind] for kind in _KINDS.values() if found[kind]}

    @property
    def told(self) -> str:
        """The counts, for people."""
        return ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items())

    @property
    def record(self) -> dict[str, Any]:
        """What data.json tells of them."""
        first = [{"example": one.example, "repeats": one.repeats, "reason": one.reason} for one in self.listed[:_SHOWN]]
        counts = {"exact": 0, "near": 0} | {kind.replace(" ", "_"): count for kind, count in self.counts.items()}
        return {**counts, **({} if self.stretches is None else {"stretches": self.stretches}), "first": first}


def drops_leaks(calls: Iterable[Call]) -> bool:
    """Whether `curate` says `drop leaks`."""
    return any(call.word == "drop" and "leaks" in call.arguments["what"] for call in calls)


def with_prints(loaded: Loaded, data: Data, tell: Tell = silent) -> Loaded:
    """A source with the fingerprints of its examples, if there will be several splits of it. To be called before they
    are drawn: what is fitted to a training split may change the examples. Text is compared by stretches instead."""
    kind, values = loaded.content
    if kind == "text" or loaded.prints is not None or (data.split is None and len(loaded.splits or {}) < 2):
        return loaded
    return replace(loaded, prints=fingerprints_of(values, pictures=kind == "image", tell=tell))


def without_leaks(
    sources: "tuple[Stored, ...]", data: Data, tell: Tell = silent
) -> "tuple[tuple[Stored, ...], dict[str, dict[str, Leaks]]]":
    """The sources, without their leaks if `curate` drops them; and the leaks of each source, by split."""
    found: dict[str, dict[str, Leaks]] = {source.name: {} for source in sources}
    for source in sources:
        if len(source.rows) > 1:
            tell("looking for examples that stand in several splits…")
            found[source.name] = _found(source)
    if drops_leaks(data.curate):
        paired = data.pairs is not None
        sources = tuple(_without(source, found if paired else {source.name: found[source.name]}) for source in sources)
    return tuple(replace(source, loaded=replace(source.loaded, prints=None)) for source in sources), found


def _found(source: "Stored") -> dict[str, Leaks]:
    if "text" in source.loaded.columns:
        return _in_text(source.loaded, source.rows, source.loaded.columns["text"])
    return {} if source.loaded.prints is None else leaks_of(source.loaded, source.rows, source.loaded.prints)


def _in_text(loaded: Loaded, rows: Mapping[str, np.ndarray], windows: Windows) -> dict[str, Leaks]:
    """The windows of each split that hold a stretch which stands in `train`; a leak where all of it does."""
    record = loaded.details["tokenizer"]
    length = stretch_of(record["word"])
    out = {}
    for split, shared in shared_with_training(windows, rows, length).items():
        names = loaded.names_of(rows[split][shared.at])
        repeats = loaded.names_of(rows["train"][shared.repeats])
        reasons = ["leak" if whole else "leak in part" for whole in shared.whole]
        start, end = map(int, shared.longest)
        told: dict[str, Any] = {"of_at_least": length, "many": len(shared.stretches), "tokens": shared.tokens}
        told["longest"] = end - start
        if record["word"] != "remi":
            text = tokenizer_from(record).decode(windows.tokens[start : min(end, start + _MOST_TEXT)])
            told["longest_begins"] = text.decode(errors="replace")
        out[split] = Leaks(shared.at, tuple(map(LeftOut, names, reasons, repeats)), len(rows[split]), told)
    return out


def _without(source: "Stored", found: Mapping[str, Mapping[str, Leaks]]) -> "Stored":
    """A source without the leaks that are found in it, and without the partners of those that are found in others."""
    rows, left_out = dict(source.rows), list(source.loaded.left_out)
    for split in {split: None for leaks in found.values() for split in leaks}:
        own = found[source.name].get(split)
        out = np.unique(np.concatenate([leaks[split].at for leaks in found.values() if split in leaks]))
        alone = out if own is None else np.setdiff1d(out, own.at)
        left_out += () if own is None else own.listed
        left_out += [LeftOut(name, "without a pair") for name in source.loaded.names_of(rows[split][alone])]
        rows[split] = np.delete(rows[split], out)
    return replace(source, loaded=replace(source.loaded, left_out=tuple(left_out)), rows=rows)


def leaks_of(loaded: Loaded, rows: Mapping[str, np.ndarray], prints: Fingerprints) -> dict[str, Leaks]:
    """The leaks of each split but `train`, those without any left out; `rows` are indexes of a source, by split.

    Exact ones have the same content; near ones are pictures whose thumbnails of 8x9 pixels differ by a root mean square
    of at most 1 % of the range. Each repeats the training example that is closest.
    """
    out = {}
    for split, own in rows.items():
        if split == "train" or not len(own) or not len(rows["train"]):
            continue
        base, query = prints.of(rows["train"]), prints.of(own)
        exact = _exact(base, query)
        near = np.where(exact < 0, _near(base, query, exact < 0), -1)
        at = np.flatnonzero((exact >= 0) | (near >= 0))
        if len(at):
            names = loaded.names_of(own[at])
            repeats = loaded.names_of(rows["train"][np.maximum(exact, near)[at]])
            reasons = ["leak" if exact[place] >= 0 else "near leak" for place in at]
            out[split] = Leaks(at, tuple(map(LeftOut, names, reasons, repeats)), len(own))
    return out


def _exact(base: Fingerprints, query: Fingerprints) -> np.ndarray:
    """The position (m,) in the base of the same content, -1 for none."""
    where: dict[bytes, int] = {}
    for position, digest in enumerate(base.digests.tolist()):
        where.setdefault(digest, position)
    return np.array([where.get(digest, -1) for digest in query.digests.tolist()], np.int64)


def _near(base: Fingerprints, query: Fingerprints, wanted: np.ndarray) -> np.ndarray:
    """The position (m,) in the base of the closest thumbnail within `NEAR`, -1 for none; only where `wanted`."""
    found = np.full(len(wanted), -1, np.int64)
    if base.thumbnails is None or query.thumbnails is None or not wanted.any():
        return found
    from sklearn.neighbors import KDTree

    # Means of parts differ by no more than the whole does (Jensen), so the tree passes over nothing that is near.
    coarse = _means(base.thumbnails)
    tree = KDTree(coarse)
    places = np.flatnonzero(wanted)
    reach = NEAR * np.sqrt(coarse.shape[1]) + 1e-6
    for start in range(0, len(places), 256):
        part = places[start : start + 256]
        for place, candidates in zip(part, tree.query_radius(_means(query.thumbnails[part]), reach), strict=True):
            if len(candidates):
                candidates = np.sort(candidates)
                difference = base.thumbnails[candidates].astype(np.float32) - query.thumbnails[place]
                distance = np.sqrt((difference**2).mean(axis=(1, 2, 3))) / 255
                nearest = int(distance.argmin())
                found[place] = candidates[nearest] if distance[nearest] <= NEAR else -1
    return found


def _means(thumbnails: np.ndarray) -> np.ndarray:
    """The means (n, 12) of the 2x3 parts of thumbnails (n, 8, 9, c) uint8, in 0..1, over all channels."""
    parts = thumbnails.astype(np.float32).reshape(len(thumbnails), 4, 2, 3, 3, -1)
    means: np.ndarray = parts.mean(axis=(2, 4, 5)).reshape(len(thumbnails), 12) / 255
    return means
