"""Text, music and sound in the checker: what is known of them without being read, and which transforms fit them."""

from pathlib import Path
from typing import Any

import pytest

from gendsl.check.checker import check
from gendsl.check.headers import Header, header_of, sequences
from gendsl.check.headers.sequences import vocabulary_of
from gendsl.diagnostics import Diagnostic, Problems
from gendsl.plan.plan import Call, Plan
from gendsl.source import Source
from gendsl.vocabulary import WORDS
from tests.check.specs import spec

SPEC = """
experiment words
data { source SOURCE; window 8, stride: 2; split train: 80%, test: 20%; batch 4 }
augment { AUGMENT }
network model(tokens: text) -> categorical(text.vocabulary) { embed text.vocabulary, 8 | dense text.vocabulary }
train { update model, with: adam(1e-2) { minimize mean(nll(model(text), text)) }; steps 9 }
sample { text = mode(model(text)) }
"""
TEXT = 'text("*.txt"), tokenizer: '


def checked(folder: Path, source: str, augment: str = "") -> tuple[Plan | None, list[Diagnostic]]:
    problems = Problems()
    text = SPEC.replace("SOURCE", source).replace("augment { AUGMENT }", f"augment {{ {augment} }}" if augment else "")
    return check(Source("words.gen", text), problems, folder=str(folder)), [*problems]


def call(word: str, category: str = "source", /, **arguments: Any) -> Call:
    found = WORDS[category][word]
    return Call(word, {parameter.name: parameter.default for parameter in found.parameters} | arguments)


@pytest.mark.parametrize(
    ("tokenizer", "size"),
    [
        ("bytes()", 256),
        ("bpe(1_000)", 1_000),
        ("sentencepiece(500)", 500),
        ("characters()", 6),
    ],
)
def test_text_is_planned(tmp_path: Path, tokenizer: str, size: Any) -> None:
    (tmp_path / "a.txt").write_text("word " * 1_000)
    plan, problems = checked(tmp_path, TEXT + tokenizer, "token_dropout 5%")
    assert plan is not None and not problems and not plan.not_built
    assert (plan.data.window, plan.data.stride) == (8, 2)
    (field,) = plan.data.fields
    assert (field.kind, field.shape, field.classes) == ("text", (8,), size)


def test_a_window_longer_than_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 8)
    (tmp_path / "b.txt").write_text("x" * 5)
    for tokenizer in ("bytes()", "characters()"):
        _, problems = checked(tmp_path, TEXT + tokenizer)
        assert [one.rule.code for one in problems] == ["out_of_range"]
        assert "a window of 8 tokens and the one behind are more than any file has" in problems[0].message
        assert problems[0].help == "write `window 4`, or less"
    (tmp_path / "b.txt").write_text("x" * 9)
    assert checked(tmp_path, TEXT + "bytes()")[0] is not None


def test_characters_are_counted_where_texts_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("aAbäÄ")
    (tmp_path / "b.txt").write_text("b€")

    def count(**arguments: Any) -> int | None:
        tokenizer = call("characters", "tokenizer", **arguments)
        return header(tmp_path, call("text", glob="*.txt", tokenizer=tokenizer)).fields[0].classes

    assert count() == 7 and count(lowercase=True) == 5
    monkeypatch.setattr(sequences, "_READ_IN_PASSING", 10)
    assert count() is None
    monkeypatch.undo()
    (tmp_path / "b.txt").write_bytes(b"b\xff")
    assert count() is None  # what is wrong is told when it is loaded, unless it is left out


def header(folder: Path, source: Call) -> Header:
    return header_of(source, str(folder))


def test_a_tokenizer_reads_its_own_kind(tmp_path: Path) -> None:
    for name in ("a.txt", "a.mid"):
        (tmp_path / name).write_text("x" * 1_000)
    remi, characters = call("remi", "tokenizer", vocabulary=512), call("characters", "tokenizer")
    assert "`remi` does not read `text`" in header(tmp_path, call("text", glob="*.txt", tokenizer=remi)).problem
    wrong = header(tmp_path, call("midi", glob="*.mid", tokenizer=characters))
    assert "`characters` does not read `midi`" in wrong.problem and "`remi`" in wrong.help
    assert "does not say how" in header(tmp_path, call("midi", glob="*.mid")).problem
    assert header(tmp_path, call("midi", glob="*.mid", tokenizer=remi)).fields[0].classes == 512
    assert header(tmp_path, call("text", glob="*.txt")).fields[0].classes == 256  # bytes, if unsaid


