"""A table from the file to a trained network and back to a file, through the commands that a user types."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.mixture import Mixture
from gendsl.lower.tables.numbers import Numbers
from gendsl.lower.tables.one_hot import OneHot
from gendsl.lower.tables.table import Column, Table
from gendsl.plan.plan import Field
from gendsl.run.command import run
from gendsl.run.folder import RunFolder
from gendsl.run.order import Order, Where
from gendsl.run.sample import sample
from gendsl.run.tables import csv_of, table_of_field
from gendsl.source import Source
from tests.cli.processes import gendsl

GAN = """experiment wine

data {
  source csv("wine.csv") {
    column ash, continuous, encoding: quantile
    column magnesium, integer, modes: 4
    column alcohol, continuous, modes: 4
    column bottled, datetime, encoding: minmax
    column id, drop
  }
  split train: 80%, test: 20%
  batch 32
}

network generator(z: normal(16)) -> row {
  dense 32 | relu
  dense row.width | tanh
}

network critic(x: row) -> logits(1) {
  dense 32 | leaky_relu 0.2
  dense 1
}

train {
  objective wgan_gp(critic: critic)
  optimizer adam(1e-3, beta_1: 0.5)
  steps 4
}
"""

VAE = """experiment wine_vae

data {
  source csv("wine.csv") { column id, drop }
  batch 32
}

network encoder(x: row) -> normal(8) {
  dense 32 | relu
  dense 16
}

network decoder(z: normal(8)) -> row {
  dense 32 | relu
  dense row.width
}

train {
  update encoder, decoder, with: adam(1e-3) {
    q = encoder(row)
    z ~ q
    minimize l2(decoder(z), row) + 0.01 * kl(q, normal(8))
  }
  steps 4
}

sample {
  row = decoder()
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scikit-learn's wine as CSV, and two specs."""
    from sklearn.datasets import load_wine

    made = tmp_path_factory.mktemp("table")
    wine = load_wine()
    with open(made / "wine.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "alcohol", "ash", "magnesium", "bottled", "cultivar", "note"])
        for row, (values, kind) in enumerate(zip(wine.data, wine.target, strict=True)):
            note = "" if row % 4 == 0 else ("dry, light", 'a "full" one')[row % 2]
            numbers = [f"{values[0]:.2f}", f"{values[2]:.2f}", int(values[4])]
            writer.writerow([row, *numbers, f"{row % 28 + 1:02}.11.{1990 + row % 7}", wine.target_names[kind], note])
    (made / "gan.gen").write_text(GAN, encoding="utf-8")
    (made / "vae.gen").write_text(VAE, encoding="utf-8")
    return made


def read(path: Path) -> list[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def is_like_the_wine(samples: Path, wine: Path) -> None:
    (header, *rows), (real_header, *real) = read(samples), read(wine)
    assert header == real_header[1:] and len(rows) == 100
    for column, place in ((4, 5), (5, 6)):  # cultivar, note
        assert {row[column] for row in rows} <= {row[place] for row in real}
    for alcohol, ash, magnesium, bottled, _, _ in rows:
        assert len(alcohol.partition(".")[2]) == 2 and 11.03 <= float(alcohol) <= 14.83
        assert len(ash.partition(".")[2]) == 2
        assert 70 <= int(magnesium) <= 162
        assert 1990 <= datetime.strptime(bottled, "%d.%m.%Y").year <= 1996 and len(bottled) == 10


def test_a_gan_by_the_commands_that_a_user_types(folder: Path) -> None:
    done = gendsl("run", "gan.gen", "--out", "runs/gan", folder=folder)
    assert done.code == 0, done.err
    done = gendsl("sample", "runs/gan", "-n", "100", "-o", "gan", folder=folder)
    assert done.code == 0, done.err
    assert {path.name for path in (folder / "gan").iterdir()} == {"samples.csv", "samples.csv-metadata.json"}
    is_like_the_wine(folder / "gan/samples.csv", folder / "wine.csv")


def test_a_vae_in_this_process(folder: Path) -> None:
    problems = Problems()
    plan = check(Source("vae.gen", VAE), problems, folder=str(folder))
    assert plan is not None, [problem.message for problem in problems]
    order = Order(plan, VAE, str(folder / "vae.gen"), str(folder))
    assert run(order, Where(folder / "runs/vae"), console=Console(file=io.StringIO())).finished
    for name in ("one", "other"):
        assert sample(folder / "runs/vae", 100, 3, folder / name)[0] == folder / name / "samples.csv"
        is_like_the_wine(folder / name / "samples.csv", folder / "wine.csv")
    assert (folder / "one/samples.csv").read_bytes() == (folder / "other/samples.csv").read_bytes()


def test_a_table_in_data_json_that_was_changed(tmp_path: Path) -> None:
    folder, field = RunFolder(tmp_path), Field("row", "row", (3,), "")
    table = Table((Column("x", "integer", Numbers(0, 9, 0, 0, 0, True, ""), Mixture((1.0,), (2.0,), (1.0,), True)),))
    strange = table.record()
    strange["columns"][0]["encoding"]["means"] = ["?"]
    for record, told in (
        ({"sources": [{"name": "", "table": table.record()}]}, ""),
        ({"sources": [{"name": "", "table": {"separator": ",", "columns": [{"name": "x"}]}}]}, "cannot be read"),
        ({"sources": [{"name": "", "table": {"separator": ",", "columns": []}}]}, "its rows have 0 numbers"),
        ({"sources": [{"name": "", "table": strange}]}, "cannot be read"),
        ({"sources": "none"}, "cannot be read"),
    ):
        folder.data.write_text(json.dumps(record), encoding="utf-8")
        if told:
            with pytest.raises(UserError, match=told):
                table_of_field(folder, field)
        else:
            assert table_of_field(folder, field) == table
    folder.data.unlink()
    assert table_of_field(folder, field) is None


def test_cells_that_a_reader_would_change_are_quoted() -> None:
    table = Table((Column("x", "categorical", Categories((" a", "b\rc", "d")), OneHot(3, 3, False)),))
    text = csv_of(table, np.eye(3)).decode()
    assert list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)) == [["x"], [" a"], ["b\rc"], ["d"]]
