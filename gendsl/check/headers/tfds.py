"""The name of a TFDS data set in, its splits, picture size and classes out: from its files on disk, or from a table."""

import os

from gendsl.check.headers.paths import Refused
from gendsl.frozen import dataclass

Size = tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What TFDS says of a data set: `directory` is where it is prepared, None if it is not and a table says the rest.

    `image` and `label` name its features; `classes` is None without a label."""

    directory: str | None
    splits: dict[str, int]
    size: Size
    classes: int | None
    image: str = "image"
    label: str | None = "label"
    class_names: tuple[str, ...] = ()


_ANY: Size = (None, None, 3)
_GREY: Size = (28, 28, 1)
_SMALL: Size = (32, 32, 3)
# From the TFDS catalogue (version 4.9): size, classes (None: no `label`), splits.
_TABLE: dict[str, tuple[Size, int | None, dict[str, int]]] = {
    "mnist": (_GREY, 10, {"train": 60_000, "test": 10_000}),
    "fashion_mnist": (_GREY, 10, {"train": 60_000, "test": 10_000}),
    "kmnist": (_GREY, 10, {"train": 60_000, "test": 10_000}),
    "binarized_mnist": (_GREY, None, {"train": 50_000, "validation": 10_000, "test": 10_000}),
    "emnist": (_GREY, 62, {"train": 697_932, "test": 116_323}),
    "emnist/byclass": (_GREY, 62, {"train": 697_932, "test": 116_323}),
    "emnist/bymerge": (_GREY, 47, {"train": 697_932, "test": 116_323}),
    "emnist/balanced": (_GREY, 47, {"train": 112_800, "test": 18_800}),
    "emnist/letters": (_GREY, 37, {"train": 88_800, "test": 14_800}),
    "emnist/digits": (_GREY, 10, {"train": 240_000, "test": 40_000}),
    "emnist/mnist": (_GREY, 10, {"train": 60_000, "test": 10_000}),
    "cifar10": (_SMALL, 10, {"train": 50_000, "test": 10_000}),
    "cifar100": (_SMALL, 100, {"train": 50_000, "test": 10_000}),
    "svhn_cropped": (_SMALL, 10, {"train": 73_257, "test": 26_032, "extra": 531_131}),
    "stl10": ((96, 96, 3), 10, {"train": 5_000, "test": 8_000, "unlabelled": 100_000}),
    "celeb_a": ((218, 178, 3), None, {"train": 162_770, "validation": 19_867, "test": 19_962}),
    "oxford_flowers102": (_ANY, 102, {"train": 1_020, "validation": 1_020, "test": 6_149}),
    "tf_flowers": (_ANY, 5, {"train": 3_670}),
    "oxford_iiit_pet": (_ANY, 37, {"train": 3_680, "test": 3_669}),
    "cats_vs_dogs": (_ANY, 2, {"train": 23_262}),
    "food101": (_ANY, 101, {"train": 75_750, "validation": 25_250}),
    "imagenette": (_ANY, 10, {"train": 9_469, "validation": 3_925}),
    "imagenet2012": (_ANY, 1000, {"train": 1_281_167, "validation": 50_000, "test": 100_000}),
    "lsun": (_ANY, None, {"train": 168_103, "validation": 300}),
    "lsun/classroom": (_ANY, None, {"train": 168_103, "validation": 300}),
    "lsun/bedroom": (_ANY, None, {"train": 3_033_042, "validation": 300}),
    "dsprites": ((64, 64, 1), None, {"train": 737_280}),
    "shapes3d": ((64, 64, 3), None, {"train": 480_000}),
    "eurosat": ((64, 64, 3), 10, {"train": 27_000}),
    **{
        f"imagenet_resized/{side}x{side}": ((side, side, 3), 1000, {"train": 1_281_167, "validation": 50_000})
        for side in (8, 16, 32, 64)
    },
    **{
        f"downsampled_imagenet/{side}x{side}": ((side, side, 3), None, {"train": 1_281_149, "validation": 49_999})
        for side in (32, 64)
    },
}


def data_directory() -> str:
    """Where TFDS keeps its data: TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    return os.environ.get("TFDS_DATA_DIR") or os.path.join(os.path.expanduser("~"), "tensorflow_datasets")


