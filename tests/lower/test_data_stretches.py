"""Leaks of text: every stretch that a split shares with training is found, as comparing all with all finds it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gendsl.lower.data import Dataset, dataset_of, stretches
from gendsl.lower.data.report import report_of
from gendsl.lower.data.sequences import cut
from gendsl.lower.data.stretches import shared_with_training
from tests.lower.data_plans import call_of, plan_of

SEQUENCES = st.lists(st.lists(st.integers(0, 2), max_size=40), min_size=1, max_size=4)
RANDOM = np.random.default_rng(0)
LEAKS = (call_of("curate", "drop", what=("leaks",)),)


def covered_by_hand(train: list[list[int]], own: list[list[int]], length: int) -> list[list[bool]]:
    known = {tuple(one[at : at + length]) for one in train for at in range(len(one) - length + 1)}
    short = {tuple(one) for one in train if 0 < len(one) < length}
    out = []
    for one in own:
        covered = [tuple(one) in short] * len(one)
        for at in range(len(one) - length + 1):
            if tuple(one[at : at + length]) in known:
                covered[at : at + length] = [True] * length
        out.append(covered)
    return out


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEQUENCES, SEQUENCES, st.integers(1, 8), st.integers(1, 4), st.integers(1, 5))
def test_as_comparing_all_with_all(
    monkeypatch: pytest.MonkeyPatch,
    train: list[list[int]],
    own: list[list[int]],
    length: int,
    window: int,
    at_once: int,
) -> None:
    train, own = [*train, [0] * (window + 1)], [*own, [1] * (window + 1)]  # each split has a window
    monkeypatch.setattr(stretches, "_AT_ONCE", at_once)
    data = plan_of(call_of("source", "digits"), window=window).data
    sequences = {name: [[np.array(one, np.int64)] for one in of] for name, of in (("train", train), ("test", own))}
    laid = cut(sequences, data, vocabulary=3)
    found = shared_with_training(laid.windows, laid.rows, length).get("test")
    covered = covered_by_hand(train, own, length)
    by_window = [
        covered[number][at : at + window]
        for number, one in enumerate(own)
        for at in range(0, len(one) - window, window)
    ]
    expected = [number for number, of in enumerate(by_window) if any(of)]
    if found is None:
        assert not expected
        return
    assert found.at.tolist() == expected
    assert found.whole.tolist() == [all(by_window[number]) for number in expected]
    assert found.tokens == sum(map(sum, covered))
    runs = ["".join("x" if one else " " for one in of).split() for of in covered]
    assert int(np.diff(found.longest)[0]) == max(len(run) for of in runs for run in of)


def test_of_a_large_split_some_places_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stretch of n tokens is found wherever n places are, if n is no less than their distance and the length."""
    monkeypatch.setattr(stretches, "_MOST_LOOKED_FOR", 100)
    train, own = RANDOM.integers(0, 200, 3_000), RANDOM.integers(200, 256, 1_000)
    own[503:563] = train[1_007:1_067]  # one in ten places is looked for: 50 tokens from one of eleven
    laid = cut(
        {"train": [[train]], "test": [[own]]}, plan_of(call_of("source", "digits"), window=10).data, vocabulary=256
    )
    found = shared_with_training(laid.windows, laid.rows, 50)["test"]
    (bounds,) = found.stretches - 3_000
    assert 503 <= bounds[0] < 513 and 553 < bounds[1] <= 563
    inside = 10 * found.at >= bounds[0]
    assert inside.sum() >= 4
    np.testing.assert_array_equal(found.repeats[inside], (10 * found.at[inside] + 1_007 - 503) // 10)


def data_of(folder: Path, **options: Any) -> Dataset:
    source = call_of("source", "text", glob="*.txt", tokenizer=call_of("tokenizer", "bytes"))
    split = {"train": 0.9, "test": 0.1}
    return dataset_of(plan_of(source, str(folder), window=50, batch=1, split=split, **options), str(folder))


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """10,000 bytes, of which the last 1,000 are the test: its bytes 100 to 399 stand in training from 2,000 on."""
    text = RANDOM.integers(97, 123, 10_000, np.uint8)
    text[9_100:9_400] = text[2_000:2_300]
    (tmp_path / "a.txt").write_bytes(text.tobytes())
    return tmp_path


def test_leaks_are_reported(leaky: Path) -> None:
    data = data_of(leaky)
    told = json.loads(json.dumps(data.manifest["sources"][0]["leaks"]["test"]))
    text = (leaky / "a.txt").read_text()
    assert told["exact"] == 6 and "in_part" not in told
    assert told["stretches"] == {
        "of_at_least": 200, "many": 1, "tokens": 300, "longest": 300, "longest_begins": text[2_000:2_060],
    }  # fmt: skip
    assert told["first"][0] == {"example": "test/2", "repeats": "train/40", "reason": "leak"}
    (warning,) = data.findings.warnings
    assert warning.startswith("6 of the 19 examples of `test` hold a stretch that stands in `train` too (6 exact): ")
    assert data.findings.files["leaks.csv"].splitlines()[1] == ",test/2,leak,train/40"
    lines = dict(report_of(plan_of(call_of("source", "digits")), data).lines)
    assert lines["leaks"].startswith("test 6 exact, 0 in part: they hold 1 stretches of 200 tokens or more")


def test_leaks_are_dropped_outside_training(leaky: Path) -> None:
    text = bytearray((leaky / "a.txt").read_bytes())
    text[9_110] ^= 1  # now the first 11 bytes are too few, and two windows hold some of it
    (leaky / "a.txt").write_bytes(bytes(text))
    whole, data = data_of(leaky), data_of(leaky, curate=LEAKS)
    assert whole.manifest["sources"][0]["leaks"]["test"]["in_part"] == 1
    assert data.sizes == {"train": whole.sizes["train"], "test": 19 - 6}
    assert data.manifest["sources"][0]["dropped"] == {"leak in part": 1, "leak": 5}
    assert not data.findings.warnings
    kept = bytes(np.asarray(data.split("test")["text"]).astype(np.uint8))
    assert bytes(text[2_150:2_200]) not in kept and len(kept) == 13 * 50


def test_whole_files_that_are_short_are_copies_too(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.txt").write_bytes(RANDOM.integers(97, 123, 60, np.uint8).tobytes())
    data = data_of(tmp_path)
    assert data.manifest["sources"][0]["leaks"] == {}
    for number in range(40):
        (tmp_path / f"{number:02}.txt").write_text(str(number % 4) * 30 + "abcd" * 20)
    data = data_of(tmp_path)
    assert data.manifest["sources"][0]["leaks"]["test"]["exact"] == data.sizes["test"] > 1


def test_language_repeats_itself_in_phrases(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(50)]
    (tmp_path / "a.txt").write_text(" ".join(words[number] for number in RANDOM.integers(0, 50, 5_000)))
    assert data_of(tmp_path).manifest["sources"][0]["leaks"] == {}
