"""Tokenizers of text: what goes in comes out, learned alike each time, rebuilt from a record, and what they refuse."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.lower.data.tokenizers import Tokenizer, tokenizer_from, tokenizer_of
from gendsl.lower.errors import DataError
from tests.lower.data_plans import call_of

WORDS = ["the", "then", "there", "hen", "with", "without", "wither", "naïve", "café", "—", "1,024", "\tif x:\n"]
RANDOM = np.random.default_rng(0)
TEXTS = [" ".join(RANDOM.choice(WORDS, 400)).encode() for _ in range(4)]
CALLS = {
    "bytes": call_of("tokenizer", "bytes"),
    "characters": call_of("tokenizer", "characters"),
    "bpe": call_of("tokenizer", "bpe", vocabulary=290),
    "sentencepiece": call_of("tokenizer", "sentencepiece", vocabulary=285),
}
LEARNED = {word: tokenizer_of(call, TEXTS) for word, call in CALLS.items()}


@pytest.mark.parametrize("word", CALLS)
def test_sizes(word: str) -> None:
    tokenizer = LEARNED[word]
    alphabet = len(set("".join(text.decode() for text in TEXTS)))
    assert tokenizer.size == {"bytes": 256, "characters": alphabet + 1, "bpe": 290, "sentencepiece": 285}[word]
    tokens = tokenizer.encode(TEXTS[0])
    assert tokens.min() >= 0 and tokens.max() < tokenizer.size
    if word in ("bpe", "sentencepiece"):
        assert len(tokens) < 0.7 * len(TEXTS[0].decode())  # it has learned to merge


@pytest.mark.parametrize("word", ["bytes", "bpe", "sentencepiece"])
@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
def test_all_text_comes_back(word: str, text: str) -> None:
    tokenizer = LEARNED[word]
    if word == "sentencepiece":
        text = text.replace("\u2581", " ")  # by which its pieces write a space
    assert tokenizer.decode(tokenizer.encode(text.encode())) == text.encode()


def test_characters() -> None:
    tokenizer = tokenizer_of(CALLS["characters"], ["hällo".encode(), b"o\n"])
    assert tokenizer.size == 6 and tokenizer.unknown == 0
    np.testing.assert_array_equal(tokenizer.encode("\nhloä".encode()), [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(tokenizer.encode("h€x😀l".encode()), [2, 0, 0, 0, 3])
    assert tokenizer.decode(np.array([2, 0, 5])).decode() == "h\ufffdä"
    lower = tokenizer_of(call_of("tokenizer", "characters", lowercase=True), [b"abC"])
    np.testing.assert_array_equal(lower.encode(b"ABCc"), [1, 2, 3, 3])


@pytest.mark.parametrize("word", CALLS)
def test_a_record_rebuilds_it(word: str) -> None:
    tokenizer = LEARNED[word]
    again = tokenizer_from(json.loads(json.dumps(tokenizer.record())))
    assert again.size == tokenizer.size and again.record() == tokenizer.record()
    np.testing.assert_array_equal(again.encode(TEXTS[1]), tokenizer.encode(TEXTS[1]))
    assert again.decode(again.encode(TEXTS[1])) == TEXTS[1]


@pytest.mark.parametrize("word", ["bpe", "sentencepiece"])
def test_another_process_learns_the_same(word: str) -> None:
    script = (
        "import json, sys; from tests.lower import test_tokenizers as tests\n"
        f"sys.stdout.write(json.dumps(tests.LEARNED['{word}'].record()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == LEARNED[word].record()


def test_tokens_do_not_depend_on_where_a_text_is_cut_for_the_library() -> None:
    """Byte-pair encoding is done in parts, which begin where the pattern cuts in any case."""
    long = b" \n".join(TEXTS * 60)
    tokenizer: Any = LEARNED["bpe"]
    assert len(long) > 1 << 18
    whole = tokenizer._tokenizer.encode(long.decode()).ids
    np.testing.assert_array_equal(tokenizer.encode(long), whole)


@pytest.mark.parametrize("word", CALLS)
def test_no_text_has_no_tokens(word: str) -> None:
    assert len(LEARNED[word].encode(b"")) == 0


@pytest.mark.parametrize(
    ("word", "vocabulary", "message"),
    [
        ("bpe", 5_000, r"`bpe\(5000\)` asks for more tokens than the training text supports"),
        ("sentencepiece", 5_000, r"`sentencepiece\(5000\)` asks for more tokens than the training text supports"),
        ("sentencepiece", 100, r"`sentencepiece\(100\)` is too small"),
    ],
)
def test_vocabularies_that_the_text_does_not_support(word: str, vocabulary: int, message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        tokenizer_of(call_of("tokenizer", word, vocabulary=vocabulary), [b"a short text, and no more"])
    number = int("".join(filter(str.isdigit, raised.value.help.split(" or ")[0].split(", ")[0])))
    offered = call_of("tokenizer", word, vocabulary=number + ("too small" in raised.value.message))
    assert tokenizer_of(offered, [b"a short text, and no more"]).size == offered.arguments["vocabulary"]


@pytest.mark.parametrize(("word", "library"), [("bpe", "tokenizers"), ("sentencepiece", "sentencepiece")])
def test_a_library_that_is_not_installed(word: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(DataError, match=f"`{word}` needs the package {library}") as raised:
        tokenizer_of(CALLS[word], TEXTS)
    assert raised.value.help == "pip install 'gendsl[text]'"


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(DataError, match=r'"a\.model" is no model of sentencepiece'):
        tokenizer_of(call_of("tokenizer", "sentencepiece", file="a.model"), TEXTS, b"nonsense")


def test_tokens_are_shown() -> None:
    tokenizer: Tokenizer = LEARNED["bytes"]
    assert [tokenizer.shown(token) for token in (97, 0xC3)] == ["a", "\\xc3"]
