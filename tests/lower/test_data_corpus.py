"""Text by parts: passages change no token, broken UTF-8 is found wherever a part ends, scratch files give the same."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gendsl.lower.data import Dataset, corpus, dataset_of, files
from gendsl.lower.data.corpus import Corpus, passages
from gendsl.lower.data.tokenizers import Tokenizer, tokenizer_of
from gendsl.lower.errors import DataError
from gendsl.plan import machine
from tests.cli.processes import ROOT
from tests.lower.data_plans import call_of, plan_of

LINES = st.lists(st.text("abΣσ .,\u3000我é", max_size=8).map(lambda line: f"x{line}y\n"), min_size=1, max_size=20)
TEXT = "the cat sat on the mat, and Σοφία sat beside it. 我坐\nthen all were gone\n" * 30


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(corpus, "_PASSAGE", 48)
    monkeypatch.setattr(corpus, "_LOOK", 16)
    monkeypatch.setattr(files, "_PART", 7)
    yield


@pytest.fixture(scope="module", params=["bytes", "characters", "bpe", "sentencepiece"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    options = {"characters": {"lowercase": True}, "bpe": {"vocabulary": 300}, "sentencepiece": {"vocabulary": 288}}
    return tokenizer_of(call_of("tokenizer", request.param, **options.get(request.param, {})), [TEXT.encode()])


def parts_of(text: bytes, tokenizer: Tokenizer) -> list[bytes]:
    return list(passages(np.frombuffer(text, np.uint8), anywhere=tokenizer.any_bytes))


@pytest.mark.usefixtures("small_parts")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_passages_change_no_token(tokenizer: Tokenizer, lines: list[str]) -> None:
    text = "".join(lines).encode()
    parts = parts_of(text, tokenizer)
    assert b"".join(parts) == text and all(parts) and max(map(len, parts)) <= 48
    assert tokenizer.any_bytes or all(part.endswith(b"\n") for part in parts)
    whole = np.concatenate([tokenizer.encode(part) for part in parts])
    np.testing.assert_array_equal(whole, tokenizer.encode(text))


@pytest.mark.usefixtures("small_parts")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
def test_any_text_is_cut_between_characters(text: str) -> None:
    parts = list(passages(np.frombuffer(text.encode(), np.uint8)))
    assert "".join(part.decode() for part in parts) == text
    assert all(len(part) <= 48 for part in parts)


@pytest.mark.parametrize("part", [1, 2, 3, 5, 64])
@pytest.mark.parametrize(
    ("body", "place", "line"),
    [
        (b"abc\nd\xe9f", 5, 2),
        (b"\xff", 0, 1),
        ("é我\n\n".encode() + b"\xe6\x88", 7, 3),  # a character that the end cuts off
        ("我".encode() * 5 + b"\xe6\x88x", 15, 1),
    ],
)
def test_broken_text_is_found_wherever_a_part_ends(part: int, body: bytes, place: int, line: int) -> None:
    taken = Corpus(100, what="here", cache=True)
    assert taken.take("good", [b"ab"], utf8=True, leave_out=False) == (0, 2)
    parts = [body[at : at + part] for at in range(0, len(body), part)]
    with pytest.raises(DataError, match=rf'"b" is not UTF-8: byte {place} \(line {line}\) is 0x{body[place]:02X}'):
        taken.take("b", parts, utf8=True, leave_out=False)
    with pytest.raises(files.Unused, match="damaged"):
        taken.take("b", parts, utf8=True, leave_out=True)
    assert taken.take("c", parts, utf8=False, leave_out=False) == (2, 2 + len(body))
    assert taken.column().tobytes() == b"ab" + body


def data_of(folder: Path, tokenizer: str, **options: Any) -> Dataset:
    arguments = {"vocabulary": 270} if tokenizer == "bpe" else {}
    source = call_of("source", "text", glob="*.txt", tokenizer=call_of("tokenizer", tokenizer, **arguments))
    shares = {"train": 0.8, "test": 0.2}
    return dataset_of(plan_of(source, str(folder), window=9, stride=4, batch=5, split=shares, **options), str(folder))


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("tokenizer", ["bytes", "characters", "bpe"])
def test_a_scratch_file_gives_what_memory_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: str
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(TEXT[number * 7 :])
    (tmp_path / "3.txt").write_text(TEXT)  # as the first, and so taken back
    (tmp_path / "4.txt").write_text("the cat, again\n" * 20)
    curate = (call_of("curate", "drop", what=("duplicates",)),)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    memory, file = (data_of(tmp_path, tokenizer, cache=cache, curate=curate) for cache in (True, False))
    monkeypatch.setattr(machine, "memory", lambda: 1_000)
    chosen = data_of(tmp_path, tokenizer, curate=curate)
    assert (memory.on_disk, file.on_disk, chosen.on_disk) == (False, True, True)
    assert "memory" in memory.summary and str(tmp_path) in file.summary
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{number}.txt" for number in range(5)
    ]  # it has no name
    for other in (file, chosen):
        assert other.manifest == memory.manifest and other.sizes == memory.sizes
        for step in (0, 3, 40):
            addresses = tf.constant(memory.addresses(step, 1)[0])
            for name, value in memory.fetch(addresses).items():
                np.testing.assert_array_equal(value, other.fetch(addresses)[name])
        graph = tf.function(other.fetch, input_signature=[tf.TensorSpec((1, 5, 2), tf.int64)])
        np.testing.assert_array_equal(graph(addresses)["text.next"], memory.fetch(addresses)["text.next"])
        for one, of in zip(memory.parts("test"), other.parts("test"), strict=True):
            np.testing.assert_array_equal(np.asarray(one["text"]), np.asarray(of["text"]))
    assert memory.manifest["sources"][0]["dropped"] == {"duplicates": 1}


def test_what_happens_to_the_files_later_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    data = data_of(tmp_path, "bytes", cache=False)
    before = np.asarray(data.split("train")["text"])
    (tmp_path / "a.txt").write_text("gone")
    np.testing.assert_array_equal(np.asarray(data.split("train")["text"]), before)


def test_a_list_as_gendsl_writes_it_is_read(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(TEXT + name)
    (tmp_path / "dropped.csv").write_text("source,example,reason,repeats\n,b.txt,damaged,\n,test/3,leak,train/1\n")
    data = data_of(tmp_path, "bytes", curate=(call_of("curate", "drop", listed="dropped.csv"),))
    source = data.manifest["sources"][0]
    assert source["files"] == 2 and source["dropped"] == {"listed": 1}


PROGRAM = """
import sys
from gendsl.run.loading import load_tensorflow
load_tensorflow()
import tensorflow as tf
from gendsl.lower.data import dataset_of
from gendsl.plan import machine
from tests.lower.data_plans import call_of, plan_of

