"""The parts of text files in, their bytes laid end to end out: checked as UTF-8, in memory or a scratch file; and
passages of them, to be made tokens one after the other, however large the text is."""

import codecs
import re
from collections.abc import Iterable, Iterator

import numpy as np

from gendsl.lower.data.files import Unused
from gendsl.lower.data.store import Store, let_go
from gendsl.lower.errors import DataError

_PASSAGE = 1 << 20  # bytes; its tokens, as a library gives them, take some hundred times as much as in the column
_LOOK = 1 << 14  # bytes that are searched at once for a seam

# Where text may be cut so that its tokens stay as they are, the best first: behind a line that no white space ends and
# none follows, where the pieces of GPT-2's pattern, the lines of sentencepiece and the context of a capital sigma all
# end; between a word and white space; and where there is none of it, between any two characters.
_SEAMS = (re.compile(r"(?<=\S)\n(?=\S)"), re.compile(r"(?<=\S)(?=\s)"))


class Corpus:
    """Takes the content of files of `size` bytes in all; `cache` is that of `data`, `what` names the source."""

    def __init__(self, size: int, *, what: str, cache: bool | None) -> None:
        self._store = Store(size, (), np.uint8, what=what, cache=cache, unit="bytes of text")
        self._count = 0

    def take(self, path: str, parts: Iterable[bytes], *, utf8: bool, leave_out: bool) -> tuple[int, int]:
        """Appends the content of a file, and gives its bounds. With `utf8`, what is no such text is refused with its
        place, or raises Unused if it is to be left out."""
        first, lines, decoder = self._count, 1, codecs.getincrementaldecoder("utf-8")()
        for part in _and_an_end(parts):
            pending = decoder.getstate()[0]
            try:
                if utf8:
                    decoder.decode(part, final=not part)
            except UnicodeDecodeError as error:
                place = self._count - first - len(pending) + error.start
                lines += (pending + part).count(b"\n", 0, error.start)
                self.undo((first, self._count))
                if leave_out:
                    raise Unused("damaged") from None
                _refuse(path, place, lines, (pending + part)[error.start])
            lines += part.count(b"\n")
            self._store.add(np.frombuffer(part, np.uint8))
            self._count += len(part)
        return first, self._count

    def undo(self, bounds: tuple[int, int]) -> None:
        """Forgets the file that was taken last."""
        self._count = bounds[0]
        self._store.cut(self._count)

    def column(self) -> np.ndarray:
        """All bytes (n,) uint8; a `np.memmap` where they lie in a file."""
        return self._store.column()


def passages(text: np.ndarray, *, anywhere: bool = False) -> Iterator[bytes]:
    """A text (n,) uint8 in parts of about a MiB, cut where its tokens end in any case; without care if `anywhere`.

    What was read of a scratch file is let go."""
    start = 0
    while start < len(text):
        end = min(start + _PASSAGE, len(text))
        if end < len(text) and not anywhere:
            end = _seam(text, start, end)
        yield text[start:end].tobytes()
        let_go(text)
        start = end


def _seam(text: np.ndarray, start: int, end: int) -> int:
    """The last of the best places up to `end`, and behind `start`, to cut a text in UTF-8."""
    end = _whole(text, end)
    for seam in _SEAMS:
        for high in range(end, start, -_LOOK):
            low = _whole(text, max(start, high - _LOOK - 8))  # a seam is known by the characters on both sides
            shown = text[low : _whole(text, high)].tobytes().decode()
            places = [found.end() for found in seam.finditer(shown)]
            if places:
                return low + len(shown[: places[-1]].encode())
    return end


def _whole(text: np.ndarray, place: int) -> int:
    """The last place up to this one where a character begins."""
    while 0 < place < len(text) and text[place] & 0xC0 == 0x80:
        place -= 1
    return place


def _and_an_end(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Parts, and a last empty one: there a character that was cut off shows."""
    yield from (part for part in parts if part)
    yield b""


def _refuse(path: str, place: int, line: int, wrong: int) -> None:
    raise DataError(
        f'"{path}" is not UTF-8: byte {place:,} (line {line:,}) is 0x{wrong:02X}',
        "convert the file (`iconv -f latin1 -t utf-8`), leave such files out with `curate { drop corrupt }`, or read "
        "them as they are with `tokenizer: bytes()`",
    )
