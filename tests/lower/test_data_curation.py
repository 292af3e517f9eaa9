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
        (drop("blank", contrast=0.02), {"blank": 1}),
        (drop("leaks"), {}),
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


def listed_of(data: Dataset) -> list[tuple[str, str, str]]:
    return [(one.example, one.reason, one.repeats) for _, one in data.findings.left_out]


def test_each_is_listed_with_what_it_repeats(folder: Path) -> None:
    data = data_of(folder, drop("duplicates", "blank", within=4, smaller=(48, 48)))
    assert listed_of(data) == [
        ("b/4_small.png", "smaller", ""),
        ("a/2_again.png", "duplicates", "a/0.png"),
        ("b/3_soft.png", "duplicates", "a/1.png"),
        ("b/6_blank.png", "blank", ""),
    ]
    assert data.findings.files["dropped.csv"].splitlines()[:2] == [
        "source,example,reason,repeats",
        ",b/4_small.png,smaller,",
    ]
    assert {path.name for path in folder.glob("*/*")} == {path.name for path in folder.glob("*/*.png")}


def test_rows_have_their_numbers_as_found(tmp_path: Path) -> None:
    """Whatever was dropped before, a row is named by its place in the array of its split."""
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 4), np.uint8)
    images[[2, 9]] = 7
    images[11] = images[8]
    np.savez(tmp_path / "s.npz", x_train=images[:8], x_test=images[8:])
    npz = call_of("source", "npz", file="s.npz")
    plan = plan_of(npz, str(tmp_path), curate=(drop("blank"), drop("duplicates")), batch=1)
    data = dataset_of(plan, str(tmp_path))
    assert listed_of(data) == [
        ("train/2", "blank", ""),
        ("test/1", "blank", ""),
        ("test/3", "duplicates", "test/0"),
    ]
    (tmp_path / "out.csv").write_text(data.findings.files["dropped.csv"])
    again = dataset_of(plan_of(npz, str(tmp_path), curate=(drop(listed="out.csv"),), batch=1), str(tmp_path))
    assert [name for name, _, _ in listed_of(again)] == ["train/2", "test/1", "test/3"]
    assert not again.findings.warnings


def test_near_constant_pictures(tmp_path: Path) -> None:
    """Of root-mean-square contrasts 0, 0.01, 0.02 and 0.2 of the range; in one channel of three only."""
    board = np.indices((4, 4)).sum(axis=0) % 2 * 2 - 1
    images = np.full((4, 4, 4, 3), 128, np.float32)
    for row, contrast in enumerate((0, 0.01, 0.02, 0.2)):
        images[row, :, :, 1] += 255 * contrast * board
    for name, values in (("bytes", np.rint(images).astype(np.uint8)), ("numbers", (images / 255).clip(0, 1))):
        np.savez(tmp_path / f"{name}.npz", images=values)
        for contrast, left in ((0, 3), (0.005, 3), (0.015, 2), (0.03, 1)):
            rule = drop("blank", contrast=contrast)
            plan = plan_of(call_of("source", "npz", file=f"{name}.npz"), str(tmp_path), curate=(rule,), batch=1)
            assert dataset_of(plan, str(tmp_path)).sizes == {"train": left}, (name, contrast)


@pytest.mark.parametrize(("channels", "within", "left"), [(3, 0, 1), (3, 2, 1), (4, 0, 2)])
def test_pictures_are_compared_on_their_background(tmp_path: Path, channels: int, within: int, left: int) -> None:
    """What differs below full transparency only is the same picture where alpha is dropped, another where it stays."""
    shape = np.array(picture(3).convert("RGBA"))
    shape[:, :30, 3] = 0
    other = shape.copy()
    other[:, :30, :3] = 255 - other[:, :30, :3]
    for number, pixels in enumerate((shape, other)):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    fields = {"image": {"channels": channels, "background": "white"}}
    images = call_of("source", "images", glob="*.png")
    plan = plan_of(images, str(tmp_path), fields=fields, curate=(drop("duplicates", within=within),), batch=1)
    assert dataset_of(plan, str(tmp_path)).sizes == {"train": left}


