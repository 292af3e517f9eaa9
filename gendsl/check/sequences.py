"""Calls of `next_token` in, typed operations out: the network's call on a window, and what is to be said in it."""

from collections.abc import Sequence
from typing import Any

from gendsl.check.operations import NOTHING, Operations
from gendsl.check.scope import FieldMeaning, Operand, Scope
from gendsl.frozen import dataclass
from gendsl.plan.following import following
from gendsl.source import Span
from gendsl.vocabulary.types import NetworkType, Tensor, Type, Unknown


@dataclass(slots=True)
class SequenceCalls(Operations):
    """The calls of words of sequences."""

    def _next_token(
        self, operands: Sequence[Operand], attributes: dict[str, Any], type: Type, span: Span, scope: Scope
    ) -> Operand:
        """`operands` are the network and the tokens, of the types that the word takes."""
        network_type, tokens = operands[0].type, operands[1]
        assert isinstance(network_type, NetworkType) and isinstance(tokens.type, Tensor)
        network = self.networks.get(network_type.name)
        if network is None:
            return NOTHING
        first, *others = network.inputs
        given = self.operations[tokens.number]
        field = self.context.globals.find(given.attributes["name"]) if given.name == "field" else None
        if not isinstance(field, FieldMeaning) or field.field.kind != "text":
            self._mismatch(
                span, "`next_token` reads the windows of a text, and these are no field of one", "give it the field"
            )
            return NOTHING
        if not self._takes(network, first, tokens, span, f"`{first.name}` of `{network.name}`"):
            return NOTHING
        inputs = [tokens, *(self._batch_of(one, network, span, scope) for one in others)]
        if any(isinstance(one.type, Unknown) for one in inputs):
            return NOTHING
        result = self._called(network, tuple(one.number for one in inputs))
        logits, _ = self.calls[result.number]
        name = following(field.field.name)
        said = self.add("field", (), {"name": name}, Tensor(tokens.type.shape, "", True))
        given_on = {"word": attributes["word"], "arguments": attributes["arguments"]}
        return self.add("function", (logits, said.number), given_on, type)
