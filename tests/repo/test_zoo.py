"""The reference specs: each names its paper, checks without errors, counts as published, and trains."""

import re
import shutil
from pathlib import Path

import pytest

from gendsl import api, zoo
from gendsl.cli import main
from tests import stand_ins

SPECS = Path(__file__).parents[2] / "specs"
NAMES = sorted(path.stem for path in SPECS.glob("*.gen"))
ROWS = {row.name: row for row in zoo.rows(str(SPECS))}

# What makes a spec of published size train two steps in seconds: its params, smaller.
SMALL: dict[str, dict[str, str]] = {
    "bigan": {"width": "16"},
    "biggan": {"width": "8"},
    "cifar_ddpm": {"width": "32"},
    "cifar_flow": {"width": "32"},
    "cifar_guided": {"width": "32"},
    "cifar_velocity": {"width": "32"},
    "cyclegan": {"side": "64", "larger": "72", "width": "8", "blocks": "2"},
    "dcgan": {"width": "4"},
    "dragan": {"width": "8"},
    "fashion_sngan": {"width": "16"},
    "gpt1": {"width": "24", "context": "16", "pieces": "280"},
    "gpt2_small": {"width": "24", "context": "16", "pieces": "280", "parts": "2"},
    "icr_gan_cifar": {"width": "8"},
    "lecam_cifar": {"width": "8"},
    "lsgan": {"width": "8"},
    "mnist_iwae": {"draws": "5"},
    "pix2pix": {"width": "8"},
    "relativistic": {"width": "8"},
    "sagan": {"width": "8"},
    "sngan_cifar_dcgan": {"width": "8"},
    "sngan_cifar_resnet": {"width": "8"},
    "stylegan2": {"width": "16"},
    "wgan": {"width": "8"},
}


# `evaluate`, `monitor` and `sweep`, on one line or several.
SCORING = re.compile(r"^(evaluate|monitor|sweep)\b([^\n]*\}|.*?^\})\n", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def counts() -> dict[str, dict[str, object]]:
    """Also: every spec checks without errors."""
    return {name: dict(counted) for name, counted in zoo.counts(str(SPECS)).items()}


def test_the_page_is_fresh() -> None:
    """If this fails: python -m gendsl.reference"""
    assert (SPECS / "README.md").read_text(encoding="utf-8") == zoo.page(str(SPECS))


def test_every_spec_has_a_row_and_every_row_a_spec() -> None:
    assert list(ROWS) == NAMES, "sorted by name, one for each spec"


@pytest.mark.parametrize("name", NAMES)
def test_counts_agree_to_the_unit(name: str, counts: dict[str, dict[str, object]]) -> None:
    published = ROWS[name].networks
    assert {network: counts[name].get(network) for network in published} == published
    assert ROWS[name].source, "where the counts come from, or why there are none"
    assert "https://" in ROWS[name].paper


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_opens_with_what_it_is(name: str) -> None:
    text = (SPECS / f"{name}.gen").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert re.search(rf"^experiment {name}$", text, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_spec_trains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two steps on invented data and small batches, without scores, which have tests of their own."""
    for path in SPECS.glob("*.gen"):
        shutil.copy(path, tmp_path)
    spec = tmp_path / f"{name}.gen"
    text = SCORING.sub("", spec.read_text(encoding="utf-8"))
    text = re.sub(r"^  batch ([\d_]+)", lambda found: f"  batch {min(int(found[1]), 10)}", text, flags=re.MULTILINE)
    text = re.sub(r"\b(diffusion|ddim|euler|heun)\(([^()]*)\bsteps: [\d_]+", r"\1(\2steps: 3", text)
    spec.write_text(text.replace("strategy mirrored", "strategy one"), encoding="utf-8")
    stand_ins.write(api.load(spec, settings=SMALL.get(name)), tmp_path, tmp_path / "tfds")
    settings = [word for key, value in SMALL.get(name, {}).items() for word in ("--set", f"{key}={value}")]
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    code = main(["run", str(spec), "--steps", "2", "--out", str(tmp_path / "run"), *settings])
    said = "".join(capfd.readouterr())
    assert code == 0, said
    assert (tmp_path / "run/metrics.jsonl").exists()