@pytest.mark.parametrize(
    "text",
    [
        "a/0.png\n\nb/7.png\n",
        "\ufeff./a/0.png\r\nb/7.png",
        '"a/0.png",because\n"b/7.png"\n',
        "why,file\nold,a/0.png\n,b/7.png\n",
        "source,example,reason,repeats\n,a/0.png,blank,\n,b/7.png,blank,\nother,c/8.png,blank,\n",
    ],
)
def test_listed(folder: Path, text: str) -> None:
    (folder / "bad.csv").write_text(text, encoding="utf-8", newline="")
    data = data_of(folder, drop(listed="bad.csv"))
    assert [name for name, _, _ in listed_of(data)] == ["a/0.png", "b/7.png"] and not data.findings.warnings


def test_a_list_of_unknown_names(folder: Path) -> None:
    (folder / "bad.csv").write_text("a/0.png\nnowhere.png\na/1.PNG\n")
    data = data_of(folder, drop(listed="bad.csv"))
    assert data.sizes == {"train": 9}
    (warning,) = data.findings.warnings
    assert warning == '"bad.csv" lists 2 of 3 names that are not in the data: "a/1.PNG", "nowhere.png"'
    (folder / "gone.csv").write_text("b/5_wide.png\n")
    assert not data_of(folder, drop("blank", larger=(100, 100)), drop(listed="gone.csv")).findings.warnings


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("nowhere.csv", None, "there is no file"),
        ("../bad.csv", None, "goes up"),
        ("bad.csv", b"\xff\xfe\n", "is not UTF-8"),
        ("bad.csv", b"x.png\ny.png\n", 'lists nothing that is in the data: "x.png", "y.png"'),
        ("bad.csv", b"a\0b\n" + b'"' * 3, "bad.csv"),
    ],
)
def test_a_list_that_is_none(folder: Path, path: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (folder / path).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        data_of(folder, drop(listed=path))
    assert caught.value.help


def test_pairs_by_order_stay_together(tmp_path: Path) -> None:
    """What is dropped on one side takes its partner along, and a limit keeps whole pairs."""
    for name, blank in (("a", 2), ("b", 5)):
        (tmp_path / name).mkdir()
        for number in range(9):
            made = picture(number, 16, 16) if number != blank else Image.new("RGB", (16, 16), "red")
            made.save(tmp_path / name / f"{name}{number}.png")
    sources = {name: call_of("source", "images", glob=f"{name}/*.png") for name in "ab"}

    def data(*curate: Call) -> Dataset:
        return dataset_of(plan_of(sources, str(tmp_path), pairs="order", batch=1, curate=curate), str(tmp_path))

    both = data(drop("blank"))
    assert both.sizes == {"train": 7}
    np.testing.assert_array_equal(both.split("train")["a"], both.split("train")["b"])
    assert [source["dropped"] for source in both.manifest["sources"]] == [{"blank": 1, "without a pair": 1}] * 2
    few = data(drop("blank"), call_of("curate", "limit", examples=4)).split("train")
    assert len(few["a"]) == 4
    np.testing.assert_array_equal(few["a"], few["b"])


def test_what_has_no_end_is_not_curated() -> None:
    with pytest.raises(DataError, match="`ring` has no end"):
        dataset_of(plan_of(call_of("source", "ring"), curate=(drop("duplicates"),)))


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
        (drop(label=3), "there is no class 3"),
        (drop("blank", contrast=1), "leaves no example"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            data_of(folder, rule)
        assert caught.value.help


@pytest.mark.parametrize("split", [{"train": 0.99, "test": 0.01}, {"train": 0.01, "test": 0.99}])
def test_an_empty_split_is_told(folder: Path, split: dict[str, float]) -> None:
    images = call_of("source", "images", glob="a/*.png")
    with pytest.raises(DataError, match="no example is left for") as caught:
        dataset_of(plan_of(images, str(folder), split=split, batch=1), str(folder))
    assert "larger share" in caught.value.help


def test_digits_have_no_two_alike() -> None:
    assert dataset_of(plan_of(DIGITS, curate=(drop("duplicates", "blank"),))).sizes == {"train": 1797}
