"""ADA: the controller against the paper's rule, what it hears, and its state: one of a run, the same bits again."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl import api
from gendsl.lower.augment.controller import Controller
from gendsl.lower.training import Experiment, experiment_of
from gendsl.plan.plan import Call
from gendsl.plan.reals import RealScores, real_scores

GENERATOR = "network generator(z: normal(4)) -> image { dense 64 | tanh | reshape 8, 8, 1 }"
JUDGE = "network discriminator(x: image) -> logits(1) { flatten | dense 32 | leaky_relu 0.2 | dense 1 }"
GAN = "objective gan(loss: hinge)"


def made(
    both: str,
    *,
    train: str = GAN,
    networks: str = f"{GENERATOR}\n{JUDGE}",
) -> Experiment:
    text = f"""experiment tiny
data {{ source digits(); image range: -1..1; batch 8 }}
augment {{ {both} }}
{networks}
train {{ {train}; optimizer adam(1e-2, beta_1: 0.5); steps 400 }}
"""
    return experiment_of(api.loads(text), examples=1797)


def batch(step: int = 0, fields: tuple[str, ...] = ("image",)) -> dict[str, Any]:
    random = np.random.default_rng(step)
    return {name: tf.constant(random.uniform(-1, 1, (1, 8, 8, 8, 1)).astype("float32")) for name in fields}


def trained(experiment: Experiment, steps: int, *, first: int = 0, overfit: bool = False) -> list[dict[str, float]]:
    told = []
    for step in range(first, first + steps):
        logs = experiment.step_at(tf.constant(step, tf.int64), batch(0 if overfit else step))
        told.append({name: float(value) for name, value in logs.items()})
    return told


def state(experiment: Experiment) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in experiment.state().items()}


def test_the_controller_is_the_papers() -> None:
    random = np.random.default_rng(0)
    controller = Controller(Call("ada", {"target": 0.6, "speed": 400}), batch=10)
    hear = tf.function(controller.hear)
    p, heard = 0.0, []
    for number in range(120):
        sign = float(random.uniform(0.2, 1.0)) if number < 80 else -1.0
        assert float(hear(tf.constant(sign), 1)) == np.float32(sign)
        heard.append(np.float32(sign))
        if len(heard) == 4:  # training_loop.py of the authors: batch * 4 / (kimg * 1000), clamped
            p = min(max(p + np.sign(np.mean(heard) - 0.6) * 40 / 400, 0.0), 1.0)
            heard = []
        assert float(controller.chance) == pytest.approx(p, abs=1e-6), number
    assert p == 0.0


def test_what_is_not_finite_is_not_heard() -> None:
    controller = Controller(Call("ada", {"target": 0.6, "speed": 40}), batch=10)
    for sign in (1.0, float("nan"), 1.0, 1.0):
        given = controller.hear(tf.constant(sign), 1)
        assert float(given) == (0.0 if np.isnan(sign) else 1.0)
    assert float(controller.chance) == 0.0 and int(controller.state["pictures"]) == 30
    controller.hear(tf.constant(1.0), 1)
    assert float(controller.chance) == 1.0 and int(controller.state["pictures"]) == 0


def test_it_hears_the_signs_of_the_real_scores() -> None:
    experiment = made("both ada() { noise 0.5 }")
    real = batch()["image"][0]
    expected = np.sign(experiment.networks["discriminator"](real, training=True).numpy()).mean()
    told = trained(experiment, 1)[0]
    assert told["ada/r_t"] == pytest.approx(expected) and told["ada/p"] == 0.0, "at p = 0 nothing is transformed"
    assert {name for name in state(experiment) if name.startswith("ada/")} == {"ada/p", "ada/signs", "ada/pictures"}


def test_p_rises_while_the_discriminator_overfits_and_falls_while_it_does_not() -> None:
    experiment = made("both ada(target: 0.6, speed: 400) { noise 0.1 }")
    told = trained(experiment, 120, overfit=True)
    assert told[-1]["ada/r_t"] > 0.6 and told[-1]["ada/p"] > 0.3
    experiment.state()["networks/discriminator/dense_1/bias"].assign([-100.0])
    told = trained(experiment, 80, overfit=True)
    assert told[0]["ada/r_t"] == -1 and told[-1]["ada/p"] < told[0]["ada/p"]
    assert all(0 <= one["ada/p"] <= 1 for one in told)


def test_p_is_how_often_the_transforms_are_done() -> None:
    plain, off, on = made("flip"), made("both ada() { noise 0.5 }"), made("both ada() { noise 0.5 }")
    on.state()["ada/p"].assign(1.0)
    losses = [trained(one, 1)[0]["discriminator/loss"] for one in (plain, off, on)]
    assert losses[0] == losses[1] != losses[2]


def test_a_resumed_run_has_the_same_bits() -> None:
    both = "both ada(target: 0.1, speed: 300) { shift 10%; brightness 0.2 }"
    whole, resumed = made(both), made(both)
    trained(whole, 9)
    saved = state(whole)
    assert saved["ada/pictures"] == 8, "it goes on between two moves of p"
    told = trained(whole, 11, first=9)
    for name, variable in resumed.state().items():
        variable.assign(saved[name])
    assert trained(resumed, 11, first=9) == told
    here, there = state(whole), state(resumed)
    assert all(np.array_equal(here[name], there[name]) for name in here)
    assert 0 < here["ada/p"] < 1


def test_the_papers_pipeline_trains() -> None:
    experiment = made("both ada()")
    experiment.state()["ada/p"].assign(0.8)
    assert np.isfinite(list(trained(experiment, 1)[0].values())).all()


def test_repetitions_count_each_batch() -> None:
    update = """
  update discriminator, times: 2 { minimize hinge.discriminator(discriminator(image), discriminator(generator())) }
  update generator { minimize hinge.generator(discriminator(generator())) }
