"""Free bits and importance-weighted bounds against NumPy."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from gendsl.lower.discretized_logistic import DiscretizedLogistic
from gendsl.lower.distributions import Bernoulli, Categorical, Normal, distribution_of, divergence, free_bits
from gendsl.lower.functions import function_of
from gendsl.parts.keys import Key
from gendsl.plan.cost import cost_of
from tests.check.specs import codes, spec
from tests.lower.test_specs import batches, made, step

RANDOM = np.random.default_rng(0)


def normals(*shape: int, seed: int) -> tuple[Normal, np.ndarray]:
    """A distribution, and its divergence from the standard one for each number."""
    random = np.random.default_rng(seed)
    mean, log_variance = (random.normal(size=shape).astype("float32") for _ in range(2))
    kl = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
    return Normal(tf.constant(mean), tf.constant(log_variance)), kl


def standard_normal(like: Normal) -> Normal:
    return Normal(tf.zeros_like(like.mean), tf.zeros_like(like.mean))


def test_free_bits_are_counted_by_groups_after_the_mean_over_the_batch() -> None:
    q, kl = normals(7, 6, seed=1)
    p = standard_normal(q)
    mean = kl.mean(0)
    threshold = float(np.median(mean))
    np.testing.assert_allclose(free_bits(q, p, nats=threshold), np.maximum(mean, threshold).sum(), rtol=1e-5)
    grouped = mean.reshape(3, 2).sum(1)
    threshold = float(np.median(grouped))
    expected = np.maximum(grouped, threshold).sum()
    np.testing.assert_allclose(free_bits(q, p, nats=threshold, groups=3), expected, rtol=1e-5)
    np.testing.assert_allclose(free_bits(q, p, nats=0.0), kl.sum(1).mean(), rtol=1e-5)
    np.testing.assert_allclose(divergence(q, p), kl.sum(1), rtol=1e-5)


def test_free_bits_of_feature_maps_are_of_channels() -> None:
    q, kl = normals(3, 4, 4, 5, seed=2)
    mean = kl.sum((1, 2)).mean(0)
    threshold = float(np.median(mean))
    found = function_of("free_bits", [q, standard_normal(q)], {"nats": threshold, "groups": None})
    np.testing.assert_allclose(found, np.maximum(mean, threshold).sum(), rtol=1e-5)


def test_free_bits_of_classes_and_of_yes_or_no() -> None:
    logits = RANDOM.normal(size=(4, 3)).astype("float32")
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = free_bits(Categorical(tf.constant(logits)), Categorical(tf.zeros((4, 3))), nats=0.0)
    np.testing.assert_allclose(found, (shares * np.log(3 * shares)).sum(1).mean(), rtol=1e-4)
    chance = 1 / (1 + np.exp(-logits))
    expected = (chance * np.log(2 * chance) + (1 - chance) * np.log(2 - 2 * chance)).mean(0)
    found = free_bits(Bernoulli(tf.constant(logits)), Bernoulli(tf.zeros((4, 3))), nats=0.05)
    np.testing.assert_allclose(found, np.maximum(expected, 0.05).sum(), rtol=1e-4)


def test_free_nats_have_no_gradient() -> None:
    mean = tf.Variable([[0.1, 3.0], [-0.1, 2.0]])
    with tf.GradientTape() as tape:
        q = Normal(mean, tf.zeros_like(mean))
        found = free_bits(q, standard_normal(q), nats=0.5)
    np.testing.assert_allclose(tape.gradient(found, mean), [[0, 1.5], [0, 1.0]], rtol=1e-6)


@pytest.mark.parametrize("groups", ["", ", groups: 2"])
def test_free_bits_ask_for_equal_groups(groups: str) -> None:
    networks = {
        "generator": "network encoder(x: image) -> normal(3) { flatten | dense 6 }",
        "discriminator": "network decoder(z: normal(3)) -> normal(image) { dense 128 | reshape 8, 8, 2 }",
    }
    train = (
        "train { update encoder, decoder { q = encoder(image); z ~ q; minimize nll(decoder(z), image) + "
        f"free_bits(q, normal(3), nats: 0.1{groups}) }}; optimizer adam(1e-3); steps 10 }}"
    )
    text = spec("sample { image = mean(decoder()) }", train=train, **networks)
    assert codes(text) == (["type_mismatch"] if groups else [])


IWAE_NETWORKS = """
  network encoder(x: image) -> normal(2) { flatten | dense 4 }
  network decoder(z: normal(2)) -> bernoulli(image) { dense 64 | reshape 8, 8, 1 }
