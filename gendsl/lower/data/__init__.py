"""A plan's data and the spec's folder in, a `Dataset` out: sources loaded and checked, splits drawn, a manifest."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gendsl.check.headers import split_sizes
from gendsl.lower.data import arrays, music, pictures, prepared, records, sounds, text
from gendsl.lower.data.conditions import Sampling, conditions_of, refuse_other_width
from gendsl.lower.data.curation import THINNING, curated
from gendsl.lower.data.dataset import Dataset, Drawn, Finite
from gendsl.lower.data.draws import DATA_SEED, permutation, stream_key
from gendsl.lower.data.findings import findings_of
from gendsl.lower.data.fingerprints import Tell, silent
from gendsl.lower.data.leaks import Leaks, drops_leaks, with_prints, without_leaks
from gendsl.lower.data.loaded import LeftOut, Loaded
from gendsl.lower.data.order import Order
from gendsl.lower.data.points import DRAWN, modes_of
from gendsl.lower.data.resizing import Transform, transform_of
from gendsl.lower.data.stored import Stored
from gendsl.lower.data.tables import TABLES, encoded, table
from gendsl.lower.data.windows import Windows
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data, Field, Plan, Source
from gendsl.vocabulary.dimensions import same_shape, shown

__all__ = ["Dataset", "dataset_of", "modes_of"]

_LOADERS: Mapping[str, Callable[[Mapping[str, Any], str, Transform], Loaded]] = {
    "digits": arrays.digits,
    "idx": arrays.idx,
    "npz": arrays.npz,
}
_STORED: Mapping[str, Callable[[Mapping[str, Any], str, Transform, Data], Loaded]] = {  # where `cache` says
    "images": pictures.images,
    "npy": arrays.npy,
    "tfds": prepared.tfds,
    "tfrecord": records.tfrecord,
}
# Files that are split before they are cut into examples.
_CUT: Mapping[str, Callable[..., Loaded]] = {"text": text.text, "midi": music.midi, "audio": sounds.audio}


def dataset_of(plan: Plan, folder: str = ".", *, overfit: bool = False, tell: Tell = silent) -> Dataset:
    """The data of a plan, loaded; the paths of its sources are relative to `folder`, the spec's.

    `overfit` gives one batch for ever; `tell` hears how far long work is. DataError for what the user can mend: data
    that is missing, damaged, or not what the plan says.
    """
    data = plan.data
    seed = int(plan.train.settings["seed"].arguments["number"]) if "seed" in plan.train.settings else 0
    drawn = [source for source in data.sources if source.call.word in DRAWN]
    if drawn and len(drawn) == len(data.sources):
        if data.curate:
            raise DataError(f"`{drawn[0].call.word}` has no end: nothing can be left out of it", "take `curate` out")
        return Drawn(data.sources, data.fields, seed=seed, batch=data.batch, times=plan.train.times, overfit=overfit)
    if drawn:
        raise DataError(
            f"`{drawn[0].call.word}` has no end and cannot stand beside data that has one", "use one of them"
        )
    loaded = {name: with_prints(found, data, tell) for name, found in _curated(plan, folder, tell).items()}
    sources = tuple(_stored(name, source, data, seed) for name, source in loaded.items())
    sources, leaks = without_leaks(sources, data, tell)
    for source in sources:
        _check(source, data, overfit)
    dataset = Finite(
        sources,
        data.fields,
        plan.augment.data,
        paired=data.pairs is not None,
        seed=seed,
        batch=data.batch,
        times=plan.train.times,
        overfit=overfit,
        manifest=_manifest(data, sources, leaks),
    )
    dataset.findings = findings_of({source.name: source.loaded for source in sources}, leaks, drops_leaks(data.curate))
    return dataset


def _curated(plan: Plan, folder: str, tell: Tell) -> dict[str, Loaded]:
    """The sources by name, without what is left out of them. Pairs are thinned as such, so that none is torn."""
    data, paired = plan.data, plan.data.pairs is not None
    loaded = {}
    for source in data.sources:
        found = _loaded(source, plan, folder)
        done = ("drop",) if source.call.word in _CUT else ()  # whole files, when they were read
        later = THINNING if paired else ()
        before = tuple(call for call in data.curate if call.word not in (*done, *later))
        loaded[source.name] = curated(found, before, folder, source=source.name, tell=tell)
    if data.pairs is None:
        return loaded
    thinning = tuple(call for call in data.curate if call.word in THINNING)
    return {name: curated(source, thinning, folder) for name, source in _paired(loaded, data.pairs).items()}


def _loaded(source: Source, plan: Plan, folder: str) -> Loaded:
    data = plan.data
    image = next((f for f in data.fields if f.source == source.name and f.kind == "image"), None)
    transform = transform_of(image.arguments if image else {})
    arguments, word = source.call.arguments, source.call.word
    if word in _CUT:
        place = source.name if len(data.sources) > 1 else ""
        return _CUT[word](arguments, folder, data, place=place, transform=transform, augment=plan.augment.data)
    if word in TABLES:
        return table(source.call, folder)
    if word in _STORED:
        return _STORED[word](arguments, folder, transform, data)
    return _LOADERS[word](arguments, folder, transform)


def _stored(name: str, loaded: Loaded, data: Data, seed: int) -> Stored:
    """Splits a source: its own `train`, or all of it, by the shares of the spec; its other splits are kept."""
    place = "" if data.pairs is not None or len(data.sources) == 1 else name
    rows = dict(loaded.splits) if loaded.splits is not None else {"train": np.arange(loaded.examples)}
    if "train" not in rows:
        raise DataError(f"the data has no split `train`; it has {', '.join(rows)}", "use another source")
    if data.split is not None and not loaded.divided:
        base = rows.pop("train")
        order = permutation(stream_key(DATA_SEED, f"split/{place}" if place else "split"), 0, len(base))
        start = 0
        for split, size in split_sizes(len(base), data.split).items():
            rows[split] = base[np.sort(order[start : start + size])]
            start += size
    rows = {split: rows[split] for split in sorted(rows, key=lambda split: split != "train")}
    # the first source's order is keyed by the seed itself, that of others by their names too
    place = "" if place == data.sources[0].name else place
    made, fitted = encoded(loaded, rows["train"], data.constraints)
    if not data.condition:
        return Stored(name, made, rows, Order(len(rows["train"]), seed, data.shuffle, place), fitted)
    conditions = conditions_of(data.condition, fitted, loaded.columns["row"])
    return Stored(name, made, rows, Sampling(conditions.places[rows["train"]], seed), fitted, conditions)


def _paired(loaded: Mapping[str, Loaded], pairs: str) -> dict[str, Loaded]:
    """The sources with their examples in one order: that of the files, or matched by the files' names."""
    cut = next((name for name, source in loaded.items() if source.divided), None)
    if cut is not None:
        raise DataError(f"`{cut}` is split by file, and cannot be paired", "take `pairs` out")
    sizes = ", ".join(f"`{name}` has {source.examples}" for name, source in loaded.items())
    keys = {name: _keys_of(name, source, pairs) for name, source in loaded.items()}
    if pairs == "order" and len({source.examples + len(source.left_out) for source in loaded.values()}) > 1:
        raise DataError(f"pairs need as many examples in each source: {sizes}", "add or remove files")
    common = set.intersection(*(set(own) for own in keys.values()))
    if not common:
        raise DataError(f"no file has the same name in each source: {sizes}", "name pairs alike: a/1.png, b/1.png")
    first = next(iter(keys.values()))
    order = sorted(common) if pairs == "name" else [key for key in first if key in common]
    out = {}
    for name, source in loaded.items():
        row = {key: row for row, key in enumerate(keys[name])}
        alone = source.names_of(np.array([row[key] for key in keys[name] if key not in common], np.int64))
        rows = np.array([row[key] for key in order])
        whole = np.array_equal(rows, np.arange(source.examples))  # then nothing is copied
        out[name] = source if whole else source.kept(rows, [LeftOut(one, "without a pair") for one in alone])
    return out


