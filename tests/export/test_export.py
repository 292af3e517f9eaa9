"""The exported model: loaded as TF Serving loads it, it gives what `gendsl sample` gives."""

import io
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gendsl.evaluate.sampler import CHUNK, Sampler
from gendsl.export.answers import as_text
from gendsl.export.command import export
from gendsl.lower.data.tokenizers import tokenizer_from
from gendsl.lower.data.written import text_of
from gendsl.lower.tables.table import table_of
from gendsl.run.instead import Instead, sample_instead
from gendsl.run.rebuild import rebuilt
from gendsl.run.sample import sample
from gendsl.run.tables import csv_of
from tests.export.loader import Refused, Server


def exported(folder: Path, **options: Any) -> Path:
    """The folder of the only model that an export writes."""
    (found,) = export(folder, replace=True, options=options)
    return found.path


run_of = cache(rebuilt)


def drawn(folder: Path, count: int, seed: int, name: str = "image", **asked: Any) -> Any:
    """What `gendsl sample` draws, before it is written."""
    run = run_of(folder)
    found, fields = sample_instead(run, Instead(**asked))
    return Sampler(run.experiment, sample=found).samples(count, seed=seed, fields=fields)[name]


def pictures(files: list[Path]) -> list[Any]:
    return [np.asarray(Image.open(file)) for file in files if file.stem.isdigit()]


@pytest.fixture(scope="module")
def model(plain: Path) -> Path:
    return exported(plain)


@pytest.fixture(scope="module")
def conditional_model(conditional: Path) -> Path:
    return exported(conditional, images="uint8", also=("discriminator",))


@pytest.fixture(scope="module")
def text_model(text: Path) -> Path:
    return exported(text)


def test_the_cpp_loader_gives_what_sample_writes(plain: Path, model: Path, serve: Server, tmp_path: Path) -> None:
    files = pictures(sample(plain, CHUNK + 7, 3, tmp_path))
    numbers = drawn(plain, CHUNK + 7, 3)
    asked: list[Any] = [("png", "image_bytes", {"n": count, "seed": 3}) for count in (1, 3, CHUNK, CHUNK + 7)]
    asked += [("serving_default", "image", {"n": CHUNK + 7, "seed": 3})]
    *files_served, served, priors = serve.all(model, [*asked, ("from_prior", "image", {"z": np.zeros((5, 8))})])
    assert [len(found) for found in files_served] == [1, 3, CHUNK, CHUNK + 7]
    for found in files_served:
        for number, content in enumerate(found):
            np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), files[number])
    np.testing.assert_array_equal(served, numbers)
    assert priors.shape == (5, 8, 8, 1) and (priors[0] == priors[1]).all()


def test_no_samples_and_too_many(model: Path, serve: Server) -> None:
    asked = [("serving_default", "image", {"n": n, "seed": 3}) for n in (0, -1, 10**9)]
    none, *refused = serve.all(model, [*asked, ("png", "image_bytes", {"n": 0, "seed": 3})])
    assert none.shape == (0, 8, 8, 1) and refused.pop() == []
    for found in refused:
        assert isinstance(found, Refused) and "`n` has to be at least 0 and at most 10000; it is" in str(found)