"""


WEIGHT = "weight = log_prob(decoder(z), 0.5 * image + 0.5) + log_prob(normal(2), z) - log_prob(q, z)"


IWAE = """
  update encoder, decoder, with: sgd(0.05) {{
    q = encoder(image)
    z ~ q
    {weight}
    minimize -importance_weighted(weight, draws: {draws})
  }}
  steps 5"""


def weights_of(experiment: Any) -> list[np.ndarray]:
    names = ("encoder", "decoder")
    return [v.numpy().astype("float64") for name in names for v in experiment.networks[name].trainable_variables]


def by_hand(weights: list[np.ndarray], image: np.ndarray, noise: np.ndarray) -> float:
    """Minus the bound of equation 8 for noise (batch, draws, 2), averaged over the batch."""
    kernel, bias, out_kernel, out_bias = weights
    flat = image.reshape(len(image), -1).astype("float64")
    mean, log_variance = np.split(flat @ kernel + bias, 2, axis=1)
    z = mean[:, None] + np.exp(0.5 * log_variance)[:, None] * noise
    logits = z @ out_kernel + out_bias
    target = 0.5 * flat[:, None] + 0.5
    likelihood = (target * logits - np.logaddexp(0, logits)).sum(-1)
    prior = scipy.stats.norm.logpdf(z).sum(-1)
    posterior = scipy.stats.norm.logpdf(z, mean[:, None], np.exp(0.5 * log_variance)[:, None]).sum(-1)
    return float(-scipy.special.logsumexp(likelihood + prior - posterior, axis=1, b=1 / noise.shape[1]).mean())


def test_the_importance_weighted_bound_and_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = 7
    experiment = made(IWAE_NETWORKS, IWAE.format(draws=draws, weight=WEIGHT), "sample { image = mean(decoder()) }")
    taken: list[Any] = []
    normal = Key.normal

    def kept(self: Key, shape: Any) -> Any:
        taken.append(normal(self, shape))
        return taken[-1]

    monkeypatch.setattr(Key, "normal", kept)
    given = batches(experiment)
    before = weights_of(experiment)
    told = experiment.step_at(tf.constant(0, tf.int64), given)
    (noise,) = [np.asarray(one, "float64") for one in taken]
    assert noise.shape == (8 * draws, 2)
    noise, image = noise.reshape(8, draws, 2), given["image"][0].numpy()
    assert float(told["encoder_decoder/loss"]) == pytest.approx(by_hand(before, image, noise), rel=1e-5)
    for number, (old, new) in enumerate(zip(before, weights_of(experiment), strict=True)):
        place = tuple(size // 2 for size in old.shape)
        slopes = []
        for sign in (1, -1):
            moved = [one.copy() for one in before]
            moved[number][place] += sign * 1e-5
            slopes.append(sign * by_hand(moved, image, noise))
        assert (old - new)[place] / 0.05 == pytest.approx(sum(slopes) / 2e-5, rel=2e-3, abs=1e-4)


def test_one_draw_is_the_elbo_and_more_are_tighter() -> None:
    scores = "\n".join(
        ["evaluate every: 5 steps {", "q = encoder(image); z ~ q", WEIGHT]
        + [f"bound_{k} = importance_weighted(weight, draws: {k})" for k in (1, 50)]
        + ["}"]
    )
    more = ("sample { image = mean(decoder()) }", scores)
    experiment = made(IWAE_NETWORKS, IWAE.format(draws=2, weight=WEIGHT), *more)
    evaluation = experiment.plan.value.evaluations[0]
    fields = {name: value[0] for name, value in batches(experiment).items()}
    found: dict[str, list[np.ndarray]] = {"weight": [], "bound_1": [], "bound_50": []}

    @tf.function
    def measured(moment: tf.Tensor) -> Any:
        return experiment.measure(evaluation.equations, evaluation.operations, fields, Key(0, "test", moment))

    for moment in range(200):
        values = measured(tf.constant(moment, tf.int64))
        for name, several in found.items():
            several.append(np.asarray(values[name]))
    elbo, one, fifty = (np.mean(found[name], axis=0) for name in found)
    error = np.std(found["weight"], axis=0) / math.sqrt(200)
    assert (np.abs(elbo - one) < 6 * error + 1e-3).all()
    assert (fifty > elbo).all()
    exact = np.asarray(scipy.special.logsumexp(found["weight"], axis=0, b=1 / 200))
    np.testing.assert_allclose(fifty, exact, atol=1.0)


def test_the_encoder_is_called_once_for_all_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = made(IWAE_NETWORKS, IWAE.format(draws=3, weight=WEIGHT), "sample { image = mean(decoder()) }")
    rows: dict[str, list[int]] = {"encoder": [], "decoder": []}
    from gendsl.lower import operations

    called = operations.called

    def counted(model: Any, inputs: Any, *rest: Any) -> Any:
        rows[model.name].append(int(inputs[0].shape[0]))
        return called(model, inputs, *rest)

    monkeypatch.setattr(operations, "called", counted)
    experiment.step_at(tf.constant(0, tf.int64), batches(experiment))
    assert rows == {"encoder": [8], "decoder": [24]}


def test_a_bound_needs_a_draw() -> None:
    mean = WEIGHT.replace("weight =", "z = mean(q)\nweight =")
    networks = dict(zip(("generator", "discriminator"), IWAE_NETWORKS.strip().split("\n"), strict=True))
    for text, expected in ((IWAE.format(draws=3, weight=WEIGHT), []), (IWAE.format(draws=3, weight=mean), None)):
        text = text.replace("z ~ q", "") if expected is None else text
        whole = spec("sample { image = mean(decoder()) }", train="train {" + text + "}", **networks)
        assert codes(whole) == (["type_mismatch"] if expected is None else expected)


def test_distributions_keep_what_they_are_when_their_gradient_stops() -> None:
    law = distribution_of("discretized_logistic", tf.zeros((2, 4)), classes=17, bounds=(0.0, 1.0))
    assert isinstance(law, DiscretizedLogistic)
    stopped = function_of("stop_gradient", [law], {})
    assert (stopped.levels, stopped.low, stopped.high) == (17, 0.0, 1.0)


AUTOENCODER = """
  network encoder(x: image) -> normal(2) {{ flatten | dense 4 }}
  network decoder(z: normal(2)) -> {} {{ dense {} | reshape 8, 8, {} }}
