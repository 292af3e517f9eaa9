"""Curation: what is left out, why, and that it is counted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call
from tests.lower.data_plans import call_of, plan_of

DIGITS = call_of("source", "digits")


def drop(*what: str, **arguments: Any) -> Call:
    return call_of("curate", "drop", what=what, **arguments)


def picture(seed: int, height: int = 60, width: int = 60) -> Image.Image:
    """A soft pattern, unlike that of another seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, made in {
        "a/0.png": picture(0),
        "a/1.png": picture(1),
        "a/2_again.png": picture(0),
        "b/3_soft.png": picture(1).filter(ImageFilter.GaussianBlur(1)),
        "b/4_small.png": picture(4, 40, 60),
        "b/5_wide.png": picture(5, 50, 150),
        "b/6_blank.png": Image.new("RGB", (60, 60), (9, 9, 9)),
        "b/7.png": picture(7),
        "c/8.png": picture(8),
        "c/9.png": picture(9),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        made.save(tmp_path / name)
    return tmp_path


def data_of(folder: Path, *curate: Call) -> Dataset:
    images = call_of("source", "images", glob="**/*.png", label="folder")
    fields = {"image": {"resize": (16, 16), "range": (0, 255)}}
    return dataset_of(plan_of(images, str(folder), fields=fields, curate=curate, batch=1), str(folder))


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        (drop("corrupt"), {}),
        (drop("duplicates"), {"duplicates": 1}),
        (drop("duplicates", within=4), {"duplicates": 2}),
        (drop("blank"), {"blank": 1}),
        (drop(smaller=(48, 48)), {"smaller": 1}),
        (drop(larger=(100, 100)), {"larger": 1}),
        (drop(aspect=(0.5, 2)), {"aspect": 1}),
        (drop(smaller=(48,)), {"smaller": 1}),
        (drop(label="a"), {"label": 3}),
        (drop(label=2), {"label": 2}),
        (drop("duplicates", "blank", smaller=(48, 48)), {"duplicates": 1, "blank": 1, "smaller": 1}),
        (call_of("curate", "limit", examples=4), {"limit": 6}),
        (call_of("curate", "balance"), {"balance": 4}),
    ],
)
def test_each_rule(folder: Path, rule: Call, dropped: dict[str, int]) -> None:
    data = data_of(folder, rule)
    assert data.manifest["sources"][0]["dropped"] == dropped
    assert data.sizes == {"train": 10 - sum(dropped.values())}
    assert data.class_names == ("a", "b", "c")


def test_listed(folder: Path) -> None:
    (folder / "bad.txt").write_text("a/0.png\n\nb/7.png\nnowhere.png\n")
    assert data_of(folder, drop(listed="bad.txt")).sizes == {"train": 8}
    for path, message in (("nowhere.txt", "there is no file"), ("../bad.txt", "goes up")):
        with pytest.raises(DataError, match=message):
            data_of(folder, drop(listed=path))


def test_balance_and_limit_thin_training_only(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 4), np.uint8)
    labels = np.array([0] * 12 + [1] * 8)
    np.savez(tmp_path / "s.npz", x_train=images[:20], y_train=labels, x_test=images[20:], y_test=labels[:10])
    npz = call_of("source", "npz", file="s.npz")

    def data(*curate: Call) -> Dataset:
        return dataset_of(plan_of(npz, str(tmp_path), curate=curate), str(tmp_path))

    balanced = data(call_of("curate", "balance"))
    assert balanced.sizes == {"train": 16, "test": 10}
    np.testing.assert_array_equal(balanced.class_counts, [8, 8])
    assert data(call_of("curate", "limit", examples=5)).sizes == {"train": 5, "test": 10}
    assert data(call_of("curate", "limit", examples=500)).sizes == {"train": 20, "test": 10}
    np.testing.assert_array_equal(balanced.split("test")["image"], data().split("test")["image"])


def test_what_leaves_nothing_is_told(folder: Path) -> None:
    for rule, message in (
        (drop(smaller=(999, 999)), "leaves no picture"),
        (drop(label="d"), "there is no class `d`"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            data_of(folder, rule)
        assert caught.value.help


def test_digits_have_no_two_alike() -> None:
    assert dataset_of(plan_of(DIGITS, curate=(drop("duplicates", "blank"),))).sizes == {"train": 1797}
