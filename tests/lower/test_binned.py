"""Columns of very many categories: frequent ones come back as they are, rare ones as often as they were."""

from pathlib import Path

import numpy as np
import pytest

from gendsl.check.headers.columns import column
from gendsl.check.headers.paths import Refused
from gendsl.check.headers.tables import row_width
from gendsl.lower.tables.binned import Binned, binned_of, uniform_of
from gendsl.lower.tables.table import Table, table_of
from tests.lower.tables import fit, save

MANY = 3_000


def cities() -> list[str]:
    """A third in two cities, the others in 1,500 that are met once or twice; some cells are empty."""
    return [("Rome", "Oslo", f"place {i // 3 % 1_500}")[i % 3] if i % 20 else "" for i in range(MANY)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, np.ndarray]:
    place = tmp_path_factory.mktemp("t") / "t.csv"
    save(place, {"city": cities(), "n": [str(i) for i in range(MANY)]})
    return fit(place, column("city", "categorical", buckets=5), column("n", "integer", modes=2))


def test_frequent_ones_and_missing_cells_come_back_and_rare_ones_as_rare_ones(made: tuple[Table, np.ndarray]) -> None:
    table, codes = made
    rows = table.encode(codes, np.full(codes.shape, 0.5))
    assert rows.shape[1] == table.width == (5 + 1) + (1 + 2)
    back = table.decode(rows)
    encoding = table.columns[0].encoding
    assert isinstance(encoding, Binned) and len(encoding.own) == 4
    often = np.isin(codes[:, 0], encoding.own)
    np.testing.assert_array_equal(back[often, 0], codes[often, 0])
    np.testing.assert_array_equal(np.isnan(back[:, 0]), np.isnan(codes[:, 0]))
    rare = ~often & ~np.isnan(codes[:, 0])
    assert np.isin(back[rare, 0], encoding.rest).all()
    assert len(np.unique(back[rare, 0])) > 400  # of about 900 different ones, drawn as often
    np.testing.assert_array_equal(back, table.decode(rows))  # the same row is the same city
    np.testing.assert_array_equal(back[:100], table.decode(rows[:100]))
    assert table_of(table.record()) == table


def test_as_many_buckets_as_categories_give_each_its_own() -> None:
    codes = np.array([0.0, 2, 2, 1, 2, 1])
    found = binned_of(codes, 3, 4, False)
    assert found.own == (2, 1, 0) and not found.rest and found.width == 4
    wild = np.random.default_rng(0).normal(size=(50, 4))
    assert set(found.decode(wild)) <= {0.0, 1.0, 2.0}
    np.testing.assert_array_equal(found.decode(found.encode(codes, codes)), codes)


def test_rare_ones_come_back_as_often_as_they_are_met() -> None:
    found = binned_of(np.array([0.0] * 50 + [1] * 30 + [2] * 10), 3, 2, False)
    uniform = uniform_of(np.random.default_rng(0).normal(size=(20_000, 3)).astype(np.float32))
    assert uniform.min() >= 0 and uniform.max() < 1 and uniform.mean() == pytest.approx(0.5, abs=0.01)
    drawn = found.spread(np.full(20_000, 1.0), uniform)
    assert (drawn == 1).mean() == pytest.approx(0.75, abs=0.01) and (drawn == 2).mean() == pytest.approx(0.25, abs=0.01)


def test_the_checker_knows_the_width_and_refuses_too_many_without(tmp_path: Path) -> None:
    save(tmp_path / "t.csv", {"city": [f"place {i}" for i in range(1_200)], "n": ["1", "2"] * 600})
    table, _ = fit(tmp_path / "t.csv", column("city", "categorical", buckets=7))
    assert (
        table.width
        == 7 + 2
        == row_width([column("city", "categorical", buckets=7), column("n", "categorical", categories=2)])
    )
    with pytest.raises(Refused) as caught:
        fit(tmp_path / "t.csv")
    assert "1,200 categories" in caught.value.message and "`buckets: 100`" in caught.value.help
    with pytest.raises(Refused, match="`buckets:` says nothing about column `n`"):
        fit(tmp_path / "t.csv", column("city", "drop"), column("n", "integer", buckets=3))
