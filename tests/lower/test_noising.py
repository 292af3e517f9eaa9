"""Noising processes and samplers against formulas written anew in NumPy, and on data whose score is known."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower import samplers
from gendsl.lower.functions import dropped
from gendsl.lower.processes import Diffusion, FlowMatching, Mixture, Process, mixed, process_of
from gendsl.lower.samplers import guided, sampled
from gendsl.parts.keys import Key
from gendsl.plan.plan import Call

KEY = Key(3, "samples", 7)


def diffusion(schedule: str = "cosine", predict: str = "noise", steps: int = 100) -> Call:
    return Call("diffusion", {"schedule": schedule, "predict": predict, "steps": steps})


def flow(span: float = 1000, least: float = 0) -> Call:
    return Call("flow_matching", {"span": span, "least": least})


PROCESSES = [diffusion(s, p) for s in ("linear", "cosine") for p in ("noise", "data", "velocity")] + [flow(least=0.01)]


def of_diffusion(call: Call) -> Diffusion:
    found = process_of(call)
    assert isinstance(found, Diffusion)
    return found


def levels(call: Call, time: float) -> tuple[float, float]:
    """Signal and spread at a time, by the papers' own words."""
    if call.word == "flow_matching":
        share = time / call.arguments["span"]  # Lipman et al. 2023, equation 22, with t = 1 - share
        least = call.arguments["least"]
        return 1 - share, 1 - (1 - least) * (1 - share)
    left = math.prod(1 - beta for beta in betas(call)[: int(time) + 1])
    return math.sqrt(left), math.sqrt(1 - left)


def betas(call: Call) -> list[float]:
    steps = call.arguments["steps"]
    if call.arguments["schedule"] == "linear":
        first, last = 0.0001 * 1000 / steps, 0.02 * 1000 / steps
        return [min(first + (last - first) * at / (steps - 1), 0.999) for at in range(steps)]

    def f(t: int) -> float:  # Nichol & Dhariwal 2021, equation 17
        return math.cos((t / steps + 0.008) / 1.008 * math.pi / 2) ** 2

    return [min(1 - (f(t + 1) / f(0)) / (f(t) / f(0)), 0.999) for t in range(steps)]