def test_labels_truncation_bytes_and_a_critic(conditional: Path, conditional_model: Path, serve: Server) -> None:
    model = conditional_model
    assert model.parent == conditional / "export" / "served"
    told = json.loads((model / "gendsl.json").read_text())
    assert set(told["signatures"]) == {
        *("serving_default", "png", "labelled", "labelled_png", "truncated", "truncated_png"),
        *("from_prior", "discriminator"),
    }

    def pixels(values: Any) -> Any:
        return np.rint((np.clip(values, -1, 1) + 1) / 2 * 255).astype(np.uint8)

    given = {"label": [3, 1, 4], "seed": 5}
    names = ("3", "1", "4")
    many, found, cut, same, score = serve.all(
        model,
        [
            ("serving_default", "image", {"n": 70, "seed": 5}),
            ("labelled", "image", given),
            ("truncated", "image", given | {"truncation": 0.3}),
            ("from_prior", "image", {"z": np.zeros((3, 8)), "label": [1, 1, 2]}),
            ("discriminator", "score", {"x": np.full((2, 8, 8, 1), 255), "y": [0, 1]}),
        ],
    )
    assert many.dtype == np.uint8
    np.testing.assert_array_equal(many, pixels(drawn(conditional, 70, 5)))
    np.testing.assert_array_equal(found, pixels(drawn(conditional, 3, 5, labels=names)))
    np.testing.assert_array_equal(cut, pixels(drawn(conditional, 3, 5, labels=names, truncation=0.3)))
    assert (cut != found).any()
    assert (same[0] == same[1]).all() and (same[0] != same[2]).any()
    judge = run_of(conditional).experiment.networks["discriminator"]
    by_hand = judge([np.ones((2, 8, 8, 1), np.float32), np.array([0, 1])], training=False)
    np.testing.assert_allclose(score, by_hand, atol=1e-5)


def test_a_class_that_is_none_and_no_limit_at_all(conditional_model: Path, serve: Server) -> None:
    asked: list[Any] = [("labelled", "image", {"label": [3, 10], "seed": 5})]
    limits = (0.0, float("nan"))
    asked += [("truncated", "image", {"label": [3], "seed": 5, "truncation": limit}) for limit in limits]
    of_class, *of_limits = map(str, serve.all(conditional_model, asked))
    assert "`label` has to be at least 0 and at most 9; it is" in of_class
    assert all("`truncation` has to be at least 0.01" in one for one in of_limits)


def test_a_sampling_loop_is_served_as_it_samples(guided: Path, serve: Server) -> None:
    model = exported(guided)
    count = CHUNK + 7
    expected = drawn(guided, count, 3)
    asked = [("serving_default", "image", {"n": many, "seed": 3}) for many in (1, 3, count)]
    for found in serve.all(model, asked):
        np.testing.assert_allclose(found, expected[: len(found)], atol=1e-5)
    labels = tuple(map(str, range(9)))
    found = serve(model, "labelled", "image", label=list(range(9)), seed=5).reshape(-1, 8, 8, 1)
    np.testing.assert_allclose(found, drawn(guided, 9, 5, labels=labels), atol=1e-5)
    assert (found != drawn(guided, 9, 5, labels=labels[::-1])).any(), "the labels guide"


def test_a_text_is_served_as_it_is_sampled(text: Path, text_model: Path, serve: Server) -> None:
    model, count = text_model, CHUNK + 3
    expected = drawn(text, count, 3, "text")
    prompts = np.tile(expected[:1, :4], (count, 1))
    given = {"prompt": prompts, "seed": 3, "temperature": 0.9}
    asked: list[Any] = [("serving_default", "text", {"n": many, "seed": 3}) for many in (1, 3, count)]
    changes = (
        {},
        {"temperature": 0.0},
        {"prompt": np.zeros([2, 0])},
        {"prompt": [[-1], [-1]]},
        {"prompt": [[29]]},
        {"temperature": -1.0},
    )
    asked += [("prompted", "text", given | change) for change in changes]
    asked += [("text", "text_bytes", {"n": count, "seed": 3})]
    *few, whole, prompted, greedy, nothing, left, no_token, no_temperature, texts = serve.all(model, asked)
    for found in few:
        np.testing.assert_array_equal(found, expected[: len(found)])
    np.testing.assert_array_equal(whole, expected)
    np.testing.assert_array_equal(prompted, expected)
    np.testing.assert_array_equal(greedy, np.tile(greedy[:1], (count, 1)))
    np.testing.assert_array_equal(left, nothing)
    assert nothing.shape == (2, 30) and (nothing[0] != nothing[1]).any() and nothing.min() >= 0
    assert "`prompt` has to be at least -1 and at most 28; it is" in str(no_token)
    assert "`temperature` has to be at least 0; it is" in str(no_temperature)
    tokenizer = tokenizer_from(json.loads((model / "tokens.json").read_text()))
    assert texts == [text_of(tokenizer, tokens).encode() for tokens in expected] and texts[0].startswith(b"the ")


