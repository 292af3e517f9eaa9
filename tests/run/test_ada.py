"""ADA in whole runs: what is logged, the same bits after an interruption, and its aim reached on real pictures."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_processes import bits
from test_run import metrics

SPEC = Path(__file__).parents[2] / "specs" / "emoji_gan.gen"
DIGITS = """experiment digits
data { source digits(); image range: -1..1; batch 16 }
augment { both ada(target: 0.1, speed: 800) }
network generator(z: normal(4)) -> image { dense 64 | tanh | reshape 8, 8, 1 }
network discriminator(x: image) -> logits(1) { flatten | dense 32 | leaky_relu 0.2 | dense 1 }
train { objective gan(loss: hinge); optimizer adam(5e-3, beta_1: 0.5); steps 60; checkpoint every: 30 steps }
"""


def test_a_run_logs_p_and_goes_on_to_the_same_bits(tmp_path: Path, run_tiny: Callable[..., Any]) -> None:
    run_tiny(DIGITS, tmp_path / "whole")
    run_tiny(DIGITS, tmp_path / "part", steps=27)
    outcome, _ = run_tiny(DIGITS, tmp_path / "part", resume=True)
    assert outcome.step == 60
    assert bits(tmp_path / "part", 60) == bits(tmp_path / "whole", 60)
    assert metrics(tmp_path / "part")[-1] == metrics(tmp_path / "whole")[-1]
    last = metrics(tmp_path / "whole")[-1]
    assert 0 < last["ada/p"] <= 1 and -1 <= last["ada/r_t"] <= 1


@pytest.fixture(scope="session")
def emoji(request: pytest.FixtureRequest) -> Path:
    """A folder with 64x64 PNGs of emoji in a folder for each category, from the npm registry, kept in pytest's cache.

    The art is Google's, under the Apache License 2.0."""
    cache = request.config.cache
    assert cache is not None
    folder = Path(cache.mkdir("emoji"))
    if not (folder / "emoji").is_dir():
        if shutil.which("npm") is None:
            pytest.skip("no npm")
        packed = subprocess.run(["npm", "pack", "emoji-datasource-google@15.1.2"], cwd=folder, capture_output=True)
        assert packed.returncode == 0, packed.stderr.decode()
        (archive,) = folder.glob("*.tgz")
        made = folder / "unpacked"
        with tarfile.open(archive) as tar:
            wanted = (
                one for one in tar if one.name.startswith("package/img/google/64/") or one.name.endswith("emoji.json")
            )
            tar.extractall(made, members=wanted, filter="data")
        for one in json.loads((made / "package" / "emoji.json").read_text(encoding="utf-8")):
            there = made / "package" / "img" / "google" / "64" / one["image"]
            place = made / "emoji" / one["category"].replace(" ", "_")
            if there.is_file():
                place.mkdir(parents=True, exist_ok=True)
                there.rename(place / one["image"])
        (made / "emoji").rename(folder / "emoji")
        shutil.rmtree(made)
        archive.unlink()
    return folder / "emoji"