def test_ho_et_al_s_schedule_at_its_thousand_steps() -> None:
    process = of_diffusion(diffusion("linear", steps=1000))
    np.testing.assert_allclose(process.betas()[[0, 999]], [1e-4, 0.02])
    np.testing.assert_allclose(process.kept()[-1], 4.0358e-5, rtol=1e-3)  # "D_KL(q(x_T) || N(0, I)) ≈ 1e-5 bits"


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [40, 1000])
def test_schedules(schedule: str, steps: int) -> None:
    call = diffusion(schedule, steps=steps)
    np.testing.assert_allclose(of_diffusion(call).betas(), betas(call), rtol=1e-9)
    at = [0, steps // 3, steps - 1]
    found = of_diffusion(call).at(at)
    np.testing.assert_allclose(np.stack([found.signal, found.spread], 1), [levels(call, t) for t in at], rtol=1e-9)


def test_the_posterior_is_bayes_rule_for_two_normal_densities() -> None:
    process = of_diffusion(diffusion(steps=20))
    of_data, of_noisy, variance = samplers.posterior(process)
    beta, left = np.array(betas(diffusion(steps=20))), np.cumprod(1 - np.array(betas(diffusion(steps=20))))
    for t in range(1, 20):
        # q(x_{t-1}) = N(√ā data, 1 - ā), and q(x_t | x_{t-1}) = N(√(1 - β) x_{t-1}, β): precisions add up.
        precision = 1 / (1 - left[t - 1]) + (1 - beta[t]) / beta[t]
        np.testing.assert_allclose(variance[t], 1 / precision, rtol=1e-9)
        np.testing.assert_allclose(of_data[t], math.sqrt(left[t - 1]) / (1 - left[t - 1]) / precision, rtol=1e-9)
        np.testing.assert_allclose(of_noisy[t], math.sqrt(1 - beta[t]) / beta[t] / precision, rtol=1e-9)
    np.testing.assert_allclose([of_data[0], of_noisy[0], variance[0]], [1, 0, 0], atol=1e-12)


@pytest.mark.parametrize("call", PROCESSES, ids=str)
def test_noising_and_what_the_network_is_to_give(call: Call) -> None:
    random = np.random.default_rng(0)
    data, noise = random.normal(size=(2, 4, 3, 2)).astype(np.float32)
    times = np.array([0, 10, 57, 99], np.float32)
    if call.word == "flow_matching":
        times *= 10
    signal, spread = (np.array(one).reshape(4, 1, 1) for one in zip(*(levels(call, t) for t in times), strict=True))
    noisy = mixed("noised", call, tf.constant(data), tf.constant(noise), tf.constant(times))
    np.testing.assert_allclose(noisy, signal * data + spread * noise, atol=2e-6)
    expected = {
        "noise": noise,
        "data": data,
        "velocity": signal * noise - spread * data,  # Salimans & Ho 2022, section 4
        "": (1 - 0.01) * noise - data,
    }[call.arguments.get("predict", "")]
    target = mixed("target", call, tf.constant(data), tf.constant(noise), tf.constant(times))
    np.testing.assert_allclose(target, expected, atol=2e-6)
    back = mixed("denoised", call, noisy, target, tf.constant(times))
    clear = signal.ravel() > 1e-2  # else the data is divided by next to nothing
    np.testing.assert_allclose(back.numpy()[clear], data[clear], atol=2e-3)


def test_a_flow_s_target_is_the_slope_of_its_path() -> None:
    process, step = FlowMatching(1000, 0.1), 1e-3
    data, noise = 0.7, -1.3
    before, at, after = (process.at(np.array(300 + 1000 * d)) for d in (-step, 0.0, step))
    slope = (after.noised(data, noise) - before.noised(data, noise)) / (2 * step)
    np.testing.assert_allclose(at.target(data, noise), slope, rtol=1e-9)
    ends = process.at(np.array([0.0, 1000.0]))
    np.testing.assert_allclose([ends.signal, ends.spread], [[1, 0], [0.1, 1]], atol=1e-12)


def test_times_are_drawn_evenly_and_whole_where_a_process_has_steps() -> None:
    drawn = of_diffusion(diffusion(steps=10)).draw(20_000, KEY).numpy()
    counts = np.bincount(drawn.astype(int), minlength=10)
    assert drawn.dtype == np.float32 and len(counts) == 10 and abs(counts / 2000 - 1).max() < 0.1
    continuous = process_of(flow()).draw(20_000, KEY).numpy()
    assert continuous.min() >= 0 and continuous.max() <= 1000 and abs(continuous.mean() - 500) < 10
    assert len(np.unique(continuous)) > 19_000


def lively(x: Any, times: Any) -> Any:
    """A result that depends on all that a network is told."""
    return tf.sin(3 * x) + 0.01 * times[:, None]


def reference_ddim(call: Call, start: np.ndarray, *, steps: int, eta: float, low: float, high: float) -> np.ndarray:
    """Song et al. 2021, equation 12, step by step; what is predicted is limited, and the noise follows from it."""
    times = [i * call.arguments["steps"] // steps for i in range(steps)]
    x = start.astype(np.float64)
    for turn, place in enumerate(reversed(range(steps))):
        a = levels(call, times[place])[0] ** 2
        b = levels(call, times[place - 1])[0] ** 2 if place else 1.0
        given = lively(tf.constant(x, tf.float32), tf.fill([len(x)], float(times[place]))).numpy()
        data = {
            "noise": (x - math.sqrt(1 - a) * given) / math.sqrt(a),
            "data": given,
            "velocity": math.sqrt(a) * x - math.sqrt(1 - a) * given,
        }[call.arguments["predict"]]
        data = np.clip(data, low, high)
        noise = (x - math.sqrt(a) * data) / math.sqrt(1 - a)
        sigma = eta * math.sqrt((1 - b) / (1 - a)) * math.sqrt(1 - a / b)
        fresh = KEY.turn(turn).normal([*start.shape]).numpy()
        x = math.sqrt(b) * data + math.sqrt(max(1 - b - sigma**2, 0)) * noise + sigma * fresh
    return x


@pytest.mark.parametrize("predict", ["noise", "data", "velocity"])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_steps(predict: str, eta: float) -> None:
    call = diffusion("linear", predict)
    start = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)
    options = {"steps": 7, "eta": eta}
    found = sampled("ddim", call, options, tf.constant(start), KEY, lively, bounds=(-1, 1))
    expected = reference_ddim(call, start, steps=7, eta=eta, low=-1, high=1)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.abs(found).max() <= 1, "the last step gives what is predicted, and that is limited"


def test_ddim_of_all_steps_and_all_noise_is_the_ancestral_sampler() -> None:
    process = of_diffusion(diffusion(steps=30))
    one, other = samplers.ddim_course(process, steps=30, eta=1), samplers.ddpm_course(process, variance="posterior")
    for name in ("times", "by_noisy", "by_given", "clean", "kept", "fresh"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6, atol=1e-9, err_msg=name)
    wide = samplers.ddpm_course(process, variance="forward")
    np.testing.assert_allclose(wide.fresh[:-1] ** 2, np.array(betas(diffusion(steps=30)))[:0:-1], rtol=1e-9)
    assert wide.fresh[-1] == 0


MEAN, SCALE = np.array([0.5, -0.2]), np.array([0.8, 0.3])


def knowing(call: Call) -> Callable[[Any, Any], Any]:
    """The best network for data that are normal with MEAN and SCALE."""
    process = process_of(call)

    def predict(x: Any, times: Any) -> Any:
        found = process.of_batch(times)
        parts = (found.signal, found.spread, found.of_data, found.of_noise)
        signal, spread, of_data, of_noise = (tf.reshape(part, [-1, 1]) for part in parts)
        whole = tf.square(signal * SCALE.astype(np.float32)) + tf.square(spread)
        away = x - signal * MEAN.astype(np.float32)
        data = MEAN.astype(np.float32) + signal * np.square(SCALE).astype(np.float32) / whole * away
        return of_data * data + of_noise * spread / whole * away

    return predict


@pytest.mark.parametrize(
    ("word", "call", "options"),
    [
        ("ddpm", diffusion(), {"variance": "posterior"}),
        ("ddpm", diffusion("linear", "velocity", 300), {"variance": "forward"}),
        ("ddim", diffusion("linear", "data"), {"steps": 60, "eta": 0.0}),
        ("ddim", diffusion(), {"steps": 60, "eta": 1.0}),
        ("euler", flow(), {"steps": 60}),
        ("heun", flow(), {"steps": 20}),
        ("heun", diffusion("linear", "velocity"), {"steps": 50}),
    ],
    ids=str,
)
def test_samplers_draw_from_the_data_that_the_network_knows(word: str, call: Call, options: Any) -> None:
    start = KEY.at("start").normal([20_000, 2])
    drawn = sampled(word, call, options, start, KEY, knowing(call), bounds=None).numpy().astype(np.float64)
    np.testing.assert_allclose(drawn.mean(axis=0), MEAN, atol=0.03)
    np.testing.assert_allclose(drawn.std(axis=0), SCALE, rtol=0.1)  # what the steps' length costs


def error(word: str, steps: int) -> float:
    """How far a solver ends from the flow's exact solution x = mean + scale·start."""
    start = KEY.at("start").normal([200, 2])
    found = sampled(word, flow(), {"steps": steps}, start, KEY, knowing(flow()), bounds=None).numpy()
    return float(np.abs(found - (MEAN + SCALE * start.numpy())).max())


def test_heun_is_of_second_order_and_euler_of_first() -> None:
    assert 1.6 < error("euler", 20) / error("euler", 40) < 2.4
    assert error("heun", 40) < error("euler", 80) / 5, "at as many calls of the network"
    assert error("heun", 20) / error("heun", 40) > 3


def test_euler_of_a_diffusion_is_ddim_without_fresh_noise() -> None:
    start, call = KEY.normal([5, 2]), diffusion(predict="velocity")
    one = sampled("euler", call, {"steps": 9}, start, KEY, lively, bounds=(-1, 1))
    other = sampled("ddim", call, {"steps": 9, "eta": 0}, start, KEY, lively, bounds=(-1, 1))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_guidance() -> None:
    seen: list[tuple[int, ...]] = []

    def predict(x: Any, times: Any, given: Any) -> Any:
        label, features = given
        seen.append(tuple(x.shape))
        return x * tf.cast(label, tf.float32)[:, None] + times[:, None] + features

    x, times = tf.constant([[1.0], [2.0]]), tf.constant([3.0, 5.0])
    given = [tf.constant([2, 4]), tf.constant([[10.0], [20.0]])]
    w = 1.5  # Ho & Salimans 2022, equation 6: (1 + w)·with - w·without
    found = guided(predict, given, (7, None), 1 + w)(x, times)
    conditional, free = [[2 + 3 + 10], [8 + 5 + 20]], [[7 + 3 + 10], [14 + 5 + 20]]
    np.testing.assert_allclose(found, (1 + w) * np.array(conditional) - w * np.array(free), rtol=1e-6)
    assert seen == [(4, 1)], "both in one call"
    np.testing.assert_allclose(guided(predict, given, (7, None), 1)(x, times), conditional)
    zeros = guided(predict, given, (None, 0), 0)(x, times)
    np.testing.assert_allclose(zeros, [[2 + 3], [8 + 5]], err_msg="0 is without")


def test_conditions_are_dropped_by_their_chance() -> None:
    labels = tf.range(20_000) % 10
    found = dropped(labels, 0.2, 10, KEY).numpy()
    assert abs((found == 10).mean() - 0.2) < 0.01
    assert (found[found < 10] == labels.numpy()[found < 10]).all()
    assert (found == dropped(labels, 0.2, 10, KEY).numpy()).all()
    rows = dropped(tf.ones([1000, 3, 2]), 0.5, None, KEY).numpy().reshape(1000, -1)
    assert ((rows == 0).all(axis=1) | (rows == 1).all(axis=1)).all() and 0.4 < rows.mean() < 0.6


def test_a_loop_s_turns_draw_numbers_of_their_own() -> None:
    turns = [KEY.turn(tf.constant(turn)).normal([50]).numpy() for turn in range(20)] + [KEY.normal([50]).numpy()]
    assert len({turn.tobytes() for turn in turns}) == 21
    assert (KEY.turn(4).normal([50]).numpy() == turns[4]).all()
    assert abs(np.corrcoef(turns)[np.triu_indices(21, 1)]).max() < 0.6


@pytest.mark.parametrize("process", [Diffusion("cosine", "noise", 3), FlowMatching(10.0, 0.0)], ids=str)
def test_mixtures_are_arrays_or_tensors_alike(process: Process) -> None:
    times = np.array([0.0, 1.0, 2.0])
    there, here = process.at(times), process.of_batch(tf.constant(times, tf.float32))
    assert isinstance(there, Mixture)
    for name in ("signal", "spread", "of_data", "of_noise"):
        np.testing.assert_allclose(getattr(here, name), getattr(there, name), atol=1e-6)
