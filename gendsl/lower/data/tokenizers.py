"""A tokenizer's call and the training text in, what cuts text into tokens and joins tokens to text out.

All are learned from the training text alone and in the same way each time, so that a run that goes on learns the same
one. `record` is what a tokenizer is rebuilt from; it is kept in the run's data.json.
"""

import base64
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call

_CHUNK = 1 << 16  # characters that are cut into tokens at once
_CODES = 0x110000  # of Unicode
_TEXT_EXTRA = "pip install 'gendsl[text]'"


class Tokenizer(ABC):
    """Text and tokens: `size` is how many different tokens there are, `unknown` the one for what it does not know. With
    `any_bytes` it reads what is no text too, and its tokens are the same wherever that is cut. A token stands for about
    `bytes_each` or more.
    """

    size: int
    unknown: int | None = None
    any_bytes = False
    bytes_each = 2

    @abstractmethod
    def encode(self, data: bytes) -> np.ndarray:
        """The tokens (n,) of a text in UTF-8, from 0 to size - 1."""

    @abstractmethod
    def decode(self, tokens: np.ndarray) -> bytes:
        """The text of tokens (n,): in UTF-8, but where a character was cut."""

    def shown(self, token: int) -> str:
        """A token for people: its text, what is no text as `\\xc3`."""
        return self.decode(np.array([token])).decode(errors="backslashreplace")

    @abstractmethod
    def pieces(self) -> list[bytes]:
        """The bytes that each token stands for, in their order: a text is those of its tokens one behind the other."""

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """What it is rebuilt from by `tokenizer_from`, as JSON data."""


class Bytes(Tokenizer):
    """Each byte is a token."""

    size = 256
    any_bytes = True
    bytes_each = 1

    def encode(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, np.uint8)

    def decode(self, tokens: np.ndarray) -> bytes:
        return bytes(np.asarray(tokens).astype(np.uint8))

    def pieces(self) -> list[bytes]:
        return [bytes([number]) for number in range(self.size)]

    def record(self) -> dict[str, Any]:
        return {"word": "bytes"}


class Characters(Tokenizer):
    """Each character of an alphabet is a token from 1 on, in the order of Unicode; 0 stands for any other."""

    unknown = 0
    bytes_each = 1

    def __init__(self, alphabet: str, lowercase: bool) -> None:
        self._codes = np.frombuffer(alphabet.encode("utf-32-le"), np.uint32)
        self._alphabet, self._lowercase = alphabet, lowercase
        self.size = 1 + len(self._codes)
        self._tokens = np.zeros(_CODES, np.int32)  # by code
        self._tokens[self._codes] = np.arange(1, self.size)

    def encode(self, data: bytes) -> np.ndarray:
        found: np.ndarray = self._tokens[_codes(data, self._lowercase)]
        return found

    def decode(self, tokens: np.ndarray) -> bytes:
        codes = np.concatenate([[0xFFFD], self._codes]).astype("<u4")
        return bytes(codes[np.asarray(tokens)].view(np.uint8)).decode("utf-32-le").encode()

    def pieces(self) -> list[bytes]:
        return ["\N{REPLACEMENT CHARACTER}".encode(), *(character.encode() for character in self._alphabet)]

    def record(self) -> dict[str, Any]:
        return {"word": "characters", "alphabet": self._alphabet, "lowercase": self._lowercase}


class Pairs(Tokenizer):
    """Byte-pair encoding by the library tokenizers: `model` is its JSON."""

    def __init__(self, model: str) -> None:
        self._model, self._tokenizer = model, _library("tokenizers", "bpe").Tokenizer.from_str(model)
        self.size = self._tokenizer.get_vocab_size()

    def encode(self, data: bytes) -> np.ndarray:
        found = self._tokenizer.encode_batch_fast(list(_chunks(data.decode())))
        return np.concatenate([np.zeros(0, np.int32), *(np.asarray(one.ids, np.int32) for one in found)])

    def decode(self, tokens: np.ndarray) -> bytes:
        text: str = self._tokenizer.decode(np.asarray(tokens).tolist())
        return text.encode()

    def pieces(self) -> list[bytes]:
        # Radford et al. 2019: a byte that is printed stands for itself, the others for characters from 256 on.
        shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        others = [byte for byte in range(256) if byte not in shown]
        of = {chr(byte): byte for byte in shown} | {chr(256 + place): byte for place, byte in enumerate(others)}
        return [bytes(of[one] for one in self._tokenizer.id_to_token(token)) for token in range(self.size)]

    def record(self) -> dict[str, Any]:
        return {"word": "bpe", "model": self._model}


class Pieces(Tokenizer):
    """A model of sentencepiece: `model` is its file."""

    def __init__(self, model: bytes) -> None:
        library = _library("sentencepiece", "sentencepiece")
        self._model, self._processor = model, library.SentencePieceProcessor(model_proto=model)
        self.size = self._processor.get_piece_size()
        self.unknown = self._processor.unk_id()

    def encode(self, data: bytes) -> np.ndarray:
        # line by line: the library's search is slow on a long text, and no piece goes over the end of a line
        lines = data.decode().splitlines(keepends=True)
        found = self._processor.encode(lines, out_type=int)
        return np.concatenate([np.zeros(0, np.int32), *(np.asarray(ids, np.int32) for ids in found)])

    def decode(self, tokens: np.ndarray) -> bytes:
        text: str = self._processor.decode(np.asarray(tokens).tolist())
        return text.encode()

    def pieces(self) -> list[bytes]:
        return [
            bytes([int(piece[1:-1], 16)])
            if self._processor.is_byte(token)
            else b""
            if self._processor.is_control(token)
            else piece.replace("\N{LOWER ONE EIGHTH BLOCK}", " ").encode()
            for token, piece in ((token, self._processor.id_to_piece(token)) for token in range(self.size))
        ]

    def record(self) -> dict[str, Any]:
        return {"word": "sentencepiece", "model": base64.b64encode(self._model).decode()}


