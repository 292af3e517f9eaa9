"""The folder of a run on text or music and sampled tokens in, the files that a person reads or plays out."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Field
from gendsl.run.folder import RunFolder, read_json
from gendsl.run.sample_files import SampleFiles, numbered

if TYPE_CHECKING:
    from gendsl.lower.data.music import Remi
    from gendsl.lower.data.tokenizers import Tokenizer

_ROLLS = 16  # of a picture
_BETWEEN = "-" * 40


def reader_of_field(folder: RunFolder, field: Field) -> "Tokenizer | Remi":
    """What reads the tokens of a run's field, as the run's data.json keeps it.

    UserError where it is not there or damaged, DataError where a library that it needs is not installed."""
    from gendsl.lower.data.written import reader_of

    sources = (read_json(folder.data) or {}).get("sources")
    try:
        record = next(one["tokenizer"] for one in sources or () if one.get("name") == field.source)
        return reader_of(record)
    except UserError:
        raise
    except Exception as error:  # the libraries raise what they like of a record that was changed by hand
        raise UserError(
            f"the tokenizer in {folder.shown}/data.json cannot be read: {str(error) or type(error).__name__}",
            "it was written by another version of gendsl, or changed by hand; train the spec again",
        ) from None


class TokenFiles:
    """Sequences, -1 behind an end, as files, as they come.

    A text each a file, and all in `samples.txt`, and with their tokens in `samples.jsonl`; by `jsonl` that alone. Music
    as MIDI files, or by `wav` as their sound; a picture of the first in `grid.png`."""

    def __init__(
        self, files: SampleFiles, place: str, count: int, reader: "Tokenizer | Remi", format: str = "txt"
    ) -> None:
        self._files, self._place, self._count, self._reader, self._format = files, place, count, reader, format
        self._number = 0
        self._first: list[Any] = []

    def add(self, values: NDArray[Any]) -> None:
        """Writes sequences (n, length)."""
        from gendsl.lower.data.music import Remi

        for tokens in values:
            if isinstance(self._reader, Remi):
                self._piece(self._reader, tokens)
            else:
                self._text(self._reader, tokens)
            self._number += 1

    def end(self) -> None:
        """Writes the picture of the first pieces of music."""
        if self._first:
            from gendsl.run.pictures import png
            from gendsl.run.sounding import piano_rolls

            self._files.write(f"{self._place}grid.png", png(piano_rolls(self._first)))

    def _name(self, suffix: str) -> str:
        return self._place + numbered(self._number, self._count, suffix)

    def _piece(self, reader: "Remi", tokens: NDArray[Any]) -> None:
        from gendsl.lower.data.written import midi_of, music_of

        if self._number < _ROLLS or self._format == "wav":
            music = music_of(reader, tokens)
        if self._number < _ROLLS:
            self._first.append(music)
        if self._format == "wav":
            from gendsl.run.tones import wav_of

            self._files.write(self._name("wav"), wav_of(music))
        else:
            self._files.write(self._name("mid"), midi_of(reader, tokens))

    def _text(self, reader: "Tokenizer", tokens: NDArray[Any]) -> None:
        from gendsl.lower.data.written import finished, text_of

        text = text_of(reader, tokens)
        record = {"sample": self._number, "text": text, "tokens": finished(np.asarray(tokens)).tolist()}
        line = json.dumps(record, ensure_ascii=False) + "\n"
        self._files.append(f"{self._place}samples.jsonl", line.encode())
        if self._format == "txt":
            self._files.write(self._name("txt"), f"{text}\n".encode())
            parted = f"{_BETWEEN}\n{text}\n" if self._number else f"{text}\n"
            self._files.append(f"{self._place}samples.txt", parted.encode())
