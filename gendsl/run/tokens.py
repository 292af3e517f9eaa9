"""The folder of a run on text or music and sampled tokens in, the files that a person reads or plays out."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Field
from gendsl.run.folder import RunFolder, read_json

if TYPE_CHECKING:
    from gendsl.lower.data.music import Remi
    from gendsl.lower.data.tokenizers import Tokenizer

_ROLLS = 16  # of a picture
_DIGITS = 3
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


def token_files(reader: "Tokenizer | Remi", values: NDArray[Any]) -> dict[str, bytes]:
    """The files of sequences (n, length), -1 behind an end, by name: one each; of texts all in `samples.txt`, and with
    their tokens in `samples.jsonl`; of music a picture of the first in `grid.png`."""
    from gendsl.lower.data.music import Remi
    from gendsl.lower.data.written import finished, midi_of, music_of, text_of

    digits = max(_DIGITS, len(str(len(values) - 1)))
    if isinstance(reader, Remi):
        from gendsl.run.pictures import png
        from gendsl.run.sounding import piano_rolls

        files = {f"{number:0{digits}}.mid": midi_of(reader, tokens) for number, tokens in enumerate(values)}
        return files | {"grid.png": png(piano_rolls([music_of(reader, tokens) for tokens in values[:_ROLLS]]))}
    texts = [text_of(reader, tokens) for tokens in values]
    files = {f"{number:0{digits}}.txt": f"{text}\n".encode() for number, text in enumerate(texts)}
    lines = [
        json.dumps(
            {"sample": number, "text": text, "tokens": finished(np.asarray(tokens)).tolist()}, ensure_ascii=False
        )
        for number, (text, tokens) in enumerate(zip(texts, values, strict=True))
    ]
    files["samples.txt"] = (f"\n{_BETWEEN}\n".join(texts) + "\n").encode()
    files["samples.jsonl"] = ("\n".join(lines) + "\n").encode()
    return files