"""
    experiment = made("both ada() { flip }", train=update)
    one = {name: tf.concat([value, value], 0) for name, value in batch().items()}
    experiment.step_at(tf.constant(0, tf.int64), one)
    assert int(state(experiment)["ada/pictures"]) == 16


def test_nothing_is_told_where_nothing_is_heard() -> None:
    text = f"""experiment phases
data {{ source digits(); image range: -1..1; batch 8 }}
augment {{ both ada() {{ flip }} }}
{GENERATOR}
{JUDGE}
train {{
  optimizer adam(1e-3)
  phase first, steps: 2 {{ update generator {{ minimize hinge.generator(discriminator(generator())) }} }}
  phase second, steps: 2 {{
    update discriminator {{ minimize hinge.discriminator(discriminator(image), discriminator(generator())) }}
  }}
}}
"""
    experiment = experiment_of(api.loads(text), examples=1797)
    assert "ada/p" not in experiment.step_at(tf.constant(0, tf.int64), batch(), experiment.groups_at(0))
    assert "ada/p" in experiment.step_at(tf.constant(2, tf.int64), batch(), experiment.groups_at(2))
    # Without the groups a step finds out by itself.
    first = experiment_of(api.loads(text), examples=1797)
    told = trained(first, 4)
    assert [one["ada/r_t"] == 0 for one in told[:2]] == [True, True] and any(one["ada/r_t"] for one in told[2:])
    assert int(state(first)["ada/pictures"]) == 16


PAIR = "network discriminator(x: a, y: b) -> logits(4x4x1) { from x | concat y | conv 4 | conv 1, stride: 2 }"


def test_a_pair_of_which_one_is_made_is_not_real() -> None:
    plan = api.loads(f"""experiment pairs
data {{ source a: digits(), b: digits(), pairs: order; image range: -1..1; batch 8 }}
augment {{ both ada() {{ flip }} }}
network generator(x: a) -> b {{ conv 4 | conv 1 | tanh }}
{PAIR}
train {{
  optimizer adam(1e-3)
  update discriminator {{ minimize hinge.discriminator(discriminator(a, b), discriminator(a, generator(a))) }}
  update generator {{ minimize hinge.generator(discriminator(a, generator(a))) + mean(discriminator(a, b)) }}
  steps 5
}}
sample {{ b = generator(a) }}
""")
    first, second = plan.train.groups
    (real,) = real_scores(first, plan)
    inputs = [first.operations[number] for number in first.operations[real.call].inputs]
    assert [one.attributes["name"] for one in inputs] == ["a", "b"]
    assert real_scores(second, plan) == (), "it does not train the discriminator"


def test_the_score_is_the_result_of_one_channel() -> None:
    networks = f"""{GENERATOR}
network discriminator(x: image) -> [logits(10), logits(1)] {{
  flatten | dense 16 | leaky_relu 0.2 as h
  dense 10 as classes
  from h | dense 1 as score
  output classes, score
}}"""
    update = """
  update discriminator {
    real = discriminator(image)
    minimize hinge.discriminator(real.score, discriminator(generator()).score) + mean(real.classes)
  }
  update generator { minimize hinge.generator(discriminator(generator()).score) }
"""
    experiment = made("both ada() { flip }", networks=networks, train=update)
    plan = experiment.plan.value
    assert [real.output for real in real_scores(plan.train.groups[0], plan)] == [1]
    assert isinstance(real_scores(plan.train.groups[0], plan)[0], RealScores)
    expected = np.sign(experiment.networks["discriminator"](batch()["image"][0])[1].numpy()).mean()
    assert trained(experiment, 1)[0]["ada/r_t"] == pytest.approx(expected)
