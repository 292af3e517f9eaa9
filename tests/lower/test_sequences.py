"""Splits and windows of sequences: nothing is lost at a cut, a window lies within a file and a split; statistics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.lower.data.sequences import cut, files_by_split, spans_of
from gendsl.lower.data.token_statistics import statistics_of
from gendsl.lower.errors import DataError
from tests.lower.data_plans import call_of, plan_of

FILES = st.lists(st.text(max_size=40).map(str.encode), min_size=1, max_size=8)
SHARES = st.sampled_from([{"train": 0.9, "test": 0.1}, {"train": 0.5, "validation": 0.2, "test": 0.3}, {"train": 0.4}])


@settings(max_examples=200, deadline=None)
@given(FILES, SHARES)
def test_spans_share_out_all_bytes_and_cut_no_character(files: list[bytes], shares: dict[str, float]) -> None:
    found = spans_of(files, shares, "")
    assert list(found) == list(shares)
    taken = [np.zeros(len(data), int) for data in files]
    for split, spans in found.items():
        assert [span.file for span in spans] == sorted(span.file for span in spans)
        size = 0
        for span in spans:
            taken[span.file][span.start : span.end] += 1
            files[span.file][span.start : span.end].decode()
            size += span.end - span.start
        assert abs(size - shares[split] * sum(map(len, files))) <= 5
    counts = np.concatenate(taken)
    assert set(counts) <= ({1} if math.isclose(sum(shares.values()), 1) else {0, 1})
    whole = [span for spans in found.values() for span in spans if span.end - span.start == len(files[span.file])]
    if "test" in shares:
        assert len(whole) >= sum(map(bool, files)) - len(shares)  # a file at each bound at most is cut


def test_spans_are_drawn_and_two_sources_have_their_own() -> None:
    files = [bytes([65 + number]) * 100 for number in range(20)]
    shares = {"train": 0.5, "test": 0.5}
    assert spans_of(files, shares, "") == spans_of(files, shares, "")
    assert spans_of(files, shares, "") != spans_of(files, shares, "a")
    assert [span.file for span in spans_of(files, shares, "")["train"]] != list(range(10))


def test_bytes_that_are_no_text_are_cut_all_the_same() -> None:
    spans = spans_of([b"\x80" * 1000], {"train": 0.5, "test": 0.5}, "")
    assert [(span.start, span.end) for split in spans.values() for span in split] == [(0, 500), (500, 1000)]
    spans = spans_of([b"\x80\x80a"] * 10, {"train": 0.5, "test": 0.5}, "")
    assert sum(span.end - span.start for split in spans.values() for span in split) == 30


def test_whole_files_are_split() -> None:
    rows = files_by_split(10, {"train": 0.7, "test": 0.3}, "")
    assert {split: len(chosen) for split, chosen in rows.items()} == {"train": 7, "test": 3}
    np.testing.assert_array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(10))
    np.testing.assert_array_equal(files_by_split(4, None, "")["train"], np.arange(4))


LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=6)


def data(length: int, stride: int | None) -> object:
    return plan_of(call_of("source", "digits"), window=length, stride=stride).data


@settings(max_examples=200, deadline=None)
@given(LENGTHS, LENGTHS, st.integers(1, 12), st.one_of(st.none(), st.integers(1, 15)))
def test_windows_lie_within_a_sequence(train: list[int], test: list[int], length: int, stride: int | None) -> None:
    """Tokens are numbered through, with a gap between sequences, so that a window over an edge would show."""
    sequences: dict[str, list[list[np.ndarray]]] = {"train": [], "test": []}
    first = 0
    for split, lengths in (("train", train), ("test", test)):
        for size in lengths:
            sequences[split].append([np.arange(first, first + size)])
            first += size + 2
    step = stride or length
    counts = {split: [len(range(0, len(one[0]) - length, step)) for one in every] for split, every in sequences.items()}
    if not all(map(sum, counts.values())):
        with pytest.raises(DataError, match="no window"):
            cut(sequences, data(length, stride), vocabulary=first)
        return
    found = cut(sequences, data(length, stride), vocabulary=first)
    assert len(found.left_out) == sum(count == 0 for every in counts.values() for count in every)
    for split, every in sequences.items():
        windows = found.windows[found.rows[split]]
        given, said = np.asarray(windows), np.asarray(windows.followed())
        assert given.shape == windows.shape == (sum(counts[split]), length)
        np.testing.assert_array_equal(said, given + 1)
        np.testing.assert_array_equal(np.diff(given, axis=1), 1)
        starts = [one[0][at] for one in every for at in range(0, len(one[0]) - length, step)]
        np.testing.assert_array_equal(given[:, 0], starts)
        if stride is None:
            assert len(np.unique(said)) == said.size  # each token is a target once


def test_variants_stand_in_for_each_other() -> None:
    """A shorter variant's last window is its last tokens; one that is too short is left to the plain one."""
    plain, shorter, tiny = np.arange(0, 10), np.arange(20, 27), np.arange(40, 43)
    found = cut({"train": [[shorter, plain, tiny]]}, data(4, 2), vocabulary=64, plain=1)
    windows = found.windows
    np.testing.assert_array_equal(np.asarray(windows)[:, 0], [0, 2, 4])
    first = windows.tokens[windows.starts]
    np.testing.assert_array_equal(first, [[20, 22, 22], [0, 2, 4], [0, 2, 4]])


def test_statistics_by_hand() -> None:
    told = statistics_of({"train": [np.array([1, 1, 2, 0]), np.array([1])], "test": []}, vocabulary=5, unknown=0)
    assert told["train"] == {
        "tokens": 5,
        "sequences": 2,
        "shortest": 1,
        "median": 4,
        "longest": 4,
        "unknown": 1,
        "different": 3,
        "bits_per_token": pytest.approx(-(0.6 * math.log2(0.6) + 0.4 * math.log2(0.2))),
        "most_frequent": [[1, 3], [0, 1], [2, 1]],
    }
    assert told["test"]["tokens"] == told["test"]["longest"] == 0
