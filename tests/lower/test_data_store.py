"""Where decoded pictures lie: memory or a scratch file, chosen by size, the same to the bit, and flat in memory."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gendsl.lower.data import Dataset, dataset_of, store
from gendsl.lower.data.store import Store, read, scratch_folder, taken
from gendsl.lower.errors import DataError
from gendsl.parts.keys import Share
from gendsl.plan import machine
from tests.lower.data_plans import call_of, plan_of

ROOT = Path(__file__).parents[2]
IMAGES = call_of("source", "images", glob="**/*.png", label="folder")
AUGMENT = (call_of("augment", "flip"), call_of("augment", "noise", std=0.1))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty pictures in three classes; scratch files lie in `scratch`."""
    rng = np.random.default_rng(0)
    for number in range(60):
        path = tmp_path / "pictures" / "abc"[number % 3] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8)).save(path)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    return tmp_path / "pictures"


def data_of(folder: Path, cache: bool | None, **options: Any) -> Dataset:
    options = {"fields": {"image": {"resize": (8, 8), "range": (-1, 1)}}, "batch": 8, "seed": 3} | options
    return dataset_of(plan_of(IMAGES, str(folder), cache=cache, **options), str(folder))


def test_a_scratch_file_gives_what_memory_gives(folder: Path) -> None:
    curate = (call_of("curate", "limit", examples=50),)
    split = {"train": 0.8, "test": 0.2}
    held, scratch = (data_of(folder, on, times=2, augment=AUGMENT, split=split, curate=curate) for on in (True, False))
    assert held.sizes == scratch.sizes == {"train": 40, "test": 10}
    assert held.manifest == scratch.manifest
    for step in range(4):  # beyond an epoch
        addresses = tf.constant(held.addresses(step, 1)[0])
        np.testing.assert_array_equal(addresses, scratch.addresses(step, 1)[0])
        parts = [(held.fetch(addresses, share), scratch.fetch(addresses, share)) for share in (Share(), Share(1, 2))]
        for one, other in parts:
            for name in ("image", "label"):
                np.testing.assert_array_equal(one[name], other[name])
    for count in (None, 5):
        np.testing.assert_array_equal(held.split("test", count)["image"], scratch.split("test", count)["image"])
    in_graph = tf.function(scratch.fetch, input_signature=[tf.TensorSpec((2, 8, 2), tf.int64)])
    addresses = tf.constant(held.addresses(9, 1)[0])
    np.testing.assert_array_equal(in_graph(addresses)["image"], held.fetch(addresses)["image"])
    assert not list((folder.parent / "scratch").iterdir()), "a scratch file has no name"


def test_two_sources_and_pairs(folder: Path) -> None:
    sources = {name: call_of("source", "images", glob=f"{name}/*.png") for name in "ab"}
    for name in os.listdir(folder / "b"):  # as 00.png is to 01.png, so is 03.png to 04.png
        (folder / "b" / name).rename(folder / "b" / f"{int(name[:2]) - 1:02}.png")
    for pairs in (None, "name"):
        plans = (plan_of(sources, str(folder), batch=6, pairs=pairs, cache=cache) for cache in (True, False))
        held, scratch = (dataset_of(plan, str(folder)) for plan in plans)
        addresses = tf.constant(held.addresses(2, 1)[0])
        one, other = held.fetch(addresses), scratch.fetch(addresses)
        for name in "ab":
            np.testing.assert_array_equal(one[name], other[name])


def test_what_happens_to_the_files_later_changes_nothing(folder: Path) -> None:
    scratch = data_of(folder, False)
    addresses = tf.constant(scratch.addresses(5, 1)[0])
    before = scratch.fetch(addresses)["image"].numpy()
    for number, path in enumerate(sorted(folder.rglob("*.png"))):
        if number % 3 == 0:
            path.unlink()
        else:
            path.write_bytes(b"damaged" if number % 3 == 1 else path.read_bytes()[:40])
    np.testing.assert_array_equal(scratch.fetch(addresses)["image"], before)


