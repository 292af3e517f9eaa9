"""A glob of text files in, loaded windows of tokens out: split, then cut into tokens, then into windows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gendsl.lower.data.files import Unused, content_of, drops_corrupt, found_in
from gendsl.lower.data.loaded import Loaded
from gendsl.lower.data.sequences import cut, spans_of
from gendsl.lower.data.token_statistics import statistics_of
from gendsl.lower.data.tokenizers import Tokenizer, tokenizer_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call, Data

_BYTES = Call("bytes", {})


def text(arguments: Mapping[str, Any], folder: str, data: Data, *, seed: int, place: str, **_: Any) -> Loaded:
    """The windows of the text files that match a glob, in the order of their paths; `place` names one of two sources.

    A file that is not UTF-8 is refused, or left out with `curate { drop corrupt }`; as bytes any is read.
    """
    call = arguments.get("tokenizer") or _BYTES
    any_bytes, leave_out = call.word == "bytes", drops_corrupt(data)

    def opened(path: str, body: bytes) -> bytes:
        wrong = None if any_bytes else _broken(body)
        if wrong is not None and not leave_out:
            _refuse_broken(path, body, wrong)
        if wrong is not None:
            raise Unused("damaged")
        return body

    found = found_in(str(arguments["glob"]), folder, data, opened, what="text", ending="text in UTF-8")
    texts = list(found.items.values())
    spans = spans_of(texts, data.split, seed, place)
    pieces = {split: [texts[span.file][span.start : span.end] for span in every] for split, every in spans.items()}
    if not any(pieces["train"]):
        raise DataError("no text is left for training", "give `train` a larger share, or more text")
    file = call.arguments.get("file")
    tokenizer = tokenizer_of(call, pieces["train"], None if file is None else content_of(folder, str(file)))
    tokens = {split: [tokenizer.encode(piece) for piece in every] for split, every in pieces.items()}
    windows = cut({split: [[one] for one in every] for split, every in tokens.items()}, data, vocabulary=tokenizer.size)
    return Loaded(
        {"text": windows.windows},
        found.digest,
        splits=windows.rows,
        divided=True,
        left_out=(*found.left_out, *windows.left_out),
        vocabulary=tokenizer.size,
        details=_details(tokenizer, tokens, pieces, len(texts)),
    )


def _details(
    tokenizer: Tokenizer,
    tokens: Mapping[str, list[np.ndarray]],
    pieces: Mapping[str, list[bytes]],
    files: int,
) -> dict[str, Any]:
    told = statistics_of(tokens, vocabulary=tokenizer.size, unknown=tokenizer.unknown)
    for split, of_split in told.items():
        of_split["bytes"] = sum(map(len, pieces[split]))
        of_split["most_frequent"] = [[tokenizer.shown(token), count] for token, count in of_split["most_frequent"]]
    return {"files": files, "tokenizer": tokenizer.record(), "vocabulary": tokenizer.size, "tokens": told}


def _broken(data: bytes) -> int | None:
    """The place of the first byte that is not UTF-8, None if all are."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _refuse_broken(path: str, data: bytes, place: int) -> None:
    line = data.count(b"\n", 0, place) + 1
    raise DataError(
        f'"{path}" is not UTF-8: byte {place:,} (line {line:,}) is 0x{data[place]:02X}',
        "convert the file (`iconv -f latin1 -t utf-8`), leave such files out with `curate { drop corrupt }`, or read "
        "them as they are with `tokenizer: bytes()`",
    )
