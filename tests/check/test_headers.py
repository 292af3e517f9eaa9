"""Headers: what a source is said to give before it is loaded, what is refused, and how little of it is read."""

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gendsl.check.headers import Header, field_of, header_of, with_options
from gendsl.check.headers.music import has_notes
from gendsl.check.headers.paths import Refused, files, inside
from gendsl.check.headers.pictures import size_of
from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import symbol


def call(name: str, /, **arguments: Any) -> Call:
    word = WORDS["source"][name]
    return Call(name, {parameter.name: parameter.default for parameter in word.parameters} | arguments)


def sizes(header: Header) -> dict[str, Any]:
    assert not header.problem, header.problem
    return {field.name: field.classes if field.kind == "label" else field.shape for field in header.fields}


def idx(path: Path, *shape: int, body: bytes | None = None) -> None:
    head = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    data = head + (bytes(int(np.prod(shape))) if body is None else body)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def test_digits() -> None:
    header = header_of(call("digits"), ".")
    assert sizes(header) == {"image": (8, 8, 1), "label": 10} and header.examples == 1797


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx(tmp_path: Path, ending: str) -> None:
    for split, count in (("train", 40), ("t10k", 8)):
        idx(tmp_path / "d" / f"{split}-images-idx3-ubyte{ending}", count, 9, 7)
        idx(tmp_path / "d" / f"{split}-labels-idx1-ubyte{ending}", count, body=bytes(i % 5 for i in range(count)))
    header = header_of(call("idx", folder="d"), str(tmp_path))
    assert sizes(header) == {"image": (9, 7, 1), "label": 5}
    assert header.splits == {"train": 40, "test": 8}


def test_idx_without_labels(tmp_path: Path) -> None:
    idx(tmp_path / "d/train-images-idx3-ubyte", 4, 9, 7)
    assert sizes(header_of(call("idx", folder="d"), str(tmp_path))) == {"image": (9, 7, 1)}


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    """A header that promises 10 GB over a file without a body."""
    idx(tmp_path / "d/train-images-idx3-ubyte", 10_000_000, 32, 32, body=b"")
    assert sizes(header_of(call("idx", folder="d"), str(tmp_path))) == {"image": (32, 32, 1)}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path: Path, save: Any) -> None:
    save(
        tmp_path / "s.npz",
        train_images=np.zeros((9, 4, 6, 3), np.uint8),
        test_images=np.zeros((5, 4, 6, 3), np.uint8),
        train_labels=np.array([[0]] * 8 + [[6]], np.int64),
        test_labels=np.zeros((5, 1), np.uint8),
    )
    header = header_of(call("npz", file="s.npz"), str(tmp_path))
    assert sizes(header) == {"image": (4, 6, 3), "label": 7}
    assert header.splits == {"train": 9, "test": 5}


def test_npz_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", one=np.zeros((9, 4, 4)), two=np.zeros((9, 5, 5)), kind=np.arange(9, dtype=">i4"))
    header = header_of(call("npz", file="s.npz", image="two", label="kind"), str(tmp_path))
    assert sizes(header) == {"image": (5, 5, 1), "label": 9} and header.examples == 9
    assert "no array `three`" in header_of(call("npz", file="s.npz", image="three"), str(tmp_path)).problem
    assert "no array of pictures" in header_of(call("npz", file="s.npz"), str(tmp_path)).problem


FORMATS = [
    ("png", "L", {}, 1),
    ("png", "LA", {}, 2),
    ("png", "RGB", {}, 3),
    ("png", "RGBA", {}, 4),
    ("png", "P", {}, 3),
    ("jpg", "L", {}, 1),
    ("jpg", "RGB", {"progressive": True}, 3),
    ("jpg", "CMYK", {}, 3),
    ("gif", "P", {}, 3),
    ("bmp", "RGB", {}, 3),
    ("webp", "RGB", {}, 3),
    ("webp", "RGB", {"lossless": True}, 3),
    ("webp", "RGBA", {"lossless": True}, 4),
    ("webp", "RGBA", {}, 4),
]


