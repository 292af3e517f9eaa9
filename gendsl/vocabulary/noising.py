"""Noising processes: the words that name one, what equations make of it, and the samplers that undo it.

A process mixes clean data and standard normal noise, x_t = signal(t)·data + spread(t)·noise. Time grows with the noise,
and its numbers are what a network's `time` input is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gendsl.vocabulary import results, types
from gendsl.vocabulary.dimensions import same_shape
from gendsl.vocabulary.functions import FunctionWord, function
from gendsl.vocabulary.word import Choice, Count, Expression, Mismatch, Parameter, Real, Toggle, Word

if TYPE_CHECKING:
    from gendsl.vocabulary.types import Type

OR_NONE = " or none"  # ends the meaning of a condition that `dropped` may have taken away


def _option(name: str, kind: Any, default: Any, doc: str) -> Parameter:
    return Parameter(name=name, kind=kind, default=default, doc=doc, positional=False)


PROCESSES: tuple[Word, ...] = (
    Word(
        name="diffusion",
        category="process",
        doc="A noising process in discrete steps, from data to standard normal noise. Its times are 0, the least "
        "noise, to steps - 1.",
        parameters=(
            _option(
                "schedule",
                Choice(("cosine", "linear")),
                "cosine",
                "how the share of noise grows; `linear` is 1e-4 to 0.02 at 1,000 steps, and as much noise in fewer",
            ),
            _option(
                "predict",
                Choice(("noise", "data", "velocity")),
                "noise",
                "what the network gives; the velocity is signal·noise - spread·data",
            ),
            _option("steps", Count(), 1000, "how many steps"),
        ),
        source="Ho et al. 2020, https://arxiv.org/abs/2006.11239; Nichol & Dhariwal 2021, "
        "https://arxiv.org/abs/2102.09672; velocity: Salimans & Ho 2022, https://arxiv.org/abs/2202.00512",
        example="noising = diffusion(schedule: cosine, predict: noise, steps: 1_000)",
    ),
    Word(
        name="flow_matching",
        category="process",
        doc="A noising process along straight lines: x_t = (1 - u)·data + (least + (1 - least)·u)·noise, with u from 0 "
        "to 1. The network gives the velocity dx/du = (1 - least)·noise - data. Its times are span·u.",
        parameters=(
            _option("span", Real(0, above=True), 1000, "the time of pure noise; 1,000 suits `time_embed`"),
            _option("least", Real(0, 1), 0, "how much noise the data's end keeps"),
        ),
        source="Lipman et al. 2023, https://arxiv.org/abs/2210.02747, equations 20 to 23, time reversed; Liu et al. "
        "2023, https://arxiv.org/abs/2209.03003",
        example="noising = flow_matching()",
    ),
)


def process_of(given: tuple[Type, ...], place: int) -> types.Process | Mismatch:
    """The process among the arguments of a word."""
    if len(given) <= place or not isinstance(given[place], types.Process):
        where = ("first", "second")[place]
        return Mismatch(f"takes a noising process {where}", "bind one at the top, such as `noising = diffusion(…)`")
    found = given[place]
    assert isinstance(found, types.Process)
    return found


def _time(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    found = process_of(given, 0)
    return found if isinstance(found, Mismatch) else types.Distribution("uniform", ())


def _mixed(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A process, two tensors of one shape and a time in, that shape out."""
    found = process_of(given, 0)
    if isinstance(found, Mismatch):
        return found
    _, left, right, time = given
    for value in (left, right):
        if not isinstance(value, types.Tensor) or value.integer:
            return Mismatch(f"mixes tensors of numbers, and is given {value}", "draw noise by `noise ~ normal(image)`")
    assert isinstance(left, types.Tensor) and isinstance(right, types.Tensor)
    if not same_shape(left.shape, right.shape):
        return Mismatch(f"mixes {left} and {right}", "both have the same shape: `noise ~ normal(image)`")
    if not isinstance(time, types.Tensor) or time.shape or time.integer:
        return Mismatch(f"takes one time an example last, not {time}", "draw it: `t ~ time(noising)`")
    return types.Tensor(left.shape, left.meaning)


