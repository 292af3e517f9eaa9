"""A plan's data in, a few invented examples in the right format out: what a spec needs to train for a few steps.

Files are written into a folder where the plan's sources look: beside the spec, or, for TFDS, in its data folder.
"""

import csv
import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gendsl.check.headers import columns
from gendsl.check.headers.tfds import prepared_of
from gendsl.plan.plan import Call, Plan

EXAMPLES = 64


def write(plan: Plan, folder: Path, tfds: Path) -> None:
    """Writes what the sources of a plan look for into the spec's folder, and what TFDS would prepare into `tfds`."""
    for number, source in enumerate(plan.data.sources):
        arguments = source.call.arguments
        match source.call.word:
            case "idx":
                _idx(folder / arguments["folder"])
            case "images":
                _images(folder, source.call, number)
            case "csv":
                _table(folder / arguments["file"], source.call)
            case "text":
                _text(folder, arguments["glob"])
            case "midi":
                _music(folder, arguments["glob"])
            case "tfds":
                _prepared(arguments["name"], tfds)
            case "digits" | "gaussians" | "ring" | "swiss_roll":
                pass
            case word:
                raise ValueError(f"no stand-in for the source {word}: add one to tests/stand_ins.py")


def _random(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _idx(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, split in enumerate(("train", "t10k")):
        images = _random(part).integers(0, 256, (EXAMPLES, 28, 28), np.uint8)
        for name, kind, array in (
            ("images-idx3", 3, images),
            ("labels-idx1", 1, np.arange(EXAMPLES).astype(np.uint8) % 10),
        ):
            head = bytes([0, 0, 8, kind]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{split}-{name}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))


def _images(folder: Path, call: Call, number: int) -> None:
    """Patches of colour, in two folders below where `**` allows them, unlike enough that curation keeps them."""
    for place in range(EXAMPLES):
        name = call.arguments["glob"].replace("**", f"kind_{place % 2}").replace("*", f"{place:03}", 1)
        path = folder / name.replace("*", "x")
        path = path if path.suffix else path.with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = _random(number, place).integers(0, 256, (9, 9, 3), np.uint8)
        Image.fromarray(coarse).resize((96, 96), Image.Resampling.NEAREST).save(path)


def _table(path: Path, call: Call) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = _random(7)
    made: dict[str, Any] = {}
    for column in call.statements or (columns.column("size", "continuous"), columns.column("kind", "categorical")):
        name, kind = column.arguments["name"], column.arguments["kind"]
        categorical = kind == "categorical"
        made[name] = (
            [f"{name}_{n}" for n in random.integers(0, 3, 20 * EXAMPLES)]
            if categorical
            else random.normal(size=20 * EXAMPLES).round(4)
        )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(made)
        writer.writerows(zip(*made.values(), strict=True))


def _text(folder: Path, glob: str) -> None:
    path = folder / glob.replace("**", "part").replace("*", "text")
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["the", "a", "cat", "dog", "sees", "hears", "and", "not"]
    path.write_text(" ".join(_random(3).choice(words, 30_000)), encoding="utf-8")


def _music(folder: Path, glob: str) -> None:
    import symusic

    for number in range(12):
        random = _random(5, number)
        score = symusic.Score(480)
        for _ in range(4):
            track = symusic.Track()
            for beat in range(160):
                track.notes.append(symusic.Note(beat * 480, 480, int(random.integers(48, 80)), 64))
            score.tracks.append(track)
        path = folder / glob.replace("**", "part").replace("*", f"{number:03}")
        path.parent.mkdir(parents=True, exist_ok=True)
        score.dump_midi(str(path))


def _prepared(name: str, place: Path) -> None:
    """A data set of TFDS with the name, size, classes and splits of the real one."""
    import tensorflow_datasets

    found = prepared_of(name)
    assert found is not None, f"{name} is in no table of sizes"
    if found.directory is not None:
        return
    base, _, config = name.partition(":")[0].partition("/")
    height, width, channels = (size or 48 for size in found.size)
    features: dict[str, Any] = {found.image: tensorflow_datasets.features.Image(shape=(height, width, channels))}
    if found.label is not None:
        features[found.label] = tensorflow_datasets.features.ClassLabel(num_classes=found.classes)

    class Builder(tensorflow_datasets.core.GeneratorBasedBuilder, skip_registration=True):
        """Noise."""

        VERSION = tensorflow_datasets.core.Version("1.0.0")
        BUILDER_CONFIGS = [tensorflow_datasets.core.BuilderConfig(name=config)] if config else []

        def _info(self) -> Any:
            return tensorflow_datasets.core.DatasetInfo(
                builder=self, features=tensorflow_datasets.features.FeaturesDict(features)
            )

        def _split_generators(self, manager: Any) -> Any:
            return {split: self._generate_examples(split) for split in found.splits}

        def _generate_examples(self, split: str) -> Any:
            random = _random(len(split))
            for number in range(EXAMPLES):
                example = {found.image: random.integers(0, 256, (height, width, channels), np.uint8)}
                if found.label is not None:
                    example[found.label] = number % (found.classes or 1)
                yield number, example

    Builder.name = re.sub(r"\W", "_", base)
    Builder(data_dir=place).download_and_prepare()
