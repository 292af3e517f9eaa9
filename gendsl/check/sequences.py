"""Calls of `next_token` in, typed operations out: the network's call on a window, and what is to be said in it."""

from collections.abc import Sequence
from typing import Any

from gendsl import rules
from gendsl.check.operations import NOTHING, Operations
from gendsl.check.scope import FieldMeaning, Operand, Scope
from gendsl.diagnostics import Label
from gendsl.frozen import dataclass
from gendsl.plan.causality import seeing_ahead
from gendsl.plan.following import following
from gendsl.plan.plan import Network
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
        if not self._sees_not_ahead(network, span):
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

    def _sees_not_ahead(self, network: Network, span: Span) -> bool:
        """Whether no layer is known to show a place the tokens behind it; else that is reported."""
        found = seeing_ahead(network, {name: one for name, one in self.networks.items() if one is not None})
        if found is None:
            return True
        layer = network.layers[found]
        word = layer.arguments["network"] if layer.word == "network" else layer.word
        made = self.context.layer_spans.get(network.name, ())
        place = len(network.inputs) + found
        self.context.problems.add(
            rules.sees_ahead,
            span,
            f"`next_token` asks `{network.name}` for tokens that it sees: `{word}` reads later places",
            labels=(Label(made[place], "each place sees those behind it here"),) if place < len(made) else (),
            help=_MENDS.get(word, "take layers that read earlier places only"),
        )
        return False


_MENDS = {
    "attention": "write `attention …, causal: on`",
    "lstm": "leave out `backwards`, and write `sequences: on`",
    "gru": "leave out `backwards`, and write `sequences: on`",
    "bidirectional": "read forwards alone: `lstm 128, sequences: on`",
    "conv1d": "write `padding: causal`, without a stride",
}
