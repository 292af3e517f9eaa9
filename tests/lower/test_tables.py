"""Encodings of columns: each comes back as it was, and is what its source says."""

import json
import math
import random
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.check.headers.columns import column
from gendsl.check.headers.delimited import records
from gendsl.check.headers.paths import Refused
from gendsl.lower.tables.mixture import Mixture, mixture_of
from gendsl.lower.tables.numbers import Numbers
from gendsl.lower.tables.quantile import Quantile
from gendsl.lower.tables.statistics import statistics_of
from gendsl.lower.tables.table import fitted, table_of
from gendsl.plan.blocks import blocks_of
from tests.lower.tables import SEED, declared, fit, read, save, there_and_back

RNG = np.random.default_rng(7)
# what a CSV file can hold in quotes, and what is no missing cell
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)


@st.composite
def columns(draw: Any) -> dict[str, list[str]]:
    """Columns of as many cells: names, whole numbers, times and decimals, some missing."""
    count = draw(st.integers(2, 30))

    def some(cells: Any) -> Any:
        return st.lists(cells, min_size=count, max_size=count).filter(lambda drawn: any(drawn))

    missing = st.just("")
    start = datetime(1990, 1, 1)
    days = st.integers(0, 20_000).map(lambda day: (start + timedelta(days=day)).strftime("%d.%m.%Y"))
    minutes = st.integers(0, 10**6).map(lambda minute: (start + timedelta(minutes=minute)).strftime("%Y-%m-%d %H:%M"))
    return {
        "name": draw(some(NAMES | missing)),
        "whole": draw(some(st.integers(-1000, 10**5).map(str) | missing)),
        "few": draw(some(st.sampled_from(["1", "2", "30"]))),
        "day": draw(some(days | missing)),
        "minute": draw(some(minutes)),
        "decimal": draw(some(st.integers(-(10**6), 10**6).map(lambda cents: f"{cents / 100:.2f}") | missing)),
    }


