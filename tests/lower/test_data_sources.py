"""Sources of pictures beside the first ones: labels from files, NumPy arrays, TFRecords; and how they are resized."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gendsl.check.headers import header_of
from gendsl.lower.data import dataset_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call
from tests.lower.data_plans import call_of, plan_of

RED = (200, 10, 10)
PLAIN = Image.new("RGB", (20, 20), RED)
CLEAR = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
TURNED = Image.new("RGB", (20, 20), RED)
TURNED.paste((0, 0, 0), (0, 0, 20, 10))  # a black upper half
EXIF = Image.Exif()
EXIF[0x0112] = 3  # shown upside down

WHITE = (255, 255, 255)
FORMATS: dict[str, tuple[Callable[[Path], None], tuple[int, ...]]] = {
    "rgb.png": (PLAIN.save, RED),
    "rgb.jpg": (lambda path: PLAIN.save(path, quality=100), RED),
    "cmyk.jpg": (lambda path: PLAIN.convert("CMYK").save(path, quality=100), RED),
    "grey.jpg": (lambda path: Image.new("L", (20, 20), 77).save(path, quality=100), (77,) * 3),
    "lossy.webp": (lambda path: PLAIN.save(path, quality=100), RED),
    "clear.webp": (lambda path: CLEAR.save(path, lossless=True), WHITE),
    "first.gif": (lambda path: PLAIN.save(path, save_all=True, append_images=[Image.new("RGB", (20, 20))]), RED),
    "rgb.bmp": (PLAIN.save, RED),
    "16bit.png": (lambda path: Image.fromarray(np.full((20, 20), 77 * 257, np.uint16)).save(path), (77,) * 3),
    "grey.png": (Image.new("L", (20, 20), 77).save, (77,) * 3),
    "bits.png": (Image.new("1", (20, 20), 1).save, WHITE),
    "palette.png": (lambda path: PLAIN.quantize(4).save(path), RED),
    "palette_clear.png": (lambda path: CLEAR.quantize(4).save(path, transparency=0), WHITE),
    "clear.png": (CLEAR.save, WHITE),
    "half.png": (Image.new("RGBA", (20, 20), (0, 0, 0, 51)).save, (204,) * 3),
    "grey_clear.png": (Image.new("LA", (20, 20), (77, 0)).save, WHITE),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("cache", [True, False])
def test_each_kind_of_file(tmp_path: Path, name: str, cache: bool) -> None:
    save, colour = FORMATS[name]
    save(tmp_path / name)
    plan = plan_of(
        call_of("source", "images", glob=name),
        str(tmp_path),
        fields={"image": {"channels": 3, "background": "white", "range": (0, 255)}},
        batch=1,
        cache=cache,
    )
    assert plan.data.fields[0].shape == (20, 20, 3)
    pixels = dataset_of(plan, str(tmp_path)).split("train")["image"][0]
    np.testing.assert_allclose(pixels, np.broadcast_to(colour, (20, 20, 3)), atol=3)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_exif_turns_each_format(tmp_path: Path, ending: str) -> None:
    TURNED.save(tmp_path / f"0.{ending}", exif=EXIF, quality=100)
    plan = plan_of(call_of("source", "images", glob="0.*"), str(tmp_path), batch=1)
    pixels = dataset_of(plan, str(tmp_path)).split("train")["image"][0]
    assert pixels[:8, :, 0].min() > 0.7 and pixels[12:, :, 0].max() < 0.1


def labelled(folder: Path, label: Call, *curate: Call) -> Any:
    images = call_of("source", "images", glob="d/**", label=label)
    return dataset_of(plan_of(images, str(folder), batch=1, curate=curate), str(folder))


def test_classes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for number in range(5):
        Image.new("L", (4, 4), number).save(tmp_path / "d" / f"{number}.png")
    rows = [{"image": f"{number}.png", "kind": "yx"[number % 2]} for number in range(4)]
    (tmp_path / "e.json").write_text(json.dumps(rows))
    by_file = call_of("labels", "json", path="e.json", file="image", **{"class": "kind"})
    with pytest.raises(DataError, match=r'1 of the 5 pictures has no label in "e.json": "d/4.png"') as caught:
        labelled(tmp_path, by_file)
    assert "drop unlabeled" in caught.value.help
    drop = call_of("curate", "drop", what=("unlabeled",))
    data = labelled(tmp_path, by_file, drop)
    assert data.class_names == ("x", "y") and data.sizes == {"train": 4}
    train = data.split("train")
    np.testing.assert_array_equal((train["image"][:, 0, 0, 0] * 255).round(), range(4))
    np.testing.assert_array_equal(train["label"], [1, 0, 1, 0])
    source = data.manifest["sources"][0]
    assert source["dropped"] == {"unlabeled": 1} and source["classes"] == {"x": 2, "y": 2}
    rows[0]["kind"] = "x"
    (tmp_path / "e.json").write_text(json.dumps(rows))
    assert labelled(tmp_path, by_file, drop).manifest["sources"][0]["sha256"] != source["sha256"]
    (tmp_path / "e.json").unlink()
    plan = plan_of(call_of("source", "images", glob="d/**", label=by_file), str(tmp_path), batch=1)
    with pytest.raises(DataError, match=r'there is no file "e.json"'):
        dataset_of(plan, str(tmp_path))


def test_numpy_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    images = np.random.default_rng(0).integers(0, 256, (3000, 5, 6, 3), np.uint8)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", np.arange(3000)[:, None] % 7)
    source = call_of("source", "npy", file="x.npy", label="y.npy")
    header = header_of(source, str(tmp_path))
    assert header.examples == 3000 and [field.shape for field in header.fields] == [(5, 6, 3), ()]
    assert header.fields[1].classes == 7
    plans = [
        plan_of(source, str(tmp_path), cache=cache, fields={"image": {"range": (0, 255)}}) for cache in (True, False)
    ]
    held, scratch = (dataset_of(plan, str(tmp_path)) for plan in plans)
    assert scratch.on_disk and held.manifest == scratch.manifest and held.class_names == tuple("0123456")
    for data in (held, scratch):
        train = data.split("train")
        np.testing.assert_allclose(train["image"], images)
        np.testing.assert_array_equal(train["label"], np.arange(3000) % 7)
    np.save(tmp_path / "x.npy", (images[..., 0] / 255).astype(np.float64))
    alone = dataset_of(plan_of(call_of("source", "npy", file="x.npy"), str(tmp_path)), str(tmp_path)).split("train")
    np.testing.assert_allclose(alone["image"][..., 0], images[..., 0] / 255, atol=1e-6)
    assert list(alone) == ["image"]


@pytest.mark.parametrize(
    ("images", "labels", "told"),
    [
        (np.zeros((3, 4)), None, 'x.npy" is 3x4 of `<f8`, not pictures'),
        (np.zeros((3, 4, 4), np.uint8), np.arange(4), 'y.npy" is 4; 3 pictures have as many'),
        (np.array(["a"]), None, "not pictures"),
        (None, None, "is not a NumPy array"),
    ],
)
def test_numpy_arrays_that_do_not_fit(tmp_path: Path, images: Any, labels: Any, told: str) -> None:
    if images is None:
        (tmp_path / "x.npy").write_bytes(b"text")
    else:
        np.save(tmp_path / "x.npy", images)
    if labels is not None:
        np.save(tmp_path / "y.npy", labels)
    source = call_of("source", "npy", file="x.npy", label=None if labels is None else "y.npy")
    header = header_of(source, str(tmp_path))
    assert told in header.problem and header.help


def picture(number: int, size: tuple[int, int] = (6, 5)) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)


def record(image: bytes | None, label: Any = None) -> bytes:
    features = {"other": tf.train.Feature(float_list=tf.train.FloatList(value=[1.5, 2]))}
    if image is not None:
        features["image/encoded"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
    if isinstance(label, str):
        features["kind"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[label.encode()]))
    elif label is not None:
        features["kind"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write_records(path: Path, records: list[bytes], packed: bool = False) -> None:
    with tf.io.TFRecordWriter(str(path), "GZIP" if packed else "") as writer:
        for one in records:
            writer.write(one)


def png(number: int, **options: Any) -> bytes:
    return tf.io.encode_png(picture(number, **options)).numpy()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("texts", [False, True])
def test_records(tmp_path: Path, packed: bool, texts: bool) -> None:
    for file in range(2):
        numbers = range(10 * file, 10 * file + 10)
        labels = ["ant" if number % 3 else "bee" for number in numbers] if texts else [n % 3 + 1 for n in numbers]
        write_records(
            tmp_path / f"{file}.tfrecord",
            [record(png(number), label) for number, label in zip(numbers, labels, strict=True)],
            packed,
        )
    source = call_of("source", "tfrecord", glob="*.tfrecord", label="kind")
    header = header_of(source, str(tmp_path))
    assert [field.shape for field in header.fields] == [(6, 5, 3), ()] and not header.problem
    data = dataset_of(plan_of(source, str(tmp_path), fields={"image": {"range": (0, 255)}}), str(tmp_path))
    train = data.split("train")
    np.testing.assert_allclose(train["image"], [picture(number) for number in range(20)])
    expected = [int(number % 3 == 0) if texts else number % 3 + 1 for number in range(20)]
    np.testing.assert_array_equal(train["label"], expected)
    assert data.class_names == (("ant", "bee") if texts else tuple("0123"))


def test_records_without_labels_some_damaged(tmp_path: Path) -> None:
    whole = [record(png(number)) for number in range(5)]
    write_records(tmp_path / "a", [*whole, record(b"\x89PNG no picture"), record(png(5))])
    plan = plan_of(call_of("source", "tfrecord", glob="a"), str(tmp_path), cache=False)
    data = dataset_of(plan, str(tmp_path))
    source = data.manifest["sources"][0]
    assert data.sizes == {"train": 6} and source["dropped"] == {"damaged": 1}
    assert [one.example for _, one in data.findings.left_out] == ["a:5"]
    assert [field.kind for field in plan.data.fields] == ["image"]


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([record(png(0), 1), record(None, 1)], 'record 1 of "a" has not one `image/encoded`'),
        ([record(png(0), 1), record(png(0))], 'record 1 of "a" has not one `kind`'),
        ([record(png(0), 1), record(png(0), -1)], "`kind` of a:1 is -1, not the number of a class"),
        ([record(png(0), 1), record(png(0), "x")], "`kind` of a:1 is 'x', not the number of a class"),
        ([record(png(0), 1), record(png(0), 1 << 40)], "`kind` of a:1 is 1099511627776"),
        ([record(png(0), 1), b"no example"], 'record 1 of "a" is no `tf.train.Example`'),
        ([record(png(0), 1), record(png(0, size=(7, 7)), 1)], 'first of "a" is 6x5, "a:1" is 7x7'),
    ],
)
def test_records_that_do_not_fit(tmp_path: Path, records: list[bytes], told: str) -> None:
    write_records(tmp_path / "a", records)
    plan = plan_of(call_of("source", "tfrecord", glob="a", label="kind"), str(tmp_path), batch=1)
    with pytest.raises(DataError, match=told) as caught:
        dataset_of(plan, str(tmp_path))
    assert caught.value.help


def test_a_damaged_file_of_records(tmp_path: Path) -> None:
    write_records(tmp_path / "a", [record(png(number)) for number in range(9)])
    whole = (tmp_path / "a").read_bytes()
    plan = plan_of(call_of("source", "tfrecord", glob="a"), str(tmp_path), batch=1)
    for damaged in (whole[:-20], whole[: len(whole) // 2] + b"\0" + whole[len(whole) // 2 + 1 :]):
        (tmp_path / "a").write_bytes(damaged)
        with pytest.raises(DataError, match=r'"a" is damaged from record [48] on'):
            dataset_of(plan, str(tmp_path))


@pytest.mark.parametrize(
    ("content", "arguments", "told"),
    [
        (b"", {}, "no TFRecord file"),
        (b"text " * 100, {}, "no TFRecord file"),
        (gzip.compress(b"text", mtime=0), {}, "no TFRecord file"),
        (b"\x1f\x8b\x08 cut off", {}, "no TFRecord file"),
        (None, {"image": "picture"}, "have no feature `picture`"),
        (None, {"label": "class"}, "have no feature `class`"),
        (None, {"image": "other"}, '`other` of "a" is not an encoded picture'),
    ],
)
def test_headers_of_records(tmp_path: Path, content: bytes | None, arguments: dict[str, str], told: str) -> None:
    write_records(tmp_path / "a", [record(png(0), 1)])
    if content is not None:
        (tmp_path / "a").write_bytes(content)
    header = header_of(call_of("source", "tfrecord", glob="a", **arguments), str(tmp_path))
    assert told in header.problem and header.help
    if "have no feature" in told:
        assert "`image/encoded`" in header.help and "`kind`" in header.help


METHODS = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fit", ["cover", "stretch", "pad"])
def test_methods_of_files_and_arrays_agree(tmp_path: Path, method: str, fit: str) -> None:
    images = np.random.default_rng(1).integers(80, 176, (3, 12, 30, 3)).astype(np.uint8)
    np.save(tmp_path / "s.npy", images)
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    fields = {"image": {"resize": (8, 9), "fit": fit, "method": method, "range": (0, 255)}}
    sources = (call_of("source", "npy", file="s.npy"), call_of("source", "images", glob="*.png"))
    arrays, files = (
        dataset_of(plan_of(call, str(tmp_path), fields=fields, batch=1), str(tmp_path)).split("train")["image"]
        for call in sources
    )
    assert np.abs(arrays - files).max() <= 2.1
    if fit == "stretch":
        expected = [np.asarray(Image.fromarray(image).resize((9, 8), METHODS[method])) for image in images]
        np.testing.assert_array_equal(files, expected)


def test_area_is_the_mean(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 1)).astype(np.uint8)
    np.save(tmp_path / "s.npy", images)
    fields = {"image": {"resize": (4, 2), "fit": "stretch", "method": "area", "range": (0, 255)}}
    plan = plan_of(call_of("source", "npy", file="s.npy"), str(tmp_path), fields=fields, batch=1)
    made = dataset_of(plan, str(tmp_path)).split("train")["image"]
    np.testing.assert_allclose(made, images.reshape(2, 4, 2, 2, 4, 1).mean((2, 4)), atol=0.51)
