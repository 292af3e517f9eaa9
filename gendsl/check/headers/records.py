"""A TFRecord file in, its records and what the first of them says out: the format and its protobuf, read by hand.

A record is its length (8 bytes), the length's checksum (4), the data, and the data's checksum (4); it holds a
`tf.train.Example`: a message of field 1, of entries 1, of a name 1 and a feature 2, of a list of bytes 1 or of whole
numbers 3. Source: https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from gendsl.check.headers.paths import Refused, regular
from gendsl.check.headers.pictures import ENOUGH, size_in

_GZIP = b"\x1f\x8b\x08"
_LARGEST = 1 << 26  # bytes of the first record that are read
_LONGEST = 1 << 31  # of a record that is gzipped
_LISTS = {1: "texts", 2: "numbers", 3: "whole numbers"}


def is_packed(place: str) -> bool:
    """Whether a file is gzipped."""
    with open(place, "rb", opener=regular) as file:
        return file.read(3) == _GZIP


def count_of(place: str) -> int:
    """How many records there are, by their lengths, up to where a file is damaged."""
    count = 0
    with suppress(EOFError, OSError, zlib.error), _opened(place) as file:
        end = None if is_packed(place) else os.path.getsize(place)
        while len(head := file.read(12)) == 12:
            length = int.from_bytes(head[:8], "little") + 4
            if length > (_LONGEST if end is None else end - file.tell()):
                break
            file.seek(length, os.SEEK_CUR)
            count += 1
    return count


def size_of(place: str, shown: str, image: str, label: str | None) -> tuple[int, int, int]:
    """Height, width and channels of the first picture; `Refused` names the file as `shown`."""
    again = "check that it is what its name says, or fetch it again"
    try:
        with _opened(place) as file:
            head = file.read(12)
            record = file.read(min(int.from_bytes(head[:8], "little"), _LARGEST))
        features = dict(_features(record))
    except (IndexError, KeyError, ValueError, EOFError, zlib.error, OSError) as error:
        raise Refused(f'"{shown}" is no TFRecord file of `tf.train.Example`s, or is damaged', again) from error
    if not features:
        raise Refused(f'"{shown}" is no TFRecord file of `tf.train.Example`s, or is empty', again)
    for name in (image, label):
        if name is not None and name not in features:
            told = ", ".join(f"`{there}`" for there in features)
            raise Refused(f'the examples of "{shown}" have no feature `{name}`', f"they have {told}: name one of them")
    kind, data = features[image]
    size = size_in(data[:ENOUGH]) if kind == "texts" else None
    if size is None:
        raise Refused(
            f'`{image}` of "{shown}" is not an encoded picture',
            "write PNG or JPEG files into it, as `tf.io.encode_png` makes them",
        )
    return size


def _opened(place: str) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(place) if is_packed(place) else open(place, "rb", opener=regular)


def _features(record: bytes) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """The features by name: what their list is of, and its first item as bytes."""
    for number, whole in _fields(record):
        for entry in (entry for field, entry in _fields(whole) if number == 1 and field == 1):
            parts = dict(_fields(entry))
            for kind, items in _fields(parts.get(2, b"")):
                first = next((item for field, item in _fields(items) if field == 1), b"")
                yield parts[1].decode(), (_LISTS[kind], first)


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protobuf message by number; those that are no bytes as nothing. Raises IndexError, ValueError."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        match tag & 7:
            case 0:
                _, place = _varint(message, place)
                yield tag >> 3, b""
            case 1 | 5:
                place += 8 if tag & 7 == 1 else 4
                yield tag >> 3, b""
            case 2:
                length, place = _varint(message, place)
                yield tag >> 3, message[place : place + length]
                place += length
            case _:
                raise ValueError("no protobuf")


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
        if shift > 63:
            raise ValueError("no protobuf")
