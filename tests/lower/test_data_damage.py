"""Damaged files, byte by byte: the header and the loader answer with a message, never with another exception."""

import gzip
import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gendsl.check.headers import header_of
from gendsl.lower.data import dataset_of
from gendsl.lower.errors import DataError
from tests.lower.data_plans import call_of, plan_of

RNG = np.random.default_rng(0)


def npz(save: object) -> bytes:
    buffer = io.BytesIO()
    save(buffer, images=RNG.integers(0, 256, (6, 4, 4), np.uint8), labels=np.arange(6))
    return buffer.getvalue()


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (9, 8, 3), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def records() -> bytes:
    features = tf.train.Features(
        feature={
            "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded("png")])),
            "kind": tf.train.Feature(int64_list=tf.train.Int64List(value=[3])),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "a")
        with tf.io.TFRecordWriter(path) as writer:
            for _ in range(3):
                writer.write(tf.train.Example(features=features).SerializeToString())
        return Path(path).read_bytes()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, RNG.integers(0, 256, (6, 4, 4), np.uint8))
    return buffer.getvalue()


IDX = b"\0\0\x08\3\0\0\0\6\0\0\0\4\0\0\0\4" + bytes(96)
FILES = {
    "stored.npz": npz(np.savez),
    "packed.npz": npz(np.savez_compressed),
    "one.npy": npy(),
    "one.tfrecord": records(),
    "packed.tfrecord": gzip.compress(records()),
    "train-images-idx3-ubyte": IDX,
    "train-images-idx3-ubyte.gz": gzip.compress(IDX),
    **{f"0.{kind}": encoded(kind) for kind in ("png", "jpeg", "gif", "bmp", "webp")},
}


@pytest.mark.parametrize("length", range(14))
def test_an_array_cut_off_in_its_first_bytes_is_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / "one.npy").write_bytes(npy()[:length])
    problem = header_of(call_of("source", "npy", file="one.npy"), str(tmp_path))
    assert '"one.npy" is not a NumPy array' in problem.problem and problem.help


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage(name: str, data: st.DataObject) -> None:
    body = bytearray(FILES[name])
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255)), max_size=4)):
        body[place] = value
    end = data.draw(st.one_of(st.just(len(body)), st.integers(0, len(body))))
    ending = name.rpartition(".")[2]
    source = ending if ending in ("npz", "npy", "tfrecord") else "idx" if "idx" in name else "images"
    argument = {"idx": {"folder": "."}, "images": {"glob": name}, "tfrecord": {"glob": name, "label": "kind"}}
    call = call_of("source", source, **argument.get(source, {"file": name}))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(bytes(body[:end]))
        header = header_of(call, folder)
        assert not header.problem or header.help
        try:
            dataset_of(plan_of(call, folder, batch=1), folder)
        except DataError as error:
            assert error.message and error.help


def saved(mode: str, size: tuple[int, int], kind: str) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(sum(map(ord, mode + kind))).integers(0, 256, (*size, 4), np.uint8)
    Image.fromarray(noise).convert(mode).save(stream, kind)
    return stream.getvalue()


def bomb() -> bytes:
    """A PNG whose header says 20,000 x 20,000."""
    body = bytearray(saved("RGB", (9, 9), "PNG"))
    body[16:24] = (20_000).to_bytes(4, "big") * 2
    return bytes(body)


GOOD = {
    "0_rgb.png": saved("RGB", (9, 9), "PNG"),
    "1_cmyk.jpg": saved("CMYK", (9, 9), "JPEG"),
    "2_one_pixel.png": saved("RGB", (1, 1), "PNG"),
    "3_png_by_another_name.jpg": saved("RGB", (9, 9), "PNG"),
    "4_palette.gif": saved("P", (9, 9), "GIF"),
    "5_grey_alpha.png": saved("LA", (9, 9), "PNG"),
    "6_one_line.png": saved("L", (1, 40), "PNG"),
}
DAMAGED = {
    "a_empty.png": b"",
    "b_text_by_another_name.png": b"file,label\na.png,1\n",
    "c_truncated.png": saved("RGB", (40, 40), "PNG")[:400],
    "d_truncated.jpg": saved("RGB", (40, 40), "JPEG")[:700],
    "e_head_only.gif": b"GIF89a",
    "f_bomb.png": bomb(),
    "g_tiff_by_another_name.png": saved("RGB", (9, 9), "TIFF"),
}


def test_each_bad_file_is_dropped_by_name(tmp_path: Path) -> None:
    """Among good ones of every kind, which all come to one size, no bad one stops the run or slips in."""
    for name, content in (GOOD | DAMAGED).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "h_link_to_nothing.png").symlink_to(tmp_path / "gone.png")
    for number in range(3):  # more good ones than bad
        (tmp_path / f"7_{number}.png").write_bytes(saved("RGB", (12 + number, 9), "PNG"))
    images = call_of("source", "images", glob="*.*")
    fields = {"image": {"resize": (8, 8), "channels": 3}}
    rule = call_of("curate", "drop", what=("corrupt", "duplicates", "blank"), within=0)
    plan = plan_of(images, str(tmp_path), fields=fields, curate=(rule,), batch=1)
    data = dataset_of(plan, str(tmp_path))
    reasons = {one.example: one.reason for _, one in data.findings.left_out}
    assert reasons == {
        **dict.fromkeys(DAMAGED, "damaged"),
        "h_link_to_nothing.png": "unreadable",
        "f_bomb.png": "too large",
        "2_one_pixel.png": "blank",  # of one colour, whatever its size
        "3_png_by_another_name.jpg": "duplicates",
    }
    assert data.sizes == {"train": len(GOOD) + 3 - 2}
    assert data.split("train")["image"].shape[1:] == (8, 8, 3)
    assert "3_png_by_another_name.jpg,duplicates,0_rgb.png" in data.findings.files["dropped.csv"]
