"""A glob of sound files in, loaded examples out: pieces of one length as samples, or as log-mel pictures."""

import io
import math
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from gendsl.check.headers.paths import files
from gendsl.check.headers.sequences import WINDOW_SECONDS, sound_shape, spectrogram_hop
from gendsl.lower.data.files import Unused, found_in
from gendsl.lower.data.loaded import Loaded, check_memory, pictured
from gendsl.lower.data.resizing import Transform
from gendsl.lower.data.sequences import files_by_split
from gendsl.plan.plan import Data

_FLOOR = -80.0  # decibels below a full-scale sine, which become black
_CHUNK = 256  # examples whose spectrograms are made at once


def audio(
    arguments: Mapping[str, Any],
    folder: str,
    data: Data,
    *,
    place: str,
    transform: Transform,
    **_: Any,
) -> Loaded:
    """The pieces of the sound files that match a glob, in the order of their paths; `place` names one of two sources.

    Rows (n, samples) float32 in -1..1, or pictures (n, bands, frames, 1) float32 in 0..1.
    """
    pattern, rate = str(arguments["glob"]), int(arguments["rate"])
    (width,) = sound_shape(rate, float(arguments["seconds"]), None)
    assert width is not None

    def opened(path: str, body: bytes) -> np.ndarray:
        try:
            have, samples = waveform(body)
        except ValueError:
            raise Unused("damaged") from None
        cut = cut_pieces(resampled(samples, have, rate), width)
        if not len(cut):
            raise Unused("too short")
        return cut

    found = found_in(pattern, folder, data, opened, what="sound", ending="WAV files")
    pieces = found.items
    names = [path for path, of_file in pieces.items() for _ in of_file]
    check_memory(len(names), (width,), 4, f'"{pattern}"')
    ends = np.cumsum([0, *map(len, pieces.values())])
    rows = {
        split: np.concatenate([np.arange(0), *(np.arange(ends[file], ends[file + 1]) for file in chosen)])
        for split, chosen in files_by_split(len(pieces), data.split, place).items()
    }
    samples = np.concatenate(list(pieces.values()))
    labels, classes = _labels(names, pattern, folder) if arguments.get("label") is not None else (None, None)
    columns: dict[str, Any] = {"row": samples} if labels is None else {"row": samples, "label": labels}
    if arguments.get("mel") is not None:
        pictures = spectrograms(samples, rate, int(arguments["mel"]))
        columns = pictured(transform.of_array(pictures), labels)
    return Loaded(
        columns,
        found.digest,
        splits=rows,
        divided=True,
        class_names=classes,
        names=tuple(names),
        left_out=found.left_out,
        details={"files": len(pieces), "rate": rate},
    )


def waveform(data: bytes) -> tuple[int, np.ndarray]:
    """The rate and the samples (n,) float32 in -1..1 of a WAV file, mixed to one channel. ValueError if it is none."""
    from scipy.io import wavfile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # chunks that it does not know, such as a title
        try:
            rate, samples = wavfile.read(io.BytesIO(data))
        except Exception as error:  # whatever it raises for damaged files
            raise ValueError(f"no WAV file: {error}") from error
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float32) - 128) / 128
    elif np.issubdtype(samples.dtype, np.integer):
        samples = samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
    samples = samples.astype(np.float32)
    if not rate or not np.isfinite(samples).all():
        raise ValueError("its rate is 0" if not rate else "a sample is no number")
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    return int(rate), np.clip(mono, -1, 1).astype(np.float32)


def resampled(samples: np.ndarray, have: int, want: int) -> np.ndarray:
    """Samples (n,) float32 at another rate, by the ratio of the two in whole numbers and a polyphase filter."""
    if have == want:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(have, want)
    return np.asarray(np.clip(resample_poly(samples, want // common, have // common), -1, 1), np.float32)


def spectrograms(samples: np.ndarray, rate: int, bands: int) -> np.ndarray:
    """Log-mel pictures (n, bands, frames, 1) float32 in 0..1 of samples (n, width), the lowest band first.

    The power of Hann windows of 64 ms every 16 ms, centred, in bands of the mel scale; a sine of full scale has 0 dB.
    """
    import tensorflow as tf

    length, hop = max(2, round(rate * WINDOW_SECONDS)), spectrogram_hop(rate)
    size = 1 << (length - 1).bit_length()
    frames = 1 + samples.shape[1] // hop
    behind = (frames - 1) * hop + length - length // 2 - samples.shape[1]
    with tf.device("cpu"):
        weights = tf.signal.linear_to_mel_weight_matrix(bands, size // 2 + 1, rate, 0.0, rate / 2)
        window = tf.signal.hann_window(length)
        out = []
        for first in range(0, len(samples), _CHUNK):
            padded = tf.pad(samples[first : first + _CHUNK], [[0, 0], [length // 2, max(0, behind)]])
            spectrum = tf.signal.stft(padded, length, hop, size, window_fn=lambda _, dtype: tf.cast(window, dtype))
            power = tf.square(tf.abs(spectrum[:, :frames]) / (tf.reduce_sum(window) / 2)) @ weights
            decibels = 10 / math.log(10) * tf.math.log(tf.maximum(power, 10 ** (_FLOOR / 10)))
            out.append(tf.clip_by_value(1 - decibels / _FLOOR, 0, 1).numpy().transpose(0, 2, 1)[..., None])
    return np.concatenate(out)


def cut_pieces(samples: np.ndarray, width: int) -> np.ndarray:
    """Pieces (k, width) of samples (n,), one behind the other; the last, if at least half is there, ends in silence."""
    count = len(samples) // width
    if 2 * (len(samples) - count * width) >= width:
        count += 1
        samples = np.concatenate([samples, np.zeros(count * width - len(samples), np.float32)])
    pieces: np.ndarray = samples[: count * width].reshape(count, width)
    return pieces


def _labels(names: list[str], pattern: str, folder: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The classes of examples by their files' folders, those of files left out too: the checker counted them all."""
    folders = [os.path.basename(os.path.dirname(path)) for path in names]
    classes = tuple(sorted({os.path.basename(os.path.dirname(path)) for path in files(folder, pattern)}))
    return np.array([classes.index(name) for name in folders], np.int32), classes
