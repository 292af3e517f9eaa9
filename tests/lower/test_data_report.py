"""What is told of data: the numbers are those that NumPy finds on the whole."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.lower.data import dataset_of
from gendsl.lower.data.report import report_of
from gendsl.lower.data.report_kinds import KINDS, Moments
from tests.lower.data_plans import call_of, plan_of


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 50), max_size=4), shift=st.sampled_from((0, 1e6, -1e9))
)
def test_moments_of_parts_are_those_of_the_whole(seed: int, cuts: list[int], shift: float) -> None:
    values = np.random.default_rng(seed).normal(shift, 3, (50, 2))
    moments = Moments()
    for part in np.split(values, sorted(cuts)):
        moments.add(part)
    np.testing.assert_allclose(moments.mean, values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.std, values.std(axis=0), rtol=1e-6)


def test_pictures_and_classes() -> None:
    plan = plan_of(
        call_of("source", "digits"), fields={"image": {"range": (-1, 1)}}, split={"train": 0.9, "test": 0.1}, batch=64
    )
    data = dataset_of(plan)
    report = report_of(plan, data)
    train = data.split("train")
    image = report.record["fields"]["image"]
    assert (image["kind"], image["shape"], image["range"]) == ("image", [8, 8, 1], [-1, 1])
    np.testing.assert_allclose(image["mean"], [train["image"].mean(dtype=np.float64)], rtol=1e-5)
    np.testing.assert_allclose(image["std"], [train["image"].std(dtype=np.float64)], rtol=1e-5)
    classes = report.record["fields"]["label"]["classes"]
    assert list(classes) == list("0123456789")
    assert list(classes.values()) == np.bincount(train["label"]).tolist()
    assert report.record["sizes"] == {"train": 1617, "test": 180}
    lines = dict(report.lines)
    assert lines["source"] == "digits(), 1,797 examples"
    assert (lines["splits"], lines["dropped"], lines["leaks"]) == ("train 1,617, test 180", "nothing", "none")
    assert lines["licence"].startswith("CC BY 4.0") and len(lines["SHA-256"]) == 64
    assert lines["image"].startswith("8x8x1 in -1..1: mean -0.")
    assert lines["label"].startswith("10 classes: 0 ")


def test_channels_each_have_theirs(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (9000, 3, 4, 3), np.uint8) // np.array([1, 2, 4], np.uint8)
    np.savez(tmp_path / "s.npz", images=images)
    plan = plan_of(call_of("source", "npz", file="s.npz"), str(tmp_path))
    record = report_of(plan, dataset_of(plan, str(tmp_path))).record["fields"]["image"]
    np.testing.assert_allclose(record["mean"], images.mean(axis=(0, 1, 2)) / 255, rtol=1e-5)
    np.testing.assert_allclose(record["std"], images.std(axis=(0, 1, 2)) / 255, rtol=1e-5)


def test_points_without_end() -> None:
    plan = plan_of(call_of("source", "gaussians", grid=(3, 3), spacing=2.0, std=0.1))
    report = report_of(plan, dataset_of(plan))
    point = report.record["fields"]["point"]
    assert point["looked_at"] == 10_000
    np.testing.assert_allclose(point["mean"], [0, 0], atol=0.1)
    np.testing.assert_allclose(point["std"], [np.sqrt(8 / 3 + 0.01)] * 2, rtol=0.05)
    assert dict(report.lines)["source"].startswith("gaussians(grid: 3x3, spacing: 2.0, ")


def test_two_sources(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, count in (("a", 6), ("b", 9)):
        np.savez(tmp_path / f"{name}.npz", images=rng.integers(0, 256, (count, 4, 4), np.uint8))
    sources = {name: call_of("source", "npz", file=f"{name}.npz") for name in "ab"}
    plan = plan_of(sources, str(tmp_path))
    report = report_of(plan, dataset_of(plan, str(tmp_path)))
    assert set(report.record["fields"]) == {"a", "b"}
    assert [text for name, text in report.lines if name in ("a", "b")][:2] == [
        'npz("a.npz"), 6 examples',
        'npz("b.npz"), 9 examples',
    ]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("text", "condition")])  # counted when loaded
def test_every_kind_tells_of_an_empty_split(kind: str) -> None:
    from gendsl.plan.plan import Field

    shape = {"image": (4, 4, 3), "label": ()}.get(kind, (2,))
    digits = dataset_of(plan_of(call_of("source", "digits")))
    report = KINDS[kind](Field("field", kind, shape, "", None, {}), digits)
    assert report.told() and isinstance(report.record(), dict)


def test_text_tells_of_its_tokens(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abab" * 30)
    text = call_of("source", "text", glob="*.txt", tokenizer=call_of("tokenizer", "bytes"))
    plan = plan_of(text, str(tmp_path), window=8, batch=2)
    report = report_of(plan, dataset_of(plan, str(tmp_path)))
    told = report.record["fields"]["text"]
    assert (told["window"], told["vocabulary"], told["tokens"]["train"]["tokens"]) == (8, 256, 120)
    lines = dict(report.lines)
    assert lines["text"].startswith("windows of 8 tokens; 120 tokens in 1 sequences of 120 to 120, 2 of the vocabulary")
    assert lines["text"].endswith(", 1 bits each by their frequency") and lines["frequent"] == "'a' 60, 'b' 60"


def test_a_table_tells_of_its_columns(tmp_path: Path) -> None:
    cells = "\n".join(f"{number},{'ab'[number % 2]}" for number in (*range(40), *range(40)))
    (tmp_path / "t.csv").write_text(f"size,kind\n{cells}\n")
    plan = plan_of(call_of("source", "csv", file="t.csv"), str(tmp_path), batch=2)
    report = report_of(plan, dataset_of(plan, str(tmp_path)))
    size, kind = report.record["fields"]["row"]["columns"]
    assert (size["least"], size["most"], size["different"]) == ("0", "39", 40) and size["mean"] == pytest.approx(19.5)
    assert kind["counts"] == {"a": 40, "b": 40}
    lines = dict(report.lines)
    assert lines["row"].startswith("2 columns, encoded as ") and lines["kind"] == "categorical, 2 different; a 40, b 40"
