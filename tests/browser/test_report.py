"""The report of a real run in a real browser, with the network off: it asks for nothing and says all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def opened(browser: Any, watched: Path) -> Iterator[tuple[Any, list[str]]]:
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


def test_it_opens_offline_and_shows_the_run(opened: tuple[Any, list[str]]) -> None:
    page, told = opened
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
def test_it_fits_a_phone_and_can_be_read_in_the_dark(opened: tuple[Any, list[str]], width: int, scheme: str) -> None:
    page, _ = opened
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shade = "one => getComputedStyle(one).%s.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    paper = sum(page.locator("body").evaluate(shade % "backgroundColor"))
    ink = sum(page.locator("body").evaluate(shade % "color"))
    assert (ink - paper if scheme == "dark" else paper - ink) > 400
    label = page.locator("figure.chart svg text").first.bounding_box()
    assert label["height"] >= 9, "a label on a curve can be read"