def test_size_decides_where_nothing_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = 60 * 8 * 8 * 3
    told = data_of(folder, None)
    assert told.summary == "60 pictures, 11.5 KiB, in memory" and not told.on_disk
    monkeypatch.setattr(machine, "memory", lambda: 4 * needed - 1)
    told = data_of(folder, None)
    assert told.summary == f"60 pictures, 11.5 KiB, in a scratch file in {folder.parent / 'scratch'}" and told.on_disk
    assert not data_of(folder, True).on_disk
    monkeypatch.setattr(machine, "memory", lambda: 2 * needed - 1)
    with pytest.raises(DataError, match=r"60 pictures of 8x8x3 take 11.2 KiB of memory; this machine has") as caught:
        data_of(folder, True)
    assert "leave `cache` out" in caught.value.help
    monkeypatch.setattr(machine, "memory", lambda: None)
    assert not data_of(folder, None).on_disk


def test_labels_are_always_in_memory(folder: Path) -> None:
    data = data_of(folder, False)
    np.testing.assert_array_equal(data.class_counts, [20, 20, 20])


def test_a_disk_without_room_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(folder / "nowhere"))
    with pytest.raises(DataError, match=r"no scratch file can be made in .*nowhere"):
        data_of(folder, False)
    monkeypatch.setenv("TMPDIR", str(folder))
    with pytest.raises(DataError, match=r"take 8192.0 TiB, decoded; the disk of .* free") as caught:
        Store(1 << 40, (64, 128), np.uint8, what="all", cache=False)
    assert "TMPDIR" in caught.value.help

    class Full:
        def write(self, data: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store, "_scratch", lambda needed, told: Full())
    with pytest.raises(DataError, match=r'the scratch file of "a" in .* cannot be written: No space left on device'):
        Store(4, (2,), np.uint8, what='"a"', cache=False).add(np.zeros((4, 2), np.uint8))


def test_where_scratch_files_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere")
    assert scratch_folder() == "/somewhere"
    monkeypatch.delenv("TMPDIR")
    assert scratch_folder() == ("/var/tmp" if os.access("/var/tmp", os.W_OK) else "/tmp")


@pytest.mark.parametrize("cache", [True, False])
def test_a_store_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    values = np.random.default_rng(0).random((3000, 2, 3)).astype(np.float32)
    made = Store(4000, (2, 3), np.float32, what="all", cache=cache)
    for start in range(0, 3000, 700):
        made.add(values[start : start + 700])
    column = made.column()
    assert isinstance(column, np.memmap) is not cache
    np.testing.assert_array_equal(column, values)
    rows = np.random.default_rng(1).permutation(3000)[:2500]
    kept = taken(column, rows)
    assert isinstance(kept, np.memmap) is not cache
    np.testing.assert_array_equal(kept, values[rows])
    np.testing.assert_array_equal(read(kept, rows[:9] % 100), values[rows][rows[:9] % 100])
    assert len(Store(4, (2,), np.uint8, what="none", cache=cache).column()) == 0


PROGRAM = """
import sys
from gendsl.run.loading import load_tensorflow
load_tensorflow()
import tensorflow as tf
from gendsl.lower.data import dataset_of
from tests.lower.data_plans import call_of, plan_of

def an_epoch(plan, folder):
    data = dataset_of(plan, folder)
    graph = tf.function(data.fetch, input_signature=[tf.TensorSpec((1, 8, 2), tf.int64)])
    for step in range(300 // 8 + 1):
        graph(tf.constant(data.addresses(step, 1)[0]))

an_epoch(plan_of(call_of("source", "digits"), batch=8), ".")
before = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])
images = call_of("source", "images", glob="*.png")
an_epoch(plan_of(images, sys.argv[1], cache=sys.argv[2] == "on", batch=8), sys.argv[1])
print((int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) - before) / 1024)
"""


def grown(folder: Path, cache: str) -> float:
    """MiB by which loading 225 MiB of pictures and an epoch of them make a process grow."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), cache],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path) -> None:
    for number in range(300):
        Image.new("RGB", (512, 512), (number % 256, 0, 0)).save(tmp_path / f"{number}.png")
    assert grown(tmp_path, "on") > 225
    assert grown(tmp_path, "off") < 100
