"""A glob of MIDI files in, loaded windows of tokens out; in several keys, where `augment { }` transposes.

A file's base tokens are those of REMI (bars, positions, instruments, pitches, velocities, durations), in one sequence.
Transposing adds to the pitches among them; then byte-pair encoding, learned from the training files in all their keys,
merges tokens within a bar.
Source: Huang & Yang 2020, Pop Music Transformer; Fradet et al. 2023, Byte Pair Encoding for Symbolic Music.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gendsl.lower.data.files import Unused, found_in
from gendsl.lower.data.loaded import Loaded
from gendsl.lower.data.sequences import cut, files_by_split
from gendsl.lower.data.token_statistics import statistics_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call, Data

_FIRST = 0xE000  # base token 0 as a character: Unicode's private use, 6400 of them
_FAMILY = 8  # instruments of General MIDI that sound much the same, as 0..7 are all pianos
_OCTAVE = 12


class Remi:
    """Music and tokens: `size` is how many different tokens there are."""

    unknown = None

    def __init__(self, base: Any, model: str) -> None:
        import tokenizers

        self._base, self._model = base, model
        self._tokenizer = tokenizers.Tokenizer.from_str(model)
        self.size = self._tokenizer.get_vocab_size()
        signs = [self._tokenizer.id_to_token(token) or "" for token in range(self.size)]
        self._parts = [np.array([ord(sign) - _FIRST for sign in of_token]) for of_token in signs]
        self._programs = sorted(program for program in base.config.programs if program >= 0)

    def merged(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The tokens (n,) of sequences of base tokens."""
        found = self._tokenizer.encode_batch_fast([_signs(sequence) for sequence in sequences])
        return [np.asarray(one.ids, np.int32) for one in found]

    def score(self, tokens: np.ndarray) -> Any:
        """The music of tokens (n,), as symusic has it: its parts in the order of their instruments, whichever begins.

        Any tokens are music: a note that lacks its length, say, is none."""
        base = [int(part) for token in np.asarray(tokens) for part in self._parts[int(token)]]
        score = self._base.decode(base) if base else _silence()
        score.tracks.sort(key=lambda track: (track.is_drum, track.program), inplace=True)
        return score

    def decode(self, tokens: np.ndarray) -> bytes:
        """The MIDI file of tokens (n,), always the same."""
        midi: bytes = self.score(tokens).dumps_midi()
        return midi

    def part_of(self, track: Any) -> int:
        """The number of a track's instrument among those that the training files have, from 0; of the drums -1."""
        return -1 if track.is_drum else self._programs.index(track.program)

    def shown(self, token: int) -> str:
        """A token's base tokens by name, for people: `Pitch_60 Velocity_91`."""
        return " ".join(self._base[int(part)] for part in self._parts[token])

    def record(self) -> dict[str, Any]:
        """What it is rebuilt from by `remi_from`, as JSON data."""
        return {"word": "remi", "base": json.dumps(self._base.to_dict()), "model": self._model}


def remi_from(record: Mapping[str, Any]) -> Remi:
    """The tokenizer of a record. DataError where its library is not installed."""
    library = _library()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "remi.json"
        place.write_text(record["base"], encoding="utf-8")
        return Remi(library.REMI(params=place), record["model"])


def _silence() -> Any:
    import symusic

    return symusic.Score(480)


@dataclass(frozen=True)
class Music:
    """What is heard of a piece: its `notes` (n, 4) float64, each the start and the end in quarters, the MIDI pitch and
    the number of the part, -1 for drums; and where its `bars` (m,) begin, in quarters."""

    notes: np.ndarray
    bars: np.ndarray


def heard(remi: Remi, tokens: np.ndarray) -> Music:
    """The notes and bars of tokens (n,); a part has the same number in all pieces."""
    score = remi.score(tokens)
    quarter = score.ticks_per_quarter
    found = [
        (note.start / quarter, (note.start + note.duration) / quarter, note.pitch, remi.part_of(track))
        for track in score.tracks
        for note in track.notes
    ]
    notes = np.array(found, np.float64).reshape(-1, 4)
    return Music(notes, _bars_of(score, float(notes[:, 1].max(initial=0))))


def _bars_of(score: Any, end: float) -> np.ndarray:
    """Where bars (m,) begin up to an end, in quarters, by the time signatures."""
    signs = sorted(score.time_signatures, key=lambda sign: sign.time)
    begins = [sign.time / score.ticks_per_quarter for sign in signs]
    found = [
        np.arange(begin, min(following, end), 4 * sign.numerator / sign.denominator)
        for sign, begin, following in zip(signs, begins, [*begins, end][1:], strict=True)
    ]
    return np.concatenate([np.zeros(0), *found])