def test_a_vocabulary_that_the_text_cannot_support_is_told_in_check(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 100)
    (tmp_path / "b.txt").write_text("y" * 99)
    fits, not_so = (call("bpe", "tokenizer", vocabulary=number) for number in (256 + 198, 256 + 199))
    assert not header(tmp_path, call("text", glob="*.txt", tokenizer=fits)).problem
    told = header(tmp_path, call("text", glob="*.txt", tokenizer=not_so))
    assert "`bpe(455)` asks for more tokens than the 199 bytes of text support" in told.problem and told.help


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x0a\x05ab", b"\x0a", b"\xff" * 40, b"\x0a\x02ab\x07"])
def test_what_is_no_model_of_sentencepiece_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_text("x" * 100)
    (tmp_path / "m.model").write_bytes(content)
    for name in ("m.model", "there_is_none.model", "../m.model"):
        tokenizer = call("sentencepiece", "tokenizer", file=name)
        told = header(tmp_path, call("text", glob="*.txt", tokenizer=tokenizer))
        assert told.problem and told.help


def test_pieces_are_counted(tmp_path: Path) -> None:
    """Each is field 1 of the message; other fields of any kind stand between."""
    pieces = b"\x0a\x03\x0a\x01a" * 300
    others = b"\x12\x02\x08\x01" + b"\x18\x96\x01" + b"\x25" + bytes(4) + b"\x29" + bytes(8)
    (tmp_path / "m.model").write_bytes(pieces[:50] + others + pieces[50:])
    assert vocabulary_of("text", call("sentencepiece", "tokenizer", file="m.model"), str(tmp_path)) == 300


def test_shapes_of_sounds(tmp_path: Path) -> None:
    for name in ("kick/0.wav", "snare/1.wav", "snare/2.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    source = call("audio", glob="*/*.wav", rate=16_000, seconds=0.5, label="folder")
    assert [(f.kind, f.shape, f.classes) for f in header(tmp_path, source).fields] == [
        ("row", (8_000,), None),
        ("label", (), 2),
    ]
    (picture,) = header(tmp_path, call("audio", glob="*/*.wav", rate=16_000, seconds=1.0, mel=64)).fields
    assert (picture.kind, picture.shape) == ("image", (64, 63, 1))


@pytest.mark.parametrize(
    ("augment", "code", "message"),
    [
        ("flip horizontal", "misplaced", "`flip` transforms pictures, and the data has none"),
        ("both { token_dropout 5% }", "misplaced", "`token_dropout` cannot be done to generated pictures"),
        ("transpose -5..6", "misplaced", "`transpose` transforms music, and the data has none"),
    ],
)
def test_transforms_that_do_not_fit_text(tmp_path: Path, augment: str, code: str, message: str) -> None:
    (tmp_path / "a.txt").write_text("word " * 1_000)
    _, problems = checked(tmp_path, TEXT + "bytes()", augment)
    assert [(one.rule.code, one.message) for one in problems] == [(code, message)]
    assert problems[0].help


def test_transposition_is_by_whole_semitones(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"MThd")
    music = 'midi("*.mid"), tokenizer: remi(vocabulary: 512)'
    plan, problems = checked(tmp_path, music, "transpose -5..6; token_dropout 5%")
    assert plan is not None and not problems and not plan.not_built
    _, problems = checked(tmp_path, music, "transpose 0.5..2")
    assert [one.message for one in problems] == ["`transpose` shifts by whole semitones, and goes from 0.5 to 2"]


def test_pictures_have_no_tokens_to_drop() -> None:
    text = spec("augment { token_dropout 5% }")
    problems = Problems()
    check(Source("x.gen", text), problems)
    assert "`token_dropout` transforms text or music, and the data has none" in [one.message for one in problems]