@settings(max_examples=25, deadline=None)
@given(columns(), st.sampled_from(["standard", "minmax", "log"]), st.integers(1, 3))
def test_a_table_comes_back_as_it_was(cells: dict[str, list[str]], encoding: str, modes: int) -> None:
    kinds = [
        column("name", "categorical"),
        column("whole", "integer", modes=modes),
        column("few", "ordinal"),
        column("day", "datetime", encoding=encoding, format="%d.%m.%Y"),
        column("minute", "datetime", modes=modes, format="%Y-%m-%d %H:%M"),
        column("decimal", "continuous", modes=modes),
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        save(path, cells)
        table, codes = fit(path, *kinds, training=slice(0, max(1, len(cells["few"]) // 2)))
    # as it comes back when data.json is all that is left
    table = table_of(json.loads(json.dumps(table.record())))
    back = there_and_back(table, codes)
    for name in ("name", "whole", "few", "day", "minute"):
        assert back[name] == cells[name], name
    for before, after in zip(cells["decimal"], back["decimal"], strict=True):
        assert before == after or math.isclose(float(before), float(after), abs_tol=0.011)


def test_decimals_come_back_as_they_are_printed(tmp_path: Path) -> None:
    count = 200
    cells = {
        "two": [f"{value:.2f}" for value in RNG.normal(50, 20, count)],
        "pandas": [repr(float(round(value, 2))) for value in RNG.normal(5, 2, count)],
        "short": [f"{value:.3f}".rstrip("0").rstrip(".") for value in RNG.exponential(3, count)],
        "exponent": [f"{value:.3e}" for value in RNG.lognormal(0, 4, count)],
        "zero": [f"{max(0.0, value):.1f}" for value in RNG.normal(0, 1, count)],
    }
    save(tmp_path / "t.csv", cells)
    table, codes = fit(tmp_path / "t.csv")
    back = there_and_back(table, codes)
    assert [one.kind for one in table.columns] == ["continuous"] * 5
    for name in ("two", "pandas", "short", "zero"):
        assert back[name] == cells[name], name
    # four digits of numbers over a range of 10^10: to 2^-24 of the spread of a mode
    assert np.isclose(np.float64(cells["exponent"]), np.float64(back["exponent"]), rtol=2e-3, atol=1e-2).all()


@pytest.mark.parametrize("encoding", ["mixture", "quantile", "log", "standard", "minmax"])
@pytest.mark.parametrize("missing", [False, True])
def test_numbers_come_back(tmp_path: Path, encoding: str, missing: bool) -> None:
    cells = [str(value) for value in RNG.integers(-500, 5_000, 300)]
    if missing:
        cells[5], cells[70] = "NA", "NA"
    save(tmp_path / "t.csv", {"x": cells})
    table, codes = fit(tmp_path / "t.csv", declared("integer", encoding=encoding))
    assert there_and_back(table, codes)["x"] == cells
    values = table.encode(codes, RNG.random(codes.shape))
    inside = ~np.isnan(codes[:, 0])
    if encoding in ("quantile", "log", "minmax"):
        assert abs(values[inside, 0]).max() == pytest.approx(1, abs=1e-6)
    if encoding == "standard":
        assert values[inside, 0].mean() == pytest.approx(0, abs=1e-5)
        assert values[inside, 0].std() == pytest.approx(1, abs=1e-5)
    if missing:
        assert (values[~inside, 0] == 0).all() and (values[~inside, -1] == 1).all()
        assert (values[inside, -1] == 0).all()


def test_rows_beyond_the_training_rows_come_back_too(tmp_path: Path) -> None:
    """What is fitted is the training split; other rows may lie anywhere."""
    cells = [str(value) for value in [*range(100), 1_000, -1_000]]
    for encoding in ("mixture", "log", "standard", "minmax"):
        save(tmp_path / "t.csv", {"x": cells})
        table, codes = fit(tmp_path / "t.csv", declared("integer", encoding=encoding), training=slice(0, 100))
        assert there_and_back(table, codes)["x"] == cells, encoding


def test_quantiles_are_scikit_learns() -> None:
    from sklearn.preprocessing import QuantileTransformer

    from gendsl.lower.tables.quantile import quantile_of

    values = np.concatenate([RNG.exponential(2, 500), np.full(100, 1.5)])
    ours = quantile_of(values).encode(values, values)[:, 0]
    theirs = QuantileTransformer(n_quantiles=600, subsample=None).fit_transform(values[:, None])[:, 0]
    np.testing.assert_allclose((ours + 1) / 2, theirs, atol=1e-12)
    assert Quantile((1.0, 1.0)).decode(np.array([[0.3]]))[0] == 1.0


def test_a_mixture_finds_its_modes() -> None:
    """Section 4.2 of the paper: the value is the place in a mode, by four of its deviations."""
    codes = np.concatenate([RNG.normal(-100, 1, 500), RNG.normal(0, 5, 500), RNG.normal(300, 20, 1_000)])
    mixture = mixture_of(codes, 6, False, 0)
    assert len(mixture.means) == len(mixture.weights) == 6
    counting = [(mean, std) for mean, std, weight in zip(*_three(mixture), strict=True) if weight > 0.05]
    for mean in (-100, 0, 300):  # the fit's prior widens the narrow ones
        assert any(abs(mean - found) < 5 and found_std < 25 for found, found_std in counting)
    values = mixture.encode(codes, RNG.random(len(codes)))
    assert abs(values[:, 0]).max() < 1.5 and abs(values[:, 0]).std() < 0.5
    np.testing.assert_array_equal(values[:, 1:].sum(axis=1), 1)
    modes = values[:, 1:].argmax(axis=1)
    expected = (codes - np.array(mixture.means)[modes]) / (4 * np.array(mixture.stds)[modes])
    np.testing.assert_allclose(values[:, 0], expected)


def _three(mixture: Mixture) -> tuple[tuple[float, ...], ...]:
    return mixture.means, mixture.stds, mixture.weights


def test_modes_are_drawn_by_their_probability() -> None:
    mixture = Mixture((0.0, 0.0, 5.0), (1.0, 3.0, 1.0), (0.5, 0.5, 0.0), False)
    drawn = mixture.encode(np.zeros(40_000), RNG.random(40_000))[:, 1:].mean(axis=0)
    np.testing.assert_allclose(drawn, [0.75, 0.25, 0.0], atol=0.01)  # densities at 0 are as 1 to 1/3
    # a mode that does not count is not read either
    assert mixture.decode(np.array([[0.5, 0.0, 0.1, 0.9]]))[0] == 0.5 * 4 * 3.0


def test_the_fit_is_the_same_each_time() -> None:
    codes = RNG.lognormal(0, 1, 20_000)
    assert mixture_of(codes, 5, False, 11) == mixture_of(codes, 5, False, 11)


@pytest.mark.parametrize("missing", [False, True])
def test_blocks_say_what_a_row_means(tmp_path: Path, missing: bool) -> None:
    gap = "" if missing else "4"
    save(tmp_path / "t.csv", {name: ["1", "2", gap, "4", "5", "6"] for name in "abcde"} | {"f": ["x"] * 6})
    columns = [
        column("a", "continuous", modes=2),
        column("b", "categorical", categories=9),
        column("c", "integer", encoding="standard"),
        column("d", "ordinal"),
        column("e", "drop"),
    ]
    sheet, codes = read(tmp_path / "t.csv", *columns)
    more = int(missing)
    blocks = blocks_of(one.declared for one in sheet.columns)
    assert blocks is not None
    assert [(one.column, one.part, one.kind, one.width, one.bounded) for one in blocks] == [
        ("a", "value", "scalar", 1, True),
        ("a", "mode", "one_hot", 2 + more, True),
        ("b", "category", "one_hot", 9 + more, True),
        ("c", "value", "scalar", 1, False),
        *[("c", "missing", "indicator", 1, True)] * missing,
        ("d", "value", "scalar", 1, True),
        *[("d", "missing", "indicator", 1, True)] * missing,
        ("f", "category", "one_hot", 1, True),
    ]
    rows = fitted(sheet, codes, SEED).encode(codes, RNG.random(codes.shape))
    assert rows.shape[1] == sum(block.width for block in blocks)
    for block in blocks:
        values = rows[:, block.start : block.start + block.width]
        if block.kind == "one_hot":
            assert (values.sum(axis=1) == 1).all() and np.isin(values, (0, 1)).all()
            assert (values[2, -1] == 1) == ((missing and block.column != "f") or block.width == 1)
        elif block.kind == "indicator":
            assert values[:, 0].tolist() == [0, 0, 1, 0, 0, 0]
        elif block.bounded:
            assert abs(values).max() <= 1


def test_anything_a_network_gives_becomes_cells(tmp_path: Path) -> None:
    cells = {"a": ["1", "2", "", "4"] * 5, "b": ["u", "v", "w", "u"] * 5, "t": ["2020-01-02", "2021-05-06"] * 10}
    for encoding in ("mixture", "quantile", "log", "standard", "minmax"):
        save(tmp_path / "t.csv", cells)
        table, _ = fit(
            tmp_path / "t.csv",
            column("a", "integer", encoding=encoding, modes=3),
            column("b", "categorical", categories=9),
            column("t", "datetime", encoding=encoding, modes=3),
        )
        rows = RNG.normal(0, 1, (400, table.width)) * np.exp(RNG.normal(0, 20, (400, 1)))
        rows[:3] = np.array([np.nan, np.inf, -np.inf])[:, None]
        for a, b, t in table.texts(table.decode(rows)):
            assert a in ("", "1", "2", "3", "4") and b in ("u", "v", "w")
            assert t == "" or "2020-01-02" <= t <= "2021-05-06"


@pytest.mark.parametrize(
    ("cells", "code", "text"),
    [
        (Numbers(0, 100, 0, 0, 0, True, ""), 41.7, "42"),
        (Numbers(0, 100, 1, 1, 0, True, ""), 41.7, "42.0"),
        (Numbers(0, 100, 2, 2, 0, False, ""), 3, "3.00"),
        (Numbers(0, 100, 0, 3, 0, False, ""), 3.1, "3.1"),
        (Numbers(-1, 100, 0, 1, 0, False, ""), -0.01, "0"),
        (Numbers(0, 1e9, 0, 1, 3, False, ""), 123_456.0, "1.23e+05"),
        (Numbers(0, 100, 0, 0, 0, False, "NA"), math.nan, "NA"),
        (Numbers(0, 100, 0, 0, 0, False, ""), 1e30, "100"),
    ],
)
def test_numbers_are_written_as_in_the_file(cells: Numbers, code: float, text: str) -> None:
    assert cells.text(code) == text


def test_a_cell_that_is_another_kind_than_the_head_said(tmp_path: Path) -> None:
    """Beyond the first MiB a cell may be anything: it is named with its line, and what to write."""
    head = {
        "x": [f"{i}.5" for i in range(9_000)],
        "y": ["ab"[i % 2] for i in range(9_000)],
        "z": ["text " * 30] * 9_000,
        "o": ["10", "9"] * 4_500,
    }
    for name, cell, told in (
        ("x", "oops", '"t.csv" line 9002: column `x` holds `oops`, which is not a number'),
        ("x", "", "`column x, continuous, missing: on`"),
        ("o", "low", "line 9002: nothing says where `low` stands in the order of column `o`"),
        ("y", "c", "declared with 2 categories, and has 3; write `categories: 3`"),
    ):
        rows = {key: [*cells, cell if key == name else cells[0]] for key, cells in head.items()}
        save(tmp_path / "t.csv", rows)
        with pytest.raises(Refused) as raised:
            read(tmp_path / "t.csv", column("o", "ordinal"))
        assert told.replace("9002", "9,002") in f"{raised.value.message}; {raised.value.help}"


def test_statistics(tmp_path: Path) -> None:
    cells = {
        "n": ["1", "2", "3", "4", ""] * 20,
        "c": ["u", "u", "v", "u", ""] * 20,
        "t": [f"2020-01-{day + 1:02}" for day in range(20)] * 5,
    }
    save(tmp_path / "t.csv", cells)
    sheet, codes = read(tmp_path / "t.csv", column("n", "integer"))
    number, category, time = statistics_of(sheet.columns, codes)
    assert number == {
        "name": "n", "kind": "integer", "missing": 20, "different": 4, "mean": 2.5,
        "std": pytest.approx(1.118, abs=1e-3), "least": "1", "quartiles": ["1", "2", "3"], "most": "4",
    }  # fmt: skip
    assert category == {
        "name": "c", "kind": "categorical", "missing": 20, "different": 2, "counts": {"u": 60, "v": 20}
    }  # fmt: skip
    assert (time["least"], time["most"], time["different"]) == ("2020-01-01", "2020-01-20", 20)
    json.dumps([number, category, time])


PIECES = (
    '1', '2', '-3.5', '1e3', '', 'NA', 'a', 'b c', '"x, y"', '"q""q"', '007', '2020-01-02', '03/04/2020', '1.0', ' 7 ',
    '9' * 20, 'inf', 'nan', 'é', '²', '1_0', '"l\nm"', '.5', '5.', '+4', '-0', '1e400', '?',
)  # fmt: skip


def test_any_file_is_a_table_or_refused(tmp_path: Path) -> None:
    dice, path, tables = random.Random(0), tmp_path / "t.csv", 0
    for _ in range(300):
        width = dice.randint(1, 4)
        pools = [dice.sample(PIECES, dice.randint(1, 4)) for _ in range(width)]
        lines = [[f"c{place}" for place in range(width)]]
        lines += [[dice.choice(pool) for pool in pools] for _ in range(dice.randint(0, 12))]
        content = bytearray(dice.choice(["\n", "\r\n"]).join(map(",".join, lines)).encode())
        for _ in range(dice.choice([0, 0, 0, 2])):
            content[dice.randrange(len(content))] = dice.choice(b'\x00\xff",\n\r;x1')
        path.write_bytes(bytes(content))
        try:
            table, codes = fit(path)
        except Refused as refused:
            assert refused.message and refused.help
            continue
        tables += 1
        back = there_and_back(table, codes)
        names, *rows = [cells for _, cells in records(str(path), "t.csv", ",")]
        for name, kind in ((one.name, one.kind) for one in table.columns):
            if kind == "categorical":
                assert back[name] == [row[names.index(name)] for row in rows], bytes(content)
    assert tables > 100
