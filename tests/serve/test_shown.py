"""What a person sees of an export of a table or of music: cells and files as `gendsl sample` writes them."""

import base64
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from servers import Echo, Server, signature

from gendsl.export.marks import sentence
from gendsl.lower.data.written import reader_of
from gendsl.run.tables import csv_of
from tests.lower.tables import fit, save
from tests.lower.test_data_music import data_of, folder_of

DRAW = {"signature": "serving_default", "count": 2, "inputs": {"seed": 1}}


def drawn(values: dict[str, np.ndarray], told: dict[str, Any], folder: Path) -> tuple[Server, Any]:
    outputs = {name: (one.dtype.name, (None, *one.shape[1:])) for name, one in values.items()}
    model = Echo(signature("serving_default", {"seed": ("int64", ())}, outputs), serving_default=lambda given: values)
    server = Server(model, record={"signatures": {"serving_default": {"outputs": told}}}, folder=folder)
    return server, server.ask("/draw", DRAW).json["outputs"][0]


def test_rows_are_cells_of_the_table(tmp_path: Path) -> None:
    save(tmp_path / "people.csv", {"age": [31, 45, 52, 28] * 10, "city": ["Ulm", "Köln", "Bonn", "<i>"] * 10})
    table, codes = fit(tmp_path / "people.csv")
    rows = table.encode(codes[:4], np.zeros((4, 2)))
    (tmp_path / "table.json").write_text(json.dumps(table.record()))
    told = {"row": {"kind": "row", "columns": ["age", "city"], "table file": "table.json"}}
    server, shown = drawn({"row": rows}, told, tmp_path)
    assert shown["kind"] == "table" and shown["columns"] == ["age", "city"]
    assert [row[1] for row in shown["rows"]] == ["Ulm", "Köln", "Bonn", "<i>"]
    archive = server.ask("/draw", {**DRAW, "as": "zip"}).body
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.read("samples.csv") == csv_of(table, rows)
        assert "AI-generated" in opened.read("samples.csv-metadata.json").decode()


def test_music_is_a_roll_and_a_file_to_be_heard(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    record = data_of(folder_of(tmp_path / "music")).manifest["sources"][0]["tokenizer"]
    (tmp_path / "tokens.json").write_text(json.dumps(record))
    remi = reader_of(record)
    tokens = np.arange(2 * 40, dtype=np.int32).reshape(2, 40) % remi.size
    told = {"text": {"kind": "tokens", "vocabulary file": "tokens.json"}}
    server, shown = drawn({"text": tokens}, told, tmp_path)
    assert shown["kind"] == "music" and len(shown["pictures"]) == len(shown["songs"]) == 2
    song = base64.b64decode(shown["songs"][0]["data"])
    assert symusic.Score.from_midi(song).ticks_per_quarter > 0
    assert sentence(replace(server.origin, drawn="seed 1")).encode() in song


def test_what_cannot_be_read_is_told_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text('{"columns": [], "separator": ","}')
    told = {"row": {"kind": "row", "columns": ["a", "b"], "table file": "table.json"}}
    server, shown = drawn({"row": np.zeros((2, 2), np.float32)}, told, tmp_path)
    assert shown["columns"] == ["a", "b"] and shown["rows"] == [["0", "0"]] * 2
    assert "the table cannot be read: its rows have 0 numbers" in server.ask("/").body.decode()
