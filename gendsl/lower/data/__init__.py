"""A plan's data and the spec's folder in, a `Dataset` out: sources loaded and checked, splits drawn, a manifest."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from gendsl.check.headers import split_sizes
from gendsl.lower.data import arrays, music, pictures, prepared, sounds, text
from gendsl.lower.data.curation import curated, size_reason
from gendsl.lower.data.dataset import Dataset, Drawn, InMemory, Stored
from gendsl.lower.data.draws import permutation, stream_key
from gendsl.lower.data.loaded import Loaded
from gendsl.lower.data.order import Order
from gendsl.lower.data.points import DRAWN, modes_of
from gendsl.lower.data.resizing import Transform, transform_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Data, Field, Plan, Source
from gendsl.vocabulary.dimensions import same_shape, shown

__all__ = ["Dataset", "dataset_of", "modes_of"]

_LOADERS: Mapping[str, Callable[[Mapping[str, Any], str, Transform], Loaded]] = {
    "digits": arrays.digits,
    "idx": arrays.idx,
    "npz": arrays.npz,
    "tfds": prepared.tfds,
}
# Files that are split before they are cut into examples.
_CUT: Mapping[str, Callable[..., Loaded]] = {"text": text.text, "midi": music.midi, "audio": sounds.audio}


def dataset_of(plan: Plan, folder: str = ".", *, overfit: bool = False) -> Dataset:
    """The data of a plan, loaded; the paths of its sources are relative to `folder`, the spec's.

    `overfit` gives one batch for ever. DataError for what the user can mend: data that is missing, damaged, or not what
    the plan says.
    """
    data = plan.data
    seed = int(plan.train.settings["seed"].arguments["number"]) if "seed" in plan.train.settings else 0
    drawn = [source for source in data.sources if source.call.word in DRAWN]
    if drawn and len(drawn) == len(data.sources):
        return Drawn(data.sources, data.fields, seed=seed, batch=data.batch, times=plan.train.times, overfit=overfit)
    if drawn:
        raise DataError(
            f"`{drawn[0].call.word}` has no end and cannot stand beside data that has one", "use one of them"
        )
    loaded = {source.name: _loaded(source, plan, folder, seed) for source in data.sources}
    if data.pairs is not None:
        loaded = _paired(loaded, data.pairs)
    sources = tuple(_stored(name, source, data, seed) for name, source in loaded.items())
    for source in sources:
        _check(source, data, overfit)
    return InMemory(
        sources,
        data.fields,
        plan.augment.data,
        paired=data.pairs is not None,
        seed=seed,
        batch=data.batch,
        times=plan.train.times,
        overfit=overfit,
        manifest=_manifest(data, sources),
    )


def _loaded(source: Source, plan: Plan, folder: str, seed: int) -> Loaded:
    data = plan.data
    image = next((f for f in data.fields if f.source == source.name and f.kind == "image"), None)
    transform = transform_of(image.arguments if image else {})
    arguments = source.call.arguments
    if source.call.word in _CUT:
        place = source.name if len(data.sources) > 1 else ""
        loaded = _CUT[source.call.word](
            arguments, folder, data, seed=seed, place=place, transform=transform, augment=plan.augment.data
        )
        return curated(loaded, (call for call in data.curate if call.word != "drop"), folder, seed)
    if source.call.word == "images":
        loaded = pictures.images(arguments, folder, transform, partial(size_reason, data.curate))
    else:
        loaded = _LOADERS[source.call.word](arguments, folder, transform)
    return curated(loaded, data.curate, folder, seed)


def _stored(name: str, loaded: Loaded, data: Data, seed: int) -> Stored:
    """Splits a source: its own `train`, or all of it, by the shares of the spec; its other splits are kept."""
    place = "" if data.pairs is not None or len(data.sources) == 1 else name
    rows = dict(loaded.splits) if loaded.splits is not None else {"train": np.arange(loaded.examples)}
    if "train" not in rows:
        raise DataError(f"the data has no split `train`; it has {', '.join(rows)}", "use another source")
    if data.split is not None and not loaded.divided:
        base = rows.pop("train")
        order = permutation(stream_key(seed, f"split/{place}" if place else "split"), 0, len(base))
        start = 0
        for split, size in split_sizes(len(base), data.split).items():
            rows[split] = base[np.sort(order[start : start + size])]
            start += size
    rows = {split: rows[split] for split in sorted(rows, key=lambda split: split != "train")}
    # the first source's order is keyed by the seed itself, that of others by their names too
    place = "" if place == data.sources[0].name else place
    return Stored(name, loaded, rows, Order(len(rows["train"]), seed, data.shuffle, place))


def _paired(loaded: Mapping[str, Loaded], pairs: str) -> dict[str, Loaded]:
    """The sources with their examples in one order: that of the files, or matched by the files' names."""
    cut = next((name for name, source in loaded.items() if source.divided), None)
    if cut is not None:
        raise DataError(f"`{cut}` is split by file, and cannot be paired", "take `pairs` out")
    sizes = ", ".join(f"`{name}` has {source.examples}" for name, source in loaded.items())
    if pairs == "order":
        if len({source.examples for source in loaded.values()}) > 1:
            raise DataError(f"pairs need as many examples in each source: {sizes}", "add or remove files")
        return dict(loaded)
    stems = {}
    for name, source in loaded.items():
        if source.names is None:
            raise DataError(f"`{name}` has no files to pair by name", "write `pairs: order`")
        stems[name] = {path.rpartition("/")[2].rpartition(".")[0]: row for row, path in enumerate(source.names)}
        if len(stems[name]) < source.examples:
            raise DataError(f"two files of `{name}` have the same name in different folders", "rename them")
    common = sorted(set.intersection(*(set(rows) for rows in stems.values())))
    if not common:
        raise DataError(f"no file has the same name in each source: {sizes}", "name pairs alike: a/1.png, b/1.png")
    out = {}
    for name, source in loaded.items():
        alone = source.examples - len(common)
        out[name] = source.kept(
            np.array([stems[name][stem] for stem in common]), {"without a pair": alone} if alone else {}
        )
    return out


