"""Music in, its sound as a WAV file out: plain tones that tell what was written, not what an instrument makes of it."""

import io
import math
import wave
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gendsl.lower.data.music import Music

RATE = 11_025  # samples a second
_QUARTER = 0.5  # seconds: 120 beats a minute
_MOST = 30.0  # seconds
_OVERTONES = (1.0, 0.5, 0.25, 0.125)  # how loud each multiple of the frequency is
_ATTACK, _RELEASE, _FADING = 0.01, 0.03, 1.5  # seconds; how fast a tone fades, a second
_LOUDEST = 0.9


def wav_of(music: "Music") -> bytes:
    """A WAV file, mono in 16 bits, of at most half a minute: each note a sum of sines; drums are not heard."""
    return wav(sound_of(music), RATE)


def wav(samples: NDArray[np.floating], rate: int) -> bytes:
    """A WAV file, mono in 16 bits, of samples (n,) in -1..1, so many a second."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(samples * (2**15 - 1)).astype("<i2").tobytes())
    return stream.getvalue()


def sound_of(music: "Music") -> NDArray[np.float64]:
    """The samples (n,) in -1..1, as loud as they may be."""
    heard = [(start * _QUARTER, end * _QUARTER, pitch) for start, end, pitch, part in music.notes if part >= 0]
    until = min(max((end for _, end, _ in heard), default=0.0), _MOST)
    sound = np.zeros(max(1, math.ceil(until * RATE)))
    for start, end, pitch in heard:
        first = round(start * RATE)
        tone = _tone(pitch, min(end, _MOST) - start)[: max(0, len(sound) - first)]
        sound[first : first + len(tone)] += tone
    peak = float(np.abs(sound).max())
    return sound * (_LOUDEST / peak) if peak else sound


def _tone(pitch: float, seconds: float) -> NDArray[np.float64]:
    """A note (n,) of a MIDI pitch: 69 is 440 Hz."""
    time = np.arange(max(0, round(seconds * RATE))) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    waves = [
        loud * np.sin(2 * np.pi * multiple * frequency * time)
        for multiple, loud in enumerate(_OVERTONES, 1)
        if multiple * frequency < RATE / 2
    ]
    shape = np.minimum(np.minimum(time / _ATTACK, 1), (seconds - time) / _RELEASE) * np.exp(-_FADING * time)
    return np.asarray(sum(waves, np.zeros(len(time))) * np.clip(shape, 0, 1))
