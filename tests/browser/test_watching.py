"""A real run, killed and resumed, in a real browser: what a person looks for in TensorBoard, and in its report with the
network off, can be read."""

import io
import os
import re
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

pytestmark = pytest.mark.slow

SPEC = Path(__file__).parents[2] / "specs" / "digits_gan.gen"
TEXT = SPEC.read_text().replace("  steps 2_000\n", "  steps 2_000\n  checkpoint every: 40 steps\n")
TEXT = TEXT.replace("  diversity\n", "  diversity\n  precision_recall\n")
STEPS, LOGGED = 120, 10  # how many, and every how many a point of a curve
KILLED_BEHIND = 100
ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
PATIENCE = 60_000  # milliseconds: TensorBoard and the browser share their cores with other tests


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the first spec, which was killed behind its second checkpoint, and went on."""
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
    return folder


@pytest.fixture(scope="module")
def address(watched: Path) -> Iterator[str]:
    """Where a TensorBoard listens that shows the run."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", str(watched), "--host", "127.0.0.1", "--port", "0"],
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
def page(browser: Any) -> Iterator[Any]:
    """A page that has patience."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


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
    told, measured = ["discriminator", "generator"], ["gradient_norm", "spectral_norm", "weight_norm"]
    assert found == sorted([*told, *measured, "learning_rate", "run", "scores"])
    for group in ("learning_rate", "scores"):  # TensorBoard opens the first two
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
    views = ["neighbours", "real_and_generated", "samples_fresh", "samples", "walk"]
    assert groups(page, address, "images") == views
    for place in range(2, len(views)):  # TensorBoard opens the first two
        page.locator("tf-category-paginated-view .heading").nth(place).click()
    loaders = page.locator("tf-image-loader")
    for view in views:
        shown = loaders.filter(has_text=f"{view}/image").locator("img")
        shown.wait_for()
        shown.scroll_into_view_if_needed()
        assert wait_until(lambda shown=shown: shown.evaluate("it => it.complete && it.naturalWidth"), page) >= 300
    image = loaders.filter(has_text="samples/image").locator("img")
    image.scroll_into_view_if_needed()
    image.wait_for()
    assert wait_until(lambda: image.evaluate("image => image.complete && image.naturalWidth"), page) >= 400
    box = image.bounding_box()
    assert box["width"] >= 300 and box["height"] == pytest.approx(box["width"], rel=0.05)
    content = image.screenshot()
    grey = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    assert grey.std() > 20, "it shows more than one grey"
    for text in ("samples/image", str(STEPS)):
        loaders.filter(has_text="samples/image").get_by_text(text, exact=True).first.wait_for()


def test_the_spec_and_the_plan_are_texts_as_they_were_written(page: Any, address: str) -> None:
    assert groups(page, address, "text") == ["plan", "spec"]
    page.locator("tf-text-loader pre").nth(1).wait_for()
    plan, spec = page.locator("tf-text-loader pre").all_inner_texts()
    assert spec.strip() == TEXT.strip(), "each line and its indent"
    assert "network generator(z: normal 64)" in plan and re.search(r"in all +198,721", plan)


def test_hparams_has_the_run_with_its_params_and_its_scores(page: Any, address: str) -> None:
    opened(page, address, "hparams")
    for told in ("width", "32.000", re.compile("scores/diversity#"), "generator/loss"):
        page.get_by_text(told, exact=True).first.wait_for()


def test_precision_against_recall_is_a_curve(page: Any, address: str) -> None:
    page.goto(f"{address}/#pr_curves")
    page.get_by_text(re.compile("precision_recall_classifier#")).first.wait_for(timeout=PATIENCE)
    page.wait_for_selector("tf-pr-curve-card svg .tick-mark", state="attached", timeout=PATIENCE)


def test_weights_are_histograms_and_the_networks_are_a_graph(page: Any, address: str) -> None:
    found = groups(page, address, "histograms")
    assert found == ["weights"]
    assert page.locator("tf-histogram-loader").first.get_by_text("weights/discriminator/").first.is_visible()
    page.locator("tf-histogram-loader vz-histogram-timeseries svg .histogram").first.wait_for()
    opened(page, address, "graphs").locator("tf-graph-scene").first.wait_for()
    for network in ("generator", "discriminator"):
        page.locator("tf-graph-scene text", has_text=network).first.wait_for()


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


@pytest.fixture
def report(browser: Any, watched: Path) -> Iterator[tuple[Any, list[str]]]:
    """The report in a page without a network, and what the browser had to say against it."""
    browser.set_offline(True)
    page, told = browser.new_page(), []
    page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on(
        "request", lambda request: told.append(request.url) if not request.url.startswith(("file:", "data:")) else 0
    )
    page.goto((watched / "report.html").as_uri())
    yield page, told
    page.close()
    browser.set_offline(False)


def test_the_report_opens_offline_and_shows_the_run(report: tuple[Any, list[str]]) -> None:
    page, told = report
    assert page.locator("h1").inner_text() == "digits_gan"
    said = page.locator("body").inner_text()
    for text in ("finished", "diversity", "resumed", "1,617", "objective gan(loss: nonsaturating)", "in all"):
        assert text in said, text
    pictures = page.locator(".film img")
    assert pictures.count() >= 6  # two of the samples, one of each other view
    sizes = pictures.evaluate_all(
        "all => Promise.all(all.map(one => (one.loading = 'eager', one.decode()))).then("
        "() => all.map(one => one.naturalWidth))"
    )
    assert min(sizes) >= 300
    charts = page.locator("figure.chart svg")
    assert charts.count() == 3  # two losses and the learning rates; one score is no curve
    for number in range(charts.count()):
        box = charts.nth(number).bounding_box()
        assert box["width"] > 300 and charts.nth(number).locator("text").count() >= 6
    assert not told


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1400, "dark")])
def test_the_report_fits_a_phone_and_the_dark(report: tuple[Any, list[str]], width: int, scheme: str) -> None:
    page, _ = report
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shade = "one => getComputedStyle(one).%s.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    paper = sum(page.locator("body").evaluate(shade % "backgroundColor"))
    ink = sum(page.locator("body").evaluate(shade % "color"))
    assert (ink - paper if scheme == "dark" else paper - ink) > 400
    label = page.locator("figure.chart svg text").first.bounding_box()
    assert label["height"] >= 9, "a label on a curve can be read"