def _dropped(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
    """A condition in, the same out, which may be none."""
    (value,) = given
    if not isinstance(value, types.Tensor) or (value.integer and (value.shape or not value.meaning)):
        return Mismatch(f"takes a label, a condition or features, not {value}", "such as `dropped(label, 10%)`")
    return types.Tensor(value.shape, f"{value.meaning}{OR_NONE}", value.integer)


def _sampled(*kinds: str) -> Callable[[tuple[Type, ...], Mapping[str, Any]], Type | Mismatch]:
    """A network and a process in, what the network gives out; the process is of one of these kinds."""

    def rule(given: tuple[Type, ...], options: Mapping[str, Any]) -> Type | Mismatch:
        found = process_of(given, 1)
        if isinstance(found, Mismatch):
            return found
        if found.call.word not in kinds:
            return Mismatch(
                f"undoes the steps of a `diffusion`, and `{found.call.word}` has none",
                "`euler` and `heun` solve its differential equation",
            )
        steps = options.get("steps")
        if found.call.word == "diffusion" and steps is not None and steps > found.call.arguments["steps"]:
            most = found.call.arguments["steps"]
            return Mismatch(f"takes {steps} of the process's steps, which are {most}", f"write `steps: {most}`")
        network = given[0]
        assert isinstance(network, types.NetworkType)
        return network.result or types.Unknown()

    return results.network_first(rule)


def _x(name: str, doc: str) -> Parameter:
    return Parameter(name=name, kind=Expression(), doc=doc)


_NETWORK = _x("network", "the network, by its name")
_PROCESS = _x("process", "the noising process, such as `diffusion(…)`")
_STEPS = _option("steps", Count(), 50, "how many steps a sample takes")
_TIME = _x("t", "one time an example")
_GUIDED = (
    _option(
        "guidance",
        Real(0),
        1,
        "how far to go from what the network gives without its conditions to what it gives with them: the weight w of "
        "Ho & Salimans is guidance - 1, and 1 is none",
    ),
    _option(
        "clip",
        Toggle(),
        True,
        "whether the clean picture that each step predicts is limited to the field's `range`, as in Ho et al.'s code",
    ),
)


def _sampler(name: str, doc: str, *parameters: Parameter, kinds: tuple[str, ...], source: str) -> FunctionWord:
    steps = ", steps: 50" if _STEPS in parameters else ""
    return FunctionWord(
        name=name,
        category="function",
        doc=doc,
        parameters=(_NETWORK, _PROCESS, *parameters, *_GUIDED),
        source=source,
        example=f"image = {name}(denoiser, noising{steps})",
        result=_sampled(*kinds),
        draws=True,
        network=True,
        samples=True,
    )


FUNCTIONS: tuple[FunctionWord, ...] = (
    function(
        "time",
        "The times of a noising process, all equally likely: `t ~ time(noising)` draws one for each example. A network "
        "is told a time by an input `t: time`.",
        _time,
        _PROCESS,
        source="Ho et al. 2020, https://arxiv.org/abs/2006.11239, algorithm 1",
        example="t ~ time(noising)",
    ),
    function(
        "noised",
        "Clean data at a time of a process: signal(t)·data + spread(t)·noise.",
        _mixed,
        _PROCESS,
        _x("value", "clean data"),
        _x("noise", "standard normal noise of its shape"),
        _TIME,
        source="Ho et al. 2020, https://arxiv.org/abs/2006.11239, equation 4",
        example="minimize l2(denoiser(noised(noising, image, noise, t), t), target(noising, image, noise, t))",
    ),
    function(
        "target",
        "What a network is to give for the noised data: the noise, the data or a velocity, as the process says.",
        _mixed,
        _PROCESS,
        _x("value", "clean data"),
        _x("noise", "the noise that it was mixed with"),
        _TIME,
        source="Salimans & Ho 2022, https://arxiv.org/abs/2202.00512, section 4; Lipman et al. 2023, "
        "https://arxiv.org/abs/2210.02747, equation 23",
        example="minimize l2(denoiser(noised(noising, image, noise, t), t), target(noising, image, noise, t))",
    ),
    function(
        "denoised",
        "The clean data that a network's result stands for, at a time of a process.",
        _mixed,
        _PROCESS,
        _x("noisy", "what the network was given"),
        _x("given", "what it gave"),
        _TIME,
        source="Ho et al. 2020, https://arxiv.org/abs/2006.11239, equation 15",
        example="clean = denoised(noising, noisy, denoiser(noisy, t), t)",
    ),
    function(
        "dropped",
        "A condition, taken away from each example by a chance: a network reads it as its input `y: label or none`. "
        "A sampler's `guidance` needs a network that was trained so.",
        _dropped,
        _x("condition", "a label, a condition or features"),
        Parameter(name="chance", kind=Real(0, 1), doc="how probable it is that an example loses it"),
        source="Ho & Salimans 2022, https://arxiv.org/abs/2207.12598, algorithm 1",
        example="minimize l2(denoiser(noisy, t, dropped(label, 10%)), target(noising, image, noise, t))",
    ),
    _sampler(
        "ddpm",
        "Samples by the ancestral sampler, one network call a step of the process.",
        _option(
            "variance",
            Choice(("posterior", "forward")),
            "posterior",
            "of the fresh noise: that of the posterior given the data, or that of the forward step, which is larger",
        ),
        kinds=("diffusion",),
        source="Ho et al. 2020, https://arxiv.org/abs/2006.11239, algorithm 2, equations 6 and 7",
    ),
    _sampler(
        "ddim",
        "Samples by the implicit sampler over equally spaced steps of the process.",
        _STEPS,
        _option("eta", Real(0, 1), 0, "the share of fresh noise; 1 over all steps is the ancestral sampler"),
        kinds=("diffusion",),
        source="Song et al. 2021, https://arxiv.org/abs/2010.02502, equation 12",
    ),
    _sampler(
        "euler",
        "Samples by Euler's method on the process's differential equation, one network call a step; of a diffusion, "
        "the same as `ddim` without fresh noise.",
        _STEPS,
        kinds=("diffusion", "flow_matching"),
        source="Lipman et al. 2023, https://arxiv.org/abs/2210.02747; Karras et al. 2022, "
        "https://arxiv.org/abs/2206.00364, section 3",
    ),
    _sampler(
        "heun",
        "Samples by Heun's second-order method on the process's differential equation, two network calls a step but "
        "for the last.",
        _STEPS,
        kinds=("diffusion", "flow_matching"),
        source="Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 1",
    ),
)

WORDS: tuple[Word, ...] = (*PROCESSES, *FUNCTIONS)
