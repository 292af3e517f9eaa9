"""All that a score depends on in, its fingerprint out: two numbers may be set side by side if theirs are the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from gendsl.evaluate.cache import digest_of
from gendsl.evaluate.extractor import Extractor
from gendsl.plan.plan import Call
from gendsl.vocabulary.score_keys import named

VERSION = 1  # of how scores are computed; a change of the numbers is a new one


@dataclass(frozen=True, slots=True)
class Contract:
    """What a score was taken of and how. Two runs' scores are comparable where all of it is the same.

    `data` is a digest of the sources with what is left out of them; `examples` counts those that the samples are
    compared with. Extractor, resizing and range are empty for a score without features.
    """

    score: str
    arguments: Mapping[str, Any]
    data: str
    split: str
    examples: int
    samples: int
    extractor: str = ""
    extractor_sha256: str = ""
    resizing: str = ""
    range: str = ""
    sample_seed: int = 0
    score_seed: int = 0
    weights: str = "raw"
    batch_norm: str = "inference"
    version: int = VERSION

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits of the SHA-256 of all fields."""
        return digest_of(json.dumps(self.record(), sort_keys=True))[:8]

    def record(self) -> dict[str, Any]:
        """The fields as JSON takes them."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {"arguments": {name: _plain(value) for name, value in self.arguments.items()}}

    def key(self, name: str, output: str = "") -> str:
        """The name of one of the score's numbers, of one output where a sample has several."""
        return f"{named(name, self.extractor)}{f'/{output}' if output else ''}#{self.fingerprint}"


def _plain(value: Any) -> Any:
    if isinstance(value, Call):
        return {value.word: {name: _plain(item) for name, item in value.arguments.items()}}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def of_extractor(extractor: Extractor | None) -> dict[str, Any]:
    """The fields that an extractor fills."""
    if extractor is None:
        return {}
    return {
        "extractor": extractor.name,
        "extractor_sha256": extractor.digest,
        "resizing": extractor.resizing,
        "range": extractor.range,
    }


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields in which two contracts' records differ, with both values."""
    names = [*one, *(name for name in other if name not in one)]
    return {name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)}
