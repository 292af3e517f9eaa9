"""Scores of text and music: against brute force on small alphabets, and on samples whose faults are known."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate import music
from gendsl.evaluate.copies import covered, distinct
from gendsl.evaluate.scores import Evaluator
from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.data import stretches as stretches_of_data
from gendsl.source import Source
from gendsl.vocabulary.score_keys import plain
from tests.lower.test_data_music import midi

SPEC = """experiment told
data {{ source {source}; window {length}; split train: 75%, test: 25%; batch 1 }}
{augment}
network writer(z: normal(4)) -> categorical(text.vocabulary) {{
  dense {length} * text.vocabulary | reshape {length}, text.vocabulary
}}
train {{ update writer, with: adam(1e-2) {{ minimize mean(nll(writer(), text)) }}; steps 3 }}
sample {{ drawn = mode(writer()) }}
evaluate samples: {samples} {{ {scores} }}
"""
TEXT, MIDI = 'text("*.txt"), tokenizer: bytes()', 'midi("*.mid"), tokenizer: remi(vocabulary: 380)'


def covered_by_hand(sequence: list[int], training: list[list[int]], length: int) -> int:
    known = {tuple(one[at : at + length]) for one in training for at in range(len(one) - length + 1)}
    there = [tuple(sequence[at : at + length]) in known for at in range(len(sequence) - length + 1)]
    return sum(
        any(there[first] for first in range(max(0, at - length + 1), min(at, len(there) - 1) + 1))
        for at in range(len(sequence))
    )


@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("at_once", [4, 1 << 18])
def test_what_is_covered_is_that_of_brute_force(monkeypatch: pytest.MonkeyPatch, length: int, at_once: int) -> None:
    monkeypatch.setattr(stretches_of_data, "_AT_ONCE", at_once)
    random = np.random.default_rng(length)
    for _ in range(20):
        training = [random.integers(0, 3, size).tolist() for size in random.integers(0, 15, 3)]
        own = [random.integers(0, 3, size) for size in random.integers(0, 12, 4)]
        tokens = np.array([9, *(token for one in training for token in one), 9], np.uint8)
        ends = 1 + np.cumsum([0, *map(len, training)])
        found = covered(own, tokens, np.stack([ends[:-1], ends[1:]], axis=1), length)
        assert found.tolist() == [covered_by_hand(one.tolist(), training, length) for one in own]


@pytest.mark.parametrize("length", [1, 2, 4])
def test_what_is_distinct_is_that_of_brute_force(length: int) -> None:
    random = np.random.default_rng(0)
    sequences = [random.integers(0, 4, size) for size in (0, 1, 7, 30)]
    every = [tuple(one[at : at + length]) for one in sequences for at in range(len(one) - length + 1)]
    assert distinct(sequences, length) == len(set(every)) / len(every)
    assert math.isnan(distinct([np.zeros(1, np.int32)], 2))


def notes_of(pitches: list[int], *, length: float = 1) -> np.ndarray:
    return np.array([[at * length, (at + 1) * length, pitch, 0] for at, pitch in enumerate(pitches)], float)


MAJOR = [0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0]
MINOR = [0, 2, 3, 5, 7, 8, 7, 12, 7, 3, 0]


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("mode", "melody"), [("major", MAJOR), ("minor", MINOR)])
def test_keys_are_found_wherever_they_lie(tonic: int, mode: str, melody: list[int]) -> None:
    notes = notes_of([48 + tonic + step for step in melody])
    assert music.key_of(notes) == (tonic, mode)
    assert music.in_key(notes) == 1
    wrong = np.concatenate([notes, notes_of([49 + tonic], length=0.25)])
    assert music.key_of(wrong) == (tonic, mode) and music.in_key(wrong) == pytest.approx(11 / 12)
    shares = music.pitch_classes([notes])
    assert shares[0] == pytest.approx(3 / 11) and shares[7] == pytest.approx((melody.count(7)) / 11)


def test_the_key_is_the_best_of_24_correlations() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        notes = notes_of(random.integers(40, 80, 12).tolist())
        notes[:, 1] += random.uniform(0, 3, 12)
        sounding = np.zeros(12)
        for start, end, pitch, _part in notes:
            sounding[int(pitch) % 12] += end - start
        fits = {
            (tonic, mode): np.corrcoef(sounding, np.roll(profile, tonic))[0, 1]
            for mode, profile in music._PROFILES.items()
            for tonic in range(12)
        }
        assert music.key_of(notes) == max(fits, key=lambda key: fits[key])


def test_histograms_of_lengths_and_their_distance() -> None:
    one = music.durations([notes_of([60, 62]), notes_of([60, 62], length=0.5)])
    assert one == {0.5: 0.5, 1: 0.5}
    assert music.total_variation(one, {1.0: 1.0}) == 0.5 and music.total_variation(one, one) == 0
    assert music.total_variation({1.0: 1.0}, {2.0: 1.0}) == 1


Draw = Callable[[Dataset, int], np.ndarray]


def scored(spec: str, folder: Path, draw: Draw, *, intervals: bool = False) -> dict[str, float]:
    problems = Problems()
    plan = check(Source("told.gen", spec), problems, folder=str(folder))
    assert plan is not None, [problem.message for problem in problems]
    dataset = dataset_of(plan, str(folder))

    class Sampler:
        def chunks(self, count: int, *, seed: int, fields: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
            yield {"drawn": draw(dataset, count).astype(np.int32)}

    experiment = SimpleNamespace(class_counts=None, seed=0)
    evaluator = Evaluator(plan, experiment, dataset, Sampler(), lambda count: {})
    found = evaluator.scores(0, intervals=intervals)
    if intervals:
        for key, (low, high) in found.intervals.items():
            assert low <= found.values[key] <= high
        assert found.intervals
    return {plain(key): value for key, value in found.values.items()}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words in an order of chance, some 60 KB."""
    folder = tmp_path_factory.mktemp("words")
    lexicon = ["the", "a", "cat", "dog", "sees", "hears", "and", "not", "never", "house", "under", "blue"]
    drawn = np.random.default_rng(3).choice(lexicon, 12_000)
    (folder / "a.txt").write_text(" ".join(drawn), encoding="utf-8")
    return folder


