"""Examples that stand in several splits: which are found, which are not, and what is dropped on request."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.data.fingerprints import fingerprints_of
from gendsl.lower.data.leaks import NEAR, leaks_of
from gendsl.lower.data.loaded import Loaded
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call
from tests.lower.data_plans import call_of, plan_of
from tests.lower.test_data import FASHION

DROP = call_of("curate", "drop", what=("leaks",))
NPZ = call_of("source", "npz", file="s.npz")


def pictures(count: int, seed: int = 0, side: int = 64) -> np.ndarray:
    """Soft patterns in colour (count, side, side, 3), none like another."""
    noise = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in noise])


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """20 training and 6 test pictures: test 1 is train 3, test 2 and 4 are train 5 and 7, saved as JPEG."""
    train, test = pictures(20), pictures(6, seed=1)
    test[1], test[2], test[4] = train[3], as_jpeg(train[5], 75), as_jpeg(train[7], 90)
    np.savez(tmp_path / "s.npz", x_train=train, y_train=np.arange(20), x_test=test, y_test=np.arange(6))
    return tmp_path


def data_of(folder: Path, *curate: Call, **options: Any) -> Dataset:
    return dataset_of(plan_of(options.pop("source", NPZ), str(folder), curate=curate, **options), str(folder))


def test_leaks_are_reported(leaky: Path) -> None:
    data = data_of(leaky)
    assert data.sizes == {"train": 20, "test": 6}
    found = data.manifest["sources"][0]["leaks"]["test"]
    assert (found["exact"], found["near"]) == (1, 2)
    assert found["first"] == [
        {"example": "test/1", "repeats": "train/3", "reason": "leak"},
        {"example": "test/2", "repeats": "train/5", "reason": "near leak"},
        {"example": "test/4", "repeats": "train/7", "reason": "near leak"},
    ]
    (warning,) = data.findings.warnings
    assert warning.startswith(
        "3 of the 6 examples of `test` stand in `train` too (1 exact, 2 near): test/1 as train/3, "
    )
    assert list(data.findings.files) == ["leaks.csv"]
    lines = data.findings.files["leaks.csv"].splitlines()
    assert lines[:2] == ["source,example,reason,repeats", ",test/1,leak,train/3"]


def test_leaks_are_dropped_outside_training(leaky: Path) -> None:
    data = data_of(leaky, DROP)
    assert data.sizes == {"train": 20, "test": 3}
    np.testing.assert_array_equal(data.split("test")["label"], [0, 3, 5])
    np.testing.assert_array_equal(data.split("train")["image"], data_of(leaky).split("train")["image"])
    assert data.manifest["sources"][0]["dropped"] == {"leak": 1, "near leak": 2}
    assert not data.findings.warnings
    rows = list(csv.reader(io.StringIO(data.findings.files["dropped.csv"])))
    assert rows[1:] == [
        ["", "test/1", "leak", "train/3"],
        ["", "test/2", "near leak", "train/5"],
        ["", "test/4", "near leak", "train/7"],
    ]


def test_shares_leak_too(tmp_path: Path) -> None:
    images = pictures(40)
    np.savez(tmp_path / "s.npz", images=np.concatenate([images, images]))
    shares = {"train": 0.5, "validation": 0.25, "test": 0.25}
    data = data_of(tmp_path, split=shares)
    leaks = data.manifest["sources"][0]["leaks"]
    assert set(leaks) == {"validation", "test"} and all(found["near"] == 0 for found in leaks.values())
    assert not data_of(tmp_path, call_of("curate", "drop", what=("duplicates",)), split=shares).findings.warnings


def test_other_pictures_are_no_leaks(tmp_path: Path) -> None:
    """The same shape in another colour of the same brightness, a moved one, and a lighter one."""
    train = np.zeros((3, 32, 32, 3), np.uint8)
    train[0, 8:24, 8:24] = (200, 0, 0)
    train[1, 8:24, 8:24] = (120, 120, 120)
    train[2, 10:20, 4:12] = (250, 250, 0)
    test = train.copy()
    test[0, 8:24, 8:24] = (0, 102, 0)  # 59.8 of luma, as the red is
    test[1] = np.roll(test[1], 3, axis=0)
    test[2, 10:20, 4:12] = (225, 225, 0)
    np.savez(tmp_path / "s.npz", x_train=train, x_test=test)
    assert data_of(tmp_path, batch=1).manifest["sources"][0]["leaks"] == {}


def test_a_split_of_nothing_but_leaks(tmp_path: Path) -> None:
    images = pictures(8)
    np.savez(tmp_path / "s.npz", x_train=images, x_test=images[:3])
    with pytest.raises(DataError, match="no example is left for `test`") as caught:
        data_of(tmp_path, DROP)
    assert caught.value.help


def test_pairs_lose_leaks_together(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 5)):
        (tmp_path / name).mkdir()
        made = pictures(20, seed)
        if name == "b":
            made[10:] = made[:10]  # each stands there twice: some of these are parted by the split
        for number, image in enumerate(made):
            Image.fromarray(image).save(tmp_path / name / f"{number:02}.png")
    sources = {name: call_of("source", "images", glob=f"{name}/*.png") for name in "ab"}
    split = {"train": 0.7, "test": 0.3}
    before = data_of(tmp_path, source=sources, pairs="name", split=split)
    leaks = before.manifest["sources"][1]["leaks"]["test"]["exact"]
    assert 0 < leaks < 6 and before.sizes == {"train": 14, "test": 6}
    data = data_of(tmp_path, DROP, source=sources, pairs="name", split=split)
    assert data.sizes == {"train": 14, "test": 6 - leaks}
    assert [source["dropped"] for source in data.manifest["sources"]] == [{"without a pair": leaks}, {"leak": leaks}]
    kept = {name: {one.example[2:] for source, one in data.findings.left_out if source == name} for name in "ab"}
    assert kept["a"] == kept["b"]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), channels=st.sampled_from((1, 3, 4)))
def test_near_is_what_comparing_all_with_all_finds(seed: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, (30, 8, 9, channels))
    noise = rng.normal(size=base.shape) * rng.uniform(0, 2.2 * NEAR * 255, (30, 1, 1, 1))
    images = np.concatenate([base, np.rint(base + noise).clip(0, 255)]).astype(np.uint8)
    loaded = Loaded({"image": images}, "")
    prints = fingerprints_of(images, pictures=True)
    rows = {"train": np.arange(30), "test": np.arange(30, 60)}
    assert prints.thumbnails is not None
    small = prints.thumbnails.astype(np.float64) / 255
    distance = np.sqrt(((small[30:, None] - small[None, :30]) ** 2).mean(axis=(2, 3, 4)))
    same = (images[30:, None] == images[None, :30]).all(axis=(2, 3, 4)).any(axis=1)
    wanted = np.flatnonzero(same | (distance.min(axis=1) <= NEAR))
    found = leaks_of(loaded, rows, prints).get("test")
    assert ([] if found is None else found.at.tolist()) == wanted.tolist()
    if found is not None:
        assert [int(one.repeats) for one in found.listed] == distance[wanted].argmin(axis=1).tolist()


def test_digits_do_not_leak() -> None:
    data = dataset_of(plan_of(call_of("source", "digits"), split={"train": 0.8, "test": 0.2}))
    assert data.manifest["sources"][0]["leaks"] == {}


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_leaks(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(FASHION, tmp_path / "fashion")
    found = data_of(tmp_path, source=call_of("source", "idx", folder="fashion")).manifest["sources"][0]["leaks"]["test"]
    assert (found["exact"], found["near"]) == (0, 7)  # looked at: the same garments
    assert found["first"][0] == {"example": "test/2115", "repeats": "train/18494", "reason": "near leak"}
