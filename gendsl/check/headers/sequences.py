"""The arguments of a source of text, music or sound in, what is known before it is loaded out: vocabulary, length."""

import os

from gendsl.check.headers.paths import Refused, files, inside, regular
from gendsl.plan.plan import Call

WINDOW_SECONDS, HOP_SECONDS = 0.064, 0.016  # of a spectrogram
_READS = {"text": ("bytes", "characters", "bpe", "sentencepiece"), "midi": ("remi",)}
_PIECES_FIELD = 1  # of sentencepiece's ModelProto
_READ_IN_PASSING = 1 << 24  # bytes of text whose characters are counted when a spec is checked: a quarter of a second


def vocabulary_of(source: str, tokenizer: Call | None, folder: str) -> int | None:
    """How many different tokens there are; None where only the text, or a file that is not there, says it."""
    if tokenizer is None:
        return 256 if source == "text" else None
    if tokenizer.word == "bytes":
        return 256
    path = tokenizer.arguments.get("file")
    if path is not None:
        place = inside(folder, str(path))
        if not os.path.isfile(place):
            raise Refused(f'there is no file "{path}"', f"looked for {place}")
        with open(place, "rb", opener=regular) as file:
            return _pieces_in(file.read(), str(path))
    vocabulary = tokenizer.arguments.get("vocabulary")
    return vocabulary if isinstance(vocabulary, int) else None


def refuse_other_tokenizer(source: str, tokenizer: Call | None) -> None:
    """`Refused` where a source's tokenizer is missing, or reads something else."""
    if tokenizer is None and source == "midi":
        raise Refused("`midi` does not say how it is cut into tokens", "add `tokenizer: remi(vocabulary: 512)`")
    if tokenizer is not None and tokenizer.word not in _READS[source]:
        other = next(name for name, words in _READS.items() if tokenizer.word in words)
        raise Refused(
            f"`{tokenizer.word}` does not read `{source}`",
            f"it reads `{other}`; `{source}` is read by {', '.join(f'`{word}`' for word in _READS[source])}",
        )


def refuse_small_text(tokenizer: Call | None, size: int) -> None:
    """`Refused` where byte-pair encoding would need more merges than the text has bytes: each removes at least one."""
    vocabulary = tokenizer.arguments["vocabulary"] if tokenizer is not None and tokenizer.word == "bpe" else 0
    if isinstance(vocabulary, int) and vocabulary - 256 >= size:
        raise Refused(
            f"`bpe({vocabulary})` asks for more tokens than the {size:,} bytes of text support",
            "write a smaller vocabulary, or give it more text",
        )


def characters_in(places: list[str], size: int, *, lowercase: bool) -> int | None:
    """How many different characters files hold, and one for any other; None where `alphabet_of` knows none."""
    found = alphabet_of(places, size, lowercase=lowercase)
    return None if found is None else 1 + len(found)


def characters_of(source: Call, folder: str) -> set[str] | None:
    """The characters of the files of a source of text that is cut into characters; None where that is not known."""
    try:
        root = os.path.realpath(folder or ".")
        places = [os.path.join(root, path) for path in files(folder, str(source.arguments["glob"]))]
        size = sum(os.path.getsize(place) for place in places)
        return alphabet_of(places, size, lowercase=bool(source.arguments["tokenizer"].arguments.get("lowercase")))
    except (OSError, Refused):
        return None  # told where the data is checked


def alphabet_of(places: list[str], size: int, *, lowercase: bool) -> set[str] | None:
    """The different characters of files of a size; None where they are too large to be read in passing, or not UTF-8,
    or where there are none."""
    if size > _READ_IN_PASSING or not places:
        return None
    found: set[str] = set()
    for place in places:
        with open(place, "rb", opener=regular) as file:
            try:
                text = file.read().decode()
            except UnicodeDecodeError:
                return None
        found.update(text.lower() if lowercase else text)
    return found


def most_tokens(tokenizer: Call | None, size: int) -> int | None:
    """The most tokens that a file of a size can have; None where a tokenizer adds some of its own."""
    return size if tokenizer is None or tokenizer.word in ("bytes", "characters", "bpe") else None


def sound_shape(rate: int, seconds: float, mel: int | None) -> tuple[int | None, ...]:
    """(samples,) of an example, or (bands, frames, 1) of its spectrogram."""
    samples = max(1, round(rate * seconds))
    return (samples,) if mel is None else (mel, 1 + samples // spectrogram_hop(rate), 1)


def spectrogram_hop(rate: int) -> int:
    """Samples from one window of a spectrogram to the next."""
    return max(1, round(rate * HOP_SECONDS))


def _pieces_in(data: bytes, shown: str) -> int:
    """How many pieces a model of sentencepiece has: a message of protobuf, of which each is a field."""
    place = count = 0
    try:
        while place < len(data):
            key, place = _number(data, place)
            match key & 7:
                case 0:
                    _, place = _number(data, place)
                case 1:
                    place += 8
                case 2:
                    length, place = _number(data, place)
                    place += length
                case 5:
                    place += 4
                case _:
                    raise IndexError
            count += key >> 3 == _PIECES_FIELD
        if place != len(data) or not count:
            raise IndexError
    except IndexError:
        raise Refused(f'"{shown}" is no model of sentencepiece', "name a `.model` that it has trained") from None
    return count


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of protobuf, seven bits a byte, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise IndexError
