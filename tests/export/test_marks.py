"""Marks in files of samples: their own readers find them, the content stays, and the bytes are the same twice."""

import json
import wave
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from symusic import Note, Score, Track

from gendsl.export.chain import Origin
from gendsl.export.marks import SOURCE_TYPE, beside, marked, record, sentence
from gendsl.frozen import replace
from gendsl.run.pictures import png

ORIGIN = Origin("small", "1.2", 30, *("a" * 64, "b" * 64, "c" * 64, "d" * 64, "e" * 64), drawn="seed 3")
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"


def test_a_png_has_text_and_xmp_and_its_pixels() -> None:
    pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    content = marked("000.png", png(pixels), ORIGIN)
    image = Image.open(BytesIO(content))
    image.load()
    assert (np.asarray(image) == pixels).all()
    assert image.info["Comment"] == sentence(ORIGIN) and sentence(ORIGIN).startswith("AI-generated: ")
    assert json.loads(image.info["gendsl"]) == record(ORIGIN)
    packet = ElementTree.fromstring(image.info["XML:com.adobe.xmp"])
    assert [found.text for found in packet.iter(f"{IPTC}DigitalSourceType")] == [SOURCE_TYPE]
    assert ORIGIN.head in str(next(packet.iter(f"{IPTC}AISystemVersionUsed")).text)
    assert marked("000.png", png(pixels), replace(ORIGIN)) == content


def test_a_name_with_markup_breaks_no_packet() -> None:
    origin = replace(ORIGIN, experiment='a<b>&"\x00\ud800')
    image = Image.open(BytesIO(marked("a.png", png(np.zeros((2, 2, 1), np.uint8)), origin)))
    image.load()
    packet = ElementTree.fromstring(image.info["XML:com.adobe.xmp"])
    assert next(packet.iter(f"{IPTC}AISystemUsed")).text == 'gendsl experiment a<b>&"??'


def test_midi_plays_the_same_and_tells_it(tmp_path: Path) -> None:
    score = Score(480)
    track = Track("piano")
    track.notes.append(Note(0, 480, 60, 90))
    score.tracks.append(track)
    plain = score.dumps_midi()
    content = marked("000.mid", plain, ORIGIN)
    (tmp_path / "000.mid").write_bytes(content)
    read = Score(tmp_path / "000.mid")
    assert [(note.time, note.duration, note.pitch) for one in read.tracks for note in one.notes] == [(0, 480, 60)]
    assert content.count(b"\xff\x01") == plain.count(b"\xff\x01") + 2
    assert (
        sentence(ORIGIN).encode() in content and json.dumps(record(ORIGIN), separators=(",", ":")).encode() in content
    )


def test_a_wav_sounds_the_same_and_has_info() -> None:
    stream = BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(100)))
    content = marked("000.wav", stream.getvalue(), ORIGIN)
    with wave.open(BytesIO(content)) as file:
        assert file.readframes(50) == bytes(range(100))
    assert int.from_bytes(content[4:8], "little") == len(content) - 8 and len(content) % 2 == 0
    assert b"LIST" in content and b"INFOICMT" in content and SOURCE_TYPE.encode() in content


def test_what_has_no_room_is_marked_from_beside() -> None:
    assert marked("samples.csv", b"a,b\n", ORIGIN) == b"a,b\n"
    found = beside("samples.csv", ORIGIN)
    assert found is not None and found[0] == "samples.csv-metadata.json"
    table = json.loads(found[1])
    assert table["@context"] == "http://www.w3.org/ns/csvw" and table["url"] == "samples.csv"
    assert table["http://iptc.org/std/Iptc4xmpExt/2008-02-29/DigitalSourceType"] == {"@id": SOURCE_TYPE}
    for name in ("000.txt", "samples.jsonl", "samples.npy"):
        told = beside(name, ORIGIN)
        assert told is not None and told[0] == "origin.json"
        assert json.loads(told[1])["digital_source_type"] == SOURCE_TYPE
    assert beside("000.png", ORIGIN) is None


@pytest.mark.parametrize("name", ["a.png", "a.mid", "a.wav"])
def test_a_content_of_another_kind_stays(name: str) -> None:
    assert marked(name, b"not that", ORIGIN) == b"not that"
