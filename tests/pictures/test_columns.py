"""Pictures of a table's columns: what is alike looks alike, what is not is seen."""

from pathlib import Path

import numpy as np
import pytest

from gendsl.evaluate.tables.cells import Cells
from gendsl.pictures.columns import figures, histograms, maps
from tests.lower.tables import fit, save

RED, BLUE, WHITE, GREY = (178, 24, 43), (33, 102, 172), (255, 255, 255), (235, 235, 235)
CAPTION = 26  # pixels of the strip above a picture
MADE, REAL = (140, 175, 240), (205, 205, 205)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    place = tmp_path_factory.mktemp("t") / "t.csv"
    random = np.random.default_rng(0)
    x = random.integers(0, 100, 300)
    save(
        place,
        {
            "x": [str(one) if i % 10 else "" for i, one in enumerate(x)],
            "falling": [str(500 - 2 * one) for one in x],
            "job": [("cook", "nurse", "clerk")[min(2, i % 4)] for i in range(300)],
        },
    )
    return Cells(*fit(place))


def colours(pixels: np.ndarray) -> set[tuple[int, ...]]:
    return set(map(tuple, np.unique(pixels.reshape(-1, 3), axis=0).tolist()))


def test_equal_columns_have_bars_of_one_colour_and_moved_ones_of_both(cells: Cells) -> None:
    def many(samples: Cells, colour: tuple[int, ...]) -> int:
        return int((histograms(samples, cells) == colour).all(axis=-1).sum())

    moved = Cells(cells.table, cells.codes * np.array([0.5, 1, 0]))
    for colour in (MADE, REAL):  # letters have greys, too
        assert many(cells, colour) < 100 < 1_000 < many(moved, colour)


def test_maps_show_signs_of_correlations_and_differences_of_pairs(cells: Cells) -> None:
    pixels = maps(cells, cells)
    assert pixels is not None
    third = pixels.shape[1] // 3
    data, samples, different = (pixels[:, place * third : (place + 1) * third] for place in range(3))
    np.testing.assert_array_equal(data[CAPTION:], samples[CAPTION:])  # below the captions
    assert {RED, BLUE, GREY} <= colours(data) and RED not in colours(different)
    torn = cells.codes.copy()
    torn[:, 1] = torn[::-1, 1]
    worse = maps(Cells(cells.table, torn), cells)
    assert worse is not None
    assert not np.array_equal(worse[CAPTION:, 2 * third :], different[CAPTION:])
    assert BLUE not in colours(worse[CAPTION:, third : 2 * third])


def test_one_column_has_no_pairs(tmp_path: Path) -> None:
    save(tmp_path / "t.csv", {"x": [str(one) for one in range(30)]})
    one = Cells(*fit(tmp_path / "t.csv"))
    assert maps(one, one) is None and histograms(one, one).ndim == 3


def test_figures_tell_of_both_sides(cells: Cells) -> None:
    other = Cells(cells.table, np.where(np.isnan(cells.codes), 7.0, cells.codes))
    lines = figures(other, cells).plain.splitlines()
    assert lines[0].split() == ["column", "kind", "alike", "data", "samples"]
    assert lines[1].split()[:2] == ["x", "integer"] and "10.0 % missing" in lines[1]
    assert lines[3].split()[:3] == ["job", "categorical", "100.0"] and "clerk 50.0 %" in lines[3]
    known = cells.codes[~np.isnan(cells.codes[:, 0]), 0]
    assert f"{known.mean():.4g} ± {known.std():.4g}" in lines[1]
