"""A real run, killed and resumed, and a browser to look at it; without Chromium these tests are skipped."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

SPEC = Path(__file__).parents[2] / "specs" / "digits_gan.gen"
TEXT = SPEC.read_text().replace("  steps 2_000\n", "  steps 2_000\n  checkpoint every: 40 steps\n")
STEPS, LOGGED = 120, 10  # how many, and every how many a point of a curve
KILLED_BEHIND = 100
ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
PATIENCE = 60_000  # milliseconds: TensorBoard and the browser share their cores with other tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(missing)


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser with a profile of its own."""
    from playwright import sync_api as playwright

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            viewport={"width": 1400, "height": 1000},
        )
        yield browser
        browser.close()
