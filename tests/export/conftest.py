"""A run of a moment on the digits, for what is drawn and exported from it."""

from pathlib import Path
from shutil import which

import pytest
from rich.console import Console

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.run.command import run
from gendsl.run.order import Order, Where
from gendsl.source import Source
from tests.export.loader import Server, compiled

SMALL = """experiment small

data {
  source digits()
  image range: -1..1
  batch 16
}

network generator(z: normal(8), y: label) -> image {
  from y | one_hot | concat z
  dense 2*2*8 | batch_norm | relu | reshape 2, 2, 8
  up_conv 8, kernel: 4, stride: 2 | relu
  up_conv 1, kernel: 4, stride: 2 | tanh
}

network discriminator(x: image, y: label) -> logits(1) {
  from x
  conv 8, kernel: 4, stride: 2 | leaky_relu 0.2 | flatten as h
  dense 1 as score
  project h, y
  add score
}

train {
  update discriminator, with: adam(1e-3) {
    minimize hinge.discriminator(discriminator(image, label), discriminator(generator(), label))
  }
  update generator, with: adam(1e-3) { minimize hinge.generator(discriminator(generator(), label)) }
  steps 3
  ema generator, decay: 0.9
}

export { saved_model name: "served" }
"""


def _trained(text: str, folder: Path, project: Path | None = None) -> Path:
    problems = Problems()
    plan = check(Source("small.gen", text), problems, folder=str(project or "."))
    assert plan is not None, [problem.message for problem in problems]
    order = Order(plan, text, str(folder.parent / "small.gen"), str(folder.parent))
    run(order, Where(folder), console=Console(quiet=True))
    return folder


@pytest.fixture(scope="session")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples have labels."""
    return _trained(SMALL, tmp_path_factory.mktemp("runs") / "small")


GUIDED = """experiment guided

data {
  source digits()
  image range: -1..1
  batch 16
}

noising = diffusion(steps: 20)

network denoiser(x: image, t: time, y: label or none) -> image {
  from y | embed label.classes + 1, 8 as class
  from t | time_embed 8 | add class as when
  from x | conv 8 | film when | swish | conv 1
}

train {
  objective classifier_free(denoiser, noising, drop: 20%)
  optimizer adam(1e-2)
  steps 3
  ema denoiser, decay: 0.9
}

sample { image = ddim(denoiser, noising, steps: 5, eta: 0.5, guidance: 2) }
"""


@pytest.fixture(scope="session")
def guided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples are drawn by a loop, for labels."""
    return _trained(GUIDED, tmp_path_factory.mktemp("runs") / "guided")


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples need nothing."""
    text = SMALL.replace(", y: label", "").replace("from y | one_hot | concat z\n", "").replace("  project h, y\n", "")
    text = text.replace(", label)", ")").replace("  add score\n", "").replace(' name: "served"', "")
    return _trained(text.replace("  from x\n", ""), tmp_path_factory.mktemp("runs") / "plain")


MAPPED = """experiment mapped

data {
  source digits()
  image range: -1..1
  batch 16
}

network mapping(z: normal(8)) -> features(6) { dense 16 | relu | dense 6 }

network synthesis(w: features(6)) -> image {
  dense 2*2*8 | relu | reshape 2, 2, 8
  up_conv 8, kernel: 4, stride: 2 | relu
  up_conv 1, kernel: 4, stride: 2 | tanh
}

network discriminator(x: image) -> logits(1) { flatten | dense 8 | leaky_relu 0.2 | dense 1 }

train {
  update discriminator, with: adam(1e-3) {
    minimize hinge.discriminator(discriminator(image), discriminator(synthesis(mapping())))
  }
  update mapping, synthesis, with: adam(1e-3) { minimize hinge.generator(discriminator(synthesis(mapping()))) }
  steps 3
}

sample { image = synthesis(mapping()) }
"""


@pytest.fixture(scope="session")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples are made by a mapping network and a synthesis network."""
    return _trained(MAPPED, tmp_path_factory.mktemp("runs") / "mapped")


TEXT = """experiment words

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
  ema model, decay: 0.5
}

sample { text = generate(model, prompt: "the ", length: 30, temperature: 0.9, top_k: 20) }
"""


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples are texts."""
    folder = tmp_path_factory.mktemp("text")
    (folder / "a.txt").write_text("the quick brown fox jumps over the lazy dog. " * 60)
    return _trained(TEXT, folder / "run", folder)


TABLE = """experiment people

data {
  source csv("people.csv")
  batch 16
}

network generator(z: normal(8)) -> row { dense 16 | relu; dense row.width | tanh }

network critic(x: row) -> logits(1) { dense 16 | leaky_relu 0.2; dense 1 }

train {
  objective wgan_gp(critic: critic)
  optimizer adam(1e-3)
  steps 2
}
"""


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples are rows of a table."""
    folder = tmp_path_factory.mktemp("table")
    lines = [f"{20 + number % 40},{number * 7 % 11 / 2},{'abc'[number % 3]}" for number in range(60)]
    (folder / "people.csv").write_text("age,height,town\n" + "\n".join(lines) + "\n")
    return _trained(TABLE, folder / "run", folder)


REDRAWN = """experiment redrawn

data {
  source digits()
  image range: 0..1
  batch 16
}

network encoder(x: image) -> normal(4) { flatten | dense 8 }

network decoder(z: normal(4)) -> image { dense 64 | sigmoid | reshape 8, 8, 1 }

train {
  update encoder, decoder, with: adam(1e-3) {
    z ~ encoder(image)
    minimize l2(decoder(z), image)
  }
  steps 2
}

sample { redrawn = decoder(mean(encoder(image))) }

export { saved_model images: uint8, also: [encoder] }
"""


@pytest.fixture(scope="session")
def redrawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose samples are made from examples."""
    return _trained(REDRAWN, tmp_path_factory.mktemp("runs") / "redrawn")


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """What calls an endpoint through the C++ loader, which TF Serving uses: a Python reload proves nothing."""
    if which("gcc") is None:
        pytest.skip("there is no C compiler")
    return Server(compiled(tmp_path_factory.mktemp("serve")))