@pytest.mark.parametrize(("ending", "mode", "options", "channels"), FORMATS)
def test_sizes_of_pictures(tmp_path: Path, ending: str, mode: str, options: dict[str, Any], channels: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 4), np.uint8)
    path = tmp_path / f"0.{ending}"
    Image.fromarray(noise).convert(mode).save(path, **options)
    assert size_of(str(path), "0") == (37, 53, channels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_exif_orientation(tmp_path: Path, orientation: int, ending: str) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"0.{ending}"
    Image.new("RGB", (53, 37)).save(path, exif=exif)
    with Image.open(path) as picture:
        width, height = ImageOps.exif_transpose(picture).size
    assert (height, width) == ((53, 37) if orientation > 4 else (37, 53))
    assert size_of(str(path), "0") == (height, width, 3)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"RIFF....WEBPVP8 ", b"text"]
)
def test_damaged_pictures(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "0.png").write_bytes(data)
    with pytest.raises(Refused, match="is not a PNG"):
        size_of(str(tmp_path / "0.png"), "0.png")


def tree(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2)).save(folder / path)


def test_globs(tmp_path: Path) -> None:
    tree(tmp_path, "a/0.png", "a/b/1.png", "a/b/c/2.png", "a/.hidden/3.png", "a/.4.png", "d/5.jpg", "6.png")

    def found(pattern: str) -> list[str]:
        listed = list(files(str(tmp_path), pattern))
        assert listed == sorted(set(listed), key=lambda path: path.split("/"))
        return listed

    assert found("a/*.png") == ["a/0.png"]
    assert found("a/**/*.png") == ["a/0.png", "a/b/1.png", "a/b/c/2.png"]
    assert found("**/b/*.png") == ["a/b/1.png"]
    assert found("**") == ["6.png", "a/0.png", "a/b/1.png", "a/b/c/2.png", "d/5.jpg"]
    assert found("**/b/**/*.png") == ["a/b/1.png", "a/b/c/2.png"]
    assert found("*/*.[jp]*g") == ["a/0.png", "d/5.jpg"]
    assert found("a/.*.png") == ["a/.4.png"]
    assert found("6.png") == ["6.png"]
    assert found("nowhere/*.png") == []


def test_images(tmp_path: Path) -> None:
    tree(tmp_path, "cat/0.png", "cat/1.png", "dog/2.png")
    header = header_of(call("images", glob="**/*.png", label="folder"), str(tmp_path))
    assert sizes(header) == {"image": (2, 3, 1), "label": 2} and header.examples == 3
    assert sizes(header_of(call("images", glob="**/*.png"), str(tmp_path))) == {"image": (2, 3, 1)}


def test_the_first_picture_that_can_be_read_tells_the_size(tmp_path: Path) -> None:
    tree(tmp_path, "2.png", "3.png")
    (tmp_path / "0.png").write_bytes(b"text")
    bomb = bytearray((tmp_path / "2.png").read_bytes())
    bomb[16:24] = (20_000).to_bytes(4, "big") * 2
    (tmp_path / "1.png").write_bytes(bytes(bomb))
    header = header_of(call("images", glob="*.png"), str(tmp_path))
    assert sizes(header) == {"image": (2, 3, 1)} and header.examples == 4
    for path in ("0.png", "2.png", "3.png"):
        (tmp_path / path).unlink()
    assert "20000x20000 pixels, more than" in header_of(call("images", glob="*.png"), str(tmp_path)).problem


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", "~/x", "http://a.b/c", "", "a\0b", "C:\\x", "link/x", "\\x"]
)
def test_paths_stay_in_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "spec").mkdir()
    (tmp_path / "spec/link").symlink_to(tmp_path / "outside")
    with pytest.raises(Refused):
        inside(str(tmp_path / "spec"), path)
    for source, name in (("idx", "folder"), ("npz", "file"), ("images", "glob"), ("text", "glob"), ("csv", "file")):
        header = header_of(call(source, **{name: path}), str(tmp_path / "spec"))
        assert header.problem and header.help


