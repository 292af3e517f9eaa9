"""The views of a run: each shows what it says it shows, always the same, and leaves the training's state alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.evaluate.inputs import examples_of
from gendsl.lower.data import dataset_of
from gendsl.lower.optimizers import Optimizer
from gendsl.lower.training import experiment_of
from gendsl.pictures import budget as budgets
from gendsl.pictures.budget import Budget
from gendsl.pictures.codes import Coder, codings_of
from gendsl.pictures.gallery import Gallery, View, gallery_of
from gendsl.pictures.graph import graph_of
from gendsl.pictures.neighbours import nearest
from gendsl.pictures.settings import plain, session_of
from gendsl.pictures.walks import ROWS, STEPS, Walks, path_of
from gendsl.pictures.weights import Weights, histogram_of, largest_singular_value
from gendsl.plan.plan import Call, Plan, Quantity
from gendsl.run.checkpoints import snapshot
from gendsl.run.folder import RunFolder
from gendsl.source import Source

SPECS = Path(__file__).parents[2] / "specs"
VAE = """experiment coded

param latent = 4
param rate = 1e-3
param slow = off
param length = 20 steps

data {
  source digits()
  image range: 0..1
  split train: 90%, test: 10%
  batch 16
}

network encoder(x: image) -> normal(latent) {
  flatten | dense 16 | relu
  dense 2*latent
}

network decoder(z: normal(latent), y: label) -> bernoulli(image) {
  from y | one_hot as code
  from z | concat code
  dense 64 | reshape 8, 8, 1
}

train {
  update encoder, decoder, with: adam(rate) {
    q = encoder(image)
    z ~ q
    minimize nll(decoder(z, label), image) + kl(q, normal(latent))
  }
  steps length
}

