"""Tokens that a model drew and what cuts its data into tokens in, what a person reads or hears out: texts, and music.

A sequence ends before its first -1. The numbers of a model may be more than the tokenizer's: `text 300` for bytes, say.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gendsl.lower.data.music import Music, Remi, heard, remi_from
from gendsl.lower.data.tokenizers import Tokenizer, tokenizer_from

_UNREADABLE = "\ufffd".encode()  # what stands for bytes that are no UTF-8, too


def reader_of(record: Mapping[str, Any]) -> Tokenizer | Remi:
    """What reads the tokens of a source of text or music, from its record. DataError where its library is missing."""
    return remi_from(record) if record["word"] == "remi" else tokenizer_from(record)


def finished(tokens: np.ndarray) -> np.ndarray:
    """Tokens (n,) as far as the sequence goes."""
    ends = np.flatnonzero(np.asarray(tokens) < 0)
    return np.asarray(tokens)[: ends[0]] if len(ends) else np.asarray(tokens)


def text_of(tokenizer: Tokenizer, tokens: np.ndarray) -> str:
    """The text of tokens (n,): what is no UTF-8, or no token, is U+FFFD."""
    read = finished(tokens)
    unknown = np.flatnonzero(read >= tokenizer.size)
    parts = [part[part < tokenizer.size] for part in np.split(read, unknown)]
    return _UNREADABLE.join(map(tokenizer.decode, parts)).decode(errors="replace")


def midi_of(remi: Remi, tokens: np.ndarray) -> bytes:
    """The MIDI file of tokens (n,); what is no token is passed over."""
    return remi.decode(_known(remi, tokens))


def music_of(remi: Remi, tokens: np.ndarray) -> Music:
    """The notes and bars of tokens (n,); what is no token is passed over."""
    return heard(remi, _known(remi, tokens))


def _known(remi: Remi, tokens: np.ndarray) -> np.ndarray:
    read = finished(tokens)
    return read[read < remi.size]
