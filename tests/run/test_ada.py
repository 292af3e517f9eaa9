"""ADA in whole runs: what is logged, the same bits after an interruption, and its aim reached on real pictures."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_processes import bits, finished
from test_run import metrics

SPEC = Path(__file__).parents[2] / "specs" / "emoji_gan.gen"
DIGITS = """experiment digits
data { source digits(); image range: -1..1; batch 16 }
augment { both ada(target: 0.1, speed: 800) { flip; shift 10%; brightness 0.2 } }
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
    """A folder with PNGs of emoji, 64x64, one folder a category, from the npm registry, kept in pytest's cache.

    The art is Google's, under the Apache License 2.0."""
    cache = request.config.cache
    assert cache is not None
    folder = Path(cache.mkdir("emoji-google"))
    if not (folder / "emoji").is_dir():
        if shutil.which("npm") is None:
            pytest.skip("no npm")
        packed = subprocess.run(["npm", "pack", "emoji-datasource-google@16.0.0"], cwd=folder, capture_output=True)
        assert packed.returncode == 0, packed.stderr.decode()
        (archive,) = folder.glob("*.tgz")
        made = folder / "unpacked"
        pictures = "package/img/google/64/"
        with tarfile.open(archive) as tar:
            tar.extractall(
                made,
                members=(one for one in tar if one.name.startswith((pictures, "package/emoji.json"))),
                filter="data",
            )
        for one in json.loads((made / "package/emoji.json").read_text(encoding="utf-8")):
            there = made / pictures / one["image"]
            place = made / "emoji" / one["category"].replace(" & ", "_and_")
            if there.is_file():
                place.mkdir(parents=True, exist_ok=True)
                there.rename(place / one["image"])
        (made / "emoji").rename(folder / "emoji")
        shutil.rmtree(made)
        archive.unlink()
    return folder / "emoji"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_r_t_reaches_its_target_on_emoji(tmp_path: Path, emoji: Path) -> None:
    """The shipped spec, half as wide, on 200 pictures and with a discriminator that is fast to overfit to them."""
    text = SPEC.read_text(encoding="utf-8")
    for old, new in (
        ("    drop blank\n", "    drop blank\n    limit 200\n"),
        ("  batch 64\n", "  batch 32\n"),
        ("speed: 100_000", "speed: 20_000"),
        ("length = 20_000 steps", "length = 2_000 steps"),
        ("4*4*256", "4*4*128"),
        ("4, 4, 256", "4, 4, 128"),
        ("conv 128 / 2^i", "conv 64 / 2^i"),
        ("update discriminator, with: adam(learning_rate,", "update discriminator, with: adam(2 * learning_rate,"),
        ("update generator, with: adam(learning_rate,", "update generator, with: adam(0.5 * learning_rate,"),
        ("+ 1.0 * r1", "+ 0.1 * r1"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (tmp_path / "emoji.gen").write_text(text[: text.index("evaluate every")], encoding="utf-8")
    shutil.copytree(emoji, tmp_path / "data/emoji")
    code, said = finished("run", "emoji.gen", "--out", "run", folder=tmp_path, seconds=3000)
    assert code == 0, said
    told = [one for one in metrics(tmp_path / "run") if one["step"] > 1500]
    assert len(told) >= 50
    r_t, p = (np.array([one[name] for one in told]) for name in ("ada/r_t", "ada/p"))
    assert abs(r_t.mean() - 0.6) < 0.1, (r_t.mean(), p.mean())
    assert p.min() > 0, "it is p that keeps it there"
