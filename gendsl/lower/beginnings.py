"""What the data tells of a field of tokens in, what its sequences begin and end with out: prompts, first tokens, ends.

It is known when the data is loaded, and kept in data.json: a run's samples need no data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.data.tokenizers import Tokenizer, tokenizer_from
from gendsl.lower.errors import UserError
from gendsl.plan.onward import sequence_of
from gendsl.plan.plan import Operation, Plan
from gendsl.plan.prompts import too_long, unknown_characters


@dataclass(frozen=True)
class Beginnings:
    """A field of tokens: the `record` of its tokenizer, and how often each token begins a training window."""

    name: str
    record: Mapping[str, Any]
    first: Sequence[int] | None = None

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """What cuts text into tokens. UserError for music."""
        if self.record["word"] == "remi":
            raise UserError(
                f"`{self.name}` is music, and no text is written in its tokens",
                "leave `prompt` and `stop` out: a piece begins as the training data does",
            )
        return tokenizer_from(self.record)

    def tokens(self, text: str) -> NDArray[np.int32]:
        """The tokens (n,) of a text. UserError for one with characters that the training text has not."""
        found = np.asarray(self.tokenizer.encode(text.encode()), np.int32)
        if self.tokenizer.unknown is not None:
            lost = [one for one in dict.fromkeys(text) if self.tokenizer.unknown in self.tokenizer.encode(one.encode())]
            if (told := unknown_characters(lost)) is not None:
                raise UserError(*told)
        return found

    def ends(self, text: str) -> NDArray[np.int32]:
        """Where a text ends a sequence, as a `generation.Stop` says it: state n is that the last n bytes are the first
        n of the text, so a token that holds its end, or more behind it, ends the sequence, too."""
        wanted, pieces = text.encode(), self.tokenizer.pieces()
        byte = _matched(wanted)
        found = np.empty((len(wanted) + 1, len(pieces)), np.int32)
        for state in range(len(wanted) + 1):
            for token, piece in enumerate(pieces):
                after = state
                for one in piece:
                    after = int(byte[after, one])
                found[state, token] = after
        return found


def _matched(wanted: bytes) -> NDArray[np.int32]:
    """(states, 256): how many bytes of a text have been met after each byte, the last for ever. Knuth et al. 1977."""
    found = np.zeros((len(wanted) + 1, 256), np.int32)
    found[0, wanted[0]] = 1
    before = 0  # the state after all bytes met but the first
    for state in range(1, len(wanted)):
        found[state] = found[before]
        found[state, wanted[state]] = state + 1
        before = int(found[before, wanted[state]])
    found[len(wanted)] = len(wanted)
    return found


def beginnings_in(manifest: Mapping[str, Any], plan: Plan) -> dict[str, Beginnings]:
    """The fields of tokens of a plan, by name, from what data.json tells of its sources."""
    found: dict[str, Beginnings] = {}
    for field in plan.data.fields:
        source = next((one for one in manifest.get("sources") or () if one.get("name") == field.source), None)
        if field.kind == "text" and source is not None and "tokenizer" in source:
            found[field.name] = Beginnings(field.name, source["tokenizer"], source.get("first_tokens"))
    return found


def generations_in(plan: Plan) -> list[Operation]:
    """The calls of `generate` in the equations of samples and scores."""
    stretches = [plan.sample.operations if plan.sample is not None else ()]
    stretches += [evaluation.operations for evaluation in plan.evaluations]
    return [
        operation
        for operations in stretches
        for operation in operations
        if operation.name == "function" and operation.attributes["word"] == "generate"
    ]


def refuse_prompts(plan: Plan, beginnings: Mapping[str, Beginnings]) -> None:
    """Raises UserError for a prompt that only the tokens of the data show to be wrong."""
    for operation in generations_in(plan):
        network = plan.network(operation.attributes["network"])
        field = beginnings.get(str(network.inputs[0].of))
        options = operation.attributes["arguments"]
        if field is None:
            continue
        if options["stop"] is not None:
            field.tokens(options["stop"])
        if options["prompt"]:
            refuse_long(len(field.tokens(options["prompt"])), sequence_of(network), options["length"])


def refuse_long(tokens: int, window: int | None, length: int) -> None:
    """Raises UserError for a prompt of so many tokens, where it has no room."""
    if (told := too_long(tokens, window, length)) is not None:
        raise UserError(*told)
