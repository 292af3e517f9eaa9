"""Music and sound in, pictures out: piano rolls of notes, waves of samples over their spectrograms."""

import colorsys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gendsl.run.pictures import Pixels

if TYPE_CHECKING:
    from gendsl.lower.data.music import Music

_WIDTH = 768
_GAP = 6
_NOTE = 4  # pixels of a semitone
_WAVE = 64  # pixels from -1 to 1
_PAPER, _LINE, _INK, _EDGE = (255, 255, 255), (232, 232, 232), (31, 90, 200), (64, 64, 64)
_BAR, _DRUMS = (205, 205, 205), (120, 120, 120)


def piano_rolls(excerpts: Sequence["Music"], *, beside: Sequence["Music"] = ()) -> Pixels:
    """A roll below the other of pieces of music, by the same measure as that of others that are to stand beside them.

    Time goes to the right, as far as the longest excerpt in all of them, and pitch up; each part has its colour, and
    the pitches of C and the beginnings of bars have lines.
    """
    every = np.concatenate([np.zeros((0, 4)), *(excerpt.notes for excerpt in (*excerpts, *beside))])
    if not len(every):
        every = np.array([[0.0, 1.0, 60.0, 0.0]])
    low, high = int(every[:, 2].min()) - 1, int(every[:, 2].max()) + 1
    scale = _WIDTH / max(float(every[:, 1].max()), 1e-6)
    return _stacked([_roll(excerpt, low, high, scale) for excerpt in excerpts])


def waves(samples: NDArray[np.floating], spectra: NDArray[np.floating]) -> Pixels:
    """Samples (count, width) in -1..1, each above its log-mel picture (count, bands, frames, 1) in 0..1, the lowest
    band first: it is drawn at the bottom."""
    return _stacked([np.concatenate([_wave(one), _spectrum(of)]) for one, of in zip(samples, spectra, strict=True)])


def _roll(music: "Music", low: int, high: int, scale: float) -> Pixels:
    sheet = np.full((_NOTE * (high - low + 1), _WIDTH, 3), _PAPER, np.uint8)
    sheet[:, np.minimum((music.bars * scale).astype(int), _WIDTH - 1)] = _BAR
    for pitch in range(low, high + 1):
        if pitch % 12 == 0:
            sheet[_NOTE * (high - pitch + 1) - 1] = _LINE
    for start, end, pitch, part in music.notes:
        left = min(int(start * scale), _WIDTH - 1)
        right = max(int(end * scale) - 1, left + 1)  # a gap parts a note from its repetition
        top = _NOTE * (high - int(pitch))
        sheet[top : top + _NOTE - 1, left:right] = _colour(int(part))
    return sheet


def _colour(part: int) -> tuple[int, int, int]:
    """Far from that of the parts beside it, by the golden angle; drums (-1) are grey."""
    if part < 0:
        return _DRUMS
    red, green, blue = colorsys.hsv_to_rgb((0.6 + part * 0.381966) % 1, 0.85, 0.75)
    return int(red * 255), int(green * 255), int(blue * 255)


def _wave(samples: NDArray[np.floating]) -> Pixels:
    sheet = np.full((_WAVE, _WIDTH, 3), _PAPER, np.uint8)
    sheet[_WAVE // 2] = _LINE
    bounds = np.linspace(0, len(samples), _WIDTH + 1).astype(int)
    down = np.clip(np.rint((1 - np.nan_to_num(samples)) * (_WAVE - 1) / 2), 0, _WAVE - 1).astype(int)
    for column in range(_WIDTH):
        part = down[bounds[column] : max(bounds[column + 1], bounds[column] + 1)]
        sheet[part.min() : part.max() + 1, column] = _INK
    return sheet


def _spectrum(values: NDArray[np.floating]) -> Pixels:
    column = (np.arange(_WIDTH) * values.shape[1] // _WIDTH).astype(int)
    grey: Pixels = np.clip(np.rint(np.nan_to_num(values[::-1, column]) * 255), 0, 255).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def _stacked(panels: Sequence[Pixels]) -> Pixels:
    """Panels of one width, one below the other."""
    edge = np.full((_GAP, _WIDTH, 3), _EDGE, np.uint8)
    return np.concatenate([edge, *(part for panel in panels for part in (panel, edge))])