def _keys_of(name: str, source: Loaded, pairs: str) -> list[str]:
    """What each example of a source shares with its partner: a file's name, or its place among all there were."""
    if pairs == "order":
        return replace(source, names=None).names_of(np.arange(source.examples))
    if source.names is None:
        raise DataError(f"`{name}` has no files to pair by name", "write `pairs: order`")
    stems = [path.rpartition("/")[2].rpartition(".")[0] for path in source.names]
    if len(set(stems)) < source.examples:
        raise DataError(f"two files of `{name}` have the same name in different folders", "rename them")
    return stems


def _check(source: Stored, data: Data, overfit: bool) -> None:
    """DataError where what was loaded is not what the plan was made for."""
    train = len(source.rows["train"])
    if not train:
        raise DataError("no example is left for training", "give `train` a larger share, or drop less")
    for split, rows in source.rows.items():
        if not len(rows):
            raise DataError(
                f"no example is left for `{split}`",
                "give it a larger share" if split in (data.split or {}) else "drop less, or divide `train`: `split …`",
            )
    if data.batch > train and not overfit:
        raise DataError(
            f"a batch of {data.batch} is more than the {train} training examples there are",
            f"write `batch {train}` or less",
        )
    for field in data.fields:
        if field.kind == "condition" and source.conditions is not None:
            refuse_other_width(field, source.conditions)
        elif field.source == source.name:
            _check_field(field, source.loaded)


