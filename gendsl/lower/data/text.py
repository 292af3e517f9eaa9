"""A glob of text files in, loaded windows of tokens out: split, then cut into tokens, then into windows."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from gendsl.check.headers.paths import Refused, files
from gendsl.lower.data.loaded import Loaded, place_of
from gendsl.lower.data.sequences import cut, spans_of, statistics_of
from gendsl.lower.data.tokenizers import Tokenizer, tokenizer_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Call, Data

_BYTES = Call("bytes", {})
_FILE_RULES = ("corrupt", "duplicates")


def text(arguments: Mapping[str, Any], folder: str, data: Data, *, seed: int, place: str, **_: Any) -> Loaded:
    """The windows of the text files that match a glob, in the order of their paths; `place` names one of two sources.

    `curate { drop corrupt }` leaves out files that are not UTF-8, which are refused otherwise (but as bytes), `drop
    duplicates` those with the content of one before.
    """
    call = arguments.get("tokenizer") or _BYTES
    paths = matching(folder, str(arguments["glob"]), "text")
    content = read(folder, paths)
    kept, dropped, damaged = _kept(paths, content, data, folder, any_bytes=call.word == "bytes")
    texts = [content[path] for path in kept]
    spans = spans_of(texts, data.split, seed, place)
    pieces = {split: [texts[span.file][span.start : span.end] for span in every] for split, every in spans.items()}
    model = None
    if call.arguments.get("file") is not None:
        model = _file(folder, str(call.arguments["file"]))
    if not any(pieces["train"]):
        raise DataError("no text is left for training", "give `train` a larger share, or more text")
    tokenizer = tokenizer_of(call, pieces["train"], model)
    tokens = {split: [tokenizer.encode(piece) for piece in every] for split, every in pieces.items()}
    found = cut({split: [[one] for one in every] for split, every in tokens.items()}, data, vocabulary=tokenizer.size)
    if found.short:
        dropped["shorter than a window"] = found.short
    return Loaded(
        {"text": found.windows},
        digest_of_files(content),
        splits=found.rows,
        divided=True,
        dropped=dropped,
        damaged=damaged,
        vocabulary=tokenizer.size,
        details=_details(tokenizer, tokens, pieces, len(kept)),
    )


def _details(
    tokenizer: Tokenizer,
    tokens: Mapping[str, list[np.ndarray]],
    pieces: Mapping[str, list[bytes]],
    files: int,
) -> dict[str, Any]:
    told = statistics_of(tokens, vocabulary=tokenizer.size, unknown=tokenizer.unknown)
    for split, of_split in told.items():
        of_split["bytes"] = sum(map(len, pieces[split]))
        of_split["most_frequent"] = [[tokenizer.shown(token), count] for token, count in of_split["most_frequent"]]
    return {"files": files, "tokenizer": tokenizer.record(), "vocabulary": tokenizer.size, "tokens": told}


def matching(folder: str, pattern: str, what: str) -> list[str]:
    """The files that match a glob, relative to `folder`; DataError where there are none."""
    try:
        paths = list(files(folder, pattern))
    except Refused as refused:
        raise DataError(refused.message, refused.help) from None
    if not paths:
        raise DataError(
            f'no file matches "{pattern}" (looked in {os.path.join(os.path.realpath(folder or "."), pattern)})',
            f"put the {what} there, or check the folder and the ending; `**` matches folders of any depth",
        )
    return paths


def read(folder: str, paths: list[str]) -> dict[str, bytes]:
    """The content of files; DataError where they do not fit into memory, or one cannot be read."""
    root = os.path.realpath(folder or ".")
    size = sum(os.path.getsize(os.path.join(root, path)) for path in paths if os.path.exists(os.path.join(root, path)))
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > there // 4:
        raise DataError(
            f"the {len(paths):,} files are {size / 2**30:.1f} GiB, and are read into memory; this machine has "
            f"{there / 2**30:.1f}",
            "narrow the glob",
        )
    content = {}
    for path in paths:
        try:
            with open(os.path.join(root, path), "rb") as file:
                content[path] = file.read()
        except OSError as error:
            raise DataError(
                f'"{path}" cannot be read: {error.strerror or error}', "make the file readable, or narrow the glob"
            ) from error
    return content


def digest_of_files(content: Mapping[str, bytes]) -> str:
    """The SHA-256 of files' paths and contents, in their order."""
    digest = hashlib.sha256()
    for path, data in content.items():
        digest.update(path.encode() + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()


def file_rules(data: Data, folder: str, what: str) -> tuple[bool, bool, frozenset[str]]:
    """What `curate` says of whole files: whether corrupt ones and duplicates are left out, and those that are listed.

    DataError for a rule that only pictures can break.
    """
    drops = [call.arguments for call in data.curate if call.word == "drop"]
    listed: set[str] = set()
    for arguments in drops:
        wrong = [reason for reason in arguments["what"] if reason not in _FILE_RULES]
        wrong += [name for name in ("smaller", "larger", "aspect", "label") if arguments.get(name) is not None]
        wrong += ["within"] if arguments.get("within") else []
        if wrong:
            raise DataError(
                f"`drop {wrong[0]}` does not speak of {what}", "take it out; `corrupt`, `duplicates` and `listed:` do"
            )
        if arguments.get("listed") is not None:
            listed |= set(_file(folder, str(arguments["listed"])).decode(errors="replace").split("\n"))
    reasons = {reason for arguments in drops for reason in arguments["what"]}
    return "corrupt" in reasons, "duplicates" in reasons, frozenset(name.strip() for name in listed)


def _kept(
    paths: list[str], content: Mapping[str, bytes], data: Data, folder: str, *, any_bytes: bool
) -> tuple[list[str], dict[str, int], tuple[str, ...]]:
    """The files that are read, how many are left out by reason, and those that are damaged."""
    corrupt, duplicates, listed = file_rules(data, folder, "text")
    kept: list[str] = []
    damaged: list[str] = []
    dropped: dict[str, int] = {}
    seen: set[bytes] = set()
    for path in paths:
        reason = ""
        content_of = hashlib.sha256(content[path]).digest()
        if path in listed:
            reason = "listed"
        elif not any_bytes and (wrong := _broken(content[path])) is not None:
            if not corrupt:
                _refuse_broken(path, content[path], wrong)
            reason = "damaged"
            damaged.append(path)
        elif duplicates and content_of in seen:
            reason = "duplicates"
        if reason:
            dropped[reason] = dropped.get(reason, 0) + 1
        else:
            kept.append(path)
            seen.add(content_of)
    if not kept:
        raise DataError("`curate` leaves no file", "drop less")
    return kept, dropped, tuple(damaged)


def _broken(data: bytes) -> int | None:
    """The place of the first byte that is not UTF-8, None if all are."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _refuse_broken(path: str, data: bytes, place: int) -> None:
    line = data.count(b"\n", 0, place) + 1
    raise DataError(
        f'"{path}" is not UTF-8: byte {place:,} (line {line:,}) is 0x{data[place]:02X}',
        "convert the file (`iconv -f latin1 -t utf-8`), leave such files out with `curate { drop corrupt }`, or read "
        "them as they are with `tokenizer: bytes()`",
    )


def _file(folder: str, path: str) -> bytes:
    place = place_of(folder, path)
    try:
        with open(place, "rb") as file:
            return file.read()
    except OSError as error:
        raise DataError(
            f'"{path}" cannot be read: {error.strerror or error} (looked for {place})', "check it"
        ) from None
