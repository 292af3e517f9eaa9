"""The page of `gendsl serve` in a real browser: a person draws, chooses, takes away, by mouse and by keyboard."""

import io
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "NO_COLOR": "1"}
PATIENCE = 60_000  # milliseconds: the server and the browser share their cores with other tests
SPEC = """experiment onward

data {
  source text("*.txt"), tokenizer: characters()
  window 12
  batch 8
}

network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 8 | position_embed
  residual { layer_norm | attention heads: 2, causal: on }
  layer_norm | dense text.vocabulary
}

train {
  update model, with: adam(1e-2) { minimize next_token(model, text) }
  steps 3
}

sample { text = generate(model, prompt: "the ", length: 30, temperature: 0.9) }
"""
DIGITS = Path(__file__).parents[2] / "examples" / "conditional_digits.gen"


def gendsl(*words: object) -> None:
    command = [sys.executable, "-m", "gendsl", *map(str, words)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def served(folder: Path) -> Iterator[str]:
    """Where a server of an export listens."""
    command = [sys.executable, "-m", "gendsl", "serve", str(folder), "--port", "0"]
    server = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    late = threading.Timer(120, server.kill)  # else a server that says nothing would hold the test for ever
    late.start()
    try:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:\d+/", "".join(said))
        assert found is not None, "".join(said)
        late.cancel()
        yield found[0]
    finally:
        late.cancel()
        server.terminate()
        server.communicate()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("digits") / "run"
    gendsl("run", DIGITS, "--steps", 3, "--out", folder)
    gendsl("export", folder)
    yield from served(folder)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("words")
    (folder / "a.txt").write_text("the quick brown fox jumps over the lazy dog. " * 60)
    (folder / "onward.gen").write_text(SPEC)
    gendsl("run", folder / "onward.gen", "--out", folder / "run")
    gendsl("export", folder / "run")
    yield from served(folder / "run")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page; what the browser has against it, or what it asks of other addresses, is held against it."""
    page, told = browser.new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda one: None if re.match(r"http://127\.|data:|blob:", one.url) else told.append(one.url))
    yield page
    page.close()
    assert not told


def drawn(page: Any) -> None:
    page.locator(".told", has_text="Drawn in").wait_for()


def pictures(page: Any) -> list[str]:
    found: list[str] = page.locator(".pictures img").evaluate_all("all => all.map(one => one.src)")
    return found


def until(page: Any, met: Callable[[], bool]) -> None:
    """Waits for what the page comes to: its policy lets no test of ours run in it."""
    for _ in range(PATIENCE // 100):
        if met():
            return
        page.wait_for_timeout(100)
    assert met()


def test_it_shows_samples_at_once_and_says_what_they_are(page: Any, digits: str) -> None:
    page.goto(digits)
    drawn(page)
    assert page.locator("h1").inner_text().startswith("conditional_digits")
    assert "AI-generated" in page.locator("header").inner_text()
    assert len(pictures(page)) == 16
    box = page.locator(".pictures img").first.bounding_box()
    assert box["width"] >= 80 and box["height"] == pytest.approx(box["width"], rel=0.05)
    shown = page.locator(".pictures img").first.screenshot()
    assert np.asarray(Image.open(io.BytesIO(shown)).convert("L")).std() > 5, "it shows more than one grey"


def test_seed_class_and_number_are_chosen(page: Any, digits: str) -> None:
    page.goto(digits)
    drawn(page)
    before = pictures(page)
    page.get_by_role("button", name="another seed").click()
    until(page, lambda: pictures(page)[:1] != before[:1])
    page.get_by_label("seed, as a number").fill("0")
    page.get_by_label("seed, as a number").press("Enter")
    until(page, lambda: pictures(page) == before)
    page.locator("input[value=labelled]").check()
    page.get_by_label("label", exact=True).select_option("7")
    page.get_by_label("how many, as a number").fill("5")
    page.get_by_label("how many, as a number").press("Tab")
    until(page, lambda: len(pictures(page)) == 5)
    assert len(set(pictures(page))) == 5


def test_a_slider_is_moved_by_the_keyboard(page: Any, digits: str) -> None:
    page.goto(digits)
    drawn(page)
    before = pictures(page)
    page.get_by_label("seed", exact=True).focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: pictures(page)[:1] != before[:1])
    assert page.get_by_label("seed, as a number").input_value() == "1"
    for name in page.locator("form input, form select, form textarea").all():
        assert name.evaluate("one => one.labels?.length || one.getAttribute('aria-label')"), "each field has a name"


def test_the_download_holds_what_is_shown(page: Any, digits: str) -> None:
    page.goto(digits)
    drawn(page)
    with page.expect_download() as waited:
        page.locator("button.download").click()
    assert waited.value.suggested_filename == "conditional_digits.zip"
    with zipfile.ZipFile(waited.value.path()) as opened:
        names = [name for name in opened.namelist() if name.endswith(".png")]
        assert len(names) == 16
        import base64

        assert base64.b64decode(pictures(page)[3].partition(",")[2]) == opened.read("003.png")


def test_a_text_goes_on_from_what_a_person_writes(page: Any, words: str) -> None:
    page.goto(words)
    drawn(page)
    assert len(page.locator(".shown pre").all_inner_texts()) == 16
    page.locator("input[value=prompted]").check()
    page.locator("textarea").fill("the lazy ")
    page.get_by_role("button", name="Draw").click()
    drawn(page)
    page.locator(".shown pre").first.wait_for()
    assert all(one.startswith("the lazy ") for one in page.locator(".shown pre").all_inner_texts())


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1200, "dark")])
def test_it_fits_a_phone_and_the_dark(page: Any, digits: str, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(digits)
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shade = "one => getComputedStyle(one).%s.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    paper = sum(page.locator("body").evaluate(shade % "backgroundColor"))
    ink = sum(page.locator("body").evaluate(shade % "color"))
    assert (ink - paper if scheme == "dark" else paper - ink) > 400
