"""A network and a process in, samples out: the samplers as tables of numbers, and the loops that follow them.

A course is laid in NumPy, float64, when the graph is built; a loop in the graph then calls the network once for each of
its steps (Heun's method twice), so that a graph's size does not grow with their number. What a step draws is a function
of the key and the step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from gendsl.lower.processes import Diffusion, FlowMatching, Levels, Process, process_of
from gendsl.parts.keys import Key

_Table = TypeVar("_Table", "Course", "Slope")
Predict = Callable[[Any, Any], Any]  # a noisy batch (batch, …) and its times (batch): what the network gives


@dataclass(frozen=True, slots=True)
class Course:
    """The steps of a sampler from noise to data, each an array (steps).

    At `times` the network is called. The data that it predicts is by_noisy·x + by_given·(what it gives); then x becomes
    clean·data + kept·x + fresh·noise.
    """

    times: Levels
    by_noisy: Levels
    by_given: Levels
    clean: Levels
    kept: Levels
    fresh: Levels


@dataclass(frozen=True, slots=True)
class Slope:
    """The steps of a differential equation, each an array (steps).

    `by_noisy` and `by_given` are as in a `Course`. The slope is by_clean·data + by_x·x; a step makes of x
    scale·x + length·slope.
    """

    times: Levels
    by_noisy: Levels
    by_given: Levels
    by_clean: Levels
    by_x: Levels
    scale: Levels
    length: Levels


def posterior(process: Diffusion) -> tuple[Levels, Levels, Levels]:
    """For each time t, q(x_{t-1} | x_t, data): what its mean is of the data and of x_t, and its variance.

    Ho et al. 2020, equations 6 and 7; at time 0 it is the data itself."""
    betas, kept = process.betas(), process.kept()
    before = np.concatenate([[1.0], kept[:-1]])
    of_data = np.sqrt(before) * betas / (1 - kept)
    of_noisy = np.sqrt(1 - betas) * (1 - before) / (1 - kept)
    return of_data, of_noisy, betas * (1 - before) / (1 - kept)


def ddpm_course(process: Diffusion, *, variance: str) -> Course:
    """The ancestral sampler; `variance` is `posterior` or `forward`, beta itself. Ho et al. 2020, algorithm 2."""
    of_data, of_noisy, least = posterior(process)
    spread = np.sqrt(process.betas() if variance == "forward" else least)
    spread[0] = 0.0  # the last step adds no noise
    times = np.arange(process.steps)
    by_noisy, by_given = process.at(times).inverse()
    return _backwards(Course(times.astype(np.float64), by_noisy, by_given, of_data, of_noisy, spread))


def ddim_course(process: Diffusion, *, steps: int, eta: float) -> Course:
    """The implicit sampler over times ⌊i·T/steps⌋; Song et al. 2021, equations 12 and 16, and appendix D.2."""
    times, here, before = _spaced(process, steps)
    by_noisy, by_given = here.inverse()
    signal, spread = before
    fresh = eta * spread / here.spread * np.sqrt(np.maximum(1 - (here.signal / signal) ** 2, 0.0))
    rest = np.sqrt(np.maximum(spread**2 - fresh**2, 0.0))  # of the noise that the network found
    kept = rest / here.spread
    return _backwards(Course(times, by_noisy, by_given, signal - kept * here.signal, kept, fresh))


def slope_of(process: Process, *, steps: int) -> Slope:
    """The differential equation of a process, in `steps` steps.

    Of a diffusion it is d(x/signal) = noise·d(spread/signal) (Song et al. 2021, equation 14; Karras et al. 2022,
    section 3), of a flow dx = velocity·du."""
    if isinstance(process, FlowMatching):
        shares = np.linspace(0, 1, steps + 1)
        times = process.span * shares[1:]
        here = process.at(times)
        by_noisy, by_given = here.inverse()
        # The velocity from the predicted data: noise = (x - signal·data)/spread.
        by_x = here.of_noise / here.spread
        by_clean = here.of_data - by_x * here.signal
        scale, length = np.ones(steps), shares[:-1] - shares[1:]
        return _backwards(Slope(times, by_noisy, by_given, by_clean, by_x, scale, length))
    times, here, (signal, spread) = _spaced(process, steps)
    by_noisy, by_given = here.inverse()
    by_x = 1 / here.spread
    scale = signal / here.signal
    length = spread - scale * here.spread
    return _backwards(Slope(times, by_noisy, by_given, -by_x * here.signal, by_x, scale, length))


def _spaced(process: Diffusion, steps: int) -> tuple[Levels, Any, tuple[Levels, Levels]]:
    """Equally spaced times from the least on, their mixtures, and signal and spread at the time before each."""
    places = np.arange(steps) * process.steps // steps
    here = process.at(places)
    signal, spread = np.concatenate([[1.0], here.signal[:-1]]), np.concatenate([[0.0], here.spread[:-1]])
    return places.astype(np.float64), here, (signal, spread)


def _backwards(course: _Table) -> _Table:
    """From noise to data: what was laid by growing time, the other way round."""
    return type(course)(*(getattr(course, one.name)[::-1].copy() for one in fields(course)))


def sampled(
    word: str,
    call: Any,
    options: Mapping[str, Any],
    start: Any,
    key: Key,
    predict: Predict,
    *,
    bounds: Sequence[float] | None,
) -> Any:
    """Samples (batch, …) by a sampler's word from standard normal noise `start` of that shape.

    `bounds` limit the data that each step predicts."""
    process = process_of(call)
    match word, process:
        case "ddpm", Diffusion():
            course = ddpm_course(process, variance=options["variance"])
        case "ddim", Diffusion():
            course = ddim_course(process, steps=int(options["steps"]), eta=float(options["eta"]))
        case "euler" | "heun", _:
            slope = slope_of(process, steps=int(options["steps"]))
            return _integrated(slope, start, predict, bounds, second=word == "heun")
        case _:
            raise ValueError(f"`{word}` samples no {call.word}")
    return _followed(course, start, key, predict, bounds)


def _followed(course: Course, start: Any, key: Key, predict: Predict, bounds: Sequence[float] | None) -> Any:
    at = _rows(course)
    draws = bool(course.fresh.any())

    def step(number: Any, x: Any) -> tuple[Any, Any]:
        row = at(number)
        data = _predicted(x, row, predict, bounds)
        after = row["clean"] * data + row["kept"] * x
        if draws:
            after += row["fresh"] * key.turn(number).normal(tf.shape(x))
        return number + 1, tf.ensure_shape(after, x.shape)

    return _looped(step, len(course.times), start)


def _integrated(slope: Slope, start: Any, predict: Predict, bounds: Sequence[float] | None, *, second: bool) -> Any:
    """Euler's method; or Heun's, Karras et al. 2022, algorithm 1: its last step is Euler's."""
    at, steps = _rows(slope), len(slope.times)

    def direction(x: Any, row: Mapping[str, Any]) -> Any:
        return row["by_clean"] * _predicted(x, row, predict, bounds) + row["by_x"] * x

    def euler(number: Any, x: Any) -> tuple[Any, Any]:
        row = at(number)
        after = row["scale"] * x + row["length"] * direction(x, row)
        return number + 1, tf.ensure_shape(after, x.shape)

    def heun(number: Any, x: Any) -> tuple[Any, Any]:
        row = at(number)
        first = direction(x, row)
        guess = row["scale"] * x + row["length"] * first
        both = 0.5 * (first + direction(guess, at(number + 1)))
        return number + 1, tf.ensure_shape(row["scale"] * x + row["length"] * both, x.shape)

    if not second:
        return _looped(euler, steps, start)
    return euler(tf.constant(steps - 1), _looped(heun, steps - 1, start))[1]


