"""Files of labels: which picture has which class, what the check knows of it, and what it says when that fails."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gendsl.check.headers import header_of, with_options
from gendsl.check.headers.labels import Labelled, labels_of
from gendsl.check.headers.paths import Refused
from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS
from tests.check.specs import checked, spec

PATHS = ["data/a/0.png", "data/a/1.png", "data/b/2.jpg"]


def call(category: str, name: str, /, **arguments: Any) -> Call:
    word = WORDS[category][name]
    return Call(name, {parameter.name: parameter.default for parameter in word.parameters} | arguments)


def labelled(folder: Path, text: str, word: str = "csv", **arguments: Any) -> Labelled:
    (folder / "labels").write_text(text, encoding="utf-8")
    return labels_of(call("labels", word, path="labels", **arguments), PATHS, str(folder))


@pytest.mark.parametrize(
    "names",
    [
        ("data/a/0.png", "data/a/1.png", "data/b/2.jpg"),
        ("0.png", "1.png", "2.jpg"),
        ("0", "1", "2"),
        ("a/0", "./a/1", "b\\2.jpg"),
    ],
)
def test_a_picture_is_known_by_the_end_of_its_path(tmp_path: Path, names: tuple[str, ...]) -> None:
    rows = "".join(f"{name},{kind}\n" for name, kind in zip(names, ("cat", "dog", "cat"), strict=True))
    found = labelled(tmp_path, "file,class\n" + rows + "\nnowhere.png,cow\n")
    assert found == Labelled({PATHS[0]: "cat", PATHS[1]: "dog", PATHS[2]: "cat"}, ("cat", "dog"), ())


def test_columns_are_chosen_and_quoted(tmp_path: Path) -> None:
    text = '\ufeffkind;size;"the file"\n"a; b";3;0.png\nc;4;1.png\n ;5;2.jpg\n'
    found = labelled(tmp_path, text, file="the file", **{"class": "kind"}, separator=";")
    assert found.classes == {PATHS[0]: "a; b", PATHS[1]: "c"} and found.missing == (PATHS[2],)


def test_numbers_are_in_their_own_order(tmp_path: Path) -> None:
    assert labelled(tmp_path, "f,c\n0,10\n1,9\n2,2\n").names == ("2", "9", "10")
    assert labelled(tmp_path, "f,c\n0,10\n1,9\n2,x\n").names == ("10", "9", "x")


def test_json(tmp_path: Path) -> None:
    objects = [{"image": "0.png", "kind": "x", "more": [1]}, {"image": "1.png", "kind": 3}, {"image": "2.jpg"}, 7]
    found = labelled(tmp_path, json.dumps(objects), "json", file="image", **{"class": "kind"})
    assert found.classes == {PATHS[0]: "x", PATHS[1]: "3"} and found.missing == (PATHS[2],)
    found = labelled(tmp_path, json.dumps({"0.png": "x", "1.png": "y", "2.jpg": "x"}), "json")
    assert found.names == ("x", "y") and not found.missing


@pytest.mark.parametrize(
    ("word", "text", "arguments", "told"),
    [
        ("csv", "f,c\n0.png,a\n0.png,b\n", {}, "two classes: a and b"),
        ("csv", "f,c\n9.png,a\n", {}, 'no label for any of the 3 pictures, such as "data/a/0.png"; it names "9.png"'),
        ("csv", "", {}, "needs a column of pictures and one of classes; it has none"),
        ("csv", "f\n0.png\n", {}, "needs a column of pictures"),
        ("csv", "f,c\n0.png\n", {}, "row 2 of .* has 1 of its 2 cells"),
        ("csv", "f,c\n0.png,a\n", {"class": "kind"}, "no column `kind`"),
        ("csv", "f,c\n0.png,a\n", {"separator": ",,"}, "separator"),
        ("json", "{", {}, "is not JSON"),
        ("json", "[" * 100_000, {}, "is not JSON"),
        ("json", "3", {}, "neither a list of objects nor an object"),
        ("json", '[{"image": "0.png", "kind": "x"}]', {}, "have several keys: they have image, kind"),
        ("json", '[{"image": "0.png"}]', {"file": "image", "class": "kind"}, "have no key `kind`"),
    ],
)
def test_what_a_file_does_not_tell(tmp_path: Path, word: str, text: str, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        labelled(tmp_path, text, word, **arguments)
    assert refused.value.help


def test_a_name_of_two_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("f,c\n0.png,x\n")
    with pytest.raises(Refused, match=r'could be "a/0.png" or "b/0.png"'):
        labels_of(call("labels", "csv", path="labels"), ["a/0.png", "b/0.png"], str(tmp_path))


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(b"f,c\n0.png,\xe9\n")
    with pytest.raises(Refused, match="cannot be read as a table"):
        labels_of(call("labels", "csv", path="labels"), PATHS, str(tmp_path))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / path)
    (tmp_path / "labels.csv").write_text("name,kind\n0.png,cat\n1.png,dog\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_header_knows_the_classes(folder: Path) -> None:
    images = call("source", "images", glob="data/**", label=call("labels", "csv", path="labels.csv"))
    header = header_of(images, str(folder))
    assert not header.problem and header.examples == 3 and header.fields[1].classes == 2
    assert header.unlabelled == '1 of the 3 pictures has no label in "labels.csv": "data/b/2.jpg"'
    (folder / "labels.csv").unlink()
    header = header_of(images, str(folder))
    assert not header.known and header.warning == 'there is no file "labels.csv"' and len(header.fields) == 2


DATA = """data {
  source images("data/**"), label: csv("labels.csv", file: name, class: kind)
  %s
  label %s
  batch 1
}"""


def test_the_check_names_what_has_no_label(folder: Path) -> None:
    _, problems = checked(spec(data=DATA % ("", 2)))
    assert [problem.rule.code for problem in problems][:1] == ["bad_data"]
    assert '"data/b/2.jpg"' in problems[0].message and "curate { drop unlabeled }" in problems[0].help
    plan, problems = checked(spec(data=DATA % ("curate { drop unlabeled }", 2)))
    assert plan is not None and not [problem for problem in problems if problem.severity == "error"]
    assert plan.data.fields[1].classes == 2
    _, problems = checked(spec(data=DATA % ("curate { drop unlabeled }", 1)))
    assert any("declared with 1 classes; the data has 2" in problem.message for problem in problems)


def test_an_option_goes_to_sources_that_take_such_a_value() -> None:
    by_file = {"label": call("labels", "csv", path="labels.csv")}
    for name, argument in (("npz", "file"), ("tfds", "name"), ("digits", ""), ("audio", "glob")):
        given = {argument: "x"} if argument else {}
        assert with_options(call("source", name, **given), by_file)[1] == ("label",)
    assert with_options(call("source", "audio", glob="x"), {"label": "folder"})[1] == ()
    assert with_options(call("source", "npz", file="x"), {"label": "folder"})[1] == ("label",)
    assert with_options(call("source", "images", glob="x"), by_file)[0].arguments["label"] == by_file["label"]