def test_links_are_followed_inside_only(tmp_path: Path) -> None:
    tree(tmp_path, "outside/0.png", "spec/in/1.png")
    (tmp_path / "spec/out").symlink_to(tmp_path / "outside")
    (tmp_path / "spec/2.png").symlink_to(tmp_path / "outside/0.png")
    (tmp_path / "spec/3.png").symlink_to(tmp_path / "spec/in/1.png")
    assert list(files(str(tmp_path / "spec"), "**/*.png")) == ["3.png", "in/1.png"]
    assert list(files(str(tmp_path / "spec"), "*/*.png")) == ["in/1.png"]


def prepare(folder: Path, name: str, version: str, **image: Any) -> None:
    place = folder / name / version
    place.mkdir(parents=True)
    splits = [{"name": "train", "shardLengths": ["3", "4"]}, {"name": "test", "shardLengths": ["2"]}]
    (place / "dataset_info.json").write_text(json.dumps({"splits": splits}))
    features = {"image": {"image": image}, "label": {"classLabel": {"numClasses": "6"}}, "id": {"text": {}}}
    (place / "features.json").write_text(json.dumps({"featuresDict": {"features": features}}))


def test_tfds_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    prepare(tmp_path, "cifar10", "1.0.0", shape={"dimensions": ["1", "1", "1"]})
    prepare(tmp_path, "cifar10", "3.0.10", shape={"dimensions": ["32", "32", "3"]})
    prepare(tmp_path, "cifar10", "3.0.2", shape={"dimensions": ["2", "2", "1"]})
    prepare(tmp_path, "flowers/small", "1.0.0", shape={"dimensions": ["-1", "-1", "3"]})
    header = header_of(call("tfds", name="cifar10"), ".")
    assert sizes(header) == {"image": (32, 32, 3), "label": 6} and header.splits == {"train": 7, "test": 2}
    assert sizes(header_of(call("tfds", name="cifar10:1.0.0"), "."))["image"] == (1, 1, 1)
    for name in ("flowers", "flowers/small"):
        assert sizes(header_of(call("tfds", name=name), "."))["image"] == (None, None, 3)
    assert "no feature `id` of pictures" in header_of(call("tfds", name="cifar10", image="id"), ".").problem
    (tmp_path / "cifar10/3.0.10/features.json").write_text("{")
    assert "not prepared in full" in header_of(call("tfds", name="cifar10"), ".").problem


def test_tfds_from_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    header = header_of(call("tfds", name="cifar10"), ".")
    assert sizes(header) == {"image": (32, 32, 3), "label": 10} and header.known
    assert header.splits == {"train": 50_000, "test": 10_000}
    assert "from a table" in header.warning
    unknown = header_of(call("tfds", name="nothing_like_it"), ".")
    assert not unknown.known and "is not prepared" in unknown.warning and not unknown.problem
    for name in ("../x", "a//b", "", "a b", "/etc"):
        assert header_of(call("tfds", name=name), ".").problem


def test_points() -> None:
    assert header_of(call("gaussians", grid=(5, 5)), ".").unlimited
    assert "on a grid or on a ring" in header_of(call("gaussians"), ".").problem
    assert "on a grid or on a ring" in header_of(call("gaussians", grid=(5, 5), ring=3), ".").problem


@pytest.mark.parametrize(
    ("tokenizer", "size"),
    [
        (Call("bytes", {}), 256),
        (Call("remi", {"vocabulary": 512}), 512),
        (Call("characters", {"lowercase": False}), None),
    ],
)
def test_vocabularies(tmp_path: Path, tokenizer: Call, size: int | None) -> None:
    header = header_of(call("text", glob="*.txt", tokenizer=tokenizer), str(tmp_path))
    assert "no file matches" in header.warning
    field, problems = field_of(header.fields[0], None, window=64)
    assert field.shape == (64,) and not problems
    assert field.classes == (size if size is not None else symbol("text.vocabulary"))


ABSENT = ["idx", "npz", "images", "text", "midi", "csv", "parquet", "audio", "tfrecord"]


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_not_there_is_a_warning(tmp_path: Path, name: str) -> None:
    first = WORDS["source"][name].parameters[0].name
    header = header_of(call(name, **{first: "nowhere"}), str(tmp_path))
    assert header.warning and header.help and not header.known and not header.problem
    assert str(tmp_path) in header.looked