def prepared_of(name: str, *, image: str | None = None, label: str | None = None) -> Prepared | None:
    """What is known of a data set (`cifar10`, `emnist/letters`, `mnist:3.0.1`) or None; `Refused` if misnamed."""
    base, _, wanted = name.partition(":")
    parts = base.split("/")
    if not all(part and part.replace("_", "").replace("-", "").replace(".", "").isalnum() for part in parts):
        raise Refused(
            f'"{name}" is no name of a TFDS data set', 'they read "cifar10", "emnist/letters" or "mnist:3.0.1"'
        )
    directory = _directory(os.path.join(data_directory(), *parts), wanted)
    if directory is not None:
        return _read(directory, name, image, label)
    known = _TABLE.get(base)
    if known is None:
        return None
    size, classes, splits = known
    named = label if label is not None else "label" if classes is not None else None
    return Prepared(None, splits, size, classes, image or "image", named)


def known_names() -> tuple[str, ...]:
    """The data sets whose sizes are known without their files."""
    return tuple(_TABLE)


def _directory(place: str, wanted: str) -> str | None:
    """The newest prepared version in a folder, or in its only configuration."""
    try:
        names = [entry.name for entry in os.scandir(place) if entry.is_dir()]
    except OSError:
        return None
    versions = []
    for name in names:
        numbers = name.split(".")
        is_version = len(numbers) == 3 and all(number.isdigit() for number in numbers) and wanted in ("", name)
        if is_version and os.path.exists(os.path.join(place, name, "dataset_info.json")):
            versions.append((tuple(map(int, numbers)), name))
    if versions:
        return os.path.join(place, max(versions)[1])
    within = [found for name in sorted(names) if (found := _only(os.path.join(place, name), wanted))]
    return within[0] if len(within) == 1 else None


def _only(place: str, wanted: str) -> str | None:
    """The newest version right in a folder."""
    try:
        has = any(os.path.exists(os.path.join(entry.path, "dataset_info.json")) for entry in os.scandir(place))
    except OSError:
        return None
    return _directory(place, wanted) if has else None


def _read(directory: str, name: str, image: str | None, label: str | None) -> Prepared:
    import json

    try:
        with open(os.path.join(directory, "dataset_info.json"), encoding="utf-8") as file:
            info = json.load(file)
        with open(os.path.join(directory, "features.json"), encoding="utf-8") as file:
            features = json.load(file)["featuresDict"]["features"]
        splits = {split["name"]: sum(int(n) for n in split.get("shardLengths", ())) for split in info["splits"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f'"{name}" in {directory} is not prepared in full', "prepare it again with `tfds build`"
        ) from error
    pictures = [key for key, feature in features.items() if "image" in feature]
    if image is not None and image not in pictures:
        raise Refused(
            f'"{name}" has no feature `{image}` of pictures; it has {", ".join(features)}',
            "name a feature that is there",
        )
    if not pictures:
        raise Refused(f'"{name}" has no pictures; its features are {", ".join(features)}', "use a data set of pictures")
    chosen = image or ("image" if "image" in pictures else pictures[0])
    dimensions = features[chosen]["image"].get("shape", {}).get("dimensions", ())
    size = [int(number) if int(number) > 0 else None for number in dimensions] or [None, None, 3]
    labels = [key for key, feature in features.items() if "classLabel" in feature]
    if label is not None and label not in labels:
        raise Refused(
            f'"{name}" has no feature `{label}` of classes; it has {", ".join(features)}',
            "name a feature that is there",
        )
    named = label or ("label" if "label" in labels else labels[0] if labels else None)
    classes = int(features[named]["classLabel"].get("numClasses", 0)) or None if named else None
    height, width, channels = size if len(size) == 3 else (*size, 1)
    return Prepared(directory, splits, (height, width, channels), classes, chosen, named, _names(directory, named))


def _names(directory: str, label: str | None) -> tuple[str, ...]:
    """The classes' names, in the order of their numbers; () if they have none."""
    try:
        with open(os.path.join(directory, f"{label}.labels.txt"), encoding="utf-8") as file:
            return tuple(line.rstrip("\n") for line in file if line.strip())
    except OSError:
        return ()
