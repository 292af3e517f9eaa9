"""Text as data: windows of tokens by step and seed, vocabularies of the training text, what is told of bad text."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.check.checker import check
from gendsl.check.headers import header_of, sequences
from gendsl.diagnostics import Problems
from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.data.tokenizers import tokenizer_from
from gendsl.lower.data.windows import Windows
from gendsl.lower.errors import DataError
from gendsl.lower.training import experiment_of
from gendsl.plan.following import following
from gendsl.source import Source
from tests.lower.data_plans import call_of, plan_of

BYTES = call_of("tokenizer", "bytes")
CHARACTERS = call_of("tokenizer", "characters")
RANDOM = np.random.default_rng(0)


def write(folder: Path, **texts: str | bytes) -> None:
    for name, text in texts.items():
        (folder / f"{name}.txt").write_bytes(text.encode() if isinstance(text, str) else text)


def data_of(folder: Path, *, tokenizer: Any = BYTES, window: int = 4, **options: Any) -> Dataset:
    source = call_of("source", "text", glob="**/*.txt", tokenizer=tokenizer)
    return dataset_of(plan_of(source, str(folder), window=window, **{"batch": 1, **options}), str(folder))


def fetched(data: Dataset, step: int) -> dict[str, np.ndarray]:
    addresses = tf.constant(data.addresses(step, 1)[0])
    return {name: value.numpy() for name, value in data.fetch(addresses).items()}


def texts_of(tokens: Any) -> list[str]:
    return [bytes(row.astype(np.uint8)).decode() for row in np.asarray(tokens)]


def test_windows_of_bytes_with_what_follows(tmp_path: Path) -> None:
    write(tmp_path, a="abcdefghij", b="ABCDE")
    data = data_of(tmp_path, shuffle=False, batch=3)
    assert data.sizes == {"train": 3}
    batch = fetched(data, 0)
    assert batch["text"].shape == (1, 3, 4) and batch["text"].dtype == np.int32
    assert texts_of(batch["text"][0]) == ["abcd", "efgh", "ABCD"]
    assert texts_of(batch[following("text")][0]) == ["bcde", "fghi", "BCDE"]
    overlapping = data_of(tmp_path, shuffle=False, stride=2)
    assert texts_of(overlapping.split("train")["text"]) == ["abcd", "cdef", "efgh", "ABCD"]


def test_a_split_is_read_as_windows_and_some_of_it(tmp_path: Path) -> None:
    write(tmp_path, a=bytes(range(97, 123)) * 40)
    data = data_of(tmp_path, split={"train": 0.9, "test": 0.1}, stride=1)
    test = data.split("test")
    assert isinstance(test["text"], Windows) and len(test["text"]) == data.sizes["test"] == 104 - 4
    np.testing.assert_array_equal(np.asarray(test["text"])[1:], np.asarray(test["text.next"])[:-1])
    some = data.split("train", 7)
    assert np.asarray(some["text"]).shape == np.asarray(some["text.next"]).shape == (7, 4)
    assert tf.constant(test["text"][3:5]).shape == (2, 4)  # as evaluation takes its batches


def test_train_and_test_are_spans_of_one_file(tmp_path: Path) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(300))  # three bytes each, none twice
    write(tmp_path, a=text)
    data = data_of(tmp_path, split={"train": 0.8, "test": 0.2}, tokenizer=CHARACTERS)
    assert data.manifest["sources"][0]["vocabulary"] == 241  # what the training text holds, and one for any other
    tokens = data.manifest["sources"][0]["tokens"]
    assert tokens["train"]["tokens"] == 240 and tokens["train"]["unknown"] == 0
    assert tokens["test"]["tokens"] == tokens["test"]["unknown"] == 60
    assert (np.asarray(data.split("test")["text"]) == 0).all()
    assert tokens["train"]["bytes"] == 720


def test_a_batch_is_a_function_of_the_seed_and_the_step(tmp_path: Path) -> None:
    write(tmp_path, a=RANDOM.integers(0, 256, 500, np.uint8).tobytes(), b=bytes(range(100)))
    small, large = (data_of(tmp_path, stride=3, seed=7, batch=batch) for batch in (6, 9))
    count = small.sizes["train"]
    assert count == len(range(0, 496, 3)) + len(range(0, 96, 3))
    one = np.concatenate([fetched(small, step)["text"][0] for step in range(33)])
    other = np.concatenate([fetched(large, step)["text"][0] for step in range(22)])
    np.testing.assert_array_equal(one, other)
    whole = np.asarray(small.split("train")["text"])
    np.testing.assert_array_equal(one[:count], whole[small.addresses(0, 33).reshape(-1, 2)[:count, 1]])
    assert sorted(map(bytes, one[:count].astype(np.uint8))) == sorted(map(bytes, whole.astype(np.uint8)))
    fresh = data_of(tmp_path, stride=3, seed=7, batch=6)
    np.testing.assert_array_equal(fetched(fresh, 21)["text"][0], one[21 * 6 : 22 * 6])  # without the steps before
    in_graph = tf.function(small.fetch, input_signature=[tf.TensorSpec((1, 6, 2), tf.int64)])
    np.testing.assert_array_equal(in_graph(tf.constant(small.addresses(2, 1)[0]))["text"][0], one[12:18])


def test_token_dropout(tmp_path: Path) -> None:
    write(tmp_path, a=RANDOM.integers(97, 123, 40_000, np.uint8).tobytes())
    options: dict[str, Any] = {"window": 50, "seed": 3, "augment": (call_of("augment", "token_dropout", share=0.1),)}
    data, plain = data_of(tmp_path, batch=400, **options), data_of(tmp_path, batch=400, window=50, seed=3)
    given, clean = fetched(data, 0), fetched(plain, 0)
    np.testing.assert_array_equal(given["text.next"], clean["text.next"])
    changed = given["text"] != clean["text"]
    assert abs(changed.mean() - 0.1 * 255 / 256) < 6 * np.sqrt(0.09 / changed.size)
    others = given["text"][changed]
    assert others.min() >= 0 and others.max() < 256 and len(np.unique(others)) > 240
    in_parts = np.concatenate([fetched(data_of(tmp_path, batch=100, **options), step)["text"][0] for step in range(4)])
    np.testing.assert_array_equal(in_parts, given["text"][0])
    again = fetched(data, 2)  # the second epoch: other tokens are replaced
    place = {bytes(row): number for number, row in enumerate(clean["text.next"][0])}
    shared = [(place[bytes(row)], number) for number, row in enumerate(again["text.next"][0]) if bytes(row) in place]
    assert shared and any((given["text"][0][one] != again["text"][0][other]).any() for one, other in shared)
    np.testing.assert_array_equal(np.asarray(data.split("train")["text"]), np.asarray(plain.split("train")["text"]))


def test_the_manifest_tells_what_decodes_and_what_there_is(tmp_path: Path) -> None:
    write(tmp_path, a="to be or not to be", b="that is the question")
    bpe = call_of("tokenizer", "bpe", vocabulary=260)
    source = json.loads(json.dumps(data_of(tmp_path, tokenizer=bpe).manifest["sources"][0]))
    assert source["files"] == 2 and source["vocabulary"] == 260
    assert source["tokens"]["train"]["bytes"] == 38 and source["tokens"]["train"]["sequences"] == 2
    windows = np.asarray(data_of(tmp_path, tokenizer=bpe).split("train")["text"])
    np.testing.assert_array_equal(source["first_tokens"], np.bincount(windows[:, 0], minlength=260))
    tokenizer = tokenizer_from(source["tokenizer"])
    assert tokenizer.decode(tokenizer.encode(b"be that")) == b"be that"
    most = source["tokens"]["train"]["most_frequent"]
    assert [count for _, count in most] == sorted((count for _, count in most), reverse=True)
    assert sum(count for _, count in most) <= source["tokens"]["train"]["tokens"]


def test_characters_of_a_large_text_need_their_number_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a="abcabcabc")
    data_of(tmp_path, tokenizer=CHARACTERS)
    monkeypatch.setattr(sequences, "_READ_IN_PASSING", 0)
    with pytest.raises(DataError, match="`text` has 4 different tokens, which only the data tells") as raised:
        data_of(tmp_path, tokenizer=CHARACTERS)
    assert raised.value.help == "write `text 4` in `data`"
    for declared in (4, 9):
        data_of(tmp_path, tokenizer=CHARACTERS, fields={"text": {"vocabulary": declared}})
    with pytest.raises(DataError, match="has 4 different tokens; the plan was made for 3"):
        data_of(tmp_path, tokenizer=CHARACTERS, fields={"text": {"vocabulary": 3}})


def test_a_trained_model_of_sentencepiece(tmp_path: Path) -> None:
    import sentencepiece

    write(tmp_path, a="the cat sat on the mat and the dog sat on the cat\n" * 30)
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "a.txt"),
        model_prefix=str(tmp_path / "m"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=3,
    )
    tokenizer = call_of("tokenizer", "sentencepiece", file="m.model")
    header = header_of(call_of("source", "text", glob="*.txt", tokenizer=tokenizer), str(tmp_path))
    size = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "m.model")).get_piece_size()
    assert header.fields[0].classes == size
    data = data_of(tmp_path, tokenizer=tokenizer)
    assert data.manifest["sources"][0]["vocabulary"] == size
    (tmp_path / "m.model").write_bytes(b"nonsense")
    header = header_of(call_of("source", "text", glob="*.txt", tokenizer=tokenizer), str(tmp_path))
    assert "no model of sentencepiece" in header.problem


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    write(tmp_path, a="abcdefgh", b=b"abc\nd\xe9f")
    with pytest.raises(DataError, match=r'"b\.txt" is not UTF-8: byte 5 \(line 2\) is 0xE9') as raised:
        data_of(tmp_path, tokenizer=CHARACTERS)
    assert "drop corrupt" in raised.value.help and "bytes()" in raised.value.help
    drop = (call_of("curate", "drop", what=("corrupt",)),)
    data = data_of(tmp_path, tokenizer=CHARACTERS, curate=drop, fields={"text": {"vocabulary": 9}})
    source = data.manifest["sources"][0]
    assert source["dropped"] == {"damaged": 1}
    assert [one.example for _, one in data.findings.left_out] == ["b.txt"]
    assert data_of(tmp_path).sizes == {"train": 2}  # bytes are read as they are


def test_what_curate_leaves_out(tmp_path: Path) -> None:
    write(tmp_path, a="abcdefgh", b="abcdefgh", c="ABCDEFGH", d="xy", e="")
    (tmp_path / "list.csv").write_text("c.txt\n")
    rules = (call_of("curate", "drop", what=("duplicates",)), call_of("curate", "drop", listed="list.csv"))
    data = data_of(tmp_path, curate=rules)
    assert texts_of(data.split("train")["text"]) == ["abcd"]
    assert data.manifest["sources"][0]["dropped"] == {"duplicates": 1, "listed": 1, "shorter than a window": 2}
    limited = data_of(tmp_path, curate=(call_of("curate", "limit", examples=2),))
    assert limited.sizes == {"train": 2}
    with pytest.raises(DataError, match="`drop blank` does not speak of text"):
        data_of(tmp_path, curate=(call_of("curate", "drop", what=("blank",)),))


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ({}, {}, r'no file matches "\*\*/\*\.txt"'),
        ({"a": "abcd", "b": "x"}, {}, "`train` has no window of 4 tokens and the one behind: the longest of its 2"),
        ({"a": ""}, {}, "no text is left for training"),
        ({"a": "abcdefgh" * 9}, {"split": {"train": 0.95, "test": 0.05}}, "`test` has no window of 4 tokens"),
        ({"a": "abcdefgh"}, {"batch": 3}, "a batch of 3 is more than the 1 training examples"),
        ({"a": "aaaaaaaa"}, {"tokenizer": call_of("tokenizer", "bpe", vocabulary=262)}, "asks for more tokens"),
    ],
)
def test_what_is_told(tmp_path: Path, texts: dict[str, str], options: dict[str, Any], message: str) -> None:
    write(tmp_path, **texts)
    with pytest.raises(DataError, match=message) as raised:
        data_of(tmp_path, **options)
    assert raised.value.help


def test_text_is_not_paired(tmp_path: Path) -> None:
    write(tmp_path, a="abcdefgh", b="ABCDEFGH")
    sources = {name: call_of("source", "text", glob=f"{name}.txt", tokenizer=BYTES) for name in "ab"}
    with pytest.raises(DataError, match="`a` is split by file, and cannot be paired"):
        dataset_of(plan_of(sources, str(tmp_path), window=4, pairs="order"), str(tmp_path))
    batch = fetched(dataset_of(plan_of(sources, str(tmp_path), window=4, batch=1), str(tmp_path)), 0)
    assert texts_of(batch["a"][0]) == ["abcd"] and texts_of(batch["b.next"][0]) == ["BCDE"]


SPEC = """
experiment words
data { source text("*.txt"), tokenizer: TOKENIZER; window 8, stride: 3; split train: 80%, test: 20%; batch 4 }
augment { token_dropout 5% }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 8 | gru 16, sequences: on | dense text.vocabulary
}
train {
  update model, with: adam(1e-2) { minimize mean(nll(model(text), text)) }
  steps 60
}
sample { text = mode(model(text)) }
"""


@pytest.mark.parametrize("tokenizer", ["bytes()", "bpe(270)"])
def test_a_model_trains_on_text(tmp_path: Path, tokenizer: str) -> None:
    write(tmp_path, a="the quick brown fox jumps over the lazy dog. " * 8)
    problems = Problems()
    source = Source("words.gen", SPEC.replace("TOKENIZER", tokenizer))
    plan = check(source, problems, folder=str(tmp_path))
    assert plan is not None and not plan.not_built, [(one.rule.code, one.message) for one in problems]
    assert (plan.data.window, plan.data.stride) == (8, 3)
    data = dataset_of(plan, str(tmp_path))
    experiment = experiment_of(plan, examples=data.sizes["train"])
    step = tf.function(lambda number, batch: experiment.step_at(number, batch), autograph=False)
    losses = []
    for number in range(60):
        batch = data.fetch(tf.constant(data.addresses(number, 1)[0]))
        losses.append(float(step(tf.constant(number, tf.int64), batch)["model/loss"]))
    assert losses[-1] < 0.8 * losses[0]


def test_a_package_that_is_not_there_is_told_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a="abcdefgh" * 100)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(DataError, match="needs the package tokenizers"):
        data_of(tmp_path, tokenizer=call_of("tokenizer", "bpe", vocabulary=260))
