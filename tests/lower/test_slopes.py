"""The gradients that slopes make cheaper: the same numbers, of fewer operations, and only where they hold."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower import operations
from gendsl.lower.slopes import probed
from gendsl.lower.training import Experiment
from tests.lower.test_specs import GENERATOR, batches, made, step

DENSE = "flatten | dense 16 | leaky_relu 0.2 | dense 12, bias: off | relu | dense 1"
RESIDUAL = """
  conv 6, kernel: 4, stride: 2 | leaky_relu 0.1
  parallel merge: add {
    path { conv 8 | relu | conv 8 | average_pool 2 }
    path { average_pool 2 | conv 8, kernel: 1 }
  }
  residual { relu | depthwise_conv 3 | pad 1 | crop 1 }
  upsample 2 | up_conv 4, kernel: 3 | global_sum_pool | dense 1
"""
PROJECTED = "from x\n conv 6 | leaky_relu 0.2 | global_sum_pool as h\n dense 1 as s\n project h, y\n add s"
PENALISED = """
  update discriminator, with: sgd(0.1) {
    minimize mean(softplus(-discriminator(image))) + mean(softplus(discriminator(generator())))
      + 0.3 * r1(discriminator, image)
  }
  update generator, with: sgd(0.1) { minimize mean(softplus(-discriminator(generator()))) }
  steps 5
"""
TOGETHER = """
  together with: sgd(0.1) {
    fake = generator()
    judged = discriminator(fake)
    update discriminator { minimize nonsaturating.discriminator(discriminator(image), judged) }
    update generator { minimize nonsaturating.generator(judged) }
  }
  steps 5
"""


def judge(layers: str, *, result: str = "logits(1)", label: bool = False) -> str:
    return f"network discriminator(x: image{', y: label' if label else ''}) -> {result} {{ {layers} }}\n"


def labelled(train: str) -> str:
    named = train.replace("discriminator(image)", "discriminator(image, label)")
    return named.replace("discriminator(generator())", "discriminator(generator(), label)")


def products(experiment: Experiment) -> int:
    """How many matrix products lead to what a step changes or gives."""
    one = tf.function(experiment.step_at, autograph=False)
    graph = one.get_concrete_function(tf.constant(0, tf.int64), batches(experiment)).graph
    waiting = [output.op for output in graph.outputs]
    waiting += [op for op in graph.get_operations() if "Assign" in op.type or "Apply" in op.type]
    found = set()
    while waiting:
        if (op := waiting.pop()) not in found:
            found.add(op)
            waiting += [value.op for value in op.inputs]
    return sum(op.type == "MatMul" for op in found)


def both_ways(monkeypatch: pytest.MonkeyPatch, networks: str, train: str) -> list[tuple[Experiment, dict[str, float]]]:
    """An experiment after three steps with what slopes save, and one without, the products of each in the logs."""
    found = []
    for saving in (True, False):
        with monkeypatch.context() as patched:
            if not saving:
                patched.setattr(operations, "probed", lambda model, kind: None)
            experiment = made(GENERATOR + networks, train)
            found.append((experiment, step(experiment, 3) | {"products": products(experiment)}))
    return found


@pytest.mark.parametrize(
    ("networks", "train"),
    [
        (judge(DENSE), PENALISED),
        (judge(RESIDUAL), PENALISED),
        (judge(RESIDUAL, result="logits(1), constrain: spectral_norm"), PENALISED),
        (judge(PROJECTED, label=True), labelled(PENALISED)),
        (judge("conv 6 | leaky_relu 0.2 | dropout 30% | flatten | dense 12 | swish | dense 1"), TOGETHER),
        (judge("conv 6, bias: off | layer_norm | elu | flatten | dense 1, bias: off"), TOGETHER),
        (judge(DENSE, result="logits(1), constrain: spectral_norm"), TOGETHER),
    ],
)
def test_weights_are_as_without(monkeypatch: pytest.MonkeyPatch, networks: str, train: str) -> None:
    (saved, logs), (plain, others) = both_ways(monkeypatch, networks, train)
    del logs["products"], others["products"]
    assert logs == pytest.approx(others, rel=1e-4)
    for name, variable in saved.state().items():
        np.testing.assert_allclose(variable, plain.state()[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("train", "fewer"), [(PENALISED, 3), (TOGETHER, 2)])
def test_fewer_products(monkeypatch: pytest.MonkeyPatch, train: str, fewer: int) -> None:
    (_, logs), (_, others) = both_ways(monkeypatch, judge(DENSE), train)
    assert others["products"] - logs["products"] == fewer


@pytest.mark.parametrize(
    ("networks", "kinds"),
    [
        (judge(DENSE), {"biased", "weighted"}),
        (judge("flatten | dense 8 | elu | dense 1"), {"weighted"}),
        (judge("flatten | dense 8 | batch_norm | relu | dense 1"), set()),
        (judge("minibatch_stddev | flatten | dense 1"), set()),
        (judge("conv 4 | relu | conv 1", result="logits(8x8x1)"), set()),
        (judge("from y\n embed 10, 8 as e\n from x\n flatten | dense 8 | add e | dense 1", label=True), {"weighted"}),
        (judge("flatten | keras.Dense 8 | dense 1"), set()),
        ("network body(x: image) -> features(8) { flatten | dense 8 }\n" + judge("body | dense 1"), set()),
    ],
)
def test_where_they_hold(networks: str, kinds: set[str]) -> None:
    train = "update discriminator, with: sgd(0.1) { minimize mean(discriminator(image)) }\nsteps 5"
    label = "y: label" in networks
    experiment = made(networks, labelled(train) if label else train, "sample { image = image }")
    model: Any = experiment.networks["discriminator"]
    assert {kind for kind in ("biased", "weighted") if probed(model, kind) is not None} == kinds


def test_not_in_half_precision() -> None:
    experiment = made(GENERATOR + judge(DENSE), PENALISED + "precision mixed_bfloat16")
    assert probed(experiment.networks["discriminator"], "biased") is None
    step(experiment)
