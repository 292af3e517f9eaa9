"""A plan and its data in, what shows a field's examples out: sheets before and after augmentation, by class; scatters,
piano rolls and waves; excerpts of text and tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gendsl.plan.plan import Field, Plan
from gendsl.run.pictures import Pixels, grid, pixels_of, range_of, scatter
from gendsl.run.tables import csv_of

if TYPE_CHECKING:
    from gendsl.lower.data import Dataset

_EXAMPLES = 64  # of a contact sheet
_OF_CLASS, _CLASSES = 10, 20  # of a sheet by class: a row each
_POINTS = 1_024
_ROWS, _WINDOWS = 20, 8
_HEARD = 2  # of the windows of music
_BANDS = 64
_BLANK = 64  # the grey between the pictures of a grid


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A picture, what a person has to know to read it ("" if it speaks for itself), and WAV files of what it shows."""

    pixels: Pixels
    told: str = ""
    sounds: tuple[bytes, ...] = ()


def exhibits_of(plan: Plan, dataset: "Dataset") -> dict[str, Exhibit]:
    """The pictures of each field by the names of their files; a field that cannot be seen has none."""
    found: dict[str, Exhibit] = {}
    for field in plan.data.fields:
        if (show := _SHOWN.get((field.kind, _word(plan, field))) or _SHOWN.get((field.kind, ""))) is not None:
            found |= show(plan, dataset, field)
    return found


def excerpts_of(plan: Plan, dataset: "Dataset") -> dict[str, str]:
    """The first training examples of text and of tables, by the names of their files: as they were before encoding, and
    of text that is augmented, after it too."""
    found = {}
    for field in plan.data.fields:
        if field.kind == "text" and _word(plan, field) == "text":
            for name, data in _before_and_after(plan, dataset, field).items():
                found[f"{name}.txt"] = _windows(data, field)
        elif field.name in dataset.tables:
            rows = _first(dataset.plain(), field, _ROWS)
            found[f"{field.name}.csv"] = csv_of(dataset.tables[field.name], rows).decode()
    return found


def _sheets(plan: Plan, dataset: "Dataset", field: Field) -> dict[str, Exhibit]:
    """`NAME`, the same examples as `NAME_augmented` and as `NAME_both`, and `NAME_classes`, where there are such."""
    span = range_of(field)
    shown = {
        name: Exhibit(grid(pixels_of(_first(data, field), span)))
        for name, data in _before_and_after(plan, dataset, field).items()
    }
    if plan.augment.both:
        pixels = grid(pixels_of(_after_both(plan, _first(dataset, field)), span))
        shown[f"{field.name}_both"] = Exhibit(pixels, _both_told(plan))
    classes = list(islice(dataset.by_class(field, _OF_CLASS), _CLASSES + 1))
    if classes:
        first = f"the first {_CLASSES} classes, " if len(classes) > _CLASSES else ""
        some = dict(classes[:_CLASSES])
        told = f"{first}a row each from the top: {', '.join(some)}"
        shown[f"{field.name}_classes"] = Exhibit(_class_rows(list(some.values()), span), told)
    return shown


def _after_both(plan: Plan, images: NDArray[np.floating]) -> NDArray[np.floating]:
    """What a discriminator may be given of images (n, h, w, c); with ADA at p = 1."""
    import tensorflow as tf

    from gendsl.lower.ingredients import both_transform_of
    from gendsl.parts.keys import Key

    both = both_transform_of(plan)
    assert both is not None
    chance = None if plan.augment.ada is None else 1.0
    out: NDArray[np.floating] = both(images, Key(0, "look", tf.constant(0, tf.int64)), chance=chance).numpy()
    return out


def _both_told(plan: Plan) -> str:
    if plan.augment.ada is None:
        return "as a discriminator is given them, real and generated, drawn anew each time"
    return "as a discriminator is given them where ADA's p is 1; a run begins with p = 0, which leaves them as they are"


