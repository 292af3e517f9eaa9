"""The first bytes of a picture in, its height, width and channels out: PNG, JPEG, GIF, BMP and WebP, read by hand."""

import os
from collections.abc import Sequence

from gendsl.check.headers.paths import Refused, regular

_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_TURNED = frozenset((5, 6, 7, 8))  # EXIF orientations that swap height and width
_TRIED = 16
MOST_PIXELS = 1 << 26  # of one picture (8192x8192): a small file can decode to far more memory than there is
ENOUGH = 1 << 18  # JPEGs may carry a thumbnail and a colour profile before their size


def size_of(path: str, shown: str) -> tuple[int, int, int]:
    """Height, width and channels of the picture at `path`, as a viewer shows it; `Refused` names it as `shown`.

    A palette counts as three channels, CMYK as three (it is converted).
    """
    try:
        with open(path, "rb", opener=regular) as file:
            head = file.read(ENOUGH)
    except OSError as error:
        raise Refused(f'"{shown}" cannot be read: {error.strerror}', "make it readable, or narrow the glob") from error
    found = size_in(head)
    if found is None:
        raise Refused(
            f'"{shown}" is not a PNG, JPEG, GIF, BMP or WebP picture, or is damaged',
            "remove or repair the file, or narrow the glob",
        )
    return found


def first_size(root: str, paths: Sequence[str]) -> tuple[int, int, int]:
    """The size of the first picture; the few before it that are damaged or too large are left out when they are loaded.

    `Refused` speaks of the very first file where there is none among them."""
    first = None
    for path in paths[:_TRIED]:
        try:
            size = size_of(os.path.join(root, path), path)
        except Refused as refused:
            first = first or refused
            continue
        if size[0] * size[1] <= MOST_PIXELS:
            return size
        pixels = f"{size[0]}x{size[1]} pixels"
        first = first or Refused(f'"{path}" has {pixels}, more than are decoded', "remove it, or narrow the glob")
    assert first is not None
    raise first


def size_in(head: bytes) -> tuple[int, int, int] | None:
    """Height, width and channels of the picture whose first bytes these are; None where it is none."""
    try:
        found = _size(head)
    except IndexError:
        return None
    return None if found is None or min(found) < 1 else found


def _size(head: bytes) -> tuple[int, int, int] | None:
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and len(head) >= 26:
        size = _big(head, 20, 4), _big(head, 16, 4), _PNG_CHANNELS.get(head[25], 0)
        return _as_shown(size, _chunk(head, 8, b"eXIf", big=True))
    if head[:3] == b"\xff\xd8\xff":
        return _jpeg(head)
    if head[:6] in (b"GIF87a", b"GIF89a") and len(head) >= 10:
        return _little(head, 8, 2), _little(head, 6, 2), 3
    if head[:2] == b"BM" and len(head) >= 30:
        return _bmp(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) >= 30:
        webp = _webp(head)
        return None if webp is None else _as_shown(webp, _chunk(head, 12, b"EXIF", big=False))
    return None


def _chunk(head: bytes, place: int, name: bytes, *, big: bool) -> bytes:
    """The data of the first chunk of a name, or nothing. A PNG's have a length, a name, data and a checksum, a WebP's a
    name, a length and data."""
    while place + 8 <= len(head):
        if big:
            found, length, rest = head[place + 4 : place + 8], _big(head, place, 4), 4
        else:
            found, length = head[place : place + 4], _little(head, place + 4, 4)
            rest = length & 1  # data is padded to an even length
        if found == name:
            return head[place + 8 : place + 8 + length]
        place += 8 + length + rest
    return b""


def _as_shown(size: tuple[int, int, int], exif: bytes) -> tuple[int, int, int]:
    """A size as EXIF turns it."""
    height, width, channels = size
    return (width, height, channels) if _orientation(exif.removeprefix(b"Exif\0\0")) in _TURNED else size


def _jpeg(head: bytes) -> tuple[int, int, int] | None:
    position, exif = 2, b""
    while position + 9 < len(head):
        if head[position] != 0xFF:
            return None
        marker = head[position + 1]
        if marker == 0xFF:  # fill bytes before a marker
            position += 1
            continue
        length = _big(head, position + 2, 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = _big(head, position + 5, 2), _big(head, position + 7, 2), 1 if head[position + 9] == 1 else 3
            return _as_shown(size, exif)
        if marker == 0xE1 and head[position + 4 : position + 10] == b"Exif\0\0":
            exif = head[position + 4 : position + 2 + length]
        position += 2 + length
    return None


def _orientation(exif: bytes) -> int:
    """The orientation in a TIFF header's first directory (EXIF 2.32, table 4: tag 0x0112); 1 if there is none."""
    if exif[:2] not in (b"II", b"MM") or len(exif) < 8:
        return 1
    number = _little if exif[:2] == b"II" else _big
    start = number(exif, 4, 4)
    if start + 2 > len(exif):
        return 1
    for entry in range(number(exif, start, 2)):
        place = start + 2 + 12 * entry
        if place + 12 > len(exif):
            return 1
        if number(exif, place, 2) == 0x0112:
            return number(exif, place + 8, 2)
    return 1


def _bmp(head: bytes) -> tuple[int, int, int]:
    if _little(head, 14, 4) == 12:  # the OS/2 header, with sizes of two bytes
        return _little(head, 20, 2), _little(head, 18, 2), 3
    height = int.from_bytes(head[22:26], "little", signed=True)  # negative: rows from the top
    return abs(height), _little(head, 18, 4), 3


def _webp(head: bytes) -> tuple[int, int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        return _little(head, 27, 3) + 1, _little(head, 24, 3) + 1, 4 if head[20] & 0x10 else 3
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = _little(head, 21, 4)
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1, 4 if bits >> 28 & 1 else 3
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        return _little(head, 28, 2) & 0x3FFF, _little(head, 26, 2) & 0x3FFF, 3
    return None


def _big(data: bytes, start: int, length: int) -> int:
    return int.from_bytes(data[start : start + length], "big")


def _little(data: bytes, start: int, length: int) -> int:
    return int.from_bytes(data[start : start + length], "little")