def test_every_source_has_a_header(tmp_path: Path) -> None:
    for word in WORDS["source"].values():
        given = {parameter.name: "nowhere" for parameter in word.parameters[:1] if parameter.positional}
        assert header_of(call(word.name, **given), str(tmp_path)).fields


@pytest.mark.parametrize("name", ["idx", "npz", "images"])
def test_unreadable_files_are_problems(tmp_path: Path, name: str) -> None:
    (tmp_path / "d").mkdir()
    path = tmp_path / {"idx": "d/train-images-idx3-ubyte", "npz": "d/s.npz", "images": "d/0.png"}[name]
    path.write_bytes(b"nonsense")
    argument = {"idx": {"folder": "d"}, "npz": {"file": "d/s.npz"}, "images": {"glob": "d/*.png"}}[name]
    header = header_of(call(name, **argument), str(tmp_path))
    assert header.problem and header.help


def test_options_of_the_statement() -> None:
    images, left = with_options(call("images", glob="*"), {"label": "folder", "tokenizer": None, "pairs": None})
    assert images.arguments["label"] == "folder" and not left
    assert with_options(call("digits"), {"label": "folder"})[1] == ("label",)


def test_zip_with_a_strange_member(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "s.npz", "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00\x10\x00not a dictionary")
    assert "not a NumPy archive" in header_of(call("npz", file="s.npz"), str(tmp_path)).problem


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", images=np.zeros((2, 4, 4)))
    script = (
        "import sys; from gendsl.check.headers import header_of; from gendsl.plan.plan import Call\n"
        "header_of(Call('npz', {'file': 's.npz', 'image': None, 'label': None}), sys.argv[1])\n"
        "header_of(Call('tfds', {'name': 'mnist', 'image': None, 'label': None}), sys.argv[1])\n"
        "header_of(Call('images', {'glob': '*.png', 'label': None}), sys.argv[1])\n"
        "assert not {'numpy', 'tensorflow', 'keras', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)


def track(*events: bytes) -> bytes:
    body = b"".join(events) + b"\x00\xff\x2f\x00"
    return b"MTrk" + len(body).to_bytes(4, "big") + body


MIDI = b"MThd" + bytes([0, 0, 0, 6, 0, 1, 0, 1, 1, 0xE0])


TEMPO = b"\x00\xff\x51\x03\x07\xa1\x20"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (MIDI + track(TEMPO), False),
        (MIDI + track(TEMPO) + track(b"\x83\x60\xc0\x05", b"\x00\x90\x3c\x40"), True),
        (MIDI + track(b"\x00\x90\x3c\x00", b"\x10\x3e\x00", b"\x10\x80\x3c\x40"), False),  # released, never struck
        (MIDI + track(b"\x00\x90\x3c\x00", b"\x10\x3e\x21"), True),  # the status goes on
        (MIDI + track(b"\x00\xf0\x03\x90\x3c\x40", b"\x00\xb0\x07\x64"), False),  # a system's own bytes
        (MIDI + b"Xtra\x00\x00\x00\x04\x00\x90\x3c\x40" + track(TEMPO), False),
        (MIDI + track(TEMPO)[:-6], None),
        (MIDI + track(b"\x00\x3c\x40"), None),
        (b"RIFF" + bytes(20), None),
    ],
)
def test_whether_music_has_a_note(data: bytes, found: bool | None) -> None:
    assert has_notes(data) is found


def test_music_without_a_note_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(MIDI + track(TEMPO))
    given = call("midi", glob="*.mid", tokenizer=Call("remi", {"vocabulary": 512, "file": None}))
    assert header_of(given, str(tmp_path)).problem == 'no file that matches "*.mid" holds a note'
    (tmp_path / "b.mid").write_bytes(MIDI + track(b"\x00\x90\x3c\x40"))
    assert not header_of(given, str(tmp_path)).problem
    (tmp_path / "b.mid").write_bytes(b"no music")  # damaged, which is told when it is loaded
    assert not header_of(given, str(tmp_path)).problem
