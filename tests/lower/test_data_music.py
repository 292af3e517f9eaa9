"""Music as data: one sequence a file, parts that stay apart, keys drawn by example and epoch, files without notes."""

import json
from pathlib import Path
from typing import Any

import miditok
import numpy as np
import pytest
import symusic
import tensorflow as tf

from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.data.music import remi_from, transposed
from gendsl.lower.errors import DataError
from tests.lower.data_plans import call_of, plan_of

NOTES = ((60, 62, 64, 65), (55, 57, 59, 60))


def midi(path: Path, *parts: tuple[int, ...], program: int = 0, bars: int = 6, shift: int = 0) -> None:
    """A MIDI file with a part each of quarter notes, played again in each bar."""
    score = symusic.Score(480)
    for pitches in parts:
        track = symusic.Track("part", program)
        for bar in range(bars):
            for beat, pitch in enumerate(pitches):
                track.notes.append(symusic.Note((4 * bar + beat) * 480, 480, pitch + shift + bar % 3, 90))
        score.tracks.append(track)
    path.write_bytes(score.dumps_midi())


def folder_of(folder: Path, count: int = 6) -> Path:
    for number in range(count):
        midi(folder / f"{number}.mid", *NOTES, shift=number)
    return folder


def data_of(folder: Path, *, vocabulary: int = 380, window: int = 16, **options: Any) -> Dataset:
    source = call_of("source", "midi", glob="*.mid", tokenizer=call_of("tokenizer", "remi", vocabulary=vocabulary))
    return dataset_of(plan_of(source, str(folder), window=window, **{"batch": 1, **options}), str(folder))


def fetched(data: Dataset, addresses: np.ndarray) -> np.ndarray:
    found: np.ndarray = data.fetch(tf.constant(addresses))["text"].numpy()
    return found


def pitches_in(tokens: np.ndarray, data: Dataset) -> list[int]:
    """The pitches that tokens say, read off their names."""
    remi = remi_from(data.manifest["sources"][0]["tokenizer"])
    names = " ".join(remi.shown(int(token)) for token in tokens).split()
    return [int(name.removeprefix("Pitch_")) for name in names if name.startswith("Pitch_")]


def test_one_sequence_a_file_and_parts_come_back(tmp_path: Path) -> None:
    data = data_of(folder_of(tmp_path, 1), vocabulary=370)
    source = json.loads(json.dumps(data.manifest["sources"][0]))
    assert source["files"] == source["tokens"]["train"]["sequences"] == 1
    remi = remi_from(source["tokenizer"])
    score = symusic.Score.from_midi(remi.decode(data.split("train")["text"].tokens))
    assert [track.program for track in score.tracks if len(track.notes)] == [0, 1]
    assert len(score.tracks[0].notes) == len(NOTES[0]) * 6


def test_whole_files_are_split(tmp_path: Path) -> None:
    source = data_of(folder_of(tmp_path), split={"train": 0.5, "test": 0.5}).manifest["sources"][0]
    assert source["files"] == 6 and source["vocabulary"] == 380
    assert {split: told["sequences"] for split, told in source["tokens"].items()} == {"train": 3, "test": 3}


def test_byte_pairs_are_those_of_base_tokens(tmp_path: Path) -> None:
    """Splitting merged tokens again gives miditok's own tokens of the file."""
    folder = folder_of(tmp_path, 3)
    data = data_of(folder, split=None, shuffle=False)
    source = data.manifest["sources"][0]
    remi = remi_from(source["tokenizer"])
    first = data.split("train")["text"].tokens
    score = symusic.Score(str(folder / "0.mid"))
    score.tracks[1].program = 1
    expected = remi._base.encode(score).tokens
    found = " ".join(remi.shown(int(token)) for token in first).split()
    assert found[: len(expected)] == expected
    assert len(first) < sum(len(remi.shown(int(token)).split()) for token in first)  # it has merged


def test_transposition_is_drawn_by_example_and_epoch(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    augment = (call_of("augment", "transpose", semitones=(-2, 3)),)
    data = data_of(folder, augment=augment, shuffle=False, seed=1)
    addresses = np.stack([np.arange(60), np.zeros(60, np.int64)], axis=-1)[:, None]  # the first window in sixty epochs
    in_keys = fetched(data, addresses)[:, 0]
    np.testing.assert_array_equal(in_keys, fetched(data, addresses.reshape(1, 60, 2))[0])
    plain = pitches_in(np.asarray(data.split("train")["text"])[0], data)
    shifts = set()
    for window in in_keys:
        pitches = pitches_in(window, data)
        shift = pitches[0] - plain[0]
        length = min(len(plain), len(pitches))
        assert pitches[:length] == [pitch + shift for pitch in plain[:length]]
        shifts.add(shift)
    assert shifts == set(range(-2, 4))


def test_a_shift_of_base_tokens_is_that_of_the_music(tmp_path: Path) -> None:
    midi(tmp_path / "a.mid", *NOTES)
    base = miditok.REMI(miditok.TokenizerConfig(use_programs=True, one_token_stream_for_programs=True))
    score = symusic.Score(str(tmp_path / "a.mid"))
    pitches = [token for name, token in base.vocab.items() if name.startswith("Pitch_")]
    span = (min(pitches), max(pitches))
    for semitones in (-5, 0, 6):
        moved = transposed(np.array(base.encode(score).ids), span, semitones)
        np.testing.assert_array_equal(moved, base.encode(score.shift_pitch(semitones)).ids)
    edge = np.array([span[1], span[0], span[1] + 1])
    np.testing.assert_array_equal(transposed(edge, span, 3), [span[1] + 3 - 12, span[0] + 3, span[1] + 1])
    np.testing.assert_array_equal(transposed(edge, span, -3), [span[1] - 3, span[0] - 3 + 12, span[1] + 1])


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    midi(folder / "silent.mid", ())
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_bytes(b"no music at all, not at all")
    (folder / "cut.mid").write_bytes((folder / "0.mid").read_bytes()[:60])
    midi(folder / "tiny.mid", (60,), bars=1)
    data = data_of(folder)
    source = data.manifest["sources"][0]
    assert source["dropped"] == {"damaged": 3, "without notes": 1, "shorter than a window": 1}
    damaged = [one.example for _, one in data.findings.left_out if one.reason == "damaged"]
    assert data.summary.endswith("; left out: 3 damaged, 1 without notes, 1 shorter than a window")
    assert damaged == ["cut.mid", "empty.mid", "text.mid"] and source["files"] == 7


@pytest.mark.parametrize(
    ("write", "options", "message"),
    [
        (lambda folder: None, {}, r'no file matches "\*\.mid"'),
        (lambda folder: (folder / "a.mid").write_bytes(b""), {}, "1 of the 1 files .* are no MIDI files, or damaged"),
        (lambda folder: midi(folder / "a.mid", ()), {}, "no file that matches .* is left: 1 without notes"),
        (folder_of, {"vocabulary": 20}, r"`remi\(vocabulary: 20\)` is too small: the tokens before any merge are"),
        (folder_of, {"vocabulary": 60_000}, "asks for more tokens than the training files support"),
        (folder_of, {"window": 5_000}, "`train` has no window of 5,000 tokens"),
    ],
)
def test_what_is_told(tmp_path: Path, write: Any, options: dict[str, Any], message: str) -> None:
    write(tmp_path)
    with pytest.raises(DataError, match=message) as raised:
        data_of(tmp_path, **options)
    assert raised.value.help
