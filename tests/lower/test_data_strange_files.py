"""What a glob may find beside files: pipes, sockets, links onto themselves. Nothing waits for them; each is told of."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gendsl.check.headers import header_of
from gendsl.check.headers.paths import files
from gendsl.lower.data import dataset_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call
from tests.lower.data_plans import call_of, plan_of

TOLD = "it is no file but a pipe, a device or a folder"


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """A test that waits for a pipe ends."""

    def ended(*_: object) -> None:
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, ended)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_pictures_beside_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(tmp_path / f"{number}.png")
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    os.mkfifo("pipe.png")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket.png")
    os.mkdir("folder.png")
    os.symlink("loop.png", "loop.png")
    os.symlink("gone.png", "dangling.png")
    os.symlink("/dev/zero", "device.png")  # leads out of the folder, and is passed over as such
    data = dataset_of(plan_of(call_of("source", "images", glob="*.png"), ".", batch=2), ".")
    assert data.sizes == {"train": 6} and data.manifest["sources"][0]["dropped"] == {"unreadable": 4}
    assert {one.example for _, one in data.findings.left_out} == {
        "pipe.png", "socket.png", "loop.png", "dangling.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (call_of("source", "text", glob="*.txt", tokenizer=call_of("tokenizer", "bytes")), "a.txt"),
        (call_of("source", "text", glob="*.txt", tokenizer=call_of("tokenizer", "characters")), "a.txt"),
        (call_of("source", "audio", glob="*.wav", rate=8000), "a.wav"),
        (call_of("source", "images", glob="*.png"), "a.png"),
        (call_of("source", "tfrecord", glob="*.tfrecord"), "a.tfrecord"),
        (call_of("source", "idx", folder="."), "train-images-idx3-ubyte"),
        (call_of("source", "idx", folder="."), "train-images-idx3-ubyte.gz"),
        (call_of("source", "npz", file="a.npz"), "a.npz"),
        (call_of("source", "npy", file="a.npy"), "a.npy"),
        (call_of("source", "csv", file="a.csv"), "a.csv"),
        (call_of("source", "parquet", file="a.parquet"), "a.parquet"),
    ],
)
def test_a_source_that_is_a_pipe(tmp_path: Path, source: Call, name: str) -> None:
    os.mkfifo(tmp_path / name)
    header = header_of(source, str(tmp_path))
    if header.problem:
        assert TOLD in header.problem or name in header.problem
        return
    with pytest.raises(DataError) as raised:
        plan = plan_of(source, str(tmp_path), window=4, split=None)
        dataset_of(plan, str(tmp_path))
    assert name in raised.value.message and raised.value.help


def test_text_and_music_beside_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abcdefgh" * 9)
    os.mkfifo(tmp_path / "b.txt")
    source = call_of("source", "text", glob="*.txt", tokenizer=call_of("tokenizer", "bytes"))
    with pytest.raises(DataError, match=f'"b.txt" cannot be read: {TOLD}'):
        dataset_of(plan_of(source, str(tmp_path), window=4, batch=1), str(tmp_path))


def test_lists_and_labels_that_are_pipes(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "0.png")
    os.mkfifo(tmp_path / "l.csv")
    source = call_of("source", "images", glob="*.png")
    rule = (call_of("curate", "drop", listed="l.csv"),)
    with pytest.raises(DataError, match=r'"l\.csv"'):
        dataset_of(plan_of(source, str(tmp_path), curate=rule, batch=1), str(tmp_path))


def test_folders_that_lead_to_themselves(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a/0.png")
    (tmp_path / "a/up").symlink_to("..")
    (tmp_path / "a/self").symlink_to(".")
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    assert list(files(str(tmp_path), "**/*.png")) == ["a/0.png"]
    assert list(files(str(tmp_path), "one/*.png")) == []
    assert list(files(str(tmp_path), "*/self/*.png")) == ["a/self/0.png"]  # as deep as the pattern says
