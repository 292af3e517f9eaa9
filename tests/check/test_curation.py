"""What is wrong with `curate` and `split` is known from the headers, before anything is loaded."""

from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.source import Source
from tests.check.specs import DATA, codes, spec


def curated(rules: str, source: str = "digits()", more: str = "") -> str:
    return spec(data=f"data {{ source {source}; image range: -1..1; {more} curate {{ {rules} }}; batch 64 }}")


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ("drop duplicates, within: 4; drop blank, contrast: 2%; drop label: 3; balance; limit 500", []),
        ("drop corrupt", []),
        ("drop", ["missing_argument"]),
        ("drop within: 4", ["missing_argument"]),
        ("drop blank, within: 4", ["missing_argument"]),
        ("drop duplicates, contrast: 2%", ["missing_argument"]),
        ("drop blank, contrast: 2", ["out_of_range"]),
        ("drop smaller: 16", ["bad_data"]),
        ("drop aspect: 0.5..2", ["bad_data"]),
        ("drop label: 10", ["out_of_range"]),
        ("drop leaks", ["bad_data"]),
        ("drop dublicates", ["wrong_type"]),
        ('drop listed: "nowhere.csv"', ["missing_data"]),
        ('drop listed: "../bad.csv"', ["path_outside"]),
    ],
)
def test_rules(rules: str, found: list[str]) -> None:
    assert codes(curated(rules)) == found


def test_leaks_need_a_split() -> None:
    assert codes(curated("drop leaks", more="split train: 90%, test: 10%;")) == []
    assert codes(curated("drop leaks", more="split train: 90%;")) == ["bad_data"]


@pytest.mark.parametrize(
    ("split", "found"),
    [
        ("train: 90%, test: 10%", []),
        ("train: 99.99%, test: 0.01%", ["out_of_range"]),
        ("train: 0.01%, test: 99.99%", ["out_of_range"]),
    ],
)
def test_a_share_of_nothing(split: str, found: list[str]) -> None:
    assert codes(spec(data=DATA.replace("batch", f"split {split}; batch"))) == found


def test_what_has_no_end_and_what_has_no_classes(tmp_path: Path) -> None:
    from PIL import Image

    for number in range(3):
        Image.new("L", (8, 8), number).save(tmp_path / f"{number}.png")
    told = {}
    for name, text in {
        "no end": "data { source ring(8); curate { drop duplicates }; batch 1 }",
        "no classes": 'data { source images("*.png"); curate { balance; drop label: a }; batch 1 }',
        "fine": 'data { source images("*.png"); curate { drop smaller: 4, aspect: 0.5..2 }; batch 1 }',
        "no width": 'data { source images("*.png"); curate { drop aspect: -2..0 }; batch 1 }',
    }.items():
        problems = Problems()
        check(Source("a.gen", text), problems, folder=str(tmp_path))
        told[name] = [one.message for one in problems if one.rule.code in ("bad_data", "out_of_range")]
    assert told == {
        "no end": ["`ring` has no end: nothing can be left out of it"],
        "no classes": ["`balance` needs data with classes", "`drop label` needs data with classes"],
        "fine": [],
        "no width": ["no picture has a width / height of at most 0"],
    }