def _predicted(x: Any, row: Mapping[str, Any], predict: Predict, bounds: Sequence[float] | None) -> Any:
    given = predict(x, tf.fill(tf.shape(x)[:1], row["times"]))
    data = row["by_noisy"] * x + row["by_given"] * given
    return data if bounds is None else tf.clip_by_value(data, float(bounds[0]), float(bounds[1]))


def _rows(course: Any) -> Callable[[Any], dict[str, Any]]:
    names = [one.name for one in fields(course)]
    table = tf.constant(np.stack([getattr(course, name) for name in names], axis=-1), tf.float32)

    def at(number: Any) -> dict[str, Any]:
        return dict(zip(names, tf.unstack(tf.gather(table, number)), strict=True))

    return at


def _looped(step: Callable[[Any, Any], tuple[Any, Any]], steps: int, start: Any) -> Any:
    return tf.while_loop(
        lambda number, x: number < steps, step, (tf.constant(0), start), parallel_iterations=1, maximum_iterations=steps
    )[1]


def guided(
    predict: Callable[[Any, Any, Sequence[Any]], Any], given: Sequence[Any], none: Sequence[Any], scale: float
) -> Predict:
    """The network's result with its conditions `given`, led away from that without: (1 - scale)·without + scale·with.

    `none` says what stands for none at each; None leaves it as it is. Both are computed in one call of twice the batch.
    Ho & Salimans 2022, equation 6, with scale = 1 + w."""
    if scale == 1:
        return lambda x, times: predict(x, times, given)

    def both(x: Any, times: Any) -> Any:
        without = [
            value if no is None else tf.fill(tf.shape(value), tf.cast(no, value.dtype))
            for value, no in zip(given, none, strict=True)
        ]
        twice = [tf.concat([a, b], 0) for a, b in zip(given, without, strict=True)]
        found = predict(tf.concat([x, x], 0), tf.concat([times, times], 0), twice)
        conditional, unconditional = tf.split(found, 2)
        return unconditional + scale * (conditional - unconditional)

    return both
