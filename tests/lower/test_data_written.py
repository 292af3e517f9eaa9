"""What tokens say: text that is no UTF-8, music of any tokens, sequences that end, numbers that are no token."""

from pathlib import Path

import numpy as np
import pytest
import symusic

from gendsl.lower.data import Dataset
from gendsl.lower.data.music import Remi
from gendsl.lower.data.tokenizers import Bytes, Characters, Tokenizer, tokenizer_of
from gendsl.lower.data.written import finished, midi_of, music_of, reader_of, text_of
from gendsl.plan.plan import Call
from tests.lower.test_data_music import NOTES, data_of, folder_of, midi

TEXT = "Größe: ein Gesicht ☺, and a line.\n" * 40


def remi_of(data: Dataset) -> Remi:
    found = reader_of(data.manifest["sources"][0]["tokenizer"])
    assert isinstance(found, Remi)
    return found


@pytest.fixture(scope="module")
def chorale(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Four parts of a piano, the second of which begins a bar later than the others."""
    folder = tmp_path_factory.mktemp("music")
    for number in range(3):
        midi(folder / f"{number}.mid", *NOTES, (48, 50, 52, 53), (36, 38, 40, 41), shift=number)
        score = symusic.Score(str(folder / f"{number}.mid"))
        score.tracks[0].notes = score.tracks[0].notes[4:]
        (folder / f"{number}.mid").write_bytes(score.dumps_midi())
    return data_of(folder, vocabulary=390)


@pytest.mark.parametrize("word", ["bytes", "characters", "bpe", "sentencepiece"])
def test_a_text_comes_back_from_the_record(word: str) -> None:
    given = {"bpe": {"vocabulary": 270}, "sentencepiece": {"vocabulary": 278}}.get(word, {})
    tokenizer = tokenizer_of(Call(word, given), [TEXT.encode()])
    again = reader_of(tokenizer.record())
    assert isinstance(again, Tokenizer)
    tokens = tokenizer.encode(TEXT.encode())
    assert text_of(again, tokens) == TEXT
    ended = np.concatenate([tokens[:20], [-1] * 5]).astype(np.int32)
    assert text_of(again, ended) == text_of(again, tokens[:20])


def test_what_is_no_utf8_is_replaced() -> None:
    cut = np.frombuffer("é".encode()[:1] + b"a\xff", np.uint8)
    assert text_of(Bytes(), cut) == "\ufffda\ufffd"
    assert text_of(Bytes(), np.array([-1, 65])) == "" == text_of(Bytes(), np.zeros(0, np.int32))


@pytest.mark.parametrize("tokenizer", [Bytes(), Characters("ab", False)])
def test_a_number_that_is_no_token_is_replaced(tokenizer: Tokenizer) -> None:
    a, b = tokenizer.encode(b"ab").tolist()
    assert text_of(tokenizer, np.array([a, 300, b, 999_999, 300])) == "a\ufffdb\ufffd\ufffd"


def test_what_is_behind_an_end_is_left_out() -> None:
    assert finished(np.array([3, 0, -1, 5])).tolist() == [3, 0] and finished(np.array([3, 0])).tolist() == [3, 0]


def test_four_parts_come_back_in_their_order_with_their_notes(chorale: Dataset) -> None:
    remi, windows = remi_of(chorale), chorale.split("train")["text"]
    start, end = windows.sequences["train"][0]
    tokens = windows.tokens[start:end]
    body = midi_of(remi, tokens)
    assert body == midi_of(remi_of(chorale), np.concatenate([tokens, [-1, 7]])), "the same bytes, whoever reads them"
    score = symusic.Score.from_midi(body)
    assert [track.program for track in score.tracks] == [0, 1, 2, 3], "the second to begin is the first still"
    assert [len(track.notes) for track in score.tracks] == [20, 24, 24, 24]
    assert [note.pitch for note in score.tracks[3].notes[:4]] == [36, 38, 40, 41]
    music = music_of(remi, tokens)
    assert music.bars.tolist() == [0, 4, 8, 12, 16, 20]
    assert music.notes[music.notes[:, 3] == 3][:2].tolist() == [[0, 1, 36, 3], [1, 2, 38, 3]]


def test_music21_reads_four_parts(chorale: Dataset, tmp_path: Path) -> None:
    music21 = pytest.importorskip("music21")
    windows = chorale.split("train")["text"]
    start, end = windows.sequences["train"][0]
    (tmp_path / "a.mid").write_bytes(midi_of(remi_of(chorale), windows.tokens[start:end]))
    parts = music21.converter.parse(tmp_path / "a.mid").parts
    assert [len(part.flatten().notes) for part in parts] == [20, 24, 24, 24]


def test_a_part_keeps_its_number_where_others_rest(chorale: Dataset) -> None:
    remi, windows = remi_of(chorale), chorale.split("train")["text"]
    start = windows.sequences["train"][0][0]
    parts = music_of(remi, windows.tokens[start : start + 12]).notes[:, 3]
    assert len(parts) and set(parts.tolist()) <= {1, 2, 3}, "the first part begins a bar later"


def test_any_tokens_are_music(chorale: Dataset) -> None:
    remi, random = remi_of(chorale), np.random.default_rng(0)
    for _ in range(20):
        tokens = random.integers(-1, remi.size + 40, 80) if _ else np.zeros(0, np.int32)
        tokens = np.where(tokens < 0, remi.size, tokens)
        score = symusic.Score.from_midi(midi_of(remi, tokens))
        assert len(music_of(remi, tokens).notes) == sum(len(track.notes) for track in score.tracks)


def test_bars_follow_the_time_signatures(tmp_path: Path) -> None:
    score = symusic.Score(480)
    score.time_signatures.extend([symusic.TimeSignature(0, 3, 4), symusic.TimeSignature(6 * 480, 4, 4)])
    track = symusic.Track("part", 0)
    track.notes.extend(symusic.Note(480 * beat, 480, 60, 90) for beat in range(16))
    score.tracks.append(track)
    for number in range(2):
        (tmp_path / f"{number}.mid").write_bytes(score.dumps_midi())
    data = data_of(tmp_path, vocabulary=356, window=8, split=None)
    windows = data.split("train")["text"]
    start, end = windows.sequences["train"][0]
    assert music_of(remi_of(data), windows.tokens[start:end]).bars.tolist() == [0, 3, 6, 10, 14]


def test_drums_are_no_part_of_a_pitch(tmp_path: Path) -> None:
    folder_of(tmp_path, 2)
    for number in range(2):
        score = symusic.Score(str(tmp_path / f"{number}.mid"))
        score.tracks[1].is_drum = True
        (tmp_path / f"{number}.mid").write_bytes(score.dumps_midi())
    data = data_of(tmp_path, vocabulary=380, split=None)
    windows = data.split("train")["text"]
    start, end = windows.sequences["train"][0]
    notes = music_of(remi_of(data), windows.tokens[start:end]).notes
    assert set(notes[:, 3].tolist()) == {-1, 0}
