"""Datasets of real and made files: what is fetched, and how it is split."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gendsl.lower.data import dataset_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Quantity
from tests.lower.data_files import colour, fetched, mnist_like, save
from tests.lower.data_plans import call_of, plan_of

DIGITS = call_of("source", "digits")


FASHION = Path("/usr/share/datasets/fashion-mnist")


def test_digits() -> None:
    from sklearn.datasets import load_digits

    data = dataset_of(
        plan_of(DIGITS, fields={"image": {"range": (-1, 1)}}, split={"train": 0.9, "test": 0.1}, batch=64, seed=5)
    )
    assert data.sizes == {"train": 1617, "test": 180}
    assert data.class_names == tuple("0123456789")
    assert data.class_counts is not None and data.class_counts.sum() == 1617
    batch = fetched(data, 3)
    assert batch["image"].shape == (1, 64, 8, 8, 1) and batch["image"].dtype == np.float32
    assert batch["label"].shape == (1, 64) and batch["label"].dtype == np.int32
    train, test = data.split("train"), data.split("test")
    index = data.addresses(3, 1)[0, 0, :, 1]
    np.testing.assert_allclose(batch["image"][0], train["image"][index], atol=1e-6)
    np.testing.assert_array_equal(batch["label"][0], train["label"][index])
    both = np.concatenate([train["image"], test["image"]]).reshape(1797, 64)
    bunch: Any = load_digits()
    assert sorted(map(tuple, both)) == sorted(map(tuple, (bunch.images / 8 - 1).reshape(1797, 64)))


@pytest.mark.parametrize("span", [(0, 1), (-1, 1), (0, 255), (-0.5, 0.5), (0.1, 0.7), (-3, 7)])
def test_every_byte_comes_into_its_range_to_the_bit(tmp_path: Path, span: tuple[float, float]) -> None:
    np.savez(tmp_path / "s.npz", images=np.arange(3 * 257).reshape(3, 257, 1).astype(np.uint8))
    npz = call_of("source", "npz", file="s.npz")
    data = dataset_of(plan_of(npz, str(tmp_path), fields={"image": {"range": span}}, batch=3), str(tmp_path))
    batch, order = fetched(data, 0)["image"][0], data.addresses(0, 1)[0, 0, :, 1]
    np.testing.assert_array_equal(batch, data.split("train")["image"][order])


def test_runs_of_all_seeds_are_scored_on_the_same_examples_and_meet_theirs_in_another_order() -> None:
    shares = {"train": 0.9, "test": 0.1}
    one, other = (dataset_of(plan_of(DIGITS, split=shares, seed=seed)) for seed in (1, 2))
    for split in shares:
        np.testing.assert_array_equal(one.split(split)["image"], other.split(split)["image"])
        np.testing.assert_array_equal(one.split(split, 20)["image"], other.split(split, 20)["image"])
    assert (one.split("test")["image"] != one.split("train")["image"][: one.sizes["test"]]).any()
    assert (one.addresses(0, 1) != other.addresses(0, 1)).any()


def test_overfit_is_one_batch_for_ever() -> None:
    data = dataset_of(plan_of(DIGITS, batch=8, times=2), overfit=True)
    addresses = data.addresses(7, 3)
    assert addresses.shape == (3, 2, 8, 2)
    assert (addresses == addresses[0, 0]).all()
    assert len(np.unique(addresses[0, 0, :, 1])) == 8


def test_shuffle_off_keeps_the_order_of_the_files() -> None:
    data = dataset_of(plan_of(DIGITS, batch=5, shuffle=False, split={"train": 0.5, "test": 0.5}))
    np.testing.assert_array_equal(data.addresses(0, 2).reshape(-1, 2)[:, 1], np.arange(10))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx(tmp_path: Path, ending: str) -> None:
    images, labels = mnist_like(tmp_path / "data", ending=ending)
    plan = plan_of(call_of("source", "idx", folder="data"), str(tmp_path), fields={"image": {"range": (0, 1)}})
    data = dataset_of(plan, str(tmp_path))
    assert data.sizes == {"train": 12, "test": 5}
    assert plan.data.fields[1].classes == 3
    np.testing.assert_allclose(data.split("test")["image"][..., 0], images[12:] / 255, atol=1e-6)
    np.testing.assert_array_equal(data.split("train")["label"], labels[:12])
    source = data.manifest["sources"][0]
    assert source["splits"] == {"train": 12, "test": 5}
    assert re.fullmatch("[0-9a-f]{64}", source["sha256"])


def test_shares_divide_train_and_keep_test(tmp_path: Path) -> None:
    mnist_like(tmp_path / "data")
    plan = plan_of(call_of("source", "idx", folder="data"), str(tmp_path), split={"train": 0.75, "validation": 0.25})
    assert dataset_of(plan, str(tmp_path)).sizes == {"train": 9, "test": 5, "validation": 3}


def test_idx_content_decides_the_digest(tmp_path: Path) -> None:
    mnist_like(tmp_path / "a")
    mnist_like(tmp_path / "b", ending="")
    mnist_like(tmp_path / "c", train=11)
    digests = [
        dataset_of(plan_of(call_of("source", "idx", folder=name), str(tmp_path)), str(tmp_path)).manifest["sources"][0][
            "sha256"
        ]
        for name in "abc"
    ]
    assert len(set(digests)) == 3  # the files' names are part of the content


def test_npz(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.random((10, 4, 6, 3)).astype(np.float64)
    np.savez_compressed(tmp_path / "s.npz", images=images, labels=np.arange(10)[:, None] % 4)
    plan = plan_of(call_of("source", "npz", file="s.npz"), str(tmp_path), split={"train": 0.6, "test": 0.4})
    assert plan.data.fields[0].shape == (4, 6, 3) and plan.data.fields[1].classes == 4
    data = dataset_of(plan, str(tmp_path))
    assert data.sizes == {"train": 6, "test": 4}
    whole = np.concatenate([data.split("train")["image"], data.split("test")["image"]])
    np.testing.assert_allclose(np.sort(whole.ravel()), np.sort(images.astype(np.float32).ravel()), atol=1e-7)


def test_images_of_every_mode(tmp_path: Path) -> None:
    red = (200, 10, 10)
    save(tmp_path / "d/a/0.png", colour((20, 20), *red))
    save(tmp_path / "d/a/1.png", colour((30, 20), *red, 255))
    save(tmp_path / "d/b/2.jpg", colour((20, 30), *red), quality=100)
    save(tmp_path / "d/b/3.gif", colour((20, 20), *red))
    save(tmp_path / "d/b/4.bmp", colour((20, 20), *red))
    save(tmp_path / "d/b/5.webp", colour((20, 20), *red), lossless=True)
    save(tmp_path / "d/c/6.png", colour((20, 20), 0, 0, 0, 0))  # transparent: the background shows
    save(tmp_path / "d/c/7.png", Image.new("L", (20, 20), 77))
    save(tmp_path / "d/c/8.png", Image.fromarray(np.full((20, 20), 77 * 257, np.uint16)))
    save(tmp_path / "d/c/9.png", Image.new("1", (20, 20), 1))
    save(tmp_path / "d/c/91.png", Image.new("LA", (20, 20), (77, 255)))
    save(tmp_path / "d/c/92.png", colour((20, 20), *red).convert("P"))
    plan = plan_of(
        call_of("source", "images", glob="d/**/*.*", label="folder"),
        str(tmp_path),
        fields={"image": {"resize": (16, 16), "channels": 3, "background": "white"}},
        shuffle=False,
    )
    data = dataset_of(plan, str(tmp_path))
    assert data.class_names == ("a", "b", "c")
    whole = data.split("train")
    np.testing.assert_array_equal(whole["label"], [0, 0, 1, 1, 1, 1] + [2] * 6)
    means = whole["image"].mean((1, 2)) * 255
    expected = [red] * 6 + [(255,) * 3, (77,) * 3, (77,) * 3, (255,) * 3, (77,) * 3, red]
    np.testing.assert_allclose(means, expected, atol=3)
    assert whole["image"][:-1].std((1, 2)).max() < 0.01  # nothing is padded into view; a palette may dither


def test_exif_turns(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20))
    picture.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned right by a quarter
    save(tmp_path / "0.jpg", picture, exif=exif, quality=100)
    plan = plan_of(call_of("source", "images", glob="*.jpg"), str(tmp_path), batch=1)
    assert plan.data.fields[0].shape == (40, 20, 3)
    image = dataset_of(plan, str(tmp_path)).split("train")["image"][0]
    assert image[:18].mean() > 0.95 and image[22:].mean() < 0.05


@pytest.mark.parametrize("fit", ["cover", "stretch", "pad"])
def test_fit_of_files_and_arrays_agree(tmp_path: Path, fit: str) -> None:
    """Pictures scaled one by one by Pillow, and all at once by its weights, differ by rounding only."""
    rng = np.random.default_rng(1)
    images = rng.integers(80, 176, (3, 12, 30, 3)).astype(np.uint8)  # overshoot is clipped between Pillow's passes
    np.savez(tmp_path / "s.npz", images=images)
    for number, image in enumerate(images):
        save(tmp_path / f"{number}.png", Image.fromarray(image))
    fields = {"image": {"resize": (8, 9), "fit": fit, "background": "#ff8000"}}
    sources = (call_of("source", "npz", file="s.npz"), call_of("source", "images", glob="*.png"))
    one, other = (
        dataset_of(plan_of(call, str(tmp_path), fields=fields, batch=1), str(tmp_path)).split("train")["image"]
        for call in sources
    )
    assert one.shape == other.shape == (3, 8, 9, 3)
    assert np.abs(one - other).max() <= 2.1 / 255


def test_random_crop_is_anywhere_and_the_middle_outside_training(tmp_path: Path) -> None:
    images = np.broadcast_to(np.arange(100, dtype=np.uint8).reshape(1, 10, 10), (64, 10, 10))
    np.savez(tmp_path / "s.npz", images=images)
    plan = plan_of(
        call_of("source", "npz", file="s.npz"),
        str(tmp_path),
        fields={"image": {"crop": call_of("crop", "random", size=(8, 8)), "range": (0, 255)}},
        batch=64,
    )
    data = dataset_of(plan, str(tmp_path))
    assert plan.data.fields[0].shape == (8, 8, 1)
    corners = fetched(data, 0)["image"][0, :, 0, 0, 0].round().astype(int)
    assert set(corners) == {row * 10 + column for row in range(3) for column in range(3)}
    assert data.split("train")["image"][0, 0, 0, 0] == 11
    assert (fetched(data, 1)["image"] != fetched(data, 0)["image"]).any()  # another epoch, other crops


AUGMENT = (
    call_of("augment", "flip"),
    call_of("augment", "translate"),
    call_of("augment", "rotate", angle=Quantity(10, "degrees")),
    call_of("augment", "noise", std=0.1),
)


def test_augmentation_is_the_examples_however_it_is_batched() -> None:
    small = dataset_of(plan_of(DIGITS, batch=10, augment=AUGMENT, seed=1))
    large = dataset_of(plan_of(DIGITS, batch=15, times=2, augment=AUGMENT, seed=1))
    in_small = np.concatenate([fetched(small, step)["image"][0] for step in (0, 1, 2)])
    in_large = fetched(large, 0)["image"].reshape(30, 8, 8, 1)
    np.testing.assert_array_equal(in_small, in_large)
    plain = fetched(dataset_of(plan_of(DIGITS, batch=10, seed=1)), 0)["image"][0]
    assert (np.abs(plain - in_small[:10]).max((1, 2, 3)) > 0).all()


def test_augmentation_differs_by_epoch_and_in_graph_is_the_same() -> None:
    data = dataset_of(plan_of(DIGITS, batch=10, augment=AUGMENT[:1], shuffle=False))
    addresses = data.addresses(0, 1)[0]
    later = addresses.copy()
    later[..., 0] = 9
    first, other = (data.fetch(tf.constant(part))["image"].numpy() for part in (addresses, later))
    assert (first != other).any()
    in_graph = tf.function(data.fetch, input_signature=[tf.TensorSpec((1, 10, 2), tf.int64)])
    np.testing.assert_array_equal(in_graph(tf.constant(addresses))["image"], first)


def test_split_is_not_augmented() -> None:
    plain, augmented = (dataset_of(plan_of(DIGITS, augment=augment)) for augment in ((), AUGMENT))
    np.testing.assert_array_equal(plain.split("train")["image"], augmented.split("train")["image"])


def test_some_of_a_split() -> None:
    data = dataset_of(plan_of(DIGITS))
    some = data.split("train", 100)
    assert some["image"].shape == (100, 8, 8, 1)
    assert np.bincount(some["label"], minlength=10).min() >= 2  # not the first hundred in a row
    assert len(data.split("train", 10_000)["label"]) == 1797


def two_folders(folder: Path, ours: int, theirs: int) -> dict[str, Any]:
    for name, count in (("a", ours), ("b", theirs)):
        for number in range(count):
            save(folder / name / f"{number}.png", Image.new("L", (4, 4), number))
    return {name: call_of("source", "images", glob=f"{name}/*.png") for name in "ab"}


def test_two_sources_are_drawn_independently(tmp_path: Path) -> None:
    sources = two_folders(tmp_path, 7, 5)
    plan = plan_of(sources, str(tmp_path), batch=5, fields={"image": {"range": (0, 255)}})
    data = dataset_of(plan, str(tmp_path))
    assert [field.name for field in plan.data.fields] == ["a", "b"]
    assert data.sizes == {"train": 5}
    seen = [fetched(data, step) for step in range(7)]  # five epochs of a, seven of b
    for name, count in (("a", 7), ("b", 5)):
        values = np.concatenate([batch[name][0, :, 0, 0, 0] for batch in seen]).round().astype(int)
        np.testing.assert_array_equal(np.bincount(values), [35 // count] * count)
        for epoch in values.reshape(-1, count):
            np.testing.assert_array_equal(np.sort(epoch), np.arange(count))


def test_pairs_stay_together(tmp_path: Path) -> None:
    sources = two_folders(tmp_path, 7, 5)
    flip = (call_of("augment", "flip"),)
    plan = plan_of(sources, str(tmp_path), batch=5, pairs="name", fields={"image": {"range": (0, 255)}}, augment=flip)
    data = dataset_of(plan, str(tmp_path))
    assert data.sizes == {"train": 5}
    batch = fetched(data, 0)
    np.testing.assert_array_equal(batch["a"], batch["b"])
    with pytest.raises(DataError, match="`a` has 7, `b` has 5"):
        dataset_of(plan_of(sources, str(tmp_path), pairs="order"), str(tmp_path))


@pytest.mark.parametrize(
    ("call", "modes"),
    [
        (call_of("source", "gaussians", grid=(5, 5), spacing=2.0, std=0.05), 25),
        (call_of("source", "gaussians", ring=6, radius=3.0), 6),
        (call_of("source", "ring", modes=8), 8),
    ],
)
def test_points_of_mixtures(call: Any, modes: int) -> None:
    from gendsl.lower.data import modes_of

    data = dataset_of(plan_of(call, batch=512, times=2))
    assert data.sizes["train"] is None
    batch = fetched(data, 5)["point"]
    assert batch.shape == (2, 512, 2) and batch.dtype == np.float32
    np.testing.assert_array_equal(batch, fetched(data, 5)["point"])
    assert (batch != fetched(data, 6)["point"]).all()
    centres = modes_of(call)
    assert centres is not None and len(centres) == modes
    np.testing.assert_allclose(centres.mean(0), 0, atol=1e-6)
    points = data.split("test", 20_000)["point"]
    distance = np.linalg.norm(points[:, None] - centres, axis=-1)
    nearest, std = distance.argmin(1), call.arguments["std"]
    counts = np.bincount(nearest, minlength=modes)
    assert (np.abs(counts - 20_000 / modes) < 6 * np.sqrt(20_000 / modes)).all()
    offsets = points - centres[nearest]
    np.testing.assert_allclose(offsets.std(0), std, rtol=0.03)
    for mode in range(modes):  # the noise does not depend on the mode
        assert np.abs(offsets[nearest == mode].mean(0)).max() < 6 * std / np.sqrt(counts[mode])


def test_swiss_roll() -> None:
    points = dataset_of(plan_of(call_of("source", "swiss_roll", noise=0.0))).split("test", 1000)["point"] * 7.5
    radius = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(points[:, 0], radius * np.cos(radius), atol=1e-3)
    assert 1.5 * np.pi <= radius.min() and radius.max() <= 4.5 * np.pi


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(FASHION, tmp_path / "fashion")
    plan = plan_of(
        call_of("source", "idx", folder="fashion"),
        str(tmp_path),
        fields={"image": {"size": (28, 28, 1), "resize": (32, 32), "range": (-1, 1)}, "label": {"classes": 10}},
        batch=64,
        times=2,
    )
    data = dataset_of(plan, str(tmp_path))
    assert data.sizes == {"train": 60_000, "test": 10_000}
    np.testing.assert_array_equal(data.class_counts, [6000] * 10)
    batch = fetched(data, 1000)
    assert batch["image"].shape == (2, 64, 32, 32, 1)
    assert -1 <= batch["image"].min() < -0.9 and 0.9 < batch["image"].max() <= 1
