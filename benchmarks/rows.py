"""The rows of the training benchmark; and a folder in, a project out: the specs that gendsl runs, the data of all."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
FASHION = Path("/usr/share/datasets/fashion-mnist")  # Debian's dataset-fashion-mnist


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of work that all sides do.

    `program` names the hand-written files and the spec; `settings` are the params of the spec, and the arguments of the
    hand-written `train`. `window` is how many steps are timed at once, one or two seconds; `whole` how many an
    uninterrupted `gendsl run` takes, with several checkpoints among them. `bars` are the least ratios of steps/s, by
    rival.
    """

    name: str
    title: str
    program: str
    spec: Path
    window: int
    whole: int
    settings: dict[str, int] = field(default_factory=dict)
    bars: dict[str, float] = field(default_factory=lambda: {"tensorflow": 1.0})


_DCGAN = {"program": "dcgan", "spec": HERE / "specs/dcgan.gen", "bars": {"tensorflow": 1.0, "torch": 1.4}}

ROWS = (
    Row("dcgan_128", "the tutorial's DCGAN, batch 128", window=5, whole=450, settings={"batch": 128}, **_DCGAN),
    Row("dcgan_256", "the tutorial's DCGAN, batch 256", window=3, whole=450, settings={"batch": 256}, **_DCGAN),
    Row(
        "grid_gan",
        "2-D grid GAN, batch 512",
        program="grid_gan",
        spec=HERE.parent / "specs/grid_gan.gen",
        window=500,
        whole=15_000,
        bars={"tensorflow": 1.2},
    ),
    Row(
        "digits_gan",
        "digits_gan, batch 64",
        program="digits_gan",
        spec=HERE.parent / "specs/digits_gan.gen",
        window=100,
        whole=1_900,
    ),
    Row(
        "digits_diffusion",
        "digits_diffusion, batch 128",
        program="digits_diffusion",
        spec=HERE.parent / "specs/digits_diffusion.gen",
        window=8,
        whole=400,
        bars={"tensorflow": 1.0, "keras": 1.0},
    ),
    Row(
        "fashion_vae",
        "fashion_vae, batch 128",
        program="fashion_vae",
        spec=HERE.parent / "specs/fashion_vae.gen",
        window=15,
        whole=450,
        bars={"tensorflow": 1.0, "keras": 1.0},
    ),
    Row(
        "text_transformer",
        "text_transformer, batch 12 of 64 bytes",
        program="text_transformer",
        spec=HERE.parent / "specs/text_transformer.gen",
        window=60,
        whole=1_900,
        bars={"tensorflow": 1.0, "keras": 1.0, "torch": 1.0},
    ),
    Row(
        "wgan_gp_resnet",
        "WGAN-GP ResNet, width 32, batch 64",
        program="wgan_gp_resnet",
        spec=HERE / "specs/wgan_gp_resnet.gen",
        window=2,
        whole=250,
    ),
)


def row_of(name: str) -> Row:
    """The row of a name. Raises KeyError."""
    return {row.name: row for row in ROWS}[name]


def write_project(folder: Path) -> None:
    """Writes every spec, without its `evaluate`, and the data; Fashion-MNIST only where Debian's package is there."""
    data = folder / "data"
    data.mkdir(parents=True)
    for row in ROWS:
        (folder / row.spec.name).write_text(_trained_only(row.spec), encoding="utf-8")
    pixels = np.random.default_rng(0).integers(0, 256, (20_000, 32, 32, 3), np.uint8)
    np.savez(data / "pictures.npz", image=pixels)
    (folder / "corpus").mkdir()
    text = np.random.default_rng(0).integers(32, 127, 2_000_000, np.uint8)  # what it says changes no step's work
    (folder / "corpus/text.txt").write_bytes(text.tobytes())
    if FASHION.is_dir():
        shutil.copytree(FASHION, data / "fashion-mnist")


def _trained_only(spec: Path) -> str:
    """A spec's text without its scores, which no hand-written program takes."""
    from gendsl.diagnostics import Problems
    from gendsl.source import Source
    from gendsl.syntax.parse import parse
    from gendsl.syntax.tree import Chain

    text = spec.read_text(encoding="utf-8")
    for statement in reversed(parse(Source(str(spec), text), Problems()).statements):
        if isinstance(statement, Chain) and statement.steps[0].word == "evaluate":
            text = text[: statement.span.start] + text[statement.span.end :]
    return text