def midi(
    arguments: Mapping[str, Any], folder: str, data: Data, *, place: str, augment: tuple[Call, ...], **_: Any
) -> Loaded:
    """The windows of the MIDI files that match a glob; `place` names one of two sources."""
    _library()
    found = found_in(str(arguments["glob"]), folder, data, _opened, what="music", ending="MIDI files")
    scores = list(found.items.values())
    base = _base_of(scores)
    sequences = [np.asarray(base.encode(score).ids, np.int32) for score in scores]
    keys, pitches = _keys(augment), _pitches(base)
    rows = files_by_split(len(sequences), data.split, place)
    in_keys = [[transposed(sequence, pitches, key) for key in keys] for sequence in sequences]
    training = [variant for row in rows["train"] for variant in in_keys[row]]
    remi = _learned(base, training, int(arguments["tokenizer"].arguments["vocabulary"]))
    tokens = {split: [remi.merged(in_keys[row]) for row in chosen] for split, chosen in rows.items()}
    windows = cut(tokens, data, vocabulary=remi.size, plain=keys.index(0))
    plain = {split: [variants[keys.index(0)] for variants in every] for split, every in tokens.items()}
    told = statistics_of(plain, vocabulary=remi.size)
    for of_split in told.values():
        of_split["most_frequent"] = [[remi.shown(token), count] for token, count in of_split["most_frequent"]]
    return Loaded(
        {"text": windows.windows},
        found.digest,
        splits=windows.rows,
        divided=True,
        left_out=(*found.left_out, *windows.left_out),
        vocabulary=remi.size,
        details={"files": len(scores), "tokenizer": remi.record(), "vocabulary": remi.size, "tokens": told},
    )


def _opened(path: str, body: bytes) -> Any:
    """The music of a MIDI file. Unused where it is none, or holds no note."""
    import symusic

    try:
        score: Any = symusic.Score.from_midi(body)
    except (RuntimeError, ValueError):
        raise Unused("damaged") from None
    if not any(len(track.notes) for track in score.tracks):
        raise Unused("without notes")
    return _parted(score)


def _parted(score: Any) -> Any:
    """Music whose parts have each an instrument of its own, the next of its family, so that they stay apart.

    A sequence tells notes apart by their instruments only, and four voices of a piano would come back as one."""
    taken: set[int] = set()
    for track in score.tracks:
        if track.is_drum or not len(track.notes):
            continue
        family, first = divmod(track.program, _FAMILY)
        others = [family * _FAMILY + (first + step) % _FAMILY for step in range(_FAMILY)]
        track.program = next((program for program in others if program not in taken), track.program)
        taken.add(track.program)
    return score


def _base_of(scores: Sequence[Any]) -> Any:
    """REMI without merges, of the instruments that occur (-1 is the drums)."""
    library = _library()
    tracks = [track for score in scores for track in score.tracks if len(track.notes)]
    config = library.TokenizerConfig(
        special_tokens=["PAD"],
        use_programs=True,
        one_token_stream_for_programs=True,
        programs=sorted({-1 if track.is_drum else track.program for track in tracks}),
    )
    return library.REMI(config)


def _keys(augment: Sequence[Call]) -> list[int]:
    """The semitones by which files are transposed, 0 among them."""
    for call in augment:
        if call.word == "transpose":
            low, high = call.arguments["semitones"]
            return sorted({0, *range(int(low), int(high) + 1)})
    return [0]


def _pitches(base: Any) -> tuple[int, int]:
    """The first and the last base token of a pitch; those of drums are others."""
    tokens = [token for name, token in base.vocab.items() if name.startswith("Pitch_")]
    return min(tokens), max(tokens)


def transposed(sequence: np.ndarray, pitches: tuple[int, int], semitones: int) -> np.ndarray:
    """Base tokens with their pitches shifted; a note that would leave the range comes back by octaves."""
    first, last = pitches
    moved = sequence + semitones
    moved = np.where(moved < first, moved + _OCTAVE * -(-(first - moved) // _OCTAVE), moved)
    moved = np.where(moved > last, moved - _OCTAVE * -(-(moved - last) // _OCTAVE), moved)
    return np.where((sequence >= first) & (sequence <= last), moved, sequence)


def _learned(base: Any, sequences: Sequence[np.ndarray], vocabulary: int) -> Remi:
    """Byte-pair encoding of base tokens, each as a character; the words within which it merges begin at bars."""
    import tokenizers

    if vocabulary < len(base):
        raise DataError(
            f"`remi(vocabulary: {vocabulary})` is too small: the tokens before any merge are {len(base)}",
            f"write `remi(vocabulary: {len(base)})` or more",
        )
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    bar = chr(_FIRST + base.vocab["Bar_None"])
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(bar, "merged_with_next")
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=[chr(_FIRST + token) for token in range(len(base))], show_progress=False
    )
    tokenizer.train_from_iterator(map(_signs, sequences), trainer)
    have = tokenizer.get_vocab_size()
    if have < vocabulary:
        raise DataError(
            f"`remi(vocabulary: {vocabulary})` asks for more tokens than the training files support: {have:,}",
            f"write `remi(vocabulary: {have})` or less, or give it more music",
        )
    return Remi(base, tokenizer.to_str())


def _signs(sequence: np.ndarray) -> str:
    return (sequence + _FIRST).astype("<u4").tobytes().decode("utf-32-le")


def _library() -> Any:
    try:
        import miditok
    except ImportError as error:
        raise DataError(
            "`midi` needs the packages miditok and symusic, which are not installed", "pip install 'gendsl[music]'"
        ) from error
    return miditok
