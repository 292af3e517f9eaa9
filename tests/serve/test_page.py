"""The page: its form comes from the signatures and gendsl.json, and what it draws is what the API answers."""

import base64
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from servers import Echo, Server, sampler, signature

from gendsl.export.marks import SOURCE_TYPE
from gendsl.run.pictures import pixels_of


def form_of(server: Server) -> Any:
    html = server.ask("/").body.decode()
    return json.loads(re.search(r'id="form">(.*?)</script>', html, re.DOTALL)[1])


def test_the_form_is_made_from_the_signatures() -> None:
    form = form_of(Server(sampler()))
    assert form["model"] == "toy" and form["limit"] == 64
    seeded, labelled = form["signatures"]
    assert [one["kind"] for one in seeded["inputs"]] == ["seed"] and seeded["counted"] == "n"
    assert [(one["name"], one["kind"]) for one in labelled["inputs"]] == [("label", "label"), ("seed", "seed")]
    assert labelled["many"] and not labelled["counted"]


def test_what_gendsl_json_tells_stands_in_the_form() -> None:
    inputs = {"label": {"kind": "label", "range": [0, 2], "names": ["cat", "dog", "<b>"], "doc": "What it shows."}}
    record = {"family": "image", "experiment": "pets", "signatures": {"labelled": {"inputs": inputs}}}
    server = Server(sampler(), record=record)
    label = form_of(server)["signatures"][1]["inputs"][0]
    assert label["names"] == ["cat", "dog", "<b>"] and label["doc"] == "What it shows."
    assert "experiment pets" in server.ask("/").body.decode()
    drawn = server.ask("/draw", {"signature": "labelled", "count": 5, "inputs": {"label": "each", "seed": 1}})
    assert len(drawn.json["outputs"][0]["pictures"]) == 5


def test_names_of_strangers_are_text_in_the_page() -> None:
    record = {"experiment": "</script><script>alert(1)</script>", "signatures": {"labelled": {"doc": "</script><b>"}}}
    page = Server(sampler(), record=record, faults=("<i>x</i> was changed",)).ask("/").body.decode()
    assert page.count("<script") == page.count("</script>") == 2 and "<b>" not in page and "<i>" not in page


def test_a_broken_chain_is_told_on_the_page() -> None:
    told = Server(sampler(), faults=("saved_model.pb was changed",)).ask("/").body.decode()
    assert 'role="alert"' in told and "saved_model.pb was changed" in told
    assert 'role="alert"' not in Server(sampler()).ask("/").body.decode()


def test_pictures_are_those_of_the_api_and_say_that_a_model_made_them() -> None:
    server = Server(sampler())
    drawn = server.ask("/draw", {"signature": "serving_default", "count": 3, "inputs": {"seed": 5}}).json
    answered = server.ask("/v1/models/toy:predict", {"inputs": {"n": 3, "seed": 5}}).json["outputs"]
    wanted = pixels_of(np.array(answered, np.float32), (0, 1))
    pictures = [base64.b64decode(one["data"]) for one in drawn["outputs"][0]["pictures"]]
    for picture, pixels in zip(pictures, wanted, strict=True):
        opened = Image.open(io.BytesIO(picture))
        np.testing.assert_array_equal(np.asarray(opened), pixels[..., 0])
        assert opened.info["DigitalSourceType"] == SOURCE_TYPE
        assert json.loads(opened.info["gendsl"])["drawn"] == "seed 5"
    again = {"signature": "serving_default", "count": 3, "inputs": {"seed": 5}, "as": "zip"}
    archive = server.ask("/draw", again)
    assert archive.headers["content-disposition"] == 'attachment; filename="toy.zip"'
    assert archive.body == server.ask("/draw", again).body
    with zipfile.ZipFile(io.BytesIO(archive.body)) as opened:
        assert [opened.read(name) for name in opened.namelist()] == pictures


def texts(folder: Path) -> Server:
    """Texts by their bytes, which begin with a prompt."""

    def onward(given: Any) -> Any:
        prompt = given["prompt"]
        more = np.tile(np.frombuffer(b" and on", np.uint8).astype(np.int32), (len(prompt), 1))
        return {"text": np.concatenate([prompt, more], 1)}

    inputs = {"prompt": ("int32", (None, None)), "seed": ("int64", ()), "temperature": ("float32", ())}
    prompted = signature("prompted", inputs, {"text": ("int32", (None, None))})
    told = {"inputs": {"temperature": {"kind": "temperature", "range": [0, None], "default": 0.9}},
            "outputs": {"text": {"kind": "tokens", "vocabulary file": "tokens.json"}}}  # fmt: skip
    record = {"family": "text", "signatures": {"prompted": told}}
    return Server(Echo(prompted, prompted=onward), record=record, folder=folder)