def _check(source: Stored, data: Data, overfit: bool) -> None:
    """DataError where what was loaded is not what the plan was made for."""
    train = len(source.rows["train"])
    if not train:
        raise DataError("no example is left for training", "give `train` a larger share, or drop less")
    if data.batch > train and not overfit:
        raise DataError(
            f"a batch of {data.batch} is more than the {train} training examples there are",
            f"write `batch {train}` or less",
        )
    for field in data.fields:
        if field.source == source.name:
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
    elif field.kind == "label":
        if loaded.labels is None:
            raise DataError(f"the data has no classes for `{field.name}`", "take the field out, or name the labels")
        most = int(loaded.labels.max())
        if isinstance(field.classes, int) and most >= field.classes:
            raise DataError(
                f"`{field.name}` has {field.classes} classes; the data has a class {most}", f"write `label {most + 1}`"
            )
    elif field.kind == "text":
        known = field.classes if isinstance(field.classes, int) else 0
        if loaded.vocabulary is not None and loaded.vocabulary > known:
            told = f"; the plan was made for {known:,}" if known else ", which only the data tells"
            raise DataError(
                f"`{field.name}` has {loaded.vocabulary:,} different tokens{told}",
                f"write `text {loaded.vocabulary}` in `data`",
            )


def _manifest(data: Data, sources: tuple[Stored, ...]) -> dict[str, Any]:
    """What data.json tells: where the data comes from, how much of it there is, its SHA-256 and its licence."""
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
            "dropped": dict(loaded.dropped),
            "left_out": list(loaded.damaged[:100]),
            **loaded.details,
        }
        if loaded.labels is not None and loaded.class_names is not None:
            counts = np.bincount(loaded.labels[source.rows["train"]], minlength=len(loaded.class_names))
            entry["classes"] = dict(zip(loaded.class_names, map(int, counts), strict=False))
        told.append(entry)
    return {"sources": told}