def tokenizer_of(call: Call, texts: Iterable[bytes], model: bytes | None = None) -> Tokenizer:
    """The tokenizer that a call asks for, learned from training texts in UTF-8, or read from the content of a `file:`.
    The texts are gone through once.

    DataError where the text supports no vocabulary of that size, or a library is not installed.
    """
    arguments = call.arguments
    match call.word:
        case "bytes":
            return Bytes()
        case "characters":
            return _characters(texts, bool(arguments.get("lowercase")))
        case "bpe":
            return _pairs(texts, int(arguments["vocabulary"]))
        case "sentencepiece" if model is not None:
            return _read_pieces(model, str(arguments["file"]))
        case "sentencepiece":
            return _pieces(texts, int(arguments["vocabulary"]))
        case word:
            raise DataError(f"`{word}` does not cut text into tokens", "use `tokenizer: bytes()`")


def tokenizer_from(record: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer of a record. DataError where its library is not installed."""
    match record["word"]:
        case "bytes":
            return Bytes()
        case "characters":
            return Characters(record["alphabet"], record["lowercase"])
        case "bpe":
            return Pairs(record["model"])
        case "sentencepiece":
            return Pieces(base64.b64decode(record["model"]))
        case word:
            raise ValueError(f"no tokenizer of text: {word}")


def _characters(texts: Iterable[bytes], lowercase: bool) -> Characters:
    there = np.zeros(_CODES, bool)
    for text in texts:
        there[_codes(text, lowercase)] = True
    return Characters(np.flatnonzero(there).astype("<u4").tobytes().decode("utf-32-le"), lowercase)


def _codes(data: bytes, lowercase: bool) -> np.ndarray:
    text = data.decode()
    return np.frombuffer((text.lower() if lowercase else text).encode("utf-32-le"), np.uint32)


def _pairs(texts: Iterable[bytes], vocabulary: int) -> Pairs:
    """Pieces of GPT-2's pattern, merged from their bytes: nothing is unknown, and every text comes back as it was."""
    library = _library("tokenizers", "bpe")
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator((chunk for text in texts for chunk in _chunks(text.decode())), trainer)
    _supported("bpe", vocabulary, tokenizer.get_vocab_size())
    return Pairs(tokenizer.to_str())


def _chunks(text: str) -> Iterator[str]:
    """Parts of a text, cut between a word and the white space behind it: there GPT-2's pattern cuts in any case."""
    start = 0
    for found in re.finditer(r"(?<=\S)(?=\s)", text):
        if found.start() >= start + _CHUNK:
            yield text[start : found.start()]
            start = found.start()
    if start < len(text):
        yield text[start:]


def _pieces(texts: Iterable[bytes], vocabulary: int) -> Pieces:
    """A unigram model that leaves white space as it is; what no piece covers is spelled in bytes, so all comes back."""
    library = _library("sentencepiece", "sentencepiece")
    model = io.BytesIO()
    try:
        library.SentencePieceTrainer.train(
            sentence_iterator=(line for text in texts for line in text.decode().splitlines() if line),
            model_writer=model,
            vocab_size=vocabulary,
            model_type="unigram",
            character_coverage=1.0,
            byte_fallback=True,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            add_dummy_prefix=False,
            bos_id=-1,
            eos_id=-1,
            max_sentence_length=1 << 24,
            num_threads=4,  # on every machine: their number decides the order of sums, and so the pieces
            minloglevel=3,
        )
    except (RuntimeError, OSError, ValueError) as error:
        most = re.search(r"value <= (\d+)", str(error))
        if most is not None:
            _supported("sentencepiece", vocabulary, int(most[1]))
        least = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
        if least is not None:
            raise DataError(
                f"`sentencepiece({vocabulary})` is too small: the bytes and the characters of the training text are "
                f"{least[1]} tokens already",
                f"write more than {least[1]}, or `tokenizer: bytes()`",
            ) from None
        raise DataError(f"sentencepiece cannot learn from the training text: {error}", "give it more text") from error
    return Pieces(model.getvalue())


def _read_pieces(model: bytes, shown: str) -> Pieces:
    try:
        return Pieces(model)
    except RuntimeError as error:
        raise DataError(f'"{shown}" is no model of sentencepiece', "name a `.model` that it has trained") from error


def _supported(word: str, vocabulary: int, most: int) -> None:
    if most < vocabulary:
        raise DataError(
            f"`{word}({vocabulary})` asks for more tokens than the training text supports: it has {most:,}",
            f"write `{word}({most})` or less, or give it more text",
        )


def _library(name: str, word: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(f"`{word}` needs the package {name}, which is not installed", _TEXT_EXTRA) from error
