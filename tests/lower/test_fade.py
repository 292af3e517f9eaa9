"""`fade`: networks that grow compute what the mixture says, and what has no effect is neither computed nor trained."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.schedules import Stretch, constant_in, value_at
from gendsl.plan.plan import Call, Quantity
from tests.lower.test_specs import batches, made, values

NETWORKS = """
network judge(x: image) -> logits(10) {
  average_pool 2 | conv 4, kernel: 1 as low
  from x | conv 4, kernel: 1 as high
  average_pool 2 | fade low, share: ramp(0, 1, after: 2 steps, over: 4 steps) as mixed
  flatten | dense 10 as last
}
"""
TRAIN = """
update judge, with: adam(1e-2) { minimize cross_entropy(judge(image), label) }
ema judge, decay: 0.9
phase small, steps: 2
phase growing, steps: 4
phase large, steps: 2
"""
SAMPLE = "sample { score = judge(image); mixed = judge(image).mixed }"


def grown(steps: int, *, static: bool = True) -> tuple[Any, list[dict[str, np.ndarray]]]:
    """The experiment after some steps, and its weights before each and at the end."""
    experiment = made(NETWORKS, TRAIN, SAMPLE)
    weights = [values(experiment, "judge")]
    for step in range(steps):
        groups = experiment.groups_at(step) if static else None
        experiment.step_at(tf.constant(step, tf.int64), batches(experiment, step), groups)
        weights.append(values(experiment, "judge"))
    return experiment, weights


def parts(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    """The layers whose weights have changed."""
    return {path.split("/")[0] for path in before if not np.array_equal(before[path], after[path])}


def test_the_mixture_is_the_papers() -> None:
    experiment, _ = grown(4)
    image = batches(experiment)["image"][0]
    own = values(experiment, "judge")
    assert own["mixed/share"] == pytest.approx(0.25), "step 3 is the second of four"
    given = image.numpy()

    def pooled(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), 4, 2, 4, 2, -1).mean((2, 4))

    low = pooled(given) @ own["low/kernel"][0, 0] + own["low/bias"]
    high = pooled(given @ own["high/kernel"][0, 0] + own["high/bias"])
    told = experiment.sample(8, 1, {"image": image}, averaged=False)["mixed"]
    np.testing.assert_allclose(told, 0.75 * low + 0.25 * high, rtol=1e-5, atol=1e-5)


def test_what_has_no_effect_is_not_trained() -> None:
    _, weights = grown(8)
    assert parts(weights[0], weights[2]) == {"low", "last"}, "the new path waits"
    assert parts(weights[2], weights[3]) == {"low", "last"}, "the first step of the fade has a share of 0"
    assert parts(weights[3], weights[6]) == {"low", "high", "mixed", "last"}
    assert parts(weights[6], weights[7]) == {"high", "mixed", "last"}, "the old one is done; the share reaches 1"


def test_what_has_no_effect_is_not_computed() -> None:
    experiment = made(NETWORKS, TRAIN, SAMPLE)

    def convolutions(step: int) -> int:
        spec = {name: tf.TensorSpec(value.shape, value.dtype) for name, value in batches(experiment).items()}
        groups = experiment.groups_at(step)
        step_of = tf.function(lambda n, given: experiment.step_at(n, given, groups), autograph=False)
        graph = step_of.get_concrete_function(tf.TensorSpec([], tf.int64), spec).graph
        return sum(operation.type == "Conv2D" for operation in _needed(graph))

    assert convolutions(0) < convolutions(3)


def _needed(graph: Any) -> set[Any]:
    """The operations that the results and the changes of a graph wait for: the others are pruned before it runs."""
    stack = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    found: set[Any] = set()
    while stack:
        operation = stack.pop()
        if operation not in found:
            found.add(operation)
            stack += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    return found


def test_both_ways_of_knowing_the_phase_agree() -> None:
    _, known = grown(8)
    _, found = grown(8, static=False)
    for path, value in known[-1].items():
        np.testing.assert_allclose(value, found[-1][path], rtol=1e-4, atol=1e-5, err_msg=path)


def test_the_first_step_of_a_new_path_is_no_longer_than_the_rate() -> None:
    _, weights = grown(4)
    moved = np.abs(weights[4]["high/kernel"] - weights[3]["high/kernel"])
    assert 0 < moved.max() <= 1.001e-2


def test_an_average_has_the_share_of_its_network() -> None:
    experiment, weights = grown(5)
    assert experiment.averaged_weights("judge")["mixed/share"].numpy() == weights[5]["mixed/share"]


@pytest.mark.parametrize("first", range(12))
@pytest.mark.parametrize("length", [1, 2, 5])
def test_what_is_known_of_a_ramp_is_what_it_gives(first: int, length: int) -> None:
    call = Call("ramp", {"start": 0.0, "end": 1.0, "after": Quantity(3, "steps"), "over": Quantity(4, "steps")})
    run, part = Stretch(0, 20), Stretch(first, length)
    told = {float(value_at(call, tf.constant(step, tf.int64), run)) for step in range(first, first + length)}
    known = constant_in(call, part, run)
    assert known == (told.pop() if len(told) == 1 and told <= {0.0, 1.0} else None)
