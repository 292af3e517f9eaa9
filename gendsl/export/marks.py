"""A file of samples and where it came from in, the same file that says so out: that a model made it, and which.

Each kind of file is marked where its own readers look, or pass over what they do not know; a kind without such a place
gets a file beside it. The bytes are a function of the content and the origin. A mark protects nothing: whoever wants to
takes it out.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

from gendsl.export.chain import Origin

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"  # IPTC's: by a trained model
_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_BESIDE = "origin.json"
_PNG_HEAD = 8 + 4 + 4 + 13 + 4  # the signature and IHDR, which has to come first
_REMEMBERED = 8  # origins: the files of a run's samples have one, and each call of a server has its own
_WITHOUT_ROOM = (".txt", ".jsonl", ".npy")


def marked(name: str, content: bytes, origin: Origin) -> bytes:
    """A file's content with the mark in it: PNG, MIDI and WAV, by the ending of its name; any other as it is. Parquet
    takes `texts` as it is written.

    A content that is not of the kind that its name tells stays as it is too."""
    if name.endswith(".png") and content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content[:_PNG_HEAD] + _png_chunks(origin) + content[_PNG_HEAD:]
    if name.endswith(".mid") and content.startswith(b"MThd"):
        return _in_midi(content, origin)
    if name.endswith(".wav") and content.startswith(b"RIFF"):
        listed = _info(origin)
        size = struct.pack("<I", len(content) - 8 + len(listed))
        return content[:4] + size + content[8:] + listed
    return content


def beside(name: str, origin: Origin) -> tuple[str, bytes] | None:
    """The name and the content of the file that marks another one from beside it; None where the mark is inside.

    Of a CSV it is what the W3C's "Metadata Vocabulary for Tabular Data" looks for: `samples.csv-metadata.json`; texts,
    lists of tokens and arrays have one `origin.json` a folder."""
    if name.endswith(".csv"):
        table = {
            "@context": "http://www.w3.org/ns/csvw",
            "url": name,
            "dc:description": sentence(origin),
            "dc:creator": f"gendsl {origin.gendsl}",
            "dc:identifier": origin.head,
            f"{_EXTENSION}DigitalSourceType": {"@id": SOURCE_TYPE},
            "notes": [record(origin)],
        }
        return f"{name}-metadata.json", _json(table)
    if name.endswith(_WITHOUT_ROOM):
        return _BESIDE, _json({"description": sentence(origin), **record(origin)})
    return None


def sentence(origin: Origin) -> str:
    """What a person reads of a mark."""
    when = f"step {origin.step}" + (f", {origin.drawn}" if origin.drawn else "")
    return f"AI-generated: made by a model of the gendsl experiment {_plain(origin.experiment)} ({when})"


def record(origin: Origin) -> Mapping[str, Any]:
    """What a program reads of it: the kind of source, the model, and the hashes of what that was made from.

    `chain` is the hash of the chain up to the checkpoint, as an export's provenance.json has it."""
    return {
        "digital_source_type": SOURCE_TYPE,
        "experiment": _plain(origin.experiment),
        "step": origin.step,
        **({"drawn": origin.drawn} if origin.drawn else {}),
        "gendsl": origin.gendsl,
        "spec": origin.spec,
        "plan": origin.plan,
        "data": origin.data,
        "environment": origin.environment,
        "checkpoint": origin.checkpoint,
        "chain": origin.head,
    }


@lru_cache(_REMEMBERED)
def texts(origin: Origin) -> Mapping[str, str]:
    """The mark as names and texts, for kinds of files that hold such: PNG's text chunks, Parquet's metadata."""
    return {
        "Comment": sentence(origin),
        "Software": f"gendsl {origin.gendsl}",
        "DigitalSourceType": SOURCE_TYPE,
        "gendsl": json.dumps(record(origin), separators=(",", ":")),
    }


def xmp(origin: Origin) -> str:
    """An XMP packet (ISO 16684-1) with the properties of IPTC's Photo Metadata Standard 2025.1 for generated media."""
    properties = {
        "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPE,
        "Iptc4xmpExt:AISystemUsed": f"gendsl experiment {_plain(origin.experiment)}",
        "Iptc4xmpExt:AISystemVersionUsed": f"step {origin.step}, chain {origin.head}",
        "xmp:CreatorTool": f"gendsl {origin.gendsl}",
    }
    lines = "".join(f"<{name}>{escape(value)}</{name}>\n" for name, value in properties.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_EXTENSION}" xmlns:xmp="http://ns.adobe.com/xap/1.0/">\n'
        f"{lines}</rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    )


@lru_cache(_REMEMBERED)
def _png_chunks(origin: Origin) -> bytes:
    """International text chunks, which hold any text in UTF-8: the texts and the XMP packet (PNG 3, 11.3.3.4)."""
    named = {**texts(origin), "XML:com.adobe.xmp": xmp(origin)}
    return b"".join(_chunk(b"iTXt", name.encode() + bytes(5) + text.encode()) for name, text in named.items())


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _in_midi(content: bytes, origin: Origin) -> bytes:
    """Text events at the beginning of the first track."""
    first = content.find(b"MTrk", 8 + int.from_bytes(content[4:8], "big"))
    if first < 0:
        return content
    length = int.from_bytes(content[first + 4 : first + 8], "big")
    events = _text_event(sentence(origin)) + _text_event(texts(origin)["gendsl"])
    start = first + 8
    return content[: first + 4] + struct.pack(">I", length + len(events)) + events + content[start:]


def _text_event(text: str) -> bytes:
    """A text event at once: its length in groups of seven bits, the highest first."""
    told = text.encode()
    groups = [len(told) & 0x7F]
    while (rest := len(told) >> (7 * len(groups))) > 0:
        groups.append(rest & 0x7F | 0x80)
    return b"\x00\xff\x01" + bytes(reversed(groups)) + told


@lru_cache(_REMEMBERED)
def _info(origin: Origin) -> bytes:
    """The chunk LIST of RIFF with software and comment, each ended by a zero and padded to an even length."""
    told = {b"ICMT": f"{sentence(origin)} {texts(origin)['gendsl']}", b"ISFT": texts(origin)["Software"]}
    parts = b"INFO"
    for name, text in told.items():
        ended = text.encode() + b"\x00"
        parts += name + struct.pack("<I", len(ended)) + ended + bytes(len(ended) % 2)
    return b"LIST" + struct.pack("<I", len(parts)) + parts


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _plain(text: str) -> str:
    """A name without what no format holds: control characters, and halves of characters."""
    return "".join(one if one.isprintable() else "?" for one in text)
