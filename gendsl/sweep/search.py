"""The plan of a `sweep` in, the params of each of its trials out: a function of the trials before it and its number.

Lists alone are gone through, all combinations of them; anything else is searched by Optuna's tree-structured Parzen
estimator (Bergstra et al. 2011).
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call
from gendsl.plan.show import value_shown

_TRIALS = 20  # where nothing says how many
_ATTEMPTS = 20  # to suggest what was not tried yet


@dataclass(frozen=True, slots=True)
class Span:
    """Any number from `low` to `high`; on the logarithm, or whole ones alone."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """The params of a trial as the language writes them, and its score: the mean over its seeds, None where none is."""

    number: int
    settings: Mapping[str, str]
    scores: tuple[float | None, ...] = ()

    @property
    def value(self) -> float | None:
        """The mean of the scores that there are."""
        known = [score for score in self.scores if score is not None]
        return math.fsum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Search:
    """What is varied, how often and for what: `score` is to be small, or large if `larger`."""

    dimensions: Mapping[str, Span | tuple[str, ...]]
    trials: int
    seeds: int
    score: str
    larger: bool

    def settings(self, number: int, done: Sequence[Trial]) -> dict[str, str]:
        """The params of the trial of a number, from 1, after those that are done. Raises UserError."""
        lists = {name: one for name, one in self.dimensions.items() if isinstance(one, tuple)}
        if len(lists) == len(self.dimensions) and self.trials >= math.prod(map(len, lists.values())):
            chosen = next(islice(product(*lists.values()), number - 1, None))
            return dict(zip(lists, chosen, strict=True))
        return self._suggested(number, done)

    def _suggested(self, number: int, done: Sequence[Trial]) -> dict[str, str]:
        try:
            import optuna
        except ImportError:
            raise UserError("searching needs Optuna, which is not installed", "pip install 'gendsl[sweep]'") from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        distributions = {name: _distribution(optuna, one) for name, one in self.dimensions.items()}
        tried = []
        found: dict[str, str] = {}
        for attempt in range(_ATTEMPTS):
            # made anew for each trial, its seed from the number: a sweep that goes on suggests what it would have
            sampler = optuna.samplers.TPESampler(seed=_seed(number, attempt))
            study = optuna.create_study(direction="maximize" if self.larger else "minimize", sampler=sampler)
            for trial in done:
                tried.append(dict(trial.settings))
                if trial.value is not None:
                    params = {name: self._number(name, text) for name, text in trial.settings.items()}
                    made = optuna.trial.create_trial(params=params, distributions=distributions, value=trial.value)
                    study.add_trial(made)
            found = {name: self._text(name, one) for name, one in study.ask(distributions).params.items()}
            if found not in tried:
                break
        return found

    def _text(self, name: str, value: Any) -> str:
        """A value as the language writes it; a number of a range to four digits."""
        one = self.dimensions[name]
        if isinstance(one, tuple) or one.whole:
            return str(value)
        return repr(min(max(float(f"{value:.4g}"), one.low), one.high))

    def _number(self, name: str, text: str) -> Any:
        one = self.dimensions[name]
        return text if isinstance(one, tuple) else int(text) if one.whole else float(text)

    def ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Those that have a score, the best first."""
        sign = -1 if self.larger else 1
        return sorted((one for one in trials if one.value is not None), key=lambda one: sign * (one.value or 0.0))


def search_of(sweep: Call) -> Search:
    """What a plan's `sweep` asks for."""
    dimensions: dict[str, Span | tuple[str, ...]] = {}
    trials, seeds, score, larger = None, 1, "", False
    for call in sweep.statements:
        match call.word:
            case "vary":
                dimensions |= {name: _dimension(value) for name, value in call.arguments.items()}
            case "trials":
                trials = int(call.arguments["count"])
            case "seeds":
                seeds = int(call.arguments["count"])
            case "minimize" | "maximize":
                score, larger = str(call.arguments["score"]), call.word == "maximize"
    listed = [one for one in dimensions.values() if isinstance(one, tuple)]
    combinations = math.prod(map(len, listed)) if len(listed) == len(dimensions) else None
    if combinations is not None and (trials is None or trials > combinations):
        trials = combinations  # there are no more
    return Search(dimensions, trials or _TRIALS, seeds, score, larger)


def _seed(number: int, attempt: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{number}/{attempt}".encode(), digest_size=4).digest(), "little")


def _dimension(value: Any) -> Span | tuple[str, ...]:
    if isinstance(value, Call):
        low, high = map(float, value.arguments["range"])
        return Span(low, high, log=value.word == "log", whole=value.word == "whole")
    return tuple(dict.fromkeys(repr(one) if isinstance(one, float) else value_shown(one) for one in value))


def _distribution(optuna: Any, one: Span | tuple[str, ...]) -> Any:
    if isinstance(one, tuple):
        return optuna.distributions.CategoricalDistribution(one)
    if one.whole:
        return optuna.distributions.IntDistribution(int(one.low), int(one.high))
    return optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)