def text_spec(scores: str, samples: int = 40) -> str:
    return SPEC.format(source=TEXT, length=64, scores=scores, samples=samples, augment="")


def of_training(dataset: Dataset, count: int) -> np.ndarray:
    return np.asarray(dataset.split("train")["text"][np.arange(count)])


def of_words(dataset: Dataset, count: int) -> np.ndarray:
    return np.asarray(dataset.split("test")["text"][np.arange(count)])


def half(dataset: Dataset, count: int) -> np.ndarray:
    """The first half of each is copied, then it ends."""
    found = of_training(dataset, count)
    found[:, 32:] = -1
    return found


def test_a_model_that_copies_is_caught_and_held_out_text_is_not(words: Path) -> None:
    spec = text_spec("copied ngram: 30; distinct ngram: 2")
    copies = scored(spec, words, of_training)
    assert copies["copied"] == 1 and copies["copied_held_out"] < 0.3
    fine = scored(spec, words, of_words, intervals=True)
    assert fine["copied"] < 0.3
    assert fine["distinct"] == pytest.approx(fine["distinct_held_out"], abs=0.02)
    assert scored(spec, words, half)["copied"] == 1, "what is behind an end is no text"
    same = scored(spec, words, lambda dataset, count: np.full((count, 64), 97))
    assert same["distinct"] < 0.001 < same["distinct_held_out"] and same["copied"] == 0


def test_nothing_written_is_no_score(words: Path) -> None:
    found = scored(text_spec("copied; distinct"), words, lambda dataset, count: np.full((count, 64), -1))
    assert math.isnan(found["copied"]) and math.isnan(found["distinct"])


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pieces")
    for number in range(8):
        midi(folder / f"{number}.mid", (60, 64, 67, 65), (48, 55, 52, 53), bars=10, shift=number % 5)
    return folder


def test_music_is_compared_with_the_training_music(pieces: Path) -> None:
    spec = SPEC.format(
        source=MIDI, length=64, samples=6, scores="pitch_classes; durations; in_key; copied ngram: 20",
        augment="augment { transpose -5..6 }",
    )  # fmt: skip
    fine = scored(spec, pieces, lambda dataset, count: of_training(dataset, 6), intervals=True)
    assert fine["durations"] == 0 == fine["durations_held_out"] and fine["pitch_classes"] < 0.2
    assert fine["copied"] == 1
    random = np.random.default_rng(0)
    noise = scored(spec, pieces, lambda dataset, count: random.integers(0, 380, (count, 64)))
    assert noise["pitch_classes"] > 2 * fine["pitch_classes"] and noise["durations"] > fine["durations"]
    assert 0 < noise["in_key"] < 1 and noise["in_key_held_out"] == fine["in_key_held_out"]
    assert noise["copied"] == 0


def test_a_copy_in_another_key_is_a_copy(pieces: Path) -> None:
    spec = SPEC.format(
        source=MIDI, length=64, samples=6, scores="copied ngram: 20", augment="augment { transpose -5..6 }"
    )

    def moved(dataset: Dataset, count: int) -> np.ndarray:
        windows = dataset.split("train")["text"]
        return np.stack(
            [windows.tokens[start : start + 64] for start in windows.starts[(windows.plain + 3) % 12][:count]]
        )

    assert scored(spec, pieces, moved)["copied"] == 1
    plain_only = scored(
        spec.replace("augment { transpose -5..6 }", ""), pieces, lambda dataset, count: of_training(dataset, 6)
    )
    assert plain_only["copied"] == 1


@pytest.mark.parametrize(
    ("source", "scores", "told"),
    [
        (TEXT, "in_key", "`in_key` is of music, and the data has none"),
        (TEXT, "copied ngram: 65", "`copied` looks at 65 tokens in a row, and a sample has 64"),
        (TEXT, "fid", "`fid` is of pictures, rows or points, and the data has none"),
        (TEXT, "diversity", "`diversity` is of pictures, rows or points, and the data has none"),
    ],
)
def test_what_cannot_be_scored_is_told(words: Path, source: str, scores: str, told: str) -> None:
    problems = Problems()
    check(
        Source("told.gen", SPEC.format(source=source, length=64, samples=9, scores=scores, augment="")),
        problems,
        folder=str(words),
    )
    assert [problem.message for problem in problems if problem.severity == "error"] == [told]


def test_a_sample_that_writes_nothing(words: Path) -> None:
    problems = Problems()
    spec = text_spec("copied").replace("drawn = mode(writer())", "drawn = writer()")
    spec = spec.replace("-> categorical(text.vocabulary)", "-> features(64)").replace(
        "64 * text.vocabulary | reshape 64, text.vocabulary", "64"
    )
    spec = spec.replace("nll(writer(), text)", "square(writer())")
    check(Source("told.gen", spec), problems, folder=str(words))
    told = [problem.message for problem in problems if problem.severity == "error"]
    assert told == ["`copied` is of the text or music that `sample` writes, and it writes none"]