def test_texts_are_the_bytes_of_their_tokens() -> None:
    tokens = tf.constant([[0, 2, 1, -1, 2], [3, 9, 1, 0, 1], [-1, 0, 1, 2, 3]])
    pieces = [b"a", "\u00e4".encode(), b" ", "\u20ac".encode()[:2]]
    found = as_text(tokens, pieces).numpy().tolist()
    assert found == ["a \u00e4".encode(), b"\xe2\x82\xef\xbf\xbd\xc3\xa4a\xc3\xa4", b""]


def test_rows_are_served_and_can_be_read(table: Path, serve: Server, tmp_path: Path) -> None:
    model = exported(table)
    (file,) = [path for path in sample(table, CHUNK + 7, 3, tmp_path) if path.suffix == ".csv"]
    told = json.loads((model / "gendsl.json").read_text())
    assert told["family"] == "table"
    output = told["signatures"]["serving_default"]["outputs"]["row"]
    assert output["kind"] == "row" and output["columns"] == ["age", "height", "town"]
    rows = table_of(json.loads((model / output["table file"]).read_text()))
    asked = [("serving_default", "row", {"n": count, "seed": 3}) for count in (1, 3, CHUNK + 7)]
    for found in serve.all(model, asked):
        assert csv_of(rows, found).splitlines() == file.read_bytes().splitlines()[: len(found) + 1]


def test_examples_are_taken_as_bytes_and_coded(redrawn: Path, serve: Server) -> None:
    model = exported(redrawn)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1))
    asked = {"image": pixels, "seed": 0}
    found, files, mean, spread = serve.all(
        model,
        [
            ("serving_default", "redrawn", asked),
            ("png", "redrawn_bytes", asked),
            ("encoder", "mean", {"x": pixels}),
            ("encoder", "log_variance", {"x": pixels}),
        ],
    )
    networks = run_of(redrawn).experiment.networks
    code = networks["encoder"](pixels.astype(np.float32) / 255, training=False).numpy()
    np.testing.assert_allclose(np.concatenate([mean, spread], -1), code, atol=1e-5)
    by_hand = np.rint(networks["decoder"](code[:, :4], training=False).numpy() * 255)
    assert found.dtype == np.uint8 and np.abs(found - by_hand).max() <= 1
    assert [np.asarray(Image.open(io.BytesIO(one)))[..., None].tolist() for one in files] == found.tolist()


@pytest.mark.slow  # two more processes that load TensorFlow
def test_saved_model_cli_gives_the_same(plain: Path, model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "n.npy", np.int32(3))
    np.save(tmp_path / "seed.npy", np.int64(3))
    tool = str(Path(sys.executable).with_name("saved_model_cli"))
    command = [tool, "run", "--dir", str(model), "--tag_set", "serve", "--signature_def", "serving_default"]
    given = f"n={tmp_path}/n.npy;seed={tmp_path}/seed.npy"
    subprocess.run([*command, "--inputs", given, "--outdir", str(tmp_path)], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "image.npy"), drawn(plain, 3, 3), atol=1e-6)
    shown = subprocess.run([tool, "show", "--dir", str(model), "--all"], check=True, capture_output=True, text=True)
    assert "signature_def['png']" in shown.stdout


def test_only_the_weights_that_endpoints_use_are_exported(model: Path) -> None:
    names = [name for name, _ in tf.train.list_variables(str(model / "variables" / "variables"))]
    saved = sum("/.ATTRIBUTES/VARIABLE_VALUE" in name for name in names)
    assert saved == 10, "averages of the generator's: three kernels and biases, what batch norm scales and shifts by"
