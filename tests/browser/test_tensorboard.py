"""A real run, killed and resumed, in a real TensorBoard in a real browser: what a person looks for can be read."""

import io
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (on Debian: apt-get install chromium)"),
]

SPEC = Path(__file__).parents[2] / "specs" / "digits_gan.gen"
TEXT = SPEC.read_text().replace("  steps 2_000\n", "  steps 2_000\n  checkpoint every: 40 steps\n")
STEPS, LOGGED = 120, 10  # how many, and every how many a point of a curve
KILLED_BEHIND = 100
ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
PATIENCE = 60_000  # milliseconds: TensorBoard and the browser share their cores with other tests


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a TensorBoard listens that shows a run of the first spec, which was killed behind its second checkpoint."""
    folder = tmp_path_factory.mktemp("watched") / "run"
    spec = folder.with_name("digits_gan.gen")
    spec.write_text(TEXT)
    words = ["run", str(spec), "--steps", str(STEPS), "--out", str(folder), "--resume"]
    killed = subprocess.Popen([sys.executable, "-m", "gendsl", *words], env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    metrics, end = folder / "metrics.jsonl", time.monotonic() + 300
    while not metrics.is_file() or metrics.read_text().count("generator/loss") < KILLED_BEHIND // LOGGED:
        assert killed.poll() is None and time.monotonic() < end
        time.sleep(0.005)
    killed.kill()
    killed.wait()
    done = subprocess.run(
        [sys.executable, "-m", "gendsl", *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and "going on at step" in done.stdout, done.stdout + done.stderr
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--host", "127.0.0.1", "--port", "0"],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    late = threading.Timer(120, server.kill)  # else a server that says nothing would hold the test for ever
    late.start()
    try:
        assert server.stderr is not None
        said = []
        for line in server.stderr:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                break
        else:
            pytest.fail("TensorBoard did not start:\n" + "".join(said))
        late.cancel()
        yield found[0]
    finally:
        late.cancel()
        server.terminate()
        try:
            server.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A page of a browser with a profile of its own."""
    from playwright import sync_api as playwright

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            viewport={"width": 1400, "height": 1000},
        )
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def opened(page: Any, address: str, tab: str) -> Any:
    """The page with a tab of TensorBoard opened anew: a change behind the `#` alone loads nothing."""
    page.goto("about:blank")
    page.goto(f"{address}#{tab}")
    return page


def groups(page: Any, address: str, tab: str) -> list[str]:
    """The names of the groups of tags in a tab, from top to bottom."""
    opened(page, address, tab).wait_for_selector("tf-category-paginated-view .heading")
    headings = page.locator("tf-category-paginated-view .heading").all_inner_texts()
    return [str(heading).split()[0] for heading in headings]


def coloured(png: bytes) -> int:
    """How many pixels of a picture have a colour: the text and the grid of a chart are grey, its line is not."""
    saturation = np.asarray(Image.open(io.BytesIO(png)).convert("HSV"))[..., 1]
    return int((saturation > 100).sum())


def test_losses_rates_and_scores_are_charts_in_groups_of_their_own(page: Any, address: str) -> None:
    found = groups(page, address, "scalars")
    assert found == ["discriminator", "generator", "learning_rate", "run", "scores"]
    for group in found[2:]:  # TensorBoard opens the first two
        page.locator("tf-category-paginated-view .heading", has_text=group).click()
    for tag in ("discriminator/loss", "generator/loss", "learning_rate/generator", "scores/diversity"):
        card = page.locator("tf-scalar-card", has=page.locator(f"tf-card-heading:has-text('{tag}')"))
        card.wait_for()
        card.scroll_into_view_if_needed()
        if not tag.startswith("scores"):  # one score is a point
            assert wait_until(lambda card=card: coloured(card.screenshot()) > 100, page), f"{tag} has no line"


def test_a_killed_run_that_went_on_is_one_curve(page: Any, address: str) -> None:
    opened(page, address, "scalars").wait_for_selector("tf-category-paginated-view .heading")
    read = "where => fetch(where).then(answer => answer.json())"
    for tag in ("generator/loss", "discriminator/loss", "learning_rate/generator"):
        points = page.evaluate(read, f"data/plugin/scalars/scalars?run=logs&tag={tag}")
        assert [step for _, step, _ in points] == list(range(LOGGED, STEPS + 1, LOGGED))
    pictures = page.evaluate(read, "data/plugin/images/images?run=logs&tag=samples/image&sample=0")
    assert [picture["step"] for picture in pictures] == [0, STEPS]
    texts = page.evaluate(read, "data/plugin/text/text?run=logs&tag=spec")
    assert len(texts) == 1


def test_the_sample_grid_is_large_enough_to_be_looked_at(page: Any, address: str) -> None:
    assert groups(page, address, "images") == ["samples"]
    image = page.locator("tf-image-loader img").first
    image.wait_for()
    assert wait_until(lambda: image.evaluate("image => image.complete && image.naturalWidth"), page) >= 400
    box = image.bounding_box()
    assert box["width"] >= 300 and box["height"] == pytest.approx(box["width"], rel=0.05)
    content = image.screenshot()
    grey = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    assert grey.std() > 20, "it shows more than one grey"
    for text in ("samples/image", str(STEPS)):
        page.locator("tf-image-loader").get_by_text(text, exact=True).first.wait_for()


def test_the_spec_and_the_plan_are_texts_as_they_were_written(page: Any, address: str) -> None:
    assert groups(page, address, "text") == ["plan", "spec"]
    page.locator("tf-text-loader pre").nth(1).wait_for()
    plan, spec = page.locator("tf-text-loader pre").all_inner_texts()
    assert spec.strip() == TEXT.strip(), "each line and its indent"
    assert "network generator(z: normal 64)" in plan and re.search(r"in all +198,721", plan)


def test_the_first_page_shows_both_losses_and_on_a_click_the_samples(page: Any, address: str) -> None:
    opened(page, address, "timeseries")
    page.locator("scalar-card").nth(1).wait_for()
    titles = [str(card).split("\n")[0] for card in page.locator("scalar-card").all_inner_texts()]
    assert [title.split("/")[0] for title in titles] == ["discriminator", "generator"]
    page.locator("button", has_text="samples").first.click()
    image = page.locator("image-card img").first
    image.wait_for()
    assert wait_until(lambda: image.evaluate("image => image.complete && image.naturalWidth"), page) >= 400


def wait_until(measured: Callable[[], int], page: Any) -> int:
    """What is measured, once it is more than nothing; what is drawn late gets ten seconds."""
    for _ in range(50):
        if found := measured():
            return found
        page.wait_for_timeout(200)
    return 0
