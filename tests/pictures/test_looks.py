"""What samples look like: each kind says it in one place; names, tables and texts of strangers stay what they are."""

import html
import re

import numpy as np
import pytest
from PIL import ImageFont
from tensorboard.plugin_util import markdown_to_safe_html

from gendsl.lower.data.tokenizers import Bytes
from gendsl.pictures.captions import fitted, with_captions
from gendsl.pictures.looks import LOOKS, Samples, Text, table_text, verbatim
from gendsl.plan.cost import sampler_calls
from gendsl.plan.plan import Field
from tests.run.tiny_runs import planned

SOUND = Field("sound", "row", (64,), "", arguments={"range": (-1, 1)})


def test_every_kind_of_field_has_a_look() -> None:
    from gendsl.vocabulary import WORDS

    kinds = {word for word in WORDS["field"]} if "field" in WORDS else {"image", "text", "row", "point"}
    assert {"image", "point", "row", "text"} <= LOOKS.keys()
    assert kinds - {"label", "condition"} <= LOOKS.keys()


def test_images_are_a_grid_under_the_names_of_its_columns() -> None:
    values = np.zeros((20, 8, 8, 1), np.float32)
    bare = LOOKS["image"](Samples(values, None, 10))
    named = LOOKS["image"](Samples(values, None, 10, tuple("0123456789")))
    assert isinstance(bare, np.ndarray) and isinstance(named, np.ndarray)
    assert np.array_equal(named[-bare.shape[0] :], bare) and named.shape[0] > bare.shape[0]


def test_points_are_a_scatter_and_only_those_of_the_plane() -> None:
    assert LOOKS["point"](Samples(np.zeros((5, 3)), None)) is None
    shown = LOOKS["point"](Samples(np.zeros((5, 2)), None, real=np.ones((5, 2))))
    assert isinstance(shown, np.ndarray) and shown.shape == (512, 512, 3)


def test_rows_are_a_table_that_markdown_cannot_be_misled_by() -> None:
    text = table_text(["name", "a|b"], [["<script>", "*1*"], ["x\n| y |", "22"]])
    lines = text.markdown.splitlines()
    assert lines[0] == "| name | a\\|b |" and lines[1] == "| --- | --- |"
    assert lines[2] == "| \\<script\\> | \\*1\\* |" and lines[3] == "| x \\| y \\| | 22 |"
    shown = LOOKS["row"](Samples(np.arange(60, dtype=np.float32).reshape(30, 2), None))
    assert isinstance(shown, Text) and len(shown.plain.splitlines()) == 21 and "x0" in shown.plain


def test_texts_are_read_and_shown_as_they_are() -> None:
    tokens = np.frombuffer("# é <b>\nline".encode(), np.uint8).astype(np.int32)
    shown = LOOKS["text"](Samples(np.stack([tokens, tokens]), None, reader=Bytes()))
    assert isinstance(shown, Text) and shown.plain.count("# é <b>\nline") == 2
    assert all(line.startswith("    ") for line in shown.markdown.splitlines()), "Markdown leaves that alone"
    ended = np.array([tokens.tolist()[:4] + [-1] * (len(tokens) - 4)])
    alone = LOOKS["text"](Samples(ended, None, reader=Bytes()))
    assert isinstance(alone, Text) and alone.plain == "# é\n", "what is behind an end is not shown"
    numbers = LOOKS["text"](Samples(np.stack([tokens, tokens]), None))
    assert isinstance(numbers, Text) and numbers.plain.startswith("35 32")


@pytest.mark.parametrize(
    "text",
    [
        "a\n\n\nb",
        "# no heading\n- no list\n\n1. none\n",
        "<script>alert(1)</script> &amp; **bold** [a](http://b) ![c](d)",
        "\x02wzxhzdk:0\x03\r<b>\r\n\x0c\u2028*x*\x00",
        "\n\n  indented\n\ttab\n```\nfence\n```",
    ],
    ids=["empty lines", "lists", "html", "machinery", "code"],
)
def test_tensorboard_shows_any_text_as_it_is_written(text: str) -> None:
    shown = html.unescape(re.sub("<[^>]*>", "", rendered := markdown_to_safe_html(verbatim(text))))
    assert set(re.findall("<(\\w+)", rendered)) == {"pre", "code"}, "and nothing in it is markup"
    seen = re.sub("[\x00\x02\x03\r\x0c\u2028]", "\ufffd", text).expandtabs(4)
    assert shown.strip("\n").split() == seen.strip("\n").split()
    assert [line.rstrip() for line in shown.strip("\n").split("\n")] == [
        line.rstrip() for line in seen.strip("\n").split("\n")
    ]


WRITER = """experiment told
data { source text("*.txt"), tokenizer: bytes(); window 16; batch 2 }
network model(tokens: text) -> categorical(text.vocabulary) { embed text.vocabulary, 4 | dense text.vocabulary }
train { update model, with: adam(1e-2) { minimize next_token(model, text) }; steps 2 }
sample { text = generate(model, length: 120) }
"""


def test_what_is_written_token_by_token_is_drawn_as_seldom_as_what_takes_as_many_calls() -> None:
    sample = planned(WRITER).sample
    assert sample is not None and max(map(sampler_calls, sample.operations)) == 120


def test_sounds_are_waves() -> None:
    wave = np.stack([np.sin(np.linspace(0, 60, 4_096)), np.zeros(4_096), np.full(4_096, np.nan)])
    shown = LOOKS["audio"](Samples(wave, SOUND))
    assert isinstance(shown, np.ndarray) and shown.shape == (3 * 64, 512, 3)
    ink = (shown == (31, 90, 200)).all(-1)
    assert ink[:64].any(1).sum() > 50, "from the lowest to the highest"
    assert ink[64:128].any(1).sum() <= 2 and ink[64:128].any(0).all(), "silence is a line"


@pytest.mark.parametrize(
    "name",
    ["", "a very long name of a class " * 20, "数字\n\t\x00\u202e", "😀" * 90],
    ids=["none", "long", "strange", "emoji"],
)
def test_any_name_fits_over_its_column(name: str) -> None:
    sheet = np.zeros((20, 120, 3), np.uint8)
    shown = with_captions(sheet, (name, "b"))
    assert shown.shape[1:] == sheet.shape[1:] and 30 < shown.shape[0] <= 50
    font = ImageFont.load_default(12)
    assert font.getlength(fitted(" ".join(name.split()), font, 50)) <= 62


def test_columns_too_narrow_for_names_have_none() -> None:
    sheet = np.zeros((20, 60, 1), np.uint8)
    assert with_captions(sheet, tuple("0123456789")) is sheet
    assert with_captions(sheet, ()) is sheet