def test_a_prompt_is_cut_into_tokens_and_tokens_are_read(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text('{"word": "bytes"}')
    server = texts(tmp_path)
    temperature = next(one for one in form_of(server)["signatures"][0]["inputs"] if one["kind"] == "temperature")
    assert (temperature["least"], temperature["most"], temperature["default"]) == (0, 2, 0.9)
    chosen = {"signature": "prompted", "count": 2, "inputs": {"prompt": "hér", "seed": 1, "temperature": 1}}
    assert server.ask("/draw", chosen).json["outputs"][0]["texts"] == ["hér and on"] * 2
    chosen["inputs"] = {**chosen["inputs"], "prompt": ""}
    assert "write a beginning" in server.ask("/draw", chosen).error


@pytest.mark.parametrize("content", [None, "{", '{"word": "bpe", "model": "x"}', '{"word": "other"}', "[]"])
def test_without_a_tokenizer_tokens_are_numbers(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokens.json").write_text(content)
    server = texts(tmp_path)
    chosen = {"signature": "prompted", "count": 1, "inputs": {"prompt": "104 105", "seed": 1, "temperature": 1}}
    assert server.ask("/draw", chosen).json["outputs"][0]["texts"][0].startswith("104 105 32 97")
    assert not server.failures


@pytest.mark.parametrize("name", ["../secret.json", "/etc/passwd", "..", "", "a/b.json", "\0"])
def test_no_other_file_is_read_than_those_beside_the_model(tmp_path: Path, name: str) -> None:
    from gendsl.serve.readers import record_of

    (tmp_path / "secret.json").write_text('{"word": "bytes"}')
    (tmp_path / "model").mkdir()
    assert record_of(tmp_path / "model", {"vocabulary file": name}, "vocabulary file") is None
    (tmp_path / "model" / "link.json").symlink_to(tmp_path / "secret.json")
    assert record_of(tmp_path / "model", {"vocabulary file": "link.json"}, "vocabulary file") is None


@pytest.mark.parametrize(
    "chosen",
    [
        [], {}, {"signature": "x"}, {"signature": "serving_default"}, {"signature": "serving_default", "count": "3"},
        {"signature": "serving_default", "count": 10**9, "inputs": {"seed": 1}},
        {"signature": "serving_default", "count": 1, "inputs": {"seed": "one"}},
        {"signature": "serving_default", "count": 1, "inputs": []},
        {"signature": "labelled", "count": 1, "inputs": {"seed": 1, "label": "cat"}},
        {"signature": "labelled", "count": 1, "inputs": {"seed": None, "label": 1}},
        {"signature": "serving_default", "count": True, "inputs": {"seed": 1}},
    ],
)  # fmt: skip
def test_a_form_that_nobody_made_is_refused(chosen: Any) -> None:
    server = Server(sampler())
    answer = server.ask("/draw", chosen)
    assert answer.status == 400 and answer.error and not server.failures


def test_rows_points_and_arrays_are_shown(tmp_path: Path) -> None:
    values = {
        "points": np.array([[0.5, -1], [2, 3]], np.float32),
        "score": np.array([0.25, 1], np.float32),
        "wide": np.zeros((2, 3, 4), np.float32),
    }
    outputs = {name: ("float32", (None, *one.shape[1:])) for name, one in values.items()}
    one = signature("serving_default", {"seed": ("int64", ())}, outputs)
    server = Server(Echo(one, serving_default=lambda given: values))
    drawn = server.ask("/draw", {"signature": "serving_default", "count": 1, "inputs": {"seed": 1}})
    found = {one["name"]: one for one in drawn.json["outputs"]}
    assert found["points"]["columns"] == ["x", "y"] and found["points"]["rows"] == [["0.5", "-1"], ["2", "3"]]
    assert len(found["points"]["pictures"]) == 1
    assert found["score"]["rows"] == [["0.25"], ["1"]]
    assert found["wide"]["rows"] == [["2×3×4 numbers of float32"]]


def test_the_card_beside_a_model_is_shown_without_scripts() -> None:
    server = Server(sampler(), card=b"<h1>card</h1>")
    answer = server.ask("/card")
    assert answer.body == b"<h1>card</h1>" and "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert 'href="/card"' in server.ask("/").body.decode()
    assert 'href="/card"' not in Server(sampler()).ask("/").body.decode()
