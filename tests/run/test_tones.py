"""The sound of music: each note at its time and pitch, no louder than a file holds, the same bytes each time."""

import io

import numpy as np
from scipy.io import wavfile

from gendsl.lower.data.music import Music
from gendsl.run.tones import RATE, sound_of, wav_of

A4, A5 = [0, 2, 69, 0], [2, 4, 81, 1]


def music(*notes: list[float]) -> Music:
    return Music(np.array(notes, np.float64).reshape(-1, 4), np.zeros(0))


def loudest(sound: np.ndarray) -> float:
    """The frequency in Hz that is the loudest."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.fft.rfftfreq(len(sound), 1 / RATE)[spectrum.argmax()])


def test_each_note_is_heard_at_its_time() -> None:
    sound = sound_of(music(A4, A5))
    assert len(sound) == 2 * RATE, "four quarters at 120 a minute"
    assert abs(loudest(sound[:RATE]) - 440) < 2 and abs(loudest(sound[RATE:]) - 880) < 2
    assert np.abs(sound).max() == 0.9


def test_a_file_holds_it_and_many_voices_are_not_cut_off() -> None:
    piece = music(*([0, 4, pitch, 0] for pitch in range(40, 90)))
    assert wav_of(piece) == wav_of(piece)
    rate, samples = wavfile.read(io.BytesIO(wav_of(piece)))
    assert rate == RATE and samples.dtype == np.int16 and 29_000 < np.abs(samples.astype(int)).max() < 30_000


def test_what_is_silent_and_what_is_long() -> None:
    assert not sound_of(music()).any() and not sound_of(music([0, 1, 36, -1])).any()
    assert len(sound_of(music([0, 1_000, 60, 0], [900, 901, 60, 0]))) == 30 * RATE
    assert np.isfinite(sound_of(music([0, 0, 60, 0], [1, 1.01, 127, 0]))).all()
