"""Every kind of source: a step's batch is a function of the spec, the seed and the step, and of nothing else."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import symusic
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import wavfile

from gendsl.lower.data import Dataset, dataset_of
from gendsl.parts.keys import WHOLE, Share
from gendsl.plan.plan import Call, Quantity
from tests.lower.data_plans import call_of, plan_of
from tests.lower.tables import save
from tests.lower.test_data_sources import png, record, write_records
from tests.lower.test_data_tfds import TinyShapes

RANDOM = np.random.default_rng(0)
COUNT = 23
PICTURES = (
    call_of("augment", "flip", axis="horizontal"),
    call_of("augment", "mixup", alpha=0.5),
    call_of("augment", "rotate", angle=Quantity(20, "degrees")),
    call_of("augment", "noise", std=0.1),
)
TOKENS = (call_of("augment", "token_dropout", share=0.3),)
KEYS = (call_of("augment", "transpose", semitones=(-2, 3)), *TOKENS)


def images(folder: Path) -> np.ndarray:
    found: np.ndarray = RANDOM.integers(0, 256, (COUNT, 6, 7, 3), np.uint8)
    return found


def write_images(folder: Path) -> Call:
    for number, pixels in enumerate(images(folder)):
        place = folder / "ab"[number % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return call_of("source", "images", glob="**/*.png", label="folder")


def write_idx(folder: Path) -> Call:
    for split, count in (("train", COUNT), ("t10k", 4)):
        head = b"\0\0\x08\3" + b"".join(side.to_bytes(4, "big") for side in (count, 6, 6))
        (folder / f"{split}-images-idx3-ubyte").write_bytes(
            head + RANDOM.integers(0, 256, 36 * count, np.uint8).tobytes()
        )
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1" + count.to_bytes(4, "big") + bytes(count))
    return call_of("source", "idx", folder=".")


def write_npz(folder: Path) -> Call:
    np.savez(folder / "a.npz", images=images(folder), labels=np.arange(COUNT) % 3)
    return call_of("source", "npz", file="a.npz")


def write_npy(folder: Path) -> Call:
    np.save(folder / "a.npy", images(folder))
    return call_of("source", "npy", file="a.npy")


def write_tfrecord(folder: Path) -> Call:
    write_records(folder / "a.tfrecord", [record(png(number), number % 3) for number in range(COUNT)])
    return call_of("source", "tfrecord", glob="*.tfrecord", label="kind")


def write_tfds(folder: Path) -> Call:
    TinyShapes(data_dir=folder).download_and_prepare()
    return call_of("source", "tfds", name="tiny_shapes")


def write_table(folder: Path, word: str) -> Call:
    cells = {"age": [17 + i * 7 % 50 for i in range(COUNT)], "job": [("a", "b", "")[i % 3] for i in range(COUNT)]}
    save(folder / "t.csv", cells)
    if word == "csv":
        return call_of("source", "csv", file="t.csv")
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    parquet.write_table(pyarrow.table(cells), folder / "t.parquet")
    return Call("parquet", call_of("source", "parquet", file="t.parquet").arguments, ())


def write_text(folder: Path, tokenizer: str) -> Call:
    for number in range(3):
        (folder / f"{number}.txt").write_bytes(RANDOM.integers(97, 123, 100, np.uint8).tobytes())
    options = {"vocabulary": 270} if tokenizer == "bpe" else {}
    return call_of("source", "text", glob="*.txt", tokenizer=call_of("tokenizer", tokenizer, **options))


def write_music(folder: Path) -> Call:
    for number in range(4):
        score, track = symusic.Score(480), symusic.Track("part", 0)
        track.notes.extend(symusic.Note(480 * beat, 480, 50 + number + beat % 5, 90) for beat in range(20))
        score.tracks.append(track)
        (folder / f"{number}.mid").write_bytes(score.dumps_midi())
    return call_of("source", "midi", glob="*.mid", tokenizer=call_of("tokenizer", "remi", vocabulary=380))


def write_sound(folder: Path, mel: int | None) -> Call:
    for number in range(3):
        wavfile.write(folder / f"{number}.wav", 8_000, RANDOM.integers(-999, 999, 6_000).astype(np.int16))
    return call_of("source", "audio", glob="*.wav", rate=8_000, seconds=0.1, mel=mel)


SOURCES: Mapping[str, tuple[Callable[[Path], Call], tuple[Call, ...], Mapping[str, Any]]] = {
    "digits": (lambda folder: call_of("source", "digits"), PICTURES, {}),
    "images": (write_images, PICTURES, {"fields": {"image": {"crop": Call("random", {"size": (5, 5)})}}}),
    "images in a scratch file": (write_images, PICTURES, {"cache": False}),
    "idx": (write_idx, PICTURES, {}),
    "npz": (write_npz, PICTURES, {}),
    "npy": (write_npy, PICTURES, {}),
    "tfrecord": (write_tfrecord, PICTURES, {}),
    "tfds": (write_tfds, PICTURES, {}),
    "csv": (partial(write_table, word="csv"), (), {}),
    "parquet": (partial(write_table, word="parquet"), (), {"fields": {"row": {"width": 14}}}),
    "bytes": (partial(write_text, tokenizer="bytes"), TOKENS, {"window": 5, "stride": 2}),
    "bytes in a scratch file": (partial(write_text, tokenizer="bytes"), TOKENS, {"window": 5, "cache": False}),
    "characters": (partial(write_text, tokenizer="characters"), TOKENS, {"window": 9}),
    "bpe": (partial(write_text, tokenizer="bpe"), TOKENS, {"window": 9}),
    "midi": (write_music, KEYS, {"window": 16, "stride": 5}),
    "audio": (partial(write_sound, mel=None), (), {}),
    "log-mel": (partial(write_sound, mel=8), PICTURES, {}),
}


class Made:
    """The data of a kind of source by the size of its batches, loaded once for each."""

    def __init__(self, name: str, folder: Path) -> None:
        write, self._augment, self._options = SOURCES[name]
        self._folder, self._known = folder, dict[int, Dataset]()
        self._source = self._with_tfds(lambda: write(folder))

    def __call__(self, batch: int) -> Dataset:
        if batch not in self._known:
            self._known[batch] = self.fresh(batch)
        return self._known[batch]

    def fresh(self, batch: int) -> Dataset:
        """Loaded anew."""
        plan = partial(plan_of, self._source, str(self._folder), augment=self._augment, batch=batch, seed=5)
        return self._with_tfds(lambda: dataset_of(plan(**self._options), str(self._folder)))

    def _with_tfds(self, action: Callable[[], Any]) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TFDS_DATA_DIR", str(self._folder))
            return action()


@pytest.fixture(scope="module", params=SOURCES, ids=lambda name: name.replace(" ", "_"))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(request.param, tmp_path_factory.mktemp("source"))


def batch_at(data: Dataset, step: int, share: Share = WHOLE) -> dict[str, np.ndarray]:
    found = data.fetch(tf.constant(data.addresses(step, 1)[0]), share)
    return {name: value.numpy()[0] for name, value in found.items()}


def joined(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def same(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


@settings(max_examples=4, deadline=None)
@given(first=st.integers(0, 60))
def test_examples_are_the_positions_however_they_are_batched(made: Made, first: int) -> None:
    """Two batches of twelve and three of eight are the same 24, in any order of asking, augmented alike."""
    two = [batch_at(made(12), step) for step in (2 * first + 1, 2 * first)][::-1]
    same(joined(two), joined([batch_at(made(8), 3 * first + number) for number in range(3)]))


def test_an_epoch_holds_each_example_once(made: Made) -> None:
    data = made(12)
    count = data.sizes["train"]
    assert count is not None and count >= 12
    steps = 3 * -(-count // 12)
    addresses = data.addresses(0, steps).reshape(-1, 2)[: 2 * count]
    for epoch in (0, 1):
        own = addresses[epoch * count : (epoch + 1) * count]
        assert set(own[:, 0]) == {epoch}
        np.testing.assert_array_equal(np.sort(own[:, 1]), np.arange(count))
    assert (addresses[:count, 1] != addresses[count:, 1]).any()


@pytest.mark.parametrize("step", [0, 11])
def test_replicas_have_the_parts_of_the_batch(made: Made, step: int) -> None:
    data = made(12)
    for many in (2, 3):
        parts = [batch_at(data, step, Share(index, many)) for index in range(many)]
        same(joined(parts), batch_at(data, step))


def test_another_load_gives_the_same(made: Made) -> None:
    same(batch_at(made.fresh(12), 7), batch_at(made(12), 7))


@pytest.mark.parametrize("name", ["digits", "bytes in a scratch file", "midi"])
def test_a_graph_gives_the_same(tmp_path: Path, name: str) -> None:
    data = Made(name, tmp_path)(12)
    graph = tf.function(data.fetch, input_signature=[tf.TensorSpec((1, 12, 2), tf.int64)])
    found = {key: value.numpy()[0] for key, value in graph(tf.constant(data.addresses(7, 1)[0])).items()}
    for key, values in batch_at(data, 7).items():
        np.testing.assert_allclose(found[key], values, atol=2e-6)  # a graph may round otherwise, and always alike


@pytest.mark.parametrize("word", ["gaussians", "ring", "swiss_roll"])
def test_points_without_end(word: str) -> None:
    options = {"grid": (2, 2), "spacing": 2.0} if word == "gaussians" else {"modes": 8} if word == "ring" else {}
    plan = plan_of(call_of("source", word, **options), batch=6, seed=5)
    one, other = dataset_of(plan), dataset_of(plan)
    batches = [batch_at(one, step)["point"] for step in range(9)]
    assert len(np.unique(np.concatenate(batches), axis=0)) == 54
    np.testing.assert_array_equal(batch_at(other, 8)["point"], batches[8])
    parts = [batch_at(other, 8, Share(index, 2)) for index in range(2)]
    np.testing.assert_array_equal(joined(parts)["point"], batches[8])


def test_pairs_and_independent_sources(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(7 if name == "a" else 9):
            pixels = RANDOM.integers(0, 256, (6, 6), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    sources = {name: call_of("source", "images", glob=f"{name}/*.png") for name in "ab"}
    for pairs in (None, "name"):
        loaded = [
            dataset_of(
                plan_of(sources, str(tmp_path), pairs=pairs, augment=PICTURES, batch=batch, seed=5), str(tmp_path)
            )
            for batch in (6, 4)
        ]
        sixes = joined([batch_at(loaded[0], step) for step in (10, 11)])
        same(sixes, joined([batch_at(loaded[1], step) for step in (15, 16, 17)]))
        parts = joined([batch_at(loaded[0], 10, Share(index, 2)) for index in range(2)])
        same(parts, batch_at(loaded[0], 10))
