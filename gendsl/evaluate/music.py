"""The notes of pieces in, what is counted of them out: keys, the places of pitches in them, lengths of notes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CLASSES = 12
# How well each pitch class fits a key, from the tonic on: Krumhansl & Kessler 1982.
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_LENGTHS = 96  # parts of a quarter that lengths are told apart by


class Key(NamedTuple):
    """A key: the pitch class of its tonic (0 is C), and `major` or `minor`."""

    tonic: int
    mode: str


def pitched(notes: NDArray[np.floating]) -> NDArray[np.floating]:
    """The notes (n, 4) of start, end, pitch and part that are no drums."""
    return notes[notes[:, 3] >= 0]


def key_of(notes: NDArray[np.floating]) -> Key:
    """The key whose profile correlates best with how long each pitch class sounds in notes (n, 4), n at least 1.

    Source: Krumhansl 1990, Cognitive Foundations of Musical Pitch, chapter 4 (the Krumhansl-Schmuckler algorithm)."""
    classes = notes[:, 2].astype(int) % _CLASSES
    sounding = np.bincount(classes, weights=notes[:, 1] - notes[:, 0], minlength=_CLASSES)
    away = sounding - sounding.mean()
    best, found = -np.inf, Key(int(sounding.argmax()), "major")  # all classes alike correlate with no key
    for mode, profile in _PROFILES.items():
        shape = np.asarray(profile) - np.mean(profile)
        for tonic in range(_CLASSES):
            fit = float(away @ np.roll(shape, tonic)) / float(np.linalg.norm(shape))
            if fit > best + 1e-9:
                best, found = fit, Key(tonic, mode)
    return found


def in_key(notes: NDArray[np.floating]) -> float:
    """The share of notes (n, 4) that are of the scale of their key: major, or natural minor."""
    key = key_of(notes)
    scale = [(key.tonic + step) % _CLASSES for step in _SCALES[key.mode]]
    return float(np.isin(notes[:, 2].astype(int) % _CLASSES, scale).mean())


def pitch_classes(pieces: Sequence[NDArray[np.floating]]) -> dict[float, float]:
    """The share of notes of each pitch class above the tonic of its piece's key, over pieces (n, 4)."""
    above = [(notes[:, 2].astype(int) - key_of(notes).tonic) % _CLASSES for notes in pieces]
    return _shares(np.concatenate([np.zeros(0), *above]))


def durations(pieces: Sequence[NDArray[np.floating]]) -> dict[float, float]:
    """The share of notes of each length in quarters, over pieces (n, 4)."""
    every = np.concatenate([np.zeros(0), *(notes[:, 1] - notes[:, 0] for notes in pieces)])
    return _shares(np.rint(every * _LENGTHS) / _LENGTHS)


def total_variation(one: Mapping[float, float], other: Mapping[float, float]) -> float:
    """Half the summed difference of two histograms, in 0..1."""
    return sum(abs(one.get(bin, 0.0) - other.get(bin, 0.0)) for bin in one.keys() | other.keys()) / 2


def _shares(values: NDArray[np.floating]) -> dict[float, float]:
    counts = Counter(values.tolist())
    return {bin: count / len(values) for bin, count in sorted(counts.items())}
