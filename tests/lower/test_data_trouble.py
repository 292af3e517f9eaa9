"""What a user is told of data that is damaged, missing, unequal, too little or not what was checked."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gendsl.lower.data import dataset_of
from gendsl.lower.errors import DataError
from tests.lower.data_files import colour, mnist_like, save, write_idx
from tests.lower.data_plans import call_of, plan_of

DIGITS = call_of("source", "digits")


def spoil(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


IDX_TROUBLE = [
    ("train-images-idx3-ubyte.gz", lambda data: b"<html>not found</html>", "is not an IDX file"),
    ("train-images-idx3-ubyte.gz", lambda data: data[: len(data) // 2], "cut off or damaged"),
    ("train-labels-idx1-ubyte.gz", lambda data: gzip.compress(gzip.decompress(data)[:-1]), "its header says 12"),
    ("train-labels-idx1-ubyte.gz", lambda data: gzip.compress(b"\0\0\x08\1\0\0\0\3abc"), "3 labels for 12 pictures"),
    ("t10k-images-idx3-ubyte.gz", lambda data: gzip.compress(b"\0\0\x0d\3" + bytes(12)), "type 0x0d"),
    ("train-images-idx3-ubyte.gz", lambda data: b"", "is not an IDX file"),
]


@pytest.mark.parametrize(("name", "change", "message"), IDX_TROUBLE)
def test_idx_trouble(tmp_path: Path, name: str, change: Callable[[bytes], bytes], message: str) -> None:
    mnist_like(tmp_path / "data")
    plan = plan_of(call_of("source", "idx", folder="data"), str(tmp_path))
    spoil(tmp_path / "data" / name, change)
    with pytest.raises(DataError, match=message) as caught:
        dataset_of(plan, str(tmp_path))
    assert f"data/{name}" in caught.value.message and caught.value.help


def test_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    told = [
        (call_of("source", "idx", folder="nowhere"), "the folder is not there"),
        (call_of("source", "idx", folder="empty"), "the folder is there, but not its files"),
        (call_of("source", "npz", file="nowhere.npz"), "there is no file"),
        (call_of("source", "images", glob="empty/*.png"), "no file matches"),
        (call_of("source", "images", glob="../*.png"), "goes up"),
    ]
    for call, message in told:
        with pytest.raises(DataError, match=message) as caught:
            dataset_of(plan_of(call, str(tmp_path)), str(tmp_path))
        assert caught.value.help


def test_a_few_damaged_pictures_are_counted(tmp_path: Path) -> None:
    for number in range(10):
        save(
            tmp_path / f"{number}.png",
            Image.fromarray(np.random.default_rng(number).integers(0, 256, (9, 9, 3), np.uint8)),
        )
    spoil(tmp_path / "3.png", lambda data: b"nothing")
    spoil(tmp_path / "5.png", lambda data: data[: len(data) // 2])
    bomb = bytearray((tmp_path / "7.png").read_bytes())
    bomb[16:24] = (20_000).to_bytes(4, "big") * 2
    (tmp_path / "7.png").write_bytes(bytes(bomb))
    plan = plan_of(call_of("source", "images", glob="*.png"), str(tmp_path), fields={"image": {"resize": (8, 8)}})
    data = dataset_of(plan, str(tmp_path))
    assert data.sizes == {"train": 7}
    source = data.manifest["sources"][0]
    assert source["dropped"] == {"damaged": 2, "too large": 1}
    assert [(one.example, one.reason) for _, one in data.findings.left_out] == [
        ("3.png", "damaged"),
        ("5.png", "damaged"),
        ("7.png", "too large"),
    ]
    for number in range(6):
        spoil(tmp_path / f"{number}.png", lambda data: b"nothing")
    with pytest.raises(DataError, match="7 of the 10 files"):
        dataset_of(plan, str(tmp_path))


def test_pictures_of_different_sizes(tmp_path: Path) -> None:
    save(tmp_path / "0.png", colour((9, 9), 1, 2, 3))
    save(tmp_path / "1.png", colour((9, 8), 1, 2, 3))
    with pytest.raises(DataError, match=r'"1.png" is 8x9') as caught:
        dataset_of(plan_of(call_of("source", "images", glob="*.png"), str(tmp_path)), str(tmp_path))
    assert "resize" in caught.value.help


def test_npz_trouble(tmp_path: Path) -> None:
    pictures = np.zeros((9, 4, 4), np.uint8)
    for arrays, message in [
        ({"images": pictures.astype(np.float32) - 3}, "from -3.0 to -3.0"),
        ({"images": pictures, "labels": np.linspace(0, 1, 9)}, "not whole numbers"),
        ({"table": np.zeros((3, 2))}, "no array of pictures"),
        ({"one": pictures, "two": pictures}, "no array of pictures"),
        ({"images": np.zeros((2, 4, 4, 7), np.uint8)}, "the last axis of pictures"),
    ]:
        np.savez(tmp_path / "s.npz", **arrays)
        with pytest.raises(DataError, match=message):
            dataset_of(plan_of(call_of("source", "npz", file="s.npz"), str(tmp_path)), str(tmp_path))
    (tmp_path / "s.npz").write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="is not a NumPy archive"):
        dataset_of(plan_of(call_of("source", "npz", file="s.npz"), str(tmp_path)), str(tmp_path))


def test_batch_larger_than_the_data(tmp_path: Path) -> None:
    mnist_like(tmp_path / "data")
    plan = plan_of(call_of("source", "idx", folder="data"), str(tmp_path), batch=13)
    with pytest.raises(DataError, match="a batch of 13 is more than the 12"):
        dataset_of(plan, str(tmp_path))
    assert dataset_of(plan, str(tmp_path), overfit=True).addresses(0, 1).shape == (1, 1, 13, 2)


def test_an_unknown_split() -> None:
    with pytest.raises(DataError, match="there is no split `test`; there are `train`"):
        dataset_of(plan_of(DIGITS)).split("test")


def test_data_that_has_changed_since_the_check(tmp_path: Path) -> None:
    mnist_like(tmp_path / "data")
    plan = plan_of(call_of("source", "idx", folder="data"), str(tmp_path))
    for name, count in (("train", 12), ("t10k", 5)):
        write_idx(tmp_path / "data" / f"{name}-images-idx3-ubyte.gz", np.zeros((count, 7, 7)))
    with pytest.raises(DataError, match="`image` is 7x7x1; the plan was made for 6x5x1"):
        dataset_of(plan, str(tmp_path))