def _check_field(field: Field, loaded: Loaded) -> None:
    if field.kind == "image":
        size = loaded.images.shape[1:]
        crop = field.arguments.get("crop")
        if crop is not None:
            size = (*field.shape[:2], size[2])
        if not same_shape(field.shape, size):
            raise DataError(
                f"`{field.name}` is {shown(size)}; the plan was made for {shown(field.shape)}",
                "the data has changed since it was checked: run `gendsl check` again",
            )
    elif field.kind == "row":
        width = loaded.columns["row"].shape[1]
        if field.shape != (width,):
            known = isinstance(field.shape[0], int)
            raise DataError(
                f"`{field.name}` is {width} numbers wide"
                + (f"; the plan was made for {shown(field.shape)}" if known else ", which the plan cannot know"),
                f"write `row {width}` in `data`",
            )
    elif field.kind == "label":
        if loaded.labels is None:
            raise DataError(f"the data has no classes for `{field.name}`", "take the field out, or name the labels")
        most = int(loaded.labels.max())
        if isinstance(field.classes, int) and most >= field.classes:
            raise DataError(
                f"`{field.name}` has {field.classes} classes; the data has a class {most}", f"write `label {most + 1}`"
            )
    elif field.kind == "text":
        most = field.classes if isinstance(field.classes, int) else 0
        if loaded.vocabulary is not None and loaded.vocabulary > most:
            told = f"; the plan was made for {most:,}" if most else ", which only the data tells"
            raise DataError(
                f"`{field.name}` has {loaded.vocabulary:,} different tokens{told}",
                f"write `text {loaded.vocabulary}` in `data`",
            )


def _manifest(data: Data, sources: tuple[Stored, ...], leaks: Mapping[str, Mapping[str, Leaks]]) -> dict[str, Any]:
    """What data.json tells: where the data comes from, how much of it there is, its SHA-256 and its licence, what was
    left out of it, and what stands in several splits."""
    calls = {source.name: source.call for source in data.sources}
    told = []
    for source in sources:
        loaded, call = source.loaded, calls[source.name]
        where = next((call.arguments[key] for key in ("folder", "file", "glob", "name") if key in call.arguments), None)
        entry: dict[str, Any] = {
            "name": source.name,
            "word": call.word,
            "from": where,
            "examples": loaded.examples,
            "splits": {split: len(rows) for split, rows in source.rows.items()},
            "sha256": loaded.digest,
            "licence": loaded.licence,
            "dropped": loaded.dropped,
            "leaks": {split: found.record for split, found in leaks[source.name].items()},
            **loaded.details,
        }
        if isinstance(windows := loaded.columns.get("text"), Windows):
            entry["first_tokens"] = windows[source.rows["train"]].first_tokens(loaded.vocabulary or 0).tolist()
        if loaded.labels is not None and loaded.class_names is not None:
            counts = np.bincount(loaded.labels[source.rows["train"]], minlength=len(loaded.class_names))
            entry["classes"] = dict(zip(loaded.class_names, map(int, counts), strict=False))
        if source.table is not None:
            entry["table"] = source.table.record()
        if source.conditions is not None:
            entry["condition"] = dict(source.conditions.widths)
        told.append(entry)
    return {"sources": told}
