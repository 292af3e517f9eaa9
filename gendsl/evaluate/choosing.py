"""A word or a path in, the feature extractor that it names out."""

from collections.abc import Callable
from pathlib import Path

from gendsl.check.headers.paths import Refused, inside
from gendsl.evaluate.extractor import Extractor
from gendsl.evaluate.extractors.classifier import classifier
from gendsl.evaluate.extractors.inception import inception, module_folder
from gendsl.evaluate.extractors.keras_file import keras_file
from gendsl.evaluate.extractors.lite0 import lite0, weights_file
from gendsl.evaluate.extractors.pixels import pixels
from gendsl.evaluate.real import Real
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call

__all__ = ["Extractor", "extractor_for", "refuse_missing"]


def refuse_missing(named: str | Call, folder: str) -> None:
    """Raises UserError where an extractor needs what is not on this machine: before a run starts, not at its first
    score."""
    if isinstance(named, str):
        if not _place(named, folder).is_file():
            raise UserError(f'there is no file "{named}"', 'save a model with `model.save("features.keras")`')
    elif named.word == "lite0":
        weights_file()
    elif named.word == "inception":
        module_folder()


def extractor_for(
    named: str | Call, real: Real, shape: tuple[int, ...], folder: str, tell: Callable[[str], None]
) -> Extractor:
    """The extractor of examples (*shape) of a field. Raises UserError."""
    pictures = real.of.kind == "image"
    if isinstance(named, str):
        return keras_file(_place(named, folder), named, shape, pictures=pictures)
    if not pictures or named.word == "pixels":
        return pixels(shape, pictures=pictures)
    if named.word == "classifier":
        if real.label is None:
            raise UserError(f"`classifier` needs labels, and `{real.of.name}` has none", "write `features: lite0`")
        values, labels = real.labelled("train")
        known = real.label.classes
        classes = max(known if isinstance(known, int) else 0, int(labels.max()) + 1)
        return classifier(values, labels, classes, tell=tell)
    return inception() if named.word == "inception" else lite0(shape)


def _place(path: str, folder: str) -> Path:
    try:
        return Path(inside(folder, path))
    except Refused as refused:
        raise UserError(refused.message, refused.help) from None