"""


JUDGE = "network discriminator({}) -> logits(1) {{ {} dense 8 as features; relu | dense 1 }}"


PRELUDE = {
    "vae(latent: 2, beta: ramp(0, 1))": [AUTOENCODER.format("normal(image)", 128, 2)],
    "iwae(latent: 2, draws: 3)": [AUTOENCODER.format("normal(image)", 128, 2)],
    "vae_gan(latent: 2)": [AUTOENCODER.format("image", 64, 1), JUDGE.format("x: image", "flatten |")],
    "adversarial_autoencoder(latent: 2)": [
        "network encoder(x: image) -> features(2) { flatten | dense 2 }",
        "network decoder(z: features(2)) -> image { dense 64 | reshape 8, 8, 1 }",
        JUDGE.format("z: features(2)", ""),
    ],
    "vq_vae(variance: 0.4)": [
        "network encoder(x: image) -> features(2) { flatten | dense 2 as code; quantize 5 }",
        "network decoder(z: features(2)) -> image { dense 64 | reshape 8, 8, 1 }",
    ],
}


@pytest.mark.parametrize("objective", PRELUDE)
def test_objectives_of_the_prelude_train_all_their_networks(objective: str) -> None:
    drawn = "decoder(draw_codes(encoder))" if objective.startswith("vq") else "decoder(z)"
    sample = "sample { z ~ normal(2); image = mean(decoder(z)) }" if "normal(image)" in PRELUDE[objective][0] else ""
    sample = sample or f"sample {{ {'' if objective.startswith('vq') else 'z ~ normal(2); '}image = {drawn} }}"
    experiment = made("\n".join(PRELUDE[objective]), f"objective {objective}\noptimizer adam(1e-2)\nsteps 9", sample)
    ((_, text),) = experiment.plan.value.objectives
    written = made("\n".join(PRELUDE[objective]), f"{text}\noptimizer adam(1e-2)\nsteps 9", sample)
    assert written.plan.value.train.groups == experiment.plan.value.train.groups
    before = {name: [v.numpy() for v in model.trainable_variables] for name, model in experiment.networks.items()}
    step(experiment)
    for name, model in experiment.networks.items():
        assert all(
            (old != new.numpy()).any() for old, new in zip(before[name], model.trainable_variables, strict=True)
        ), name


def test_vae_gan_gives_each_network_its_own_loss() -> None:
    """Larsen et al. 2016, algorithm 1, by hand on one batch."""
    objective = "vae_gan(latent: 2, weight: 0.3)"
    experiment = made(
        "\n".join(PRELUDE["vae_gan(latent: 2)"]),
        f"objective {objective}\noptimizer sgd(0)\nsteps 9",
        "sample { image = decoder() }",
    )
    given = batches(experiment)
    told = {name: float(value) for name, value in experiment.step_at(tf.constant(0, tf.int64), given).items()}
    (group,) = experiment.plan.value.train.groups
    assert [update.networks for update in group.updates] == [("encoder",), ("decoder",), ("discriminator",)]
    taken: list[Any] = []
    key = Key(experiment.seed, "train/0_encoder+decoder+discriminator", tf.constant(0, tf.int64))
    for operation in group.operations:
        if operation.name in ("draw", "prior"):
            taken.append(key.at(f"{operation.name}_{operation.site}").normal([8, 2]))
    networks, image = experiment.networks, given["image"][0]
    mean, log_variance = tf.split(networks["encoder"](image), 2, axis=-1)
    again = networks["decoder"](mean + tf.exp(0.5 * log_variance) * taken[0])
    fake = networks["decoder"](taken[1])
    dense = [layer for layer in networks["discriminator"].layers if hasattr(layer, "kernel")]
    dense.sort(key=lambda layer: -layer.kernel.shape[0])  # from the picture's 64 numbers, then from 8

    def judged(picture: Any) -> tuple[np.ndarray, np.ndarray]:
        features = dense[0](tf.reshape(picture, [8, -1]))
        return np.asarray(features, "float64"), np.asarray(dense[1](tf.nn.relu(features)), "float64")

    (seen, real), (made_of, of_code), (_, of_noise) = (judged(one) for one in (image, again, fake))
    likeness = 0.5 * ((seen - made_of) ** 2).sum(1)
    kl = 0.5 * np.sum(np.square(mean) + np.exp(log_variance) - 1 - log_variance, axis=1)

    def softplus(value: np.ndarray) -> float:
        return float(np.logaddexp(0, value).mean())

    assert told["encoder/loss"] == pytest.approx((likeness + kl).mean(), rel=1e-4)
    assert told["decoder/loss"] == pytest.approx(
        0.3 * likeness.mean() + softplus(-of_code) + softplus(-of_noise), rel=1e-4
    )
    assert told["discriminator/loss"] == pytest.approx(
        softplus(-real) + softplus(of_code) + softplus(of_noise), rel=1e-4
    )


def test_the_work_of_all_draws_is_counted() -> None:
    def cost(draws: int) -> tuple[int, int]:
        text = IWAE.format(draws=draws, weight=WEIGHT)
        plan = made(IWAE_NETWORKS, text, "sample { image = mean(decoder()) }").plan.value
        found = cost_of(plan)
        return int(found.flops), int(found.activations)

    one, ten = cost(1), cost(10)
    decoder = 2 * 2 * 64 + 64  # FLOPs of its dense layer for a row
    assert ten[0] - one[0] == 3 * 8 * 9 * decoder
    assert ten[1] - one[1] == 4 * 8 * 9 * 64
