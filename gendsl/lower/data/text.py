"""A glob of text files in, loaded windows of tokens out: split, then cut into tokens, then into windows.

Text and tokens lie in memory or in scratch files, and pass through by parts; so it may be larger than memory is.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np

from gendsl.lower.data.corpus import Corpus, passages
from gendsl.lower.data.files import content_of, drops_corrupt, found_among, matching
from gendsl.lower.data.loaded import Loaded
from gendsl.lower.data.sequences import layout_of, spans_of
from gendsl.lower.data.store import Store
from gendsl.lower.data.token_statistics import statistics_of
from gendsl.lower.data.tokenizers import Tokenizer, tokenizer_of
from gendsl.lower.data.windows import Windows, kind_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call, Data

_BYTES = Call("bytes", {})
_LEARNED_FROM = 1 << 28  # bytes of the training text at most that a vocabulary is learned from, taken evenly

Pieces = Mapping[str, Sequence[np.ndarray]]  # of each split, (n,) each


def text(arguments: Mapping[str, Any], folder: str, data: Data, *, place: str, **_: Any) -> Loaded:
    """The windows of the text files that match a glob, in the order of their paths; `place` names one of two sources.

    A file that is not UTF-8 is refused, or left out with `curate { drop corrupt }`; as bytes any is read.
    """
    call, pattern = arguments.get("tokenizer") or _BYTES, str(arguments["glob"])
    utf8, leave_out = call.word != "bytes", drops_corrupt(data)
    paths = matching(folder, pattern, "text")
    corpus = Corpus(_size_of(folder, paths), what=f'"{pattern}"', cache=data.cache)
    found = found_among(
        paths,
        pattern,
        folder,
        data,
        lambda path, parts: corpus.take(path, parts, utf8=utf8, leave_out=leave_out),
        what="text",
        ending="text in UTF-8",
        undo=corpus.undo,
    )
    whole = np.asarray(corpus.column())
    texts = [whole[start:end] for start, end in found.items.values()]
    spans = spans_of(texts, data.split, place)
    pieces = {split: [texts[span.file][span.start : span.end] for span in every] for split, every in spans.items()}
    if not any(map(len, pieces["train"])):
        raise DataError("no text is left for training", "give `train` a larger share, or more text")
    file = call.arguments.get("file")
    model = None if file is None else content_of(folder, str(file))
    tokenizer = tokenizer_of(call, _learned_from(call, pieces["train"]), model)
    column, tokens = _tokens_of(pieces, tokenizer, f'"{pattern}"', data)
    lengths = {split: [[len(one)] for one in every] for split, every in tokens.items()}
    layout = layout_of(lengths, data)
    assert data.window is not None
    return Loaded(
        {"text": Windows(column, layout.starts, data.window, sequences=layout.plain, in_all=layout.in_all)},
        found.digest,
        splits=layout.rows,
        divided=True,
        left_out=(*found.left_out, *layout.left_out),
        vocabulary=tokenizer.size,
        details=_details(tokenizer, tokens, pieces, len(texts)),
    )


def _size_of(folder: str, paths: Iterable[str]) -> int:
    """The bytes of files; one that cannot be asked is told of when it is read."""
    size = 0
    for path in paths:
        try:
            size += os.stat(os.path.join(os.path.realpath(folder or "."), path)).st_size
        except OSError:
            continue
    return size


def _learned_from(call: Call, pieces: Sequence[np.ndarray]) -> Iterator[bytes]:
    """Passages of the training text, all of them or, where a library holds what it learns from, evenly some."""
    every = 1 if call.word == "characters" else -(-sum(map(len, pieces)) // _LEARNED_FROM)
    return islice((part for piece in pieces for part in passages(piece)), 0, None, every)


def _tokens_of(pieces: Pieces, tokenizer: Tokenizer, what: str, data: Data) -> tuple[np.ndarray, Pieces]:
    """The tokens (n,) of all pieces laid end to end, split by split; and those of each."""
    size, kind = sum(len(piece) for every in pieces.values() for piece in every), kind_of(tokenizer.size)
    store = Store(size // tokenizer.bytes_each, (), kind, what=what, cache=data.cache, unit="tokens")
    lengths: dict[str, list[int]] = {split: [] for split in pieces}
    for split, every in pieces.items():
        for piece in every:
            count = 0
            for part in passages(piece, anywhere=tokenizer.any_bytes):
                tokens = tokenizer.encode(part).astype(kind)
                store.add(tokens)
                count += len(tokens)
            lengths[split].append(count)
    column = store.column()
    ends, found = 0, {}
    for split, own in lengths.items():
        bounds = ends + np.cumsum([0, *own])
        found[split] = [np.asarray(column)[start:end] for start, end in pairwise(bounds)]
        ends = int(bounds[-1])
    return column, found


def _details(tokenizer: Tokenizer, tokens: Pieces, pieces: Pieces, files: int) -> dict[str, Any]:
    told = statistics_of(tokens, vocabulary=tokenizer.size, unknown=tokenizer.unknown)
    for split, of_split in told.items():
        of_split["bytes"] = sum(map(len, pieces[split]))
        of_split["most_frequent"] = [[tokenizer.shown(token), count] for token, count in of_split["most_frequent"]]
    return {"files": files, "tokenizer": tokenizer.record(), "vocabulary": tokenizer.size, "tokens": told}