def _class_rows(classes: list[NDArray[np.floating]], span: tuple[float, float]) -> Pixels:
    height, width, channels = classes[0].shape[1:]
    cells = np.full((len(classes), _OF_CLASS, height, width, channels), _BLANK, np.uint8)
    for row, images in zip(cells, classes, strict=True):
        row[: len(images)] = pixels_of(images, span)
    return grid(cells.reshape(-1, height, width, channels), columns=_OF_CLASS)


def _scatter(plan: Plan, dataset: "Dataset", field: Field) -> dict[str, Exhibit]:
    points = dataset.split("train", _POINTS)[field.name]
    return {field.name: Exhibit(scatter(points))} if points.shape[1:] == (2,) else {}


def _rolls(plan: Plan, dataset: "Dataset", field: Field) -> dict[str, Exhibit]:
    from gendsl.lower.data.music import remi_from
    from gendsl.lower.data.written import music_of
    from gendsl.run.sounding import piano_rolls
    from gendsl.run.tones import wav_of

    remi = remi_from(_source(dataset, field)["tokenizer"])
    told = (
        "the windows of the first examples, one below the other: pitch over time, a colour for each part, a line where "
        "a bar begins"
    )
    shown = {}
    for name, data in _before_and_after(plan, dataset, field).items():
        pieces = [music_of(remi, window) for window in _first(data, field, _WINDOWS)]
        sounds = tuple(wav_of(piece) for piece in pieces[:_HEARD])
        own = told if name == field.name else "the same windows, in keys that are drawn for them"
        shown[name] = Exhibit(piano_rolls(pieces), own, sounds)
    return shown


def _waves(plan: Plan, dataset: "Dataset", field: Field) -> dict[str, Exhibit]:
    from gendsl.lower.data.sounds import spectrograms
    from gendsl.run.sounding import waves

    samples = _first(dataset.plain(), field, _WINDOWS)
    spectra = spectrograms(samples, int(_source(dataset, field)["rate"]), _BANDS)
    told = f"the first examples, each as a wave above its log-mel spectrogram of {_BANDS} bands"
    return {field.name: Exhibit(waves(samples, spectra), told)}


# By a field's kind and its source's word, "" for any other.
_SHOWN: Mapping[tuple[str, str], Callable[[Plan, "Dataset", Field], dict[str, Exhibit]]] = {
    ("image", ""): _sheets,
    ("point", ""): _scatter,
    ("text", "midi"): _rolls,
    ("row", "audio"): _waves,
}


def _before_and_after(plan: Plan, dataset: "Dataset", field: Field) -> dict[str, "Dataset"]:
    """The data without `augment`, and where there is one, with it, by the names of what shows them."""
    return {field.name: dataset.plain()} | ({f"{field.name}_augmented": dataset} if plan.augment.data else {})


def _windows(dataset: "Dataset", field: Field) -> str:
    """Windows between lines, decoded."""
    from gendsl.lower.data.tokenizers import tokenizer_from
    from gendsl.lower.data.written import text_of

    tokenizer = tokenizer_from(_source(dataset, field)["tokenizer"])
    texts = [text_of(tokenizer, window) for window in _first(dataset, field, _WINDOWS)]
    return f"\n{'-' * 40}\n".join(texts) + "\n"


def _word(plan: Plan, field: Field) -> str:
    return next((source.call.word for source in plan.data.sources if source.name == field.source), "")


def _source(dataset: "Dataset", field: Field) -> Mapping[str, Any]:
    """What the manifest tells of a field's source."""
    found: Mapping[str, Any] = next(one for one in dataset.manifest["sources"] if one["name"] == field.source)
    return found


def _first(dataset: "Dataset", field: Field, count: int = _EXAMPLES) -> NDArray[Any]:
    """So many examples (n, …) of a field from the first batches on."""
    import tensorflow as tf

    count = min(count, dataset.sizes["train"] or count)
    of_step = dataset.addresses(0, 1)[0, :, :, 0].size
    addresses = dataset.addresses(0, -(-count // of_step)).reshape(-1, 2)[:count]
    values: NDArray[Any] = dataset.fetch(tf.constant(addresses[None]))[field.name].numpy()[0]
    return values
