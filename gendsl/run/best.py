"""The scores of a run in, whether one is the best so far out: what `keep best` goes by."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gendsl.plan.plan import Plan
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.score_keys import plain
from gendsl.vocabulary.scores import better_of


@dataclass(slots=True)
class Best:
    """The best value so far of a score of the `evaluate` block of a number; None before there is one."""

    number: int
    score: str
    higher: bool  # values are better
    value: float | None = None

    def beaten(self, number: int, found: Mapping[str, Any]) -> bool:
        """Whether the scores of a block are better than all before, which they then are part of."""
        value = self._value(found) if number == self.number else None
        if value is None or (self.value is not None and (value <= self.value if self.higher else value >= self.value)):
            return False
        self.value = value
        return True

    def _value(self, found: Mapping[str, Any]) -> float | None:
        """The score, or its mean over several outputs (`diversity/a`, `diversity/b`); None if it is no number.

        The names are keys of contracts: `diversity#3fa9c1d2`."""
        names = {key: plain(key) for key in found}
        parts = [found[key] for key, name in names.items() if name == self.score or name.startswith(f"{self.score}/")]
        if not parts or not all(isinstance(part, (int, float)) and math.isfinite(part) for part in parts):
            return None
        return float(sum(parts)) / len(parts)


def best_of(plan: Plan, records: Iterable[Mapping[str, Any]]) -> Best | None:
    """The best of the scores in the records of a run's metrics; None without a `keep best` that can be followed."""
    for number, evaluation in enumerate(plan.evaluations):
        for call in evaluation.scores:
            word = WORDS["score"].get(str(call.arguments.get("best")))
            if call.word != "keep" or (word is not None and not word.runs):
                continue
            better = call.arguments["better"] or better_of(str(call.arguments["best"]))
            best = Best(number, str(call.arguments["best"]), better == "higher")
            for record in records:
                best.beaten(record.get("evaluation", -1), record)
            return best
    return None
