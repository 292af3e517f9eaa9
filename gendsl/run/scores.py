"""Scores in, what a run's folder holds of them and what a person reads out.

`scores.json` holds the fields of every contract that a key of the run names, by fingerprint; `evaluations.jsonl` the
scores that were taken after training. A run that is gone on with cuts neither: what was scored stays true.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.run.folder import RunFolder, read_json, write_json
from gendsl.vocabulary import token_scores
from gendsl.vocabulary.blocks import MOST_SAMPLES
from gendsl.vocabulary.score_keys import plain, shown

_SHARES = frozenset(
    (
        *("diversity", "high_quality", "precision", "recall", "coverage", "memorized", "classification_accuracy"),
        *("gan_test", "class_balance", "column_shapes", "column_pairs", "utility", "utility_real", "detection"),
        "detection_linear",
        *(name for word in token_scores.SCORES for name in token_scores.PARTS[word.name]),
    )
)


def contracts_file(folder: RunFolder) -> Path:
    """Where the contracts stand."""
    return folder.path / "scores.json"


def evaluations_file(folder: RunFolder) -> Path:
    """Where the scores stand that `gendsl evaluate` took."""
    return folder.path / "evaluations.jsonl"


def contracts_in(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """The fields of contracts by fingerprint, as far as they can be read."""
    found = (read_json(contracts_file(folder)) or {}).get("contracts")
    return {key: value for key, value in found.items() if isinstance(value, dict)} if isinstance(found, dict) else {}


def note_contracts(folder: RunFolder, contracts: Mapping[str, Mapping[str, Any]]) -> None:
    """Adds contracts to the file, which is written whole, where one is new. Raises UserError."""
    known = contracts_in(folder)
    if any(fingerprint not in known for fingerprint in contracts):
        write_json(contracts_file(folder), {"contracts": known | dict(contracts)})


def refuse_count(samples: int) -> None:
    """Raises UserError for a number of samples that would take for ever."""
    if samples > MOST_SAMPLES:
        raise UserError(
            f"{samples:,} samples are too many to score",
            f"{MOST_SAMPLES:,} are the most; the literature takes 10,000 or 50,000",
        )


def shown_scores(scores: Mapping[str, float]) -> str:
    """`diversity 87.1 %  modes 25` of scores by key."""
    return "  ".join(f"{shown(key)} {shown_value(key, value)}" for key, value in scores.items())


def shown_value(key: str, value: float) -> str:
    """A score as a person reads it: `87.1 %` of a share, else four digits."""
    name = plain(key).split("/")[0]
    return f"{100 * value:.1f} %" if name in _SHARES or name.startswith("broken_") else f"{value:.4g}"
