"""What a model of tokens loses on each window of a split in, bits per byte of its text and perplexity out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.equations import Equations
from gendsl.evaluate.estimate import Estimate
from gendsl.plan.plan import Evaluation, Field, Plan

WORDS = ("bits_per_byte", "perplexity")
_MOST_LOGITS = 1 << 24  # at once: 64 MiB of them


@dataclass(frozen=True, slots=True)
class Text:
    """What a split's text is: the tokens of a window, and the tokens, bytes and unknown tokens of all of it."""

    window: int
    tokens: int
    bytes: int
    unknown: int


def losses_of(equations: Equations, dataset: Any, plan: Plan, split: str) -> dict[str, NDArray[np.float64]]:
    """The nats (n) that are lost on each window of a split, by score; the windows are read as they are computed."""
    windows = dataset.split(split)
    texts = [field for field in plan.data.fields if field.kind == "text"]
    each = max(_logits(field) for field in texts)
    return equations.values(windows, batch=max(plan.data.batch, _MOST_LOGITS // each))


def _logits(field: Field) -> int:
    """The logits of a window, as many as they may be where the data tells the vocabulary."""
    return _window(field) * (field.classes if isinstance(field.classes, int) else 1 << 16)


def _window(field: Field) -> int:
    length = field.shape[0]
    assert isinstance(length, int)  # `window` is a number
    return length


def text_of(evaluation: Evaluation, name: str, plan: Plan, manifest: Sequence[Mapping[str, Any]], split: str) -> Text:
    """The text that a score is of."""
    (said,) = (number for score, number in evaluation.equations if score == name)
    tokens = evaluation.operations[evaluation.operations[said].inputs[1]]
    field = next(one for one in plan.data.fields if tokens.attributes["name"].startswith(f"{one.name}."))
    place = next(number for number, source in enumerate(plan.data.sources) if source.name == field.source)
    told = manifest[place]["tokens"][split]
    return Text(_window(field), int(told["tokens"]), int(told.get("bytes", 0)), int(told["unknown"]))


def estimate(name: str, losses: NDArray[np.float64], text: Text) -> Estimate:
    """The score of nats (n) that were lost on windows.

    Bits per byte are bits a token, times the tokens of a byte of the whole text: Gao et al. 2020, section 3.1."""

    def of(nats: float) -> float:
        each = nats / text.window
        if name == "perplexity":
            return math.exp(min(each, 700.0))
        return each * text.tokens / (text.bytes * math.log(2))

    def resample(random: np.random.Generator) -> float:
        return of(float(losses[random.integers(0, len(losses), len(losses))].mean()))

    return Estimate(of(float(losses.mean())), resample, how="windows")
