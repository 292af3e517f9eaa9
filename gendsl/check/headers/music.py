"""The bytes of a standard MIDI file in, whether it holds a note out: only as much of them is looked at as it takes.

Source: MIDI Manufacturers Association, Standard MIDI Files 1.0 (chunks, delta times, running status).
"""

from gendsl.check.headers.paths import regular

_LONGEST = 1 << 20  # bytes of a file that are looked at; what is longer holds music
_DATA_BYTES = {0xC: 1, 0xD: 1}  # of a channel's messages; two of all others


def has_notes(data: bytes) -> bool | None:
    """Whether a file's bytes hold a note that is struck; None where they are no MIDI file, or not to its end."""
    if data[:4] != b"MThd" or len(data) < 14:
        return None
    place = 8 + int.from_bytes(data[4:8], "big")
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
        place += 8
        if place + size > len(data):
            return None
        if kind == b"MTrk":
            try:
                if _struck(data[place : place + size]):
                    return True
            except IndexError:
                return None
        place += size
    return False


def silent(places: list[str]) -> bool:
    """Whether none of some files holds a note, as far as they are MIDI files at all; one that cannot be read may."""
    for place in places:
        with open(place, "rb", opener=regular) as file:
            data = file.read(_LONGEST)
        if len(data) == _LONGEST or has_notes(data) is not False:
            return False
    return True


def _struck(track: bytes) -> bool:
    """Whether a track strikes a note: a note-on whose velocity is not 0. IndexError where an event is cut off."""
    place = status = 0
    while place < len(track):
        _, place = _number(track, place)
        if track[place] >= 0x80:
            status = track[place]
            place += 1
        if status == 0xFF:  # a meta event
            size, place = _number(track, place + 1)
            place += size
        elif status in (0xF0, 0xF7):  # a system's own
            size, place = _number(track, place)
            place += size
        elif status >> 4 == 0x9 and track[place + 1]:
            return True
        elif status >= 0x80:
            place += _DATA_BYTES.get(status >> 4, 2)
        else:
            raise IndexError
    return False


def _number(track: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, seven bits a byte, and the place behind it."""
    value = 0
    for _ in range(4):
        byte = track[place]
        place += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, place
