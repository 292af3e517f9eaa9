"""What was gathered for a score of text or music in, its numbers out, by word, each beside that of held-out text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate import music
from gendsl.evaluate.asked import Asked
from gendsl.evaluate.copies import covered, distinct
from gendsl.evaluate.estimate import Estimate, mean_of
from gendsl.lower.data.music import Remi
from gendsl.lower.data.written import finished, music_of, reader_of

Sequences = Sequence[NDArray[np.integer]]
Notes = Sequence[NDArray[np.floating]]
_MOST_PIECES = 512  # of a split, that a histogram is taken of
_TIMES = 50  # resamples of what is counted anew each time


def _samples(asked: Asked) -> list[NDArray[np.integer]]:
    return [finished(tokens) for tokens in asked.gathered.kept]


def _held_out(asked: Asked) -> bool:
    """Whether there are examples that were not trained on."""
    return asked.split != "train"


def _excerpts(asked: Asked, split: str, count: int) -> list[NDArray[np.integer]]:
    """As many stretches of a split's sequences, at most, as long as a sample and apart, drawn by a fixed seed; those of
    a whole sequence that is shorter are as long as it is. Music is in the key that it was written in."""
    length = asked.gathered.kept.shape[1]

    def made() -> list[NDArray[np.integer]]:
        windows = asked.real.dataset.split(split)[asked.gathered.of.name]
        bounds = [
            (start, min(start + length, end))
            for first, end in windows.sequences[split].tolist()
            for start in range(first, max(end - length, first) + 1, length)
        ]
        random = np.random.Generator(np.random.Philox(key=0))
        chosen = np.sort(random.permutation(len(bounds))[:count])
        return [np.array(windows.tokens[bounds[number][0] : bounds[number][1]]) for number in chosen]

    return asked.real.once(("excerpts", split, length, count), made)


def _copied(asked: Asked) -> dict[str, Estimate]:
    length = int(asked.call.arguments["ngram"])
    windows = asked.real.dataset.split("train")[asked.gathered.of.name]

    def share(sequences: Sequences) -> Estimate:
        there = covered(sequences, windows.tokens, windows.in_all["train"], length)
        return _ratio(there, np.array([len(one) for one in sequences], np.int64))

    found = {"copied": share(_samples(asked))}
    if _held_out(asked):
        count = asked.gathered.count
        held_out = asked.real.once(
            ("copied", asked.split, length, count, asked.gathered.kept.shape[1]),
            lambda: share(_excerpts(asked, asked.split, count)),
        )
        found["copied_held_out"] = held_out
    return found


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Estimate:
    """The sum of parts (n,) over that of wholes (n,); NaN of nothing."""
    if not whole.sum():
        return Estimate(float("nan"))

    def resample(random: np.random.Generator) -> float:
        rows = random.integers(0, len(part), len(part))
        return float(part[rows].sum() / max(int(whole[rows].sum()), 1))

    return Estimate(float(part.sum() / whole.sum()), resample)


def _distinct(asked: Asked) -> dict[str, Estimate]:
    length, samples = int(asked.call.arguments["ngram"]), _samples(asked)
    found = {"distinct": _of(samples, lambda some: distinct(some, length))}
    if _held_out(asked):
        held_out = _excerpts(asked, asked.split, len(samples))
        if sum(map(len, held_out)) >= sum(map(len, samples)):
            found["distinct_held_out"] = _of(held_out, lambda some: distinct(some, length))
    return found


def _of(every: Sequence[Any], measured: Callable[[Sequence[Any]], float]) -> Estimate:
    """What is measured of all of some; NaN of nothing."""
    if not every:
        return Estimate(float("nan"))

    def resample(random: np.random.Generator) -> float:
        return measured([every[row] for row in random.integers(0, len(every), len(every))])

    return Estimate(measured(every), resample, times=_TIMES)


def _pieces(asked: Asked, sequences: Sequences) -> list[NDArray[np.floating]]:
    """The notes of sequences, but drums; without those that have none."""
    reader = asked.real.once(("reader",), lambda: _reader(asked))
    notes = [music.pitched(music_of(reader, tokens).notes) for tokens in sequences]
    return [one for one in notes if len(one)]


def _reader(asked: Asked) -> Remi:
    sources = asked.real.dataset.manifest["sources"]
    found = reader_of(next(one["tokenizer"] for one in sources if one["name"] == asked.gathered.of.source))
    assert isinstance(found, Remi)
    return found


def _real_pieces(asked: Asked, split: str) -> list[NDArray[np.floating]]:
    key = ("pieces", split, asked.gathered.kept.shape[1])
    return asked.real.once(key, lambda: _pieces(asked, _excerpts(asked, split, _MOST_PIECES)))


def _of_music(asked: Asked, measured: Callable[[Notes], Estimate]) -> dict[str, Estimate]:
    """The numbers of generated and of held-out pieces."""
    found = {asked.call.word: measured(_pieces(asked, _samples(asked)))}
    if _held_out(asked):
        found[f"{asked.call.word}_held_out"] = measured(_real_pieces(asked, asked.split))
    return found


def _histograms(asked: Asked, taken: Callable[[Notes], dict[float, float]]) -> dict[str, Estimate]:
    """The distances of histograms from that of the training pieces."""
    there = taken(_real_pieces(asked, "train"))
    return _of_music(asked, lambda every: _of(every, lambda some: music.total_variation(taken(some), there)))


def _pitch_classes(asked: Asked) -> dict[str, Estimate]:
    return _histograms(asked, music.pitch_classes)


def _durations(asked: Asked) -> dict[str, Estimate]:
    return _histograms(asked, music.durations)


def _in_key(asked: Asked) -> dict[str, Estimate]:
    return _of_music(asked, lambda every: mean_of(np.array([music.in_key(notes) for notes in every])))


TOKEN_SCORES: Mapping[str, Callable[[Asked], dict[str, Estimate]]] = {
    "copied": _copied,
    "distinct": _distinct,
    "pitch_classes": _pitch_classes,
    "durations": _durations,
    "in_key": _in_key,
}