sample { image = mean(decoder(y: label)) }
"""


def planned(text: str, path: str = "coded.gen") -> Plan:
    problems = Problems()
    plan = check(Source(path, text), problems)
    assert plan is not None, [problem.message for problem in problems]
    return plan


@pytest.fixture(scope="module")
def coded() -> tuple[Plan, Any, Any]:
    """The plan, the data and the experiment of an autoencoder with classes, untrained."""
    plan = planned(VAE)
    dataset = dataset_of(plan)
    experiment = experiment_of(plan, examples=dataset.sizes["train"])
    experiment.class_counts = dataset.class_counts
    return plan, dataset, experiment


@pytest.fixture(scope="module")
def gallery(coded: tuple[Plan, Any, Any]) -> Gallery:
    return gallery_of(*coded, tell=lambda told: pytest.fail(told))


def shown(gallery: Gallery, step: int) -> dict[str, Mapping[str, Any]]:
    return dict(gallery.shown(step, ends=True))


def test_each_view_is_there_and_the_same_again_and_only_the_fresh_one_is_of_its_step(
    gallery: Gallery, coded: tuple[Plan, Any, Any]
) -> None:
    before = snapshot(coded[2].state())
    first, again, later = shown(gallery, 5), shown(gallery, 5), shown(gallery, 6)
    views = ["samples", "samples_fresh", "walk", "real_and_generated", "neighbours", "reconstructions"]
    assert list(first) == views
    for view in views:
        assert np.array_equal(first[view]["image"], again[view]["image"])
        assert np.array_equal(first[view]["image"], later[view]["image"]) == (view != "samples_fresh")
    after = snapshot(coded[2].state())
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_beginning_shows_the_samples_alone(gallery: Gallery) -> None:
    assert [name for name, _ in gallery.shown(0, begins=True)] == ["samples"]


def test_a_view_that_fails_is_told_once_and_ends_nothing(gallery: Gallery) -> None:
    def broken(step: int) -> dict[str, Any]:
        raise MemoryError("no room\nfor it")

    told: list[str] = []
    own = Gallery(gallery.samples, (View("walk", broken),), gallery.weights, gallery.projected, told.append)
    for step in (1, 2):
        assert list(shown(own, step)) == ["samples"]
    own.projected = lambda folder: broken(1)
    own.project(RunFolder(Path("nowhere")))
    assert told == [f"the pictures `{name}` are left out: MemoryError no room" for name in ("walk", "projector")]


def test_class_names_stand_over_the_columns(gallery: Gallery) -> None:
    sheet = shown(gallery, 1)["samples"]["image"]
    below = sheet.shape[1] // 10 * 6  # 60 samples, a column a class
    strip = sheet[: sheet.shape[0] - below]
    assert 12 <= strip.shape[0] <= 30
    for place in range(10):
        column = strip[:, place * strip.shape[1] // 10 : (place + 1) * strip.shape[1] // 10, 0]
        assert (column < 128).any() and (column > 200).mean() > 0.5, "ink on paper"


def test_reconstructions_are_what_the_networks_give(coded: tuple[Plan, Any, Any]) -> None:
    plan, dataset, experiment = coded
    (coding,) = codings_of(plan)
    assert (coding.field, coding.code_size) == ("image", 4)
    examples = {name: values[:70] for name, values in dataset.split("test", 70).items()}
    code, made = Coder(experiment, coding).coded(examples)
    mean = experiment.networks["encoder"](examples["image"]).numpy()[:, :4]
    np.testing.assert_allclose(code, mean, atol=1e-5)
    logits = experiment.networks["decoder"]([mean, examples["label"]]).numpy()
    np.testing.assert_allclose(made, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_cycles_are_reconstructions_and_a_gan_has_none() -> None:
    assert codings_of(planned((SPECS / "digits_gan.gen").read_text())) == ()
    found = codings_of(planned((SPECS / "unpaired_cyclegan.gen").read_text(), str(SPECS / "unpaired_cyclegan.gen")))
    assert [(one.field, one.code_size) for one in found] == [("a", None), ("b", None)]


def test_walks_go_from_draw_to_draw_on_the_sphere() -> None:
    path = path_of("normal", (64,), (-1, 1), 3, 0).reshape(ROWS, STEPS, 64)
    lengths = np.linalg.norm(path, axis=-1)
    assert lengths.min() > 5 and lengths.max() < 11, "a straight line would pass at 8 / sqrt(2)"
    steps = np.linalg.norm(np.diff(path, axis=1), axis=-1)
    assert steps.max() / steps.min() < 2, "evenly"
    assert np.array_equal(path, path_of("normal", (64,), (-1, 1), 3, 0).reshape(path.shape))
    assert not np.array_equal(path, path_of("normal", (64,), (-1, 1), 4, 0).reshape(path.shape))
    flat = path_of("uniform", (2, 3), (0, 5), 3, 0).reshape(ROWS, STEPS, 2, 3)
    assert flat.min() >= 0 and flat.max() <= 5 and flat.max() > 4
    np.testing.assert_allclose(np.diff(flat, n=2, axis=1), 0, atol=1e-5)


def test_a_walk_shows_the_samples_of_its_path(coded: tuple[Plan, Any, Any]) -> None:
    plan, dataset, experiment = coded
    labels = np.repeat(np.arange(ROWS, dtype=np.int32), STEPS)
    found = Walks(experiment, plan).samples({**examples_of(plan, dataset, 60), "label": labels})["image"]
    (prior,) = (at for at, one in enumerate(plan.sample.operations) if one.name == "prior")
    path = path_of("normal", (4,), (-1, 1), experiment.seed, prior)
    logits = experiment.networks["decoder"]([path, labels]).numpy()
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_neighbours_are_the_nearest_whatever_the_parts() -> None:
    draws = np.random.default_rng(0)
    samples, examples = draws.normal(size=(5, 3, 2)), draws.normal(size=(100, 3, 2))
    examples[17] = samples[2]
    distance = ((samples[:, None] - examples[None]) ** 2).sum((2, 3))
    expected = np.argsort(distance, axis=1)[:, :4]
    for part in (1, 7, 100, 1_000):
        assert np.array_equal(nearest(samples, examples, 4, part=part), expected)
    assert expected[2, 0] == 17
    assert nearest(np.full((1, 3, 2), np.nan), examples, 200).shape == (1, 100)


def test_norms_are_those_of_the_weights(coded: tuple[Plan, Any, Any]) -> None:
    plan, _, experiment = coded
    found = Weights(experiment, plan).scalars()
    for name in ("encoder", "decoder"):
        weights = [variable.numpy() for variable in experiment.networks[name].trainable_variables]
        norm = np.sqrt(sum((values.astype(np.float64) ** 2).sum() for values in weights))
        assert found[f"weight_norm/{name}"] == pytest.approx(norm, rel=1e-5)
        for variable in experiment.networks[name].trainable_variables:
            if len(variable.shape) == 2:
                exact = np.linalg.svd(variable.numpy(), compute_uv=False)[0]
                assert found[f"spectral_norm/{name}/{variable.path.removeprefix(name + '/')}"] == pytest.approx(
                    exact, 0.05
                )
    assert not any(name.startswith("gradient_norm") for name in found), "nothing was trained yet"


def test_singular_values_of_hard_matrices() -> None:
    assert largest_singular_value(np.zeros((3, 2), np.float32)) == 0
    assert largest_singular_value(np.diag([3.0, 1.0]).astype(np.float32)) == pytest.approx(3, rel=1e-3)
    assert np.isnan(largest_singular_value(np.full((2, 2), np.nan, np.float32)))


def test_histograms_count_what_is_finite() -> None:
    buckets = histogram_of(np.array([0.0, 1.0, 1.0, np.nan, np.inf], np.float32))
    assert buckets[:, 2].sum() == 3 and buckets[0, 0] == 0 and buckets[-1, 1] == 1 and buckets[-1, 2] == 2
    assert histogram_of(np.array([np.nan], np.float32)).shape == (0, 3)
    assert histogram_of(np.full(5, 2.0, np.float32))[:, 2].sum() == 5


@pytest.mark.parametrize("word", ["adam", "adamw", "rmsprop", "nadam", "lamb", "sgd", "lion"])
def test_an_optimizer_remembers_how_large_gradients_were(word: str) -> None:
    import keras
    import tensorflow as tf

    variable = keras.Variable(np.zeros((2, 3), np.float32))
    optimizer = Optimizer(Call(word, {}), [[variable]], scaled=False)
    assert optimizer.gradient_norm() is None
    gradient = tf.constant(np.arange(6, dtype=np.float32).reshape(2, 3))
    for _ in range(5):
        optimizer.apply([gradient], [variable], 1e-3)
    expected = None if word in ("sgd", "lion") else pytest.approx(float(tf.norm(gradient)), rel=1e-4)
    assert optimizer.gradient_norm() == expected


def test_the_graph_has_each_layer_where_the_spec_has_it() -> None:
    for path in SPECS.glob("*.gen"):
        plan = planned(path.read_text(), str(path))
        graph = graph_of(plan)
        names = [node.name for node in graph.node]
        assert len(set(names)) == len(names), path.name
        assert all(before in names for node in graph.node for before in node.input)
        assert len(names) == sum(len(net.inputs) + len(net.layers) + len(net.outputs) for net in plan.networks)
    plan = planned(VAE)
    nodes = {node.name: node for node in graph_of(plan).node}
    assert list(nodes["decoder/concat"].input) == ["decoder/z", "decoder/code"]
    assert nodes["encoder/dense"].op == "dense" and nodes["encoder/dense"].attr["parameters"].s == b"1040"


def test_params_are_what_hparams_compares(coded: tuple[Plan, Any, Any]) -> None:
    assert [plain(value) for value in (3, 0.5, True, "a", Quantity(500, "steps"), (8, 8, 1))] == [
        3.0,
        0.5,
        True,
        "a",
        "500 steps",
        "8.0x8.0x1.0",
    ]
    made = session_of(coded[0], name="a", began=0.0)
    assert made is not None and len(made.value) == 1
    content = made.value[0].metadata.plugin_data.content
    for told in (b"latent", b"rate", b"slow", b"20 steps"):
        assert told in content
    assert session_of(planned((SPECS / "digits_diffusion.gen").read_text()), name="a", began=0.0) is None


def test_codes_are_written_for_the_projector(gallery: Gallery, tmp_path: Path) -> None:
    gallery.project(RunFolder(tmp_path))
    codes = np.loadtxt(tmp_path / "logs" / "codes-image.tsv")
    labels = (tmp_path / "logs" / "labels.tsv").read_text().splitlines()
    assert codes.shape == (180, 4) and len(labels) == 180 and set(labels) == set("0123456789")
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    config = text_format.Parse((tmp_path / "logs" / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (one,) = config.embeddings
    assert one.sprite.single_image_dim == [8, 8] and (tmp_path / "logs" / one.sprite.image_path).is_file()


def test_drawing_waits_until_it_is_a_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(budgets.time, "monotonic", lambda: now[0])
    budget = Budget(_began=0.0)

    def drawn(seconds: float, *, counted: bool = True) -> None:
        with budget.spending("walk", counted=counted):
            now[0] += seconds

    assert not budget.allows("walk")
    now[0] = 50.0
    assert not budget.allows("walk"), "nobody knows how long it takes"
    now[0] = 110.0
    assert budget.allows("walk")
    drawn(1.0)
    assert not budget.allows("walk")
    drawn(0.1, counted=False)  # it was traced before
    now[0] = 115.0
    assert budget.allows("walk")
    spent = 0
    for second in range(116, 1_116):
        now[0] = float(second)
        if budget.allows("walk"):
            spent += 1
            drawn(0.1)
    assert 90 <= spent <= 101 and budget.spent <= 0.01 * now[0]


def test_samples_that_take_long_are_drawn_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(budgets.time, "monotonic", lambda: now[0])
    budget = Budget(_began=0.0)

    def drawn(seconds: float, *, counted: bool = True) -> None:
        with budget.spending("samples", counted=counted):
            now[0] += seconds

    drawn(9.0, counted=False)
    drawn(0.1)
    assert budget.affords("samples"), "the first drawing traces a graph; the next tells how long it takes"
    budget = Budget(_began=now[0])
    drawn(2.0, counted=False)
    assert not budget.affords("samples")
    now[0] += 65.0
    assert budget.affords("samples"), "two seconds are three percent of 67"
    drawn(2.0)
    assert not budget.affords("samples")
    now[0] += 65.0
    assert budget.affords("samples")