def peak():  # in KiB; what `getrusage` gives may be of the process that started this one
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

def seen(glob, shares, **options):
    source = call_of("source", "text", glob=glob, tokenizer=call_of("tokenizer", sys.argv[2]))
    fields = {} if sys.argv[2] == "bytes" else {"text": {"vocabulary": 99}}  # the small one is read in passing
    plan = plan_of(source, sys.argv[1], window=1024, batch=64, split=shares, fields=fields, **options)
    data = dataset_of(plan, sys.argv[1])
    graph = tf.function(data.fetch, input_signature=[tf.TensorSpec((1, 64, 2), tf.int64)])
    for step in range(200):
        graph(tf.constant(data.addresses(step, 1)[0]))
    for part in data.parts("test"):
        sum(part["text"].shape)
    return data

seen("small.txt", {"train": 0.5, "test": 0.5})
before = peak()
machine.memory = lambda: 24 << 20 if sys.argv[3] == "small" else 1 << 40
data = seen("large.txt", {"train": 0.99, "test": 0.01})
assert data.on_disk is (sys.argv[3] == "small")
print((peak() - before) / 1024)
"""


def grown(folder: Path, tokenizer: str, memory: str) -> float:
    """MiB by which loading 96 MiB of text and 12,800 windows of it make a process grow."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), tokenizer, memory],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path) -> None:
    """Text of four times the memory there is said to be; half of what grows is the search for leaks."""
    random = np.random.default_rng(0)
    with open(tmp_path / "large.txt", "wb") as file:
        for _ in range(96):
            letters = random.integers(97, 123, 1 << 20, np.uint8)
            letters[random.integers(0, 1 << 20, 1 << 17)] = 32
            letters[random.integers(0, 1 << 20, 1 << 14)] = 10
            file.write(letters.tobytes())
    (tmp_path / "small.txt").write_bytes(letters.tobytes())
    assert grown(tmp_path, "bytes", "large") > 190
    assert grown(tmp_path, "bytes", "small") < 130
    assert grown(tmp_path, "characters", "small") < 130
